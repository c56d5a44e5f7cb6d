/**
 * What a film tells beside light: albedo, normal, depth, object and coverage of what the camera
 * sees, and the second moment of luminance. Integer sums add up exactly in any order; the two float
 * sums are left to the accumulator, which knows how to add those.
 */
import { ALBEDO_STEPS, NONE, NORMAL_STEPS } from '#shaders/layout.ts';
import { addCounts, COUNTS_PER_PIXEL, filmDepthAndMoment, filmObjects } from './film.ts';
import type { Pass, Rect } from './plan.ts';

/** Per pixel, rows from the top; linear values, never tone mapped. */
export interface Layers {
  /** R, G, B, mean over all paths: those that saw no surface count as black. */
  readonly albedo: Float32Array<ArrayBuffer>;
  /** X, Y, Z in world space, mean over all paths: shorter than 1 where a pixel sees an edge. */
  readonly normal: Float32Array<ArrayBuffer>;
  /** Mean distance from the camera over the paths that saw a surface; 0 where none did. */
  readonly depth: Float32Array<ArrayBuffer>;
  /** Mean squared luminance over all paths; less the square of the mean, it is the variance of a path. */
  readonly moment: Float32Array<ArrayBuffer>;
  /** Share of paths that saw a surface. */
  readonly coverage: Float32Array<ArrayBuffer>;
  /** Id of what the lowest sample with a surface saw; NONE where none did. */
  readonly object: Uint32Array<ArrayBuffer>;
}

/** Values per pixel. */
const CHANNELS = { albedo: 3, normal: 3, depth: 1, moment: 1, coverage: 1, object: 1 } as const satisfies Record<keyof Layers, number>;

export function emptyLayers(pixels: number): Layers {
  const floats = (name: keyof Layers): Float32Array<ArrayBuffer> => new Float32Array(pixels * CHANNELS[name]);
  return {
    albedo: floats('albedo'),
    normal: floats('normal'),
    depth: floats('depth'),
    moment: floats('moment'),
    coverage: floats('coverage'),
    object: new Uint32Array(pixels).fill(NONE),
  };
}

/** Puts the layers of a rectangle where it lies in the frame. */
export function placeLayers(frame: Layers, frameWidth: number, rect: Rect, part: Layers): void {
  for (const [name, channels] of Object.entries(CHANNELS) as [keyof Layers, number][])
    copyRows(frame[name], part[name], frameWidth, rect, channels);
}

/** @param part rect.width × rect.height × channels values. */
export function copyRows<T extends Float32Array | Uint32Array>(frame: T, part: T, frameWidth: number, rect: Rect, channels: number): void {
  for (let row = 0; row < rect.height; row++) {
    const from = part.subarray(row * rect.width * channels, (row + 1) * rect.width * channels);
    frame.set(from, ((rect.y + row) * frameWidth + rect.x) * channels);
  }
}

export class LayerSums {
  readonly #counts: Int32Array<ArrayBuffer>;
  readonly #object: Uint32Array<ArrayBuffer>;
  /** First sample of the pass that `#object` is of. */
  readonly #objectFirst: Uint32Array<ArrayBuffer>;

  constructor(pixels: number) {
    this.#counts = new Int32Array(pixels * COUNTS_PER_PIXEL);
    this.#object = new Uint32Array(pixels).fill(NONE);
    this.#objectFirst = new Uint32Array(pixels).fill(NONE);
  }

  /** @returns sums of depth and squared luminance per pixel, for the accumulator to add in its order. */
  add(pass: Pass, light: Uint8Array): Float32Array<ArrayBuffer> {
    addCounts(this.#counts, light);
    const objects = filmObjects(light);
    for (let p = 0; p < objects.length; p++) {
      if (objects[p] === NONE || pass.first > this.#objectFirst[p]!) continue;
      this.#object[p] = objects[p]!;
      this.#objectFirst[p] = pass.first;
    }
    return filmDepthAndMoment(light);
  }

  /** @param samples per pixel in all. @param more sums of depth and squared luminance. */
  means(samples: number, more: Float32Array): Layers {
    const pixels = this.#object.length;
    const out = emptyLayers(pixels);
    if (samples === 0) return out;
    for (let p = 0; p < pixels; p++) {
      const count = (i: number): number => this.#counts[p * COUNTS_PER_PIXEL + i]!;
      for (let c = 0; c < 3; c++) {
        out.albedo[p * 3 + c] = count(c) / (ALBEDO_STEPS * samples);
        out.normal[p * 3 + c] = count(3 + c) / (NORMAL_STEPS * samples);
      }
      const covered = count(6);
      out.coverage[p] = covered / samples;
      out.depth[p] = covered > 0 ? more[p * 2]! / covered : 0;
      out.moment[p] = more[p * 2 + 1]! / samples;
      out.object[p] = this.#object[p]!;
    }
    return out;
  }
}
