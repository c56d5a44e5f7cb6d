/**
 * The door of this folder: linked programs, and the text whose hash names them. Struct declarations and
 * shared constants are written from layout.ts, so no number of a layout stands twice. Refuses to
 * know anything about devices.
 */
import * as tables from './bsdf/tables.ts';
import * as layout from './layout.ts';
import { link, type ShaderModules } from './linker.ts';
import { wgslStruct } from './struct.ts';
import { Stage, wavefrontConstants } from './wavefront/layout.ts';

/** The denoisers have doors of their own: they decide no path, and pages that only trace need none of them. */
const FILES = import.meta.glob<string>(['./**/*.wgsl', '!./denoise/**', '!./atrous/**'], { query: '?raw', import: 'default', eager: true });

/** Structs and `u32` constants of layout.ts as WGSL. */
function layoutModule(): string {
  const structs: string[] = [];
  const constants: string[] = [];
  for (const [name, value] of Object.entries(layout)) {
    if (typeof value === 'number') constants.push(`const ${name} = ${value}u;`);
    else if (typeof value === 'object') structs.push(wgslStruct(value));
  }
  return [...constants.toSorted(), ...structs.toSorted()].join('\n');
}

/** Sizes of the albedo tables: `mirrorNodes` is MIRROR_NODES. */
function tableSizes(): string {
  const name = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  const sizes = (
    ['mirrorNodes', 'glassNodes', 'glassEtas', 'stretchCosines', 'stretchLeast', 'stretchWidths', 'stretchTurns'] as const
  ).map((key) => `const ${name(key)} = ${tables.ALBEDO[key]}u;`);
  return [...sizes, `const GLASS_REACH = ${tables.ALBEDO.glassReach};`].join('\n');
}

/**
 * Which tree of the scene rays walk, and where it is read from: the wide one lies in a buffer or in
 * textures. A binding has one type in a program, so this is a matter of linking, not of an override.
 */
export type Tree = 'binary' | 'wide' | 'wide-texels';
const TREES: readonly Tree[] = ['binary', 'wide', 'wide-texels'];

const sources = new Map(Object.entries(FILES).map(([path, source]) => [path.replace(/^\.\//, '').replace(/\.wgsl$/, ''), source]));

/**
 * Every module by name: `common/math`, `trace`, … and the generated `layout`, `bsdf/table_sizes` and
 * `wavefront/layout`; `scene/tree` and `scene/search` are the tree's.
 */
export const treeModules = (tree: Tree): ShaderModules => ({
  ...Object.fromEntries(sources),
  layout: layoutModule(),
  'bsdf/table_sizes': tableSizes(),
  'wavefront/layout': `${wgslStruct(Stage)}${wavefrontConstants()}`,
  'scene/tree': sources.get(`scene/tree-${tree}`)!,
  'scene/search': sources.get(tree === 'binary' ? 'scene/traverse-binary' : 'scene/traverse-wide')!,
});

/** The modules over the binary tree, which every scene has. */
export const shaderModules: ShaderModules = treeModules('binary');

/** One invocation per path: fills the slots. */
export const traceProgramOver = (tree: Tree): string => link(treeModules(tree), 'trace');
/** The one over the binary tree stands for all: they leave the same bits. */
export const traceProgram = traceProgramOver('binary');
/** Sums the slots of each pixel and packs the signatures. */
export const reduceProgram = link(shaderModules, 'reduce');

const STAGES = ['ends', 'sort', 'extend', 'shadow', 'shade'] as const;

/** The same work as `traceProgramOver` in stages (workers/render/wavefront-pass.ts). */
export const wavefrontPrograms = (tree: Tree): Readonly<Record<(typeof STAGES)[number], string>> => {
  const modules = treeModules(tree);
  return Object.fromEntries(STAGES.map((name) => [name, link(modules, `wavefront/${name}`)])) as Record<(typeof STAGES)[number], string>;
};

let pixelText: string | null = null;

/**
 * All of this folder that decides a pixel, as one text: every kernel over every tree, and the tables that
 * they read. Peers whose texts are alike trace alike, whichever of these kernels each of them picks.
 */
export function pixelSources(): string {
  const everything = ['trace', 'reduce', ...STAGES.map((name) => `wavefront/${name}`)].map((name) => `//#import ${name}`).join('\n');
  pixelText ??= [...TREES.map((tree) => link({ ...treeModules(tree), everything }, 'everything')), JSON.stringify(tables)].join('\n');
  return pixelText;
}
