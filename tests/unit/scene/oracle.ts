/** Plain twins for tests: readers of compiled rows, brute-force and BVH closest hit (Möller and Trumbore 1997). */
import { BvhNode, Triangle, TriangleCorners } from '#shaders/layout.ts';
import type { Fields, StructLayout } from '#shaders/struct.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';

/** One field of one row of a section, as numbers. */
export function field<F extends Fields>(section: Uint8Array, layout: StructLayout<F>, row: number, name: keyof F & string): number[] {
  const [type] = layout.fields[name] as F[string];
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  const count = type.startsWith('vec') ? Number(type[3]) : 1;
  const at = row * layout.size + layout.offsets[name];
  return Array.from({ length: count }, (_, k) =>
    type.endsWith('f') || type === 'f32' ? view.getFloat32(at + k * 4, true) : view.getUint32(at + k * 4, true),
  );
}

export const one = <F extends Fields>(section: Uint8Array, layout: StructLayout<F>, row: number, name: keyof F & string): number =>
  field(section, layout, row, name)[0] as number;

/** Vertices of a triangle. */
export const cornersOf = (section: Uint8Array, triangle: number): number[] =>
  (['a', 'b', 'c'] as const).map((name) => one(section, TriangleCorners, triangle, name));

export type V3 = readonly [number, number, number];
export interface Hit {
  readonly t: number;
  readonly triangle: number;
}

const MISS: Hit = { t: Infinity, triangle: -1 };
const sub = (a: readonly number[], b: readonly number[]): V3 => [0, 1, 2].map((i) => (a[i] as number) - (b[i] as number)) as unknown as V3;
const dot = (a: readonly number[], b: readonly number[]): number =>
  [0, 1, 2].reduce((sum, i) => sum + (a[i] as number) * (b[i] as number), 0);
const cross = (a: readonly number[], b: readonly number[]): V3 => {
  const n = (x: readonly number[], i: number): number => x[i] as number;
  return [n(a, 1) * n(b, 2) - n(a, 2) * n(b, 1), n(a, 2) * n(b, 0) - n(a, 0) * n(b, 2), n(a, 0) * n(b, 1) - n(a, 1) * n(b, 0)];
};

/** Distance to a triangle in units of the direction, Infinity for a miss. */
export function hitTriangle(scene: CompiledScene, triangle: number, origin: V3, direction: V3): number {
  const [v0, v1, v2] = (['v0', 'v1', 'v2'] as const).map((name) => field(scene.triangles, Triangle, triangle, name)) as [
    number[],
    number[],
    number[],
  ];
  const [e1, e2] = [sub(v1, v0), sub(v2, v0)];
  const p = cross(direction, e2);
  const determinant = dot(e1, p);
  if (determinant === 0) return Infinity;
  const s = sub(origin, v0);
  const u = dot(s, p) / determinant;
  const q = cross(s, e1);
  const v = dot(direction, q) / determinant;
  const t = dot(e2, q) / determinant;
  return u >= 0 && v >= 0 && u + v <= 1 && t > 0 ? t : Infinity;
}

/** Ties go to the lower place in leaf order. */
export function bruteForce(scene: CompiledScene, origin: V3, direction: V3): Hit {
  let best = MISS;
  for (let i = 0; i < scene.triangles.length / Triangle.size; i++) {
    const t = hitTriangle(scene, i, origin, direction);
    if (t < best.t) best = { t, triangle: i };
  }
  return best;
}

/** Traversal as a kernel does it, with its stack bounded. @throws when the stack overflows `stackMax`. */
export function traverse(scene: CompiledScene, origin: V3, direction: V3, stackMax: number): Hit {
  let best = MISS;
  const stack = [0];
  while (stack.length > 0) {
    const node = stack.pop() as number;
    for (const side of ['left', 'right'] as const) {
      if (!hitsBox(scene, node, side, origin, direction, best.t)) continue;
      const [ref, count] = [one(scene.nodes, BvhNode, node, `${side}_ref`), one(scene.nodes, BvhNode, node, `${side}_count`)];
      if (count === 0) stack.push(ref);
      for (let i = ref; i < ref + count; i++) {
        const t = hitTriangle(scene, i, origin, direction);
        if (t < best.t || (t === best.t && i < best.triangle)) best = { t, triangle: i };
      }
    }
    if (stack.length > stackMax) throw new Error(`the stack grew past ${stackMax}`);
  }
  return best;
}

function hitsBox(scene: CompiledScene, node: number, side: 'left' | 'right', origin: V3, direction: V3, tMax: number): boolean {
  const min = field(scene.nodes, BvhNode, node, `${side}_min`);
  const max = field(scene.nodes, BvhNode, node, `${side}_max`);
  if ((min[0] as number) > (max[0] as number)) return false;
  let [near, far] = [0, tMax];
  for (let axis = 0; axis < 3; axis++) {
    const inverse = 1 / (direction[axis] as number);
    const a = ((min[axis] as number) - (origin[axis] as number)) * inverse;
    const b = ((max[axis] as number) - (origin[axis] as number)) * inverse;
    near = Math.max(near, Math.min(a, b));
    far = Math.min(far, Math.max(a, b));
  }
  return near <= far * (1 + 1e-12);
}

/** A seeded generator of uniform numbers in [0, 1) (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
}
