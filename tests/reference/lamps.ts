/** Random sets of lights for tests of the light tree: triangles of all sizes, points and spots. */
import { LIGHT_POINT, LIGHT_SPOT, NONE } from '#shaders/layout.ts';
import { triangleLight, type Candidate } from '#workers/scene/lights.ts';
import { pointBounds } from '#workers/scene/lights-punctual.ts';
import type { Receiver } from './light-tree.ts';

type Vec3 = readonly [number, number, number];
export type Chance = () => number;

const around = (random: Chance, size: number): Vec3 => [(random() - 0.5) * size, (random() - 0.5) * size, (random() - 0.5) * size];

export function direction(random: Chance): Vec3 {
  const z = 2 * random() - 1;
  const [r, phi] = [Math.sqrt(1 - z * z), 2 * Math.PI * random()];
  return [r * Math.cos(phi), r * Math.sin(phi), z];
}

export interface Lamp extends Candidate {
  /** Corners of a triangle, null of a punctual light. */
  readonly corners: readonly Vec3[] | null;
}

/** Inside a cube of 10 around the origin; sizes over four decades. */
export function randomLamps(random: Chance, count: number): Lamp[] {
  return Array.from({ length: count }, (_, i): Lamp => {
    const at = around(random, 10);
    if (i % 3 < 2) {
      const size = 10 ** (-3 + 3.5 * random());
      const corners = [0, 1, 2].map((): Vec3 => {
        const off = around(random, size);
        return [at[0] + off[0], at[1] + off[1], at[2] + off[2]].map(Math.fround) as unknown as Vec3;
      });
      return { ...triangleLight(Float32Array.from(corners.flat()), i, 1 + random(), i % 2 === 0, i % 5 === 0), corners };
    }
    const axis = direction(random);
    const spot = random() < 0.5;
    const [inner, outer] = [random() * 0.7, 0.7 + random() * 0.8];
    const bounds = { ...pointBounds(random()), min: at, max: at };
    const row = { kind: spot ? LIGHT_SPOT : LIGHT_POINT, triangle: NONE, profile: NONE, position: at };
    return {
      row,
      power: 1,
      corners: null,
      bounds: spot ? { ...bounds, axis, normals: inner, emission: outer - inner } : bounds,
    };
  });
}

/** Near and among the lamps; every third takes light from both sides. */
export const randomReceiver = (random: Chance, i: number): Receiver => ({
  position: around(random, 14).map(Math.fround) as unknown as Vec3,
  normal: i % 3 === 2 ? [0, 0, 0] : (direction(random).map(Math.fround) as unknown as Vec3),
});
