/**
 * Films of a model scene: sky above, a lit floor below, and paths that go on with a fixed chance at
 * every bounce. Unlike the simulator's hashed films, a path cut one bounce short here differs only
 * where it would have gone on, and sky matches whatever was traced: what attacks live on.
 */
import { FILM_BYTES_PER_PIXEL, viewOfFilm, writePixel, type Film } from '#lib/job/film.ts';
import type { TraceSpec } from '#lib/trust/corruption.ts';
import { hash32 } from '../arithmetic-engine.ts';

/** Of a path, at every bounce. */
const GOES_ON = 0.6;
/** Rows of the frame that see nothing but sky. */
const SKY_ROWS = 48;

export function modelFilm({ rect, pass, bounces }: TraceSpec, scene = 1): Film {
  const pixels = rect.width * rect.height;
  const light = new Uint8Array(pixels * FILM_BYTES_PER_PIXEL);
  const signatures = new Uint16Array(pixels * pass.count);
  const view = viewOfFilm(light);
  for (let at = 0; at < pixels; at++) {
    const [x, y] = [rect.x + (at % rect.width), rect.y + Math.floor(at / rect.width)];
    const sum = { light: 0, segments: 0, moment: 0, coverage: 0, depth: 0 };
    for (let s = 0; s < pass.count; s++) {
      const path = y < SKY_ROWS ? SKY : tracePath(hash32(scene, x, y, pass.first + s), bounces);
      sum.light += path.light;
      sum.moment += path.light * path.light;
      sum.segments += path.segments;
      sum.coverage += path.coverage;
      sum.depth += path.coverage;
      signatures[at * pass.count + s] = path.signature;
    }
    const { segments, moment, coverage, depth } = sum;
    const object = coverage > 0 ? 1 : 0xffffffff;
    const layers = { albedo: [coverage, coverage, coverage], normal: [0, 0, coverage] } as const;
    writePixel(view, at, { light: [sum.light, sum.light, sum.light], segments, moment, coverage, depth, object, ...layers });
  }
  return { width: rect.width, height: rect.height, samples: pass.count, light, signatures };
}

const SKY = { light: 1, segments: 1, coverage: 0, signature: 7 };

function tracePath(seed: number, bounces: number): typeof SKY {
  let [light, signature, depth] = [0, seed & 0xffff, 0];
  for (; depth <= bounces; depth++) {
    const h = hash32(seed, depth);
    // Multiples of 1/256, so that sums do not depend on their order.
    light += ((h >>> 8) & 255) / 256 / 2 ** Math.min(depth, 4);
    signature = hash32(signature, h) & 0xffff;
    if ((h & 255) / 256 >= GOES_ON) break;
  }
  return { light, segments: 1 + 2 * Math.min(depth + 1, bounces + 1), coverage: 1, signature };
}
