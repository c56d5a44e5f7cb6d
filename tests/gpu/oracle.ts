/**
 * Tiny scenes for the engine and for the f64 oracle of tests/reference, and the question whether
 * their pictures have one mean: Welch's t-test per block of pixels over independent renders of each,
 * with Bonferroni's correction. Judges the engine and nothing else.
 */
import { filmLight } from '#lib/job/film.ts';
import type { PerspectiveCamera } from '#lib/protocol/order.ts';
import type { RenderEngine } from '#workers/render/engine.ts';
import type { Model, OracleMaterial } from '../reference/oracle/material.ts';
import { Oracle } from '../reference/oracle/tracer.ts';
import { welch } from '../reference/statistics.ts';
import { compileKit, FRONT, material, quad, request, sphere, type KitScene, type KitTriangle, type Vec3 } from './kit.ts';

export interface Tableau {
  readonly triangles: readonly KitTriangle[];
  readonly materials: readonly OracleMaterial[];
  readonly sky: Vec3;
  readonly camera: PerspectiveCamera;
}

const matter = (base: Vec3, metallic: number, roughness: number, emissive: Vec3 = [0, 0, 0]): OracleMaterial => ({
  base,
  metallic,
  roughness,
  emissive,
});

/** The oracle knows flat triangles only. */
const flat = (triangles: readonly KitTriangle[]): KitTriangle[] =>
  triangles.map((one) => ({ ...one, corners: one.corners.map(({ at }) => ({ at })) as unknown as KitTriangle['corners'] }));

const FLOOR = quad([-3, -1, 3], [3, -1, 3], [3, -1, -3], [-3, -1, -3], 0);
const camera = (eye: Vec3, tanHalfVfov: number, target: Vec3 = [0, 0, 0]): PerspectiveCamera => ({
  ...FRONT,
  eye: [...eye],
  target: [...target],
  tanHalfVfov,
});

export const TABLEAUX: Readonly<Record<string, Tableau>> = {
  'rough gold under a sky': {
    triangles: [...FLOOR, ...flat(sphere([0, 0, 0], 1, 1, 4))],
    materials: [matter([0.6, 0.5, 0.4], 0, 0.6), matter([1, 0.75, 0.3], 1, 0.7)],
    sky: [0.6, 0.8, 1],
    camera: camera([0, 1, 4], 0.4),
  },
  'a lamp in a coloured room': {
    triangles: [
      ...quad([-1, -1, 1], [1, -1, 1], [1, -1, -1], [-1, -1, -1], 0),
      ...quad([-1, 1, -1], [1, 1, -1], [1, 1, 1], [-1, 1, 1], 0),
      ...quad([-1, -1, -1], [1, -1, -1], [1, 1, -1], [-1, 1, -1], 0),
      ...quad([-1, -1, 1], [-1, -1, -1], [-1, 1, -1], [-1, 1, 1], 1),
      ...quad([1, -1, -1], [1, -1, 1], [1, 1, 1], [1, 1, -1], 2),
      ...quad([-0.4, 0.6, -0.4], [0.4, 0.6, -0.4], [0.4, 0.6, 0.4], [-0.4, 0.6, 0.4], 3),
    ],
    materials: [
      matter([0.7, 0.7, 0.7], 0, 1),
      matter([0.7, 0.1, 0.1], 0, 1),
      matter([0.1, 0.6, 0.1], 0, 0.5),
      matter([0, 0, 0], 0, 1, [8, 7, 5]),
    ],
    sky: [0, 0, 0],
    camera: camera([0, 0, 3.2], 0.36),
  },
  'steel plates around a lamp': {
    triangles: [
      ...quad([-1.5, -1, 1], [1.5, -1, 1], [1.5, -1, -1], [-1.5, -1, -1], 0),
      ...quad([-1.5, -1, -1], [1.5, -1, -1], [1.5, 1, -1.5], [-1.5, 1, -1.5], 1),
      ...quad([-0.3, 0.2, 0], [0.3, 0.2, 0], [0.3, 0.5, -0.2], [-0.3, 0.5, -0.2], 2),
    ],
    materials: [matter([0.9, 0.9, 0.95], 1, 0.5), matter([0.5, 0.6, 0.9], 0.5, 0.8), matter([0, 0, 0], 0, 1, [3, 3, 2])],
    sky: [0.05, 0.05, 0.1],
    camera: camera([0, 0.6, 4], 0.4),
  },
};

