/**
 * Films that are false on purpose, in the ways cheats are: for known answers that grade checkers, and
 * for the attackers of the simulation. What a lie saves is what its `trace` calls cost. Each film
 * claims what the honest one would: the same size, finite light, as many signatures as paths.
 */
import { readPixel, viewOfFilm, writePixel, FILM_BYTES_PER_PIXEL, type Film, type PixelSums } from '../job/film.ts';
import type { Pass, Rect } from '../job/plan.ts';
import type { CORRUPTIONS } from '../protocol/schema.ts';

/** What a lease asks for, and what a lie changes of it. */
export interface TraceSpec {
  readonly rect: Rect;
  readonly pass: Pass;
  readonly bounces: number;
}

/** @returns null when it can't be traced. */
export type TraceFilm = (spec: TraceSpec) => Promise<Film | null>;

export type Corruption = (typeof CORRUPTIONS)[number];

export interface Lie {
  readonly kind: Corruption;
  /** Share that is false (skim, forged, upscaled by 1 / strength), bounces left out (depth), share of samples left out, or factor − 1 of the light. */
  readonly strength: number;
  /** Uniform in [0, 1): where the lie has a choice. */
  readonly random: () => number;
}

/** @returns null when nothing could be traced. */
export async function corrupted(trace: TraceFilm, spec: TraceSpec, lie: Lie): Promise<Film | null> {
  switch (lie.kind) {
    case 'depth':
      return trace({ ...spec, bounces: Math.max(spec.bounces - lie.strength, 1) });
    case 'samples':
      return fewerSamples(trace, spec, lie.strength);
    case 'neighbour':
      return trace({ ...spec, rect: { ...spec.rect, x: spec.rect.x > 0 ? spec.rect.x - 8 : spec.rect.x + 8 } });
    case 'denoised':
      return mapped(await fewerSamples(trace, spec, lie.strength), (film) => blurred(film));
    case 'upscaled':
      return upscaled(await trace(spec), lie.strength);
    case 'skim':
      return mapped(await trace(spec), (film) => skimmed(film, lie));
    case 'random':
      return noise(spec, lie.random);
    case 'brighter':
      return mapped(await trace(spec), (film) => brightened(film, lie.strength));
    case 'segments':
      return mapped(await trace(spec), padded);
    case 'forged':
      return mapped(await trace(spec), (film) => forged(film, lie));
    case 'replayed':
      return trace({ ...spec, pass: { ...spec.pass, first: spec.pass.first + spec.pass.count } });
  }
}

/** Share of the honest work that a lie spares, at most. */
export function sparedBy({ kind, strength }: Pick<Lie, 'kind' | 'strength'>, bounces: number): number {
  switch (kind) {
    case 'depth':
      return Math.min(strength / (bounces + 1), 1);
    case 'samples':
    case 'denoised':
    case 'skim':
      return strength;
    case 'upscaled':
      return 1 - strength;
    case 'neighbour':
    case 'random':
    case 'replayed':
      return 1;
    case 'brighter':
    case 'segments':
    case 'forged':
      return 0;
  }
}

const mapped = (film: Film | null, change: (film: Film) => Film): Film | null => film && change(film);

const copy = (film: Film): Film => ({ ...film, light: film.light.slice(), signatures: film.signatures.slice() });

/** A part of the samples, each sold as often as it takes. */
async function fewerSamples(trace: TraceFilm, spec: TraceSpec, left: number): Promise<Film | null> {
  const count = Math.max(1, Math.round(spec.pass.count * (1 - left)));
  const film = await trace({ ...spec, pass: { first: spec.pass.first, count } });
  if (!film) return null;
  const times = spec.pass.count / count;
  const out = { ...copy(film), samples: spec.pass.count, signatures: new Uint16Array(film.width * film.height * spec.pass.count) };
  for (let i = 0; i < out.signatures.length; i++) {
    const [pixel, sample] = [Math.floor(i / spec.pass.count), i % spec.pass.count];
    out.signatures[i] = film.signatures[pixel * count + (sample % count)]!;
  }
  eachPixel(out, (sums) => scaled(sums, times));
  return out;
}

