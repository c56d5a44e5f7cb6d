/**
 * Skies for the tests of environment sampling, and the two measures of its sampler: Pearson's test of
 * drawn directions against the density, and what the density integrates to.
 */
import type { ShaderModules } from '#shaders/linker.ts';
import type { CompiledEnvironment } from '#workers/scene/compiled-scene.ts';
import { environmentOf } from '#workers/scene/environment.ts';
import { chiSquareTest } from '../reference/chi-square.ts';
import { runLight } from './light-kit.ts';

export interface Sky {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly level: (x: number, y: number) => number;
}

const noise = (x: number, y: number): number => ((Math.imul(x * 7919 + y * 104729 + 1, 2654435761) >>> 8) % 4096) / 4096;

export const SKIES: readonly Sky[] = [
  { name: 'noise over seven stops', width: 40, height: 20, level: (x, y) => 2 ** (7 * noise(x, y)) },
  { name: 'one texel in the dark', width: 40, height: 20, level: (x, y) => (x === 27 && y === 6 ? 1000 : 0) },
  { name: 'a sun on the seam', width: 40, height: 20, level: (x, y) => (x === 0 && y === 9 ? 500 : 0.1) },
  { name: 'bright poles', width: 20, height: 10, level: (x, y) => (y === 0 || (y === 9 && x < 3) ? 50 : 1) },
  { name: 'two texels', width: 2, height: 1, level: (x) => 1 + x },
];

export const compileSky = ({ width, height, level }: Sky): CompiledEnvironment =>
  environmentOf(
    {
      width,
      height,
      data: Float32Array.from({ length: width * height * 3 }, (_, i) => level(Math.floor(i / 3) % width, Math.floor(i / 3 / width))),
    },
    1,
  );

/** One drawn direction from independent numbers: its y, and its azimuth in turns. */
const DRAW = `
  _ = env_texels; // both bodies share one layout
  let seed = hash_word(i ^ u32(data[0]));
  let uv = sample_environment_uv(vec2u(hash_pair(seed, 1u), hash_pair(seed, 2u)), unit(hash_pair(seed, 3u)));
  let d = environment_direction(uv);
  return vec2f(d.y, atan2_turns(d.z, d.x));`;
const DENSITY = `
  _ = env_alias;
  return vec2f(environment_towards(vec3f(data[3u * i], data[3u * i + 1u], data[3u * i + 2u])).pdf, 0.0);`;
const IMPORTS = ['light/environment', 'common/random'];

export interface SkyGrid {
  readonly theta: number;
  readonly phi: number;
  readonly samples: number;
  /** The density is integrated over steps^2 points of each bin. */
  readonly steps: number;
}

/** Bins aligned with texel centres make the midpoint rule exact: over (u, v) the density is bilinear. */
export async function testSky(gpu: GPU, sky: Sky, grid: SkyGrid, broken: ShaderModules = {}): Promise<{ p: number; mass: number }> {
  const { theta, phi, samples, steps } = grid;
  const bindings = { environment: compileSky(sky), broken };
  const drawn = await runLight(gpu, IMPORTS, DRAW, bindings, Float32Array.of(77), samples);
  const observed = new Float64Array(theta * phi);
  for (let i = 0; i < samples; i++) {
    const [y, turns] = [drawn[2 * i]!, drawn[2 * i + 1]!];
    const band = Math.min(Math.floor((Math.acos(Math.min(Math.max(y, -1), 1)) / Math.PI) * theta), theta - 1);
    const sector = Math.min(Math.floor((turns + 0.5) * phi), phi - 1);
    observed[band * phi + sector]!++;
  }
  const [bands, sectors] = [theta * steps, phi * steps];
  const directions = new Float32Array(bands * sectors * 3);
  for (let i = 0; i < bands * sectors; i++) {
    const [t, a] = [((Math.floor(i / sectors) + 0.5) / bands) * Math.PI, (((i % sectors) + 0.5) / sectors - 0.5) * 2 * Math.PI];
    directions.set([Math.sin(t) * Math.cos(a), Math.cos(t), Math.sin(t) * Math.sin(a)], i * 3);
  }
  const densities = await runLight(gpu, IMPORTS, DENSITY, bindings, directions, bands * sectors);
  const expected = new Float64Array(theta * phi);
  let mass = 0;
  for (let i = 0; i < bands * sectors; i++) {
    const [band, sector] = [Math.floor(i / sectors), i % sectors];
    const share = densities[2 * i]! * Math.sin(((band + 0.5) / bands) * Math.PI) * (Math.PI / bands) * ((2 * Math.PI) / sectors);
    mass += share;
    expected[Math.floor(band / steps) * phi + Math.floor(sector / steps)]! += share * samples;
  }
  return { p: chiSquareTest(observed, expected), mass };
}
