/**
 * Column-major 4x4 matrices and quaternions in doubles, as glTF stores them. Only what placing a
 * scene needs; only exact arithmetic, so that world positions agree on every peer.
 */
import { acos, cos, sin } from './exact-math.ts';

export type Vec3 = readonly [number, number, number];
export type Quaternion = readonly [number, number, number, number];
/** 16 numbers, column by column. */
export type Matrix = Float64Array;

export const identity = (): Matrix => Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);

export function multiply(a: Matrix, b: Matrix): Matrix {
  const out = new Float64Array(16);
  for (let column = 0; column < 4; column++) {
    for (let row = 0; row < 4; row++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += (a[k * 4 + row] as number) * (b[column * 4 + k] as number);
      out[column * 4 + row] = sum;
    }
  }
  return out;
}

/** Translation · rotation · scale. The quaternion is normalised first; a zero one means no rotation. */
export function compose(translation: Vec3, rotation: Quaternion, scale: Vec3): Matrix {
  const [x, y, z, w] = unitQuaternion(rotation);
  const [sx, sy, sz] = scale;
  return Float64Array.of(
    (1 - 2 * (y * y + z * z)) * sx,
    2 * (x * y + w * z) * sx,
    2 * (x * z - w * y) * sx,
    0,
    2 * (x * y - w * z) * sy,
    (1 - 2 * (x * x + z * z)) * sy,
    2 * (y * z + w * x) * sy,
    0,
    2 * (x * z + w * y) * sz,
    2 * (y * z - w * x) * sz,
    (1 - 2 * (x * x + y * y)) * sz,
    0,
    translation[0],
    translation[1],
    translation[2],
    1,
  );
}

export function unitQuaternion(q: Quaternion): Quaternion {
  const length = Math.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
  return length > 0 ? [q[0] / length, q[1] / length, q[2] / length, q[3] / length] : [0, 0, 0, 1];
}

/** Spherical interpolation along the shorter arc (glTF 2.0, appendix C.4). */
export function slerp(a: Quaternion, b: Quaternion, t: number): Quaternion {
  const dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
  const sign = dot < 0 ? -1 : 1;
  // The sine of half the arc: exact also where the cosine is flat. One Newton step takes the 2e-8 of acos to rounding.
  const d = a.map((value, i) => (b[i] as number) * sign - value) as unknown as Quaternion;
  const chord = Math.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2] + d[3] * d[3]) / 2;
  const rough = acos(Math.sqrt(Math.max(0, 1 - chord * chord)));
  const half = chord < 1e-3 ? chord + (chord * chord * chord) / 6 : rough - (sin(rough) - chord) / cos(rough);
  const angle = 2 * half;
  const scale = sin(angle);
  const u = scale > 1e-9 ? sin((1 - t) * angle) / scale : 1 - t;
  const v = (scale > 1e-9 ? sin(t * angle) / scale : t) * sign;
  return unitQuaternion([a[0] * u + b[0] * v, a[1] * u + b[1] * v, a[2] * u + b[2] * v, a[3] * u + b[3] * v]);
}

export function transformPoint(m: Matrix, x: number, y: number, z: number): [number, number, number] {
  return [
    (m[0] as number) * x + (m[4] as number) * y + (m[8] as number) * z + (m[12] as number),
    (m[1] as number) * x + (m[5] as number) * y + (m[9] as number) * z + (m[13] as number),
    (m[2] as number) * x + (m[6] as number) * y + (m[10] as number) * z + (m[14] as number),
  ];
}

export function transformDirection(m: Matrix, x: number, y: number, z: number): [number, number, number] {
  return [
    (m[0] as number) * x + (m[4] as number) * y + (m[8] as number) * z,
    (m[1] as number) * x + (m[5] as number) * y + (m[9] as number) * z,
    (m[2] as number) * x + (m[6] as number) * y + (m[10] as number) * z,
  ];
}

const column = (m: Matrix, at: number): Vec3 => [m[at] as number, m[at + 1] as number, m[at + 2] as number];

/** Of the upper 3x3; negative when the transform mirrors. */
export function determinant(m: Matrix): number {
  const [x, y, z] = cross(column(m, 4), column(m, 8));
  return (m[0] as number) * x + (m[1] as number) * y + (m[2] as number) * z;
}

/**
 * The matrix that carries normals: the cofactors of the upper 3x3 with the sign of its
 * determinant, a positive multiple of the inverse transpose that also exists for flat scales.
 */
export function normalMatrix(m: Matrix): Matrix {
  const sign = determinant(m) < 0 ? -1 : 1;
  const [a, b, c] = [column(m, 0), column(m, 4), column(m, 8)];
  const cofactors = [cross(b, c), cross(c, a), cross(a, b)].flatMap(([x, y, z]) => [x * sign, y * sign, z * sign, 0]);
  return Float64Array.of(...cofactors, 0, 0, 0, 1);
}

/** @returns the unit vector, or `fallback` when the length is zero or not finite. */
export function unit(v: Vec3, fallback: Vec3): Vec3 {
  const length = Math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
  return length > 0 && Number.isFinite(length) ? [v[0] / length, v[1] / length, v[2] / length] : fallback;
}

export const cross = (a: Vec3, b: Vec3): [number, number, number] => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
