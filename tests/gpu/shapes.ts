/** Geometry for tests of traversal: closed meshes whose neighbours share exact corners, soups, placements, and rays at them. */
import { ball, randomPlacements } from '../unit/scene/instanced.ts';
import { randomNumbers } from '../unit/scene/oracle.ts';
import type { KitTriangle, Vec3 } from './kit.ts';
import { NONE } from '#shaders/layout.ts';
import type { CastRay } from './rays.ts';

export { randomPlacements };

/** A closed, bumpy ball around a point; neighbours share the very same corners. */
export function closedBall(rings: number, segments: number, centre: Vec3 = [0, 0, 0], size = 1, material = 0): KitTriangle[] {
  const { positions, indices } = ball(rings, segments);
  const at = (i: number): Vec3 => [0, 1, 2].map((axis) => Math.fround(positions[i * 3 + axis]! * size + centre[axis]!)) as unknown as Vec3;
  return Array.from({ length: indices.length / 3 }, (_, t) => {
    const [a, b, c] = [0, 1, 2].map((k) => ({ at: at(indices[t * 3 + k]!) })) as [{ at: Vec3 }, { at: Vec3 }, { at: Vec3 }];
    return { corners: [a, b, c], material };
  });
}

/** Random triangles of mixed size in a cube of half side `size`: some without area, some twice, some needles. */
export function soup(count: number, seed: number, size: number, material = 0): KitTriangle[] {
  const random = randomNumbers(seed);
  const signed = (): number => random() * 2 - 1;
  const out: KitTriangle[] = [];
  for (let t = 0; t < count; t++) {
    const centre = [signed(), signed(), signed()];
    const spread = 0.02 + 0.4 * random() ** 3;
    const point = (): Vec3 => centre.map((x) => Math.fround((x + signed() * spread) * size)) as unknown as Vec3;
    const [a, b, c] = [point(), point(), point()];
    const kind = t % 10;
    // A needle keeps a thousandth of its width: one thinner than rounding is met at any of its points.
    const needle = a.map((x, axis) => Math.fround(x + (b[axis]! - x) * 0.5 + (c[axis]! - x) * 1e-3)) as unknown as Vec3;
    const last = kind === 7 ? a : kind === 8 ? needle : c;
    out.push({ corners: [{ at: a }, { at: b }, { at: last }], material });
    if (kind === 9) out.push({ corners: [{ at: c }, { at: a }, { at: b }], material });
  }
  return out;
}

/**
 * Rays from random points of a cube of half side `size`: a third towards random directions, a third at
 * corners of the triangles, a third at points of their edges; some along an axis.
 */
export function raysAt(triangles: readonly KitTriangle[], count: number, seed: number, size: number, centre: Vec3 = [0, 0, 0]): CastRay[] {
  const random = randomNumbers(seed);
  const signed = (): number => random() * 2 - 1;
  return Array.from({ length: count }, (_, i) => {
    const origin = centre.map((x) => Math.fround(x + signed() * size)) as unknown as Vec3;
    const { corners } = triangles[Math.floor(random() * triangles.length)]!;
    const k = Math.floor(random() * 3);
    const [p, q] = [corners[k]!.at, corners[(k + 1) % 3]!.at];
    const s = i % 3 === 1 ? 0 : random();
    const target = p.map((x, axis) => x + (q[axis]! - x) * s);
    let direction = i % 3 === 0 ? [signed(), signed(), signed()] : target.map((x, axis) => x - origin[axis]!);
    if (i % 30 === 0) direction = [0, 1, 2].map((axis) => (axis === (i / 30) % 3 ? 1 : 0));
    const length = Math.hypot(...direction) || 1;
    return { origin, direction: direction.map((x) => x / length) as unknown as Vec3 };
  });
}

/** As raysAt, packed as RayCaster.castWords takes them; `placement` moves the triangles aimed at. */
export function rayWords(
  triangles: readonly KitTriangle[],
  count: number,
  seed: number,
  size: number,
  centre: Vec3,
  placement: readonly number[] | null,
): Float32Array<ArrayBuffer> {
  const random = randomNumbers(seed);
  const out = new Float32Array(count * 8);
  const words = new Uint32Array(out.buffer);
  const aim = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const { corners } = triangles[Math.floor(random() * triangles.length)]!;
    const k = Math.floor(random() * 3);
    const [p, q] = [corners[k]!.at, corners[(k + 1) % 3]!.at];
    const s = i % 3 === 1 ? 0 : random();
    for (let axis = 0; axis < 3; axis++) {
      out[i * 8 + axis] = centre[axis]! + (random() * 2 - 1) * size;
      aim[axis] = p[axis]! + (q[axis]! - p[axis]!) * s;
    }
    const [x, y, z] = aim as [number, number, number];
    for (let axis = 0; axis < 3; axis++) {
      const m = placement;
      const target = m ? m[axis]! * x + m[4 + axis]! * y + m[8 + axis]! * z + m[12 + axis]! : aim[axis]!;
      out[i * 8 + 4 + axis] = i % 3 === 0 ? random() * 2 - 1 : target - out[i * 8 + axis]!;
    }
    words[i * 8 + 3] = NONE;
  }
  return out;
}
