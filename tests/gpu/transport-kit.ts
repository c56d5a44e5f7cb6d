/**
 * What the transport tests share: closed boxes, environments that are white on one side only, and
 * means over several passes with their standard error, from the film's own second moment.
 */
import { readPixel, viewOfFilm, type Film } from '#lib/job/film.ts';
import type { RenderEngine } from '#workers/render/engine.ts';
import { compileKit, quad, request, type KitScene, type KitTriangle, type Shot, type Vec3 } from './kit.ts';

/** A closed box, faces outwards. */
export function box(min: Vec3, max: Vec3, material: number): KitTriangle[] {
  const [x, y, z] = min;
  const [X, Y, Z] = max;
  return [
    ...quad([x, y, Z], [X, y, Z], [X, Y, Z], [x, Y, Z], material),
    ...quad([X, y, z], [x, y, z], [x, Y, z], [X, Y, z], material),
    ...quad([X, y, Z], [X, y, z], [X, Y, z], [X, Y, Z], material),
    ...quad([x, y, z], [x, y, Z], [x, Y, Z], [x, Y, z], material),
    ...quad([x, Y, Z], [X, Y, Z], [X, Y, z], [x, Y, z], material),
    ...quad([x, y, z], [X, y, z], [X, y, Z], [x, y, Z], material),
  ];
}

/** White where the direction's z is below zero, black elsewhere. */
export const BEHIND: NonNullable<KitScene['environment']> = {
  width: 16,
  height: 8,
  // u = atan2(z, x) / 2π + 1/2: the left half of the image looks to -z.
  radiance: (x) => (x < 8 ? [1, 1, 1] : [0, 0, 0]),
};
export const WHITE: NonNullable<KitScene['environment']> = { width: 8, height: 4, radiance: () => [1, 1, 1] };

export interface Estimate {
  readonly mean: Vec3;
  /** Standard error of the mean luminance, samples taken for independent. */
  readonly error: number;
}

/** Radiance over the whole frame, or over one block of it; `passes` of `samples` each. */
export async function estimate(engine: RenderEngine, scene: KitScene, shot: Shot, passes = 1): Promise<Estimate> {
  return combine(await films(engine, scene, shot, passes), () => true);
}

export async function films(engine: RenderEngine, scene: KitScene, shot: Shot, passes: number): Promise<Film[]> {
  const compiled = await compileKit(scene);
  engine.adopt(compiled);
  const count = shot.samples ?? 16;
  const out: Film[] = [];
  for (let pass = 0; pass < passes; pass++) {
    const wanted = { ...request(compiled.summary.root, shot), pass: { first: pass * count, count } };
    const outcome = await engine.trace(new AbortController().signal, wanted);
    if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.text}`);
    out.push(outcome.film);
  }
  return out;
}

/** The pixels that `inside` picks. */
export function combine(parts: readonly Film[], inside: (x: number, y: number) => boolean): Estimate {
  const sum = [0, 0, 0];
  let [moment, paths] = [0, 0];
  for (const film of parts) {
    const view = viewOfFilm(film.light);
    for (let i = 0; i < film.width * film.height; i++) {
      if (!inside(i % film.width, Math.floor(i / film.width))) continue;
      const pixel = readPixel(view, i);
      pixel.light.forEach((value, c) => (sum[c]! += value));
      moment += pixel.moment;
      paths += film.samples;
    }
  }
  const mean: Vec3 = [sum[0]! / paths, sum[1]! / paths, sum[2]! / paths];
  const level = 0.2126 * mean[0] + 0.7152 * mean[1] + 0.0722 * mean[2];
  return { mean, error: Math.sqrt(Math.max(moment / paths - level * level, 0) / paths) };
}

/** |a - b| in standard errors of the difference (Welch). */
export function apart(a: Estimate, b: Estimate): number {
  const level = ({ mean }: Estimate): number => 0.2126 * mean[0] + 0.7152 * mean[1] + 0.0722 * mean[2];
  return Math.abs(level(a) - level(b)) / Math.max(Math.hypot(a.error, b.error), 1e-9);
}
