/** The edge-avoiding filter's linked programs. Of its own, as the denoiser's: pages that only trace need none of it. */
import math from '../common/math.wgsl?raw';
import { link } from '../linker.ts';
import { wgslStruct } from '../struct.ts';
import { Strip, TAPS_REACH, VARIANCE_REACH, WORKGROUP_PX } from './layout.ts';
import prepare from './prepare.wgsl?raw';
import restore from './restore.wgsl?raw';
import smooth from './smooth.wgsl?raw';
import surface from './surface.wgsl?raw';
import variance from './variance.wgsl?raw';

const sizes = [
  `const VARIANCE_REACH = ${VARIANCE_REACH}u;`,
  `const TAPS_REACH = ${TAPS_REACH}i;`,
  `const WORKGROUP_PX = ${WORKGROUP_PX}u;`,
].join('\n');

const modules = {
  'common/math': math,
  'atrous/strip': `${wgslStruct(Strip)}\n${sizes}`,
  'atrous/surface': surface,
  'atrous/prepare': prepare,
  'atrous/variance': variance,
  'atrous/smooth': smooth,
  'atrous/restore': restore,
};

/** By what they do; the entry point of each is named in the key's place. */
export const atrousPrograms = {
  prepare: link(modules, 'atrous/prepare'),
  judge: link(modules, 'atrous/variance'),
  smooth_light: link(modules, 'atrous/smooth'),
  restore: link(modules, 'atrous/restore'),
} as const;
export type AtrousEntry = keyof typeof atrousPrograms;
