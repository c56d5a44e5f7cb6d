/** The denoiser's linked programs. Of its own, because pages that only trace need none of it. */
import { link } from '../linker.ts';
import { wgslStruct } from '../struct.ts';
import { convolutionSource, type ConvolutionShape } from './convolution.ts';
import input from './input.wgsl?raw';
import { Convolution, Pool, Tile } from './layout.ts';
import output from './output.wgsl?raw';
import pool from './pool.wgsl?raw';
import transfer from './transfer.wgsl?raw';

const tile = [Tile, Pool, Convolution].map(wgslStruct).join('\n');
const modules = {
  'denoise/input': input,
  'denoise/output': output,
  'denoise/pool': pool,
  'denoise/transfer': transfer,
  'denoise/tile': tile,
};

export const inputProgram = link(modules, 'denoise/input');
export const outputProgram = link(modules, 'denoise/output');
export const poolProgram = link(modules, 'denoise/pool');
export const convolutionProgram = (shape: ConvolutionShape): string =>
  link({ ...modules, convolution: `//#import denoise/tile\n${convolutionSource(shape)}` }, 'convolution');
