/**
 * One damaged file from one sound one and one number: the same number gives the same file for ever.
 * Knows the structure of what it damages: JSON trees, binary chunks, buffer views (and so the
 * payloads of Draco, Meshopt and images), zip directories, environment headers.
 */
import type { SceneFiles } from '#lib/gpu/engine.ts';
import { editGlb, type Bytes } from './fixtures.ts';
import { zipped, type Seedling } from './fuzz-corpus.ts';

/** Mulberry32: a full-period generator of 32-bit numbers; here in [0, 1). */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Mutant {
  readonly name: string;
  readonly files: SceneFiles;
}

/** Mutant number `index` of `corpus`. */
export function mutant(corpus: readonly Seedling[], index: number): Mutant {
  const seedling = corpus[index % corpus.length] as Seedling;
  const random = numbersFrom(Math.imul(index + 1, 0x9e3779b1));
  const { files } = seedling;
  if (files.environment && random() < 0.9) {
    const file = damageBytes(files.environment.file, random);
    return { name: `${seedling.name} #${index}`, files: { ...files, environment: { ...files.environment, file } } };
  }
  const scene = damageScene(seedling, random);
  return { name: `${seedling.name} #${index}`, files: { ...files, scene } };
}

type Random = () => number;

function damageScene({ files: { scene }, parts }: Seedling, random: Random): Bytes {
  if (parts && random() < 0.7) {
    const path = pick(random, Object.keys(parts));
    return zipped({ ...parts, [path]: damageFile(parts[path] as Bytes, random) }, random() < 0.5 ? 0 : 6);
  }
  return damageFile(scene, random);
}

function damageFile(file: Bytes, random: Random): Bytes {
  const kind = file[0] === 0x67 ? random() : 1;
  if (kind < 0.6) return damageJson(file, random);
  if (file[0] === 0x7b && random() < 0.8) {
    const json = JSON.parse(new TextDecoder().decode(file)) as object;
    editTree(json, random);
    return new TextEncoder().encode(JSON.stringify(json));
  }
  return kind < 0.85 ? damageView(file, random) : damageBytes(file, random);
}

const below = (random: Random, n: number): number => Math.floor(random() * n);
const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)] as T;

const WORDS = [0, 1, 2, 3, 4, 5, 7, 8, 16, 127, 128, 255, 256, 65535, 65536, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

/** Truncates, flips, overwrites with telling numbers, repeats or moves a run. */
function damageBytes(source: Bytes, random: Random): Bytes {
  const bytes = source.slice();
  const view = new DataView(bytes.buffer);
  const kind = random();
  if (kind < 0.15) return bytes.slice(0, below(random, bytes.length));
  if (kind < 0.6) {
    for (let flips = 1 + below(random, 8); flips > 0; flips--) bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
  } else if (kind < 0.85) {
    for (let words = 1 + below(random, 2); words > 0; words--) {
      if (random() < 0.5 && bytes.length >= 4) view.setUint32(below(random, bytes.length - 3), pick(random, WORDS), random() < 0.7);
      else bytes[below(random, bytes.length)] = pick(random, WORDS);
    }
  } else {
    const [from, to] = [below(random, bytes.length), below(random, bytes.length)];
    bytes.copyWithin(to, from, from + 1 + below(random, 64));
  }
  return bytes;
}

/** Damages the bytes behind one buffer view: geometry, a compressed mesh or an image. */
function damageView(glb: Bytes, random: Random): Bytes {
  return editGlb(glb, (json, binary) => {
    const views = json.bufferViews as {
      byteOffset?: number;
      byteLength: number;
      extensions?: Record<string, { byteOffset?: number; byteLength: number }>;
    }[];
    const view = pick(random, views);
    const { byteOffset = 0, byteLength } = view.extensions ? (Object.values(view.extensions)[0] ?? view) : view;
    const bytes = new Uint8Array(binary.buffer).subarray(byteOffset, byteOffset + byteLength);
    if (bytes.length === 0) return;
    const damaged = damageBytes(bytes.slice(), random);
    bytes.fill(random() < 0.5 ? 0 : 255);
    bytes.set(damaged.subarray(0, bytes.length));
  });
}

const VALUES: readonly unknown[] = [
  null,
  -1,
  0,
  1,
  2,
  3,
  0.5,
  -0.5,
  1e9,
  -1e9,
  2 ** 31,
  2 ** 53,
  1e300,
  -1e300,
  1e-300,
  5121,
  5123,
  5125,
  5126,
  '',
  'x',
  'VEC3',
  'SCALAR',
  'data:,a',
  '\u2028\n',
  '__proto__',
  [],
  [0],
  [1, 2, 3],
  [[0]],
  {},
  { index: 0 },
  { source: 0 },
  { a: { b: 1 } },
  true,
  false,
];

function damageJson(glb: Bytes, random: Random): Bytes {
  return editGlb(glb, (json, binary) => {
    for (let edits = random() < 0.6 ? 1 : 1 + below(random, 3); edits > 0; edits--) editTree(json, random);
    const [buffer] = Array.isArray(json.buffers) ? json.buffers : [];
    if (random() < 0.05 && typeof buffer === 'object' && buffer !== null) buffer['byteLength'] = binary.byteLength - below(random, 8);
  });
}

/** Walks to a random place and replaces, deletes, doubles, nudges or exchanges what is there. */
function editTree(root: object, random: Random): void {
  let at = root as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(at);
    const key = keys.length > 0 ? pick(random, keys) : undefined;
    const child = key === undefined ? undefined : at[key];
    if (typeof child === 'object' && child !== null && random() < 0.85) {
      at = child as Record<string, unknown>;
      continue;
    }
    const kind = random();
    if (key === undefined || kind < 0.05) at['extra'] = structuredClone(pick(random, VALUES));
    else if (typeof child === 'number' && kind < 0.5) at[key] = nudge(child, random);
    else if (kind < 0.65) at[key] = structuredClone(pick(random, VALUES));
    else if (kind < 0.8) delete at[key];
    else if (Array.isArray(at) && kind < 0.9) (at as unknown[]).push(structuredClone(child));
    else at[key] = structuredClone(at[pick(random, keys)]);
    return;
  }
}

function nudge(value: number, random: Random): number {
  return pick(random, [
    value + 1,
    value - 1,
    -value,
    value * 2,
    value * 1e6,
    value + 0.5,
    0,
    value + below(random, 40),
    value - below(random, 40),
  ]);
}
