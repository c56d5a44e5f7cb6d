/**
 * The film of one lease, as it is traced, hashed, sent and summed: an array of FilmPixel
 * (shaders/layout.ts), the one layout for kernels, TypeScript, files and the wire. Here are its
 * bytes as numbers, and nothing else reads them by offset.
 */
import { FilmPixel } from '#shaders/layout.ts';

export { ALBEDO_STEPS, NORMAL_STEPS } from '#shaders/layout.ts';

/** Little-endian bytes per pixel of `light`. */
export const FILM_BYTES_PER_PIXEL = FilmPixel.size;
/** Little-endian bytes per path of `signatures`. */
export const SIGNATURE_BYTES_PER_PATH = 2;

export interface Film {
  readonly width: number;
  readonly height: number;
  /** Samples per pixel of the pass. */
  readonly samples: number;
  /** FilmPixel per pixel, rows from the top. Sums over the pass's samples, not means. */
  readonly light: Uint8Array<ArrayBuffer>;
  /** width × height × samples u16, pixel by pixel in row order, samples ascending. Absent on the creator's side. */
  readonly signatures: Uint16Array<ArrayBuffer>;
}

type Triple = readonly [number, number, number];

/** One pixel of a film: sums over its samples. */
export interface PixelSums {
  readonly light: Triple;
  /** NONE: a path met the node cap. */
  readonly segments: number;
  /** In steps of 1 / ALBEDO_STEPS. */
  readonly albedo: Triple;
  /** In steps of 1 / NORMAL_STEPS. */
  readonly normal: Triple;
  /** Paths that saw a surface. */
  readonly coverage: number;
  /** Over those paths. */
  readonly depth: number;
  /** Of squared luminance. */
  readonly moment: number;
  /** NONE: no path saw a surface. */
  readonly object: number;
}

const at = FilmPixel.offsets;
const WORDS = FilmPixel.size / 4;

export const viewOfFilm = (light: Uint8Array): DataView => new DataView(light.buffer, light.byteOffset, light.byteLength);

/** @param view of a film's `light`. */
export function readPixel(view: DataView, pixel: number): PixelSums {
  const from = pixel * FilmPixel.size;
  const f32 = (offset: number): number => view.getFloat32(from + offset, true);
  const u32 = (offset: number): number => view.getUint32(from + offset, true);
  const low = (offset: number): number => view.getInt16(from + offset, true);
  return {
    light: [f32(at.light), f32(at.light + 4), f32(at.light + 8)],
    segments: u32(at.segments),
    albedo: [u32(at.albedo_rg) & 0xffff, u32(at.albedo_rg) >>> 16, u32(at.albedo_b)],
    normal: [low(at.normal_xy), low(at.normal_xy + 2), low(at.normal_z)],
    coverage: u32(at.normal_z) >>> 16,
    depth: f32(at.depth),
    moment: f32(at.moment),
    object: u32(at.object),
  };
}

/** Adds to each pixel's count the paths of a film that saw a surface. */
export function addCoverage(counts: Uint32Array, light: Uint8Array): void {
  const view = viewOfFilm(light);
  for (let p = 0; p < counts.length; p++) counts[p]! += view.getUint16(p * FilmPixel.size + at.normal_z + 2, true);
}

export function writePixel(view: DataView, pixel: number, sums: PixelSums): void {
  const from = pixel * FilmPixel.size;
  const f32 = (offset: number, value: number): void => view.setFloat32(from + offset, value, true);
  const u32 = (offset: number, value: number): void => view.setUint32(from + offset, value, true);
  const pair = (low: number, high: number): number => (low & 0xffff) | (high << 16);
  sums.light.forEach((value, c) => f32(at.light + c * 4, value));
  u32(at.segments, sums.segments);
  u32(at.albedo_rg, pair(sums.albedo[0], sums.albedo[1]));
  u32(at.albedo_b, sums.albedo[2]);
  u32(at.normal_xy, pair(sums.normal[0], sums.normal[1]));
  u32(at.normal_z, pair(sums.normal[2], sums.coverage));
  f32(at.depth, sums.depth);
  f32(at.moment, sums.moment);
  u32(at.object, sums.object);
}

/** Integers per pixel that `addCounts` adds: albedo, normal, coverage. */
export const COUNTS_PER_PIXEL = 7;

/** Adds to each pixel's counts what `readPixel` gives of them; `light` begins on a word. A picture of a million pixels has no time for objects. */
export function addCounts(counts: Int32Array, light: Uint8Array): void {
  const words = new Uint32Array(light.buffer, light.byteOffset, light.length / 4);
  const [albedoRg, albedoB, normalXy, normalZ] = [at.albedo_rg / 4, at.albedo_b / 4, at.normal_xy / 4, at.normal_z / 4];
  for (let from = 0, to = 0; from < words.length; from += WORDS, to += COUNTS_PER_PIXEL) {
    const rg = words[from + albedoRg]!;
    const xy = words[from + normalXy]!;
    const z = words[from + normalZ]!;
    counts[to]! += rg & 0xffff;
    counts[to + 1]! += rg >>> 16;
    counts[to + 2]! += words[from + albedoB]!;
    counts[to + 3]! += (xy << 16) >> 16;
    counts[to + 4]! += xy >> 16;
    counts[to + 5]! += (z << 16) >> 16;
    counts[to + 6]! += z >>> 16;
  }
}

