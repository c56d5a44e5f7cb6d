/**
 * Vectors and quaternions of the sample generator, as plain tuples. Refuses to know about meshes.
 * Results that go into files pass through `snap` or `tidy`, so that a last-bit difference between
 * two engines' sine does not change the bytes of a sample.
 */
export type Vec2 = readonly [number, number];
export type Vec3 = readonly [number, number, number];
/** x, y, z, w */
export type Quat = readonly [number, number, number, number];

export const add = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const sub = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vec3, s: number): Vec3 => [a[0] * s, a[1] * s, a[2] * s];
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vec3, b: Vec3): Vec3 => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
export const length = (a: Vec3): number => Math.sqrt(dot(a, a));

/** Unit vector; the zero vector stays zero. */
export function normalize(a: Vec3): Vec3 {
  const l = length(a);
  return l > 0 ? scale(a, 1 / l) : a;
}

export const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Rotation by `degrees` about a unit axis. */
export function axisAngle(axis: Vec3, degrees: number): Quat {
  const half = radians(degrees) / 2;
  const s = Math.sin(half);
  return [axis[0] * s, axis[1] * s, axis[2] * s, Math.cos(half)];
}

/** First b, then a. */
export function multiply(a: Quat, b: Quat): Quat {
  return [
    a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1],
    a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0],
    a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3],
    a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2],
  ];
}

export function rotate(q: Quat, v: Vec3): Vec3 {
  const u: Vec3 = [q[0], q[1], q[2]];
  const t = scale(cross(u, v), 2);
  return add(add(v, scale(t, q[3])), cross(u, t));
}

/** The rotation whose local -Z looks from `eye` to `target` with +Y up: glTF's camera convention. */
export function lookAt(eye: Vec3, target: Vec3): Quat {
  const z = normalize(sub(eye, target));
  const x = normalize(cross([0, 1, 0], z));
  const y = cross(z, x);
  const w = Math.sqrt(Math.max(0, 1 + x[0] + y[1] + z[2])) / 2;
  return [(y[2] - z[1]) / (4 * w), (z[0] - x[2]) / (4 * w), (x[1] - y[0]) / (4 * w), w];
}

/** Metres to a grid of 2^-20 m: far below what is seen, far above a last bit. */
export const snap = (v: number): number => Math.round(v * 1048576) / 1048576 + 0;

/** Seven decimals, for numbers that end up in the file's JSON. */
export const tidy = (v: number): number => Math.round(v * 1e7) / 1e7 + 0;

/** `#rrggbb` in sRGB to linear light, four decimals. */
export function linear(hex: string): Vec3 {
  const channel = (at: number): number => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255;
    const l = c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    return Math.round(l * 1e4) / 1e4;
  };
  return [channel(1), channel(3), channel(5)];
}
