/**
 * Tangents for meshes that bring a normal texture but none of their own: the scheme of MikkTSpace
 * (Mikkelsen 2008: corner-angle weights, projection onto the vertex normal, mirrored and unmirrored
 * faces kept apart) over the vertices the file shares. It does not weld vertices that the file
 * keeps apart.
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
 * @param positions world space, 3 per vertex. @param normals unit, 3 per vertex. @param uv 2 per vertex.
 */
export function makeTangents(corners: Uint32Array, positions: Float32Array, normals: Float64Array, uv: Float64Array): TangentSet {
  const count = positions.length / 3;
  // Slot v holds faces whose texture is not mirrored at vertex v, slot v + count the mirrored ones.
  const sums = new Float64Array(count * 6);
  const used = new Uint8Array(count * 2);
  const mirrored = new Uint8Array(corners.length / 3);
  for (let t = 0; t < mirrored.length; t++) mirrored[t] = addFace(corners, t * 3, positions, normals, uv, count, sums, used);
  const copyOf = new Map<number, number>();
  const copies: number[] = [];
  for (let i = 0; i < corners.length; i++) {
    const v = corners[i] as number;
    if (mirrored[Math.floor(i / 3)] === 0 || used[v] === 0) continue;
    let copy = copyOf.get(v);
    if (copy === undefined) {
      copy = count + copies.length;
      copyOf.set(v, copy);
      copies.push(v);
    }
    corners[i] = copy;
  }
  const tangents = new Float64Array((count + copies.length) * 4);
  for (let v = 0; v < count; v++)
    writeTangent(tangents, v, sums, used[v] ? v : v + count, normals, v, used[v] ? 1 : used[v + count] ? -1 : 1);
  copies.forEach((v, i) => writeTangent(tangents, count + i, sums, v + count, normals, v, -1));
  return { tangents, copies };
}

/** Adds one triangle to the sums of its corners. @returns 1 when its texture is mirrored. */
function addFace(
  corners: Uint32Array,
  at: number,
  p: Float32Array,
  n: Float64Array,
  uv: Float64Array,
  count: number,
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
    const slot = v + isMirrored * count;
    const nx = n[v * 3] as number;
    const ny = n[v * 3 + 1] as number;
    const nz = n[v * 3 + 2] as number;
    const along = (tangent[0] as number) * nx + (tangent[1] as number) * ny + (tangent[2] as number) * nz;
    const [tx, ty, tz] = [(tangent[0] as number) - along * nx, (tangent[1] as number) - along * ny, (tangent[2] as number) - along * nz];
    const length = Math.sqrt(tx * tx + ty * ty + tz * tz);
    if (!(length > 0)) continue;
    const weight = cornerAngle(p, v, next, last) / length;
    sums[slot * 3] = (sums[slot * 3] as number) + tx * weight;
    sums[slot * 3 + 1] = (sums[slot * 3 + 1] as number) + ty * weight;
    sums[slot * 3 + 2] = (sums[slot * 3 + 2] as number) + tz * weight;
    used[slot] = 1;
  }
  return isMirrored;
}

/** 1 when the winding, as placed in the world, faces the way the normals point, else -1. */
function faceSide(p: Float32Array, n: Float64Array, a: number, b: number, c: number): 1 | -1 {
  const e = (v: number, axis: number): number => (p[v * 3 + axis] as number) - (p[a * 3 + axis] as number);
  const cross = [e(b, 1) * e(c, 2) - e(b, 2) * e(c, 1), e(b, 2) * e(c, 0) - e(b, 0) * e(c, 2), e(b, 0) * e(c, 1) - e(b, 1) * e(c, 0)];
  let dot = 0;
  for (let axis = 0; axis < 3; axis++) {
    dot += (cross[axis] as number) * ((n[a * 3 + axis] as number) + (n[b * 3 + axis] as number) + (n[c * 3 + axis] as number));
  }
  return dot < 0 ? -1 : 1;
}

function cornerAngle(p: Float32Array, at: number, b: number, c: number): number {
  let dot = 0;
  let bb = 0;
  let cc = 0;
  for (let axis = 0; axis < 3; axis++) {
    const x = (p[b * 3 + axis] as number) - (p[at * 3 + axis] as number);
    const y = (p[c * 3 + axis] as number) - (p[at * 3 + axis] as number);
    dot += x * y;
    bb += x * x;
    cc += y * y;
  }
  const scale = Math.sqrt(bb * cc);
  return scale > 0 ? acos(dot / scale) : 0;
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