/** Sums of depth and of squared luminance per pixel. */
export function filmDepthAndMoment(light: Uint8Array): Float32Array<ArrayBuffer> {
  const words = new Float32Array(light.buffer, light.byteOffset, light.length / 4);
  const out = new Float32Array((light.length / FilmPixel.size) * 2);
  for (let from = 0, to = 0; from < words.length; from += WORDS, to += 2) {
    out[to] = words[from + at.depth / 4]!;
    out[to + 1] = words[from + at.moment / 4]!;
  }
  return out;
}

/** Numbers per pixel that `filmStatistics` gives: sums of luminance, of its square, and of segments. */
export const STATISTICS_PER_PIXEL = 3;

/** What the noise and the work of each pixel are told from. A preview of a page has no time for objects. */
export function filmStatistics(light: Uint8Array): Float64Array<ArrayBuffer> {
  const view = new Float32Array(light.buffer, light.byteOffset, light.length / 4);
  const counts = new Uint32Array(light.buffer, light.byteOffset, light.length / 4);
  const out = new Float64Array((light.length / FilmPixel.size) * STATISTICS_PER_PIXEL);
  for (let from = 0, to = 0; from < view.length; from += WORDS, to += STATISTICS_PER_PIXEL) {
    const colour = from + at.light / 4;
    out[to] = 0.2126 * view[colour]! + 0.7152 * view[colour + 1]! + 0.0722 * view[colour + 2]!;
    out[to + 1] = view[from + at.moment / 4]!;
    out[to + 2] = counts[from + at.segments / 4]!;
  }
  return out;
}

/** What each pixel saw; NONE: no surface. */
export function filmObjects(light: Uint8Array): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(light.buffer, light.byteOffset, light.length / 4);
  const out = new Uint32Array(light.length / FilmPixel.size);
  for (let p = 0; p < out.length; p++) out[p] = words[p * WORDS + at.object / 4]!;
  return out;
}

/** Rays traced for a film: the sum of its pixels' segment counts. `light` begins on a word, as whole films and cut leaves do. */
export function filmSegments(light: Uint8Array): number {
  const words = new Uint32Array(light.buffer, light.byteOffset, light.length / 4);
  let sum = 0;
  for (let i = at.segments / 4; i < words.length; i += WORDS) sum += words[i]!;
  return sum;
}

/** Sums of radiance, R, G, B per pixel. */
export function filmLight(light: Uint8Array): Float32Array<ArrayBuffer> {
  const words = new Float32Array(light.buffer, light.byteOffset, light.length / 4);
  const pixels = light.length / FilmPixel.size;
  const out = new Float32Array(pixels * 3);
  for (let p = 0; p < pixels; p++) {
    const from = p * WORDS + at.light / 4;
    for (let c = 0; c < 3; c++) out[p * 3 + c] = words[from + c]!;
  }
  return out;
}

/** What tracing took: the same on every device that decides the same paths. */
export interface Counters {
  readonly segments: number;
  readonly nodeVisits: number;
  readonly triangleTests: number;
  readonly shadingCalls: number;
  /** Of material textures; a filtered one reads four. */
  readonly texelReads: number;
}

/** @param light of a film that the counting kernel made (TraceRequest.count). */
export function filmCounters(light: Uint8Array): Counters {
  const view = viewOfFilm(light);
  const sum = (offset: number, read: (from: number) => number): number => {
    let total = 0;
    for (let from = offset; from < light.length; from += FilmPixel.size) total += read(from);
    return total;
  };
  const words = (offset: number): number => sum(offset, (from) => view.getUint32(from, true));
  // Where reduce.wgsl leaves them.
  const { albedo_rg: nodes, albedo_b: triangles, normal_xy: shadings, depth: texels } = at;
  return {
    segments: filmSegments(light),
    nodeVisits: words(nodes),
    triangleTests: words(triangles),
    shadingCalls: words(shadings),
    texelReads: sum(texels, (from) => view.getFloat32(from, true)),
  };
}

/** Has every pixel at least one ray? A path traces one whatever it meets; what a lost device reads back has none. */
export function filmIsTraced(light: Uint8Array): boolean {
  const words = new Uint32Array(light.buffer, light.byteOffset, light.length / 4);
  for (let i = at.segments / 4; i < words.length; i += WORDS) if (words[i] === 0) return false;
  return true;
}

/** Is every number of these pixels finite? What is not would spoil whatever it is added to. */
export function filmIsFinite(light: Uint8Array): boolean {
  const words = new Float32Array(light.buffer, light.byteOffset, light.length / 4);
  const [colour, depth, moment] = [at.light / 4, at.depth / 4, at.moment / 4];
  for (let i = 0; i < words.length; i += WORDS) {
    // A sum of f32 as doubles can't overflow, so it is finite exactly when its terms are.
    const sum = words[i + colour]! + words[i + colour + 1]! + words[i + colour + 2]! + words[i + depth]! + words[i + moment]!;
    if (!Number.isFinite(sum)) return false;
  }
  return true;
}
