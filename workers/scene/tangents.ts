/**
 * Tangents for meshes that need them and bring none of their own, as MikkTSpace makes them
 * (Mikkelsen 2008, the scheme glTF names and normal maps are baked for): vertices of equal position,
 * normal and coordinates are one; corner-angle weights in the plane of the normal; mirrored and
 * unmirrored faces apart. Different on purpose: fans that touch in a vertex but share no edge are
 * one group here, the sign follows the side that normals face even where the winding disagrees, and
 * the arithmetic is double and exact, where the published code is f32 with the C library's acos.
 */
import { acos } from './exact-math.ts';

export interface TangentSet {
  /** xyz and sign per vertex; vertices past the original ones are copies. */
  readonly tangents: Float64Array;
  /** For each vertex past the original ones, the vertex it copies. */
  readonly copies: readonly number[];
}

/**
 * @param corners three vertex indices per triangle; rewritten where a corner moves to a copy.
 * @param positions 3 per vertex. @param normals unit, 3 per vertex. @param uv 2 per vertex.
 */
export function makeTangents(corners: Uint32Array, positions: Float32Array, normals: Float64Array, uv: Float64Array): TangentSet {
  const count = positions.length / 3;
  const same = weld(positions, normals, uv);
  // Slot v holds faces whose texture is not mirrored at vertex v, slot v + count the mirrored ones.
  const sums = new Float64Array(count * 6);
  const used = new Uint8Array(count * 2);
  const mirrored = new Uint8Array(corners.length / 3);
  for (let t = 0; t < mirrored.length; t++) mirrored[t] = addFace(corners, t * 3, positions, normals, uv, same, sums, used);
  const copyOf = new Map<number, number>();
  const copies: number[] = [];
  for (let i = 0; i < corners.length; i++) {
    const v = corners[i] as number;
    if (mirrored[Math.floor(i / 3)] === 0 || used[same[v] as number] === 0) continue;
    let copy = copyOf.get(v);
    if (copy === undefined) {
      copy = count + copies.length;
      copyOf.set(v, copy);
      copies.push(v);
    }
    corners[i] = copy;
  }
  const tangents = new Float64Array((count + copies.length) * 4);
  for (let v = 0; v < count; v++) {
    const one = same[v] as number;
    writeTangent(tangents, v, sums, used[one] ? one : one + count, normals, v, used[one] ? 1 : used[one + count] ? -1 : 1);
  }
  copies.forEach((v, i) => writeTangent(tangents, count + i, sums, (same[v] as number) + count, normals, v, -1));
  return { tangents, copies };
}

/** Adds one triangle to the sums of its corners. @returns 1 when its texture is mirrored. */
function addFace(
  corners: Uint32Array,
  at: number,
  p: Float32Array,
  n: Float64Array,
  uv: Float64Array,
  same: Int32Array,
  sums: Float64Array,
  used: Uint8Array,
): 0 | 1 {
  const [a, b, c] = [corners[at] as number, corners[at + 1] as number, corners[at + 2] as number];
  const d = (v: number, axis: number): number => (p[v * 3 + axis] as number) - (p[a * 3 + axis] as number);
  const [u1, v1] = [(uv[b * 2] as number) - (uv[a * 2] as number), (uv[b * 2 + 1] as number) - (uv[a * 2 + 1] as number)];
  const [u2, v2] = [(uv[c * 2] as number) - (uv[a * 2] as number), (uv[c * 2 + 1] as number) - (uv[a * 2 + 1] as number)];
  const area = u1 * v2 - u2 * v1;
  if (area === 0) return 0;
  const flip = area < 0 ? -1 : 1;
  const tangent = [0, 1, 2].map((axis) => flip * (d(b, axis) * v2 - d(c, axis) * v1));
  const facing = faceSide(p, n, a, b, c);
  // glTF's v runs down the image while the bitangent runs up, so a plain layout has sign +1
  // exactly when u × v, seen from the side of the normal, turns clockwise.
  const isMirrored = flip * facing > 0 ? 1 : 0;
  for (const [v, next, last] of [
    [a, b, c],
    [b, c, a],
    [c, a, b],
  ] as const) {
    const slot = (same[v] as number) + isMirrored * same.length;
    const nx = n[v * 3] as number;
    const ny = n[v * 3 + 1] as number;
    const nz = n[v * 3 + 2] as number;
    const along = (tangent[0] as number) * nx + (tangent[1] as number) * ny + (tangent[2] as number) * nz;
    const [tx, ty, tz] = [(tangent[0] as number) - along * nx, (tangent[1] as number) - along * ny, (tangent[2] as number) - along * nz];
    const length = Math.sqrt(tx * tx + ty * ty + tz * tz);
    if (!(length > 0)) continue;
    const weight = cornerAngle(p, v, next, last, nx, ny, nz) / length;
    sums[slot * 3] = (sums[slot * 3] as number) + tx * weight;
    sums[slot * 3 + 1] = (sums[slot * 3 + 1] as number) + ty * weight;
    sums[slot * 3 + 2] = (sums[slot * 3 + 2] as number) + tz * weight;
    used[slot] = 1;
  }
  return isMirrored;
}