export interface Effort {
  readonly side: number;
  /** Pixels along each side of a block. */
  readonly block: number;
  /** Independent renders of each side. */
  readonly renders: number;
  readonly samples: number;
  readonly oracleSamples: number;
  readonly bounces: number;
}

function kitOf({ triangles, materials, sky }: Tableau): KitScene {
  const rows = materials.map(({ base, metallic, roughness, emissive }) =>
    material({ base_color: [...base, 1], metallic, roughness, ...(Math.max(...emissive) > 0 ? { emissive: [...emissive] } : {}) }),
  );
  const lit = Math.max(...sky) > 0;
  return { triangles, materials: rows, ...(lit ? { environment: { width: 8, height: 4, radiance: () => sky } } : {}) };
}

/** Means of each block and channel. */
function blocksOf(picture: ArrayLike<number>, { side, block }: Effort): number[] {
  const across = side / block;
  const out = new Array<number>(across * across * 3).fill(0);
  for (let i = 0; i < side * side * 3; i++) {
    const [pixel, channel] = [Math.floor(i / 3), i % 3];
    const [x, y] = [Math.floor((pixel % side) / block), Math.floor(pixel / side / block)];
    out[(y * across + x) * 3 + channel]! += picture[i]! / (block * block);
  }
  return out;
}

export async function engineRenders(engine: RenderEngine, tableau: Tableau, effort: Effort): Promise<number[][]> {
  const compiled = await compileKit(kitOf(tableau));
  engine.adopt(compiled);
  const { side, samples, bounces } = effort;
  const out: number[][] = [];
  for (let seed = 1; seed <= effort.renders; seed++) {
    const outcome = await engine.trace(
      new AbortController().signal,
      request(compiled.summary.root, { camera: tableau.camera, side, samples, bounces, seed }),
    );
    if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.text}`);
    out.push(
      blocksOf(
        filmLight(outcome.film.light).map((sum) => sum / samples),
        effort,
      ),
    );
  }
  return out;
}

export function oracleRenders(tableau: Tableau, model: Model, effort: Effort): number[][] {
  const { triangles, materials, sky, camera: view } = tableau;
  const faces = triangles.map((one) => ({
    corners: one.corners.map(({ at }) => at) as unknown as readonly [Vec3, Vec3, Vec3],
    material: one.material,
  }));
  const oracle = new Oracle({ triangles: faces, materials, sky }, model);
  return Array.from({ length: effort.renders }, (_, i) =>
    blocksOf(oracle.picture({ ...view, ...effort }, effort.oracleSamples, 1000 + i), effort),
  );
}

export interface Agreement {
  readonly blocks: number;
  /** Smallest p of any block, times their number; at most 1. */
  readonly corrected: number;
  /** Relative difference of the two pictures' means, and its standard error. */
  readonly mean: number;
  readonly standardError: number;
}

/** Relative: of sums of f32. */
const ROUNDING = 2e-6;

/** @param a,b renders × blocks. */
export function agreement(a: readonly number[][], b: readonly number[][]): Agreement {
  const blocks = a[0]!.length;
  let least = 1;
  for (let k = 0; k < blocks; k++) {
    const [mine, theirs] = [a.map((one) => one[k]!), b.map((one) => one[k]!)];
    const test = welch(mine, theirs);
    // A block of nothing but sky has no noise, and the film's sums round.
    if (Math.abs(test.difference) > ROUNDING * Math.abs(theirs[0]!)) least = Math.min(least, test.p);
  }
  const whole = (renders: readonly number[][]): number[] => renders.map((one) => one.reduce((sum, value) => sum + value, 0) / blocks);
  const { difference, standardError } = welch(whole(a), whole(b));
  const level = whole(b).reduce((sum, value) => sum + value, 0) / b.length;
  return { blocks, corrected: Math.min(least * blocks, 1), mean: difference / level, standardError: standardError / level };
}