function scaled(sums: PixelSums, times: number): PixelSums {
  const whole = ([a, b, c]: PixelSums['albedo']): PixelSums['albedo'] => [
    Math.round(a * times),
    Math.round(b * times),
    Math.round(c * times),
  ];
  const { light, segments, albedo, normal, coverage, depth, moment, object } = sums;
  return {
    light: [light[0] * times, light[1] * times, light[2] * times],
    ...{ segments: Math.round(segments * times), albedo: whole(albedo), normal: whole(normal) },
    ...{ coverage: Math.round(coverage * times), depth: depth * times, moment: moment * times, object },
  };
}

function eachPixel(film: Film, change: (sums: PixelSums, pixel: number) => PixelSums): void {
  const view = viewOfFilm(film.light);
  for (let pixel = 0; pixel < film.width * film.height; pixel++) writePixel(view, pixel, change(readPixel(view, pixel), pixel));
}

/** Light of each pixel and its neighbours to the right and below, averaged. */
function blurred(film: Film): Film {
  const out = copy(film);
  const view = viewOfFilm(film.light);
  eachPixel(out, (sums, pixel) => {
    const [x, y] = [pixel % film.width, Math.floor(pixel / film.width)];
    const near = [pixel];
    if (x + 1 < film.width) near.push(pixel + 1);
    if (y + 1 < film.height) near.push(pixel + film.width);
    const mean = (c: 0 | 1 | 2): number => near.reduce((sum, at) => sum + readPixel(view, at).light[c], 0) / near.length;
    return { ...sums, light: [mean(0), mean(1), mean(2)] };
  });
  return out;
}

/** Every pixel takes all it is from one in its block: as traced at a lower resolution. */
function upscaled(film: Film | null, share: number): Film | null {
  if (!film) return null;
  const side = Math.max(2, Math.round(1 / Math.sqrt(share)));
  const out = copy(film);
  for (let pixel = 0; pixel < film.width * film.height; pixel++) {
    const [x, y] = [pixel % film.width, Math.floor(pixel / film.width)];
    copyPixel(out, film, (y - (y % side)) * film.width + (x - (x % side)), pixel);
  }
  return out;
}

/** A share of the pixels is the neighbour's. */
function skimmed(film: Film, { strength, random }: Lie): Film {
  const out = copy(film);
  const pixels = film.width * film.height;
  for (let pixel = 1; pixel < pixels; pixel++) if (random() < strength) copyPixel(out, film, pixel - 1, pixel);
  return out;
}

function copyPixel(into: Film, from: Film, source: number, target: number): void {
  const [a, b] = [source * FILM_BYTES_PER_PIXEL, target * FILM_BYTES_PER_PIXEL];
  into.light.set(from.light.subarray(a, a + FILM_BYTES_PER_PIXEL), b);
  into.signatures.set(from.signatures.subarray(source * from.samples, (source + 1) * from.samples), target * from.samples);
}

function noise({ rect, pass, bounces }: TraceSpec, random: () => number): Film {
  const pixels = rect.width * rect.height;
  const film: Film = {
    ...{ width: rect.width, height: rect.height, samples: pass.count },
    light: new Uint8Array(pixels * FILM_BYTES_PER_PIXEL),
    signatures: Uint16Array.from({ length: pixels * pass.count }, () => Math.floor(random() * 65_536)),
  };
  eachPixel(film, () => ({
    light: [random() * pass.count, random() * pass.count, random() * pass.count],
    segments: Math.floor(pass.count * (1 + random() * bounces)),
    albedo: [0, 0, 0],
    normal: [0, 0, 0],
    ...{ coverage: pass.count, depth: pass.count, moment: random() * pass.count, object: 0 },
  }));
  return film;
}

function brightened(film: Film, by: number): Film {
  const out = copy(film);
  eachPixel(out, (sums) => ({ ...sums, light: [sums.light[0] * (1 + by), sums.light[1] * (1 + by), sums.light[2] * (1 + by)] }));
  return out;
}

/** One segment more than was traced, for every pixel. */
function padded(film: Film): Film {
  const out = copy(film);
  eachPixel(out, (sums) => ({ ...sums, segments: sums.segments + 1 }));
  return out;
}

/** A share of the paths is another's: light and counts stay, so that nothing but a re-trace tells. */
function forged(film: Film, { strength, random }: Lie): Film {
  const out = copy(film);
  for (let i = 0; i < out.signatures.length; i++) if (random() < strength) out.signatures[i] = Math.floor(random() * 65_536);
  return out;
}