/** 1 when the winding faces the way the normals point, else -1. */
function faceSide(p: Float32Array, n: Float64Array, a: number, b: number, c: number): 1 | -1 {
  const e = (v: number, axis: number): number => (p[v * 3 + axis] as number) - (p[a * 3 + axis] as number);
  const cross = [e(b, 1) * e(c, 2) - e(b, 2) * e(c, 1), e(b, 2) * e(c, 0) - e(b, 0) * e(c, 2), e(b, 0) * e(c, 1) - e(b, 1) * e(c, 0)];
  let dot = 0;
  for (let axis = 0; axis < 3; axis++) {
    dot += (cross[axis] as number) * ((n[a * 3 + axis] as number) + (n[b * 3 + axis] as number) + (n[c * 3 + axis] as number));
  }
  return dot < 0 ? -1 : 1;
}

/** Angle of a corner as seen along the normal. */
function cornerAngle(p: Float32Array, at: number, b: number, c: number, nx: number, ny: number, nz: number): number {
  const edge = (to: number): readonly [number, number, number] => {
    const x = (p[to * 3] as number) - (p[at * 3] as number);
    const y = (p[to * 3 + 1] as number) - (p[at * 3 + 1] as number);
    const z = (p[to * 3 + 2] as number) - (p[at * 3 + 2] as number);
    const along = x * nx + y * ny + z * nz;
    return [x - along * nx, y - along * ny, z - along * nz];
  };
  const [e, f] = [edge(b), edge(c)];
  const scale = Math.sqrt((e[0] * e[0] + e[1] * e[1] + e[2] * e[2]) * (f[0] * f[0] + f[1] * f[1] + f[2] * f[2]));
  return scale > 0 ? acos((e[0] * f[0] + e[1] * f[1] + e[2] * f[2]) / scale) : 0;
}

/** A file that makes more vertices collide loses only their welding, not the time of its viewers. */
const PROBES_MAX = 32;

/** For each vertex the first one of equal position, normal and coordinates. */
function weld(p: Float32Array, n: Float64Array, uv: Float64Array): Int32Array {
  const count = p.length / 3;
  let size = 16;
  while (size < count * 2) size *= 2;
  const table = new Int32Array(size).fill(-1);
  const same = new Int32Array(count);
  const floats = new Float32Array(8);
  const bits = new Int32Array(floats.buffer);
  const equal = (array: Float32Array | Float64Array, a: number, b: number, width: number): boolean => {
    for (let k = 0; k < width; k++) if (array[a * width + k] !== array[b * width + k]) return false;
    return true;
  };
  for (let v = 0; v < count; v++) {
    for (let k = 0; k < 3; k++) {
      floats[k] = (p[v * 3 + k] as number) + 0;
      floats[3 + k] = (n[v * 3 + k] as number) + 0;
    }
    floats[6] = (uv[v * 2] as number) + 0;
    floats[7] = (uv[v * 2 + 1] as number) + 0;
    let hash = 0x811c9dc5;
    for (let k = 0; k < 8; k++) hash = Math.imul(hash ^ (bits[k] as number), 0x01000193) ^ (hash >>> 15);
    same[v] = v;
    for (let probe = 0; probe < PROBES_MAX; probe++) {
      const slot = (hash + probe) & (size - 1);
      const first = table[slot] as number;
      if (first < 0) {
        table[slot] = v;
        break;
      }
      if (equal(p, v, first, 3) && equal(n, v, first, 3) && equal(uv, v, first, 2)) {
        same[v] = first;
        break;
      }
    }
  }
  return same;
}

/** The normalised sum, or any direction across the normal when no face gave one. */
function writeTangent(
  out: Float64Array,
  at: number,
  sums: Float64Array,
  slot: number,
  normals: Float64Array,
  v: number,
  sign: number,
): void {
  let [x, y, z] = [sums[slot * 3] as number, sums[slot * 3 + 1] as number, sums[slot * 3 + 2] as number];
  let length = Math.sqrt(x * x + y * y + z * z);
  if (!(length > 0)) {
    const [nx, ny, nz] = [normals[v * 3] as number, normals[v * 3 + 1] as number, normals[v * 3 + 2] as number];
    [x, y, z] = Math.abs(nx) > 0.9 ? [-nz, 0, nx] : [0, nz, -ny];
    length = Math.sqrt(x * x + y * y + z * z);
    if (!(length > 0)) [x, y, z, length] = [1, 0, 0, 1];
  }
  out[at * 4] = x / length;
  out[at * 4 + 1] = y / length;
  out[at * 4 + 2] = z / length;
  out[at * 4 + 3] = sign;
}
