/** Unit vectors and colours into the bit fields of Vertex (shaders/layout.ts), rounded exactly. */
import { NONE } from '#shaders/layout.ts';
import type { Vec3 } from './matrix.ts';

const snorm = (x: number, max: number): number => Math.floor(Math.min(1, Math.max(-1, x)) * max + 0.5);

/** Octahedral coordinates in [-1, 1]² (Cigolle et al. 2014, "A Survey of Efficient Representations"). */
function octahedral([x, y, z]: Vec3): readonly [number, number] {
  const sum = Math.abs(x) + Math.abs(y) + Math.abs(z);
  const [u, v] = [x / sum, y / sum];
  if (z >= 0) return [u, v];
  return [(1 - Math.abs(v)) * (u >= 0 ? 1 : -1), (1 - Math.abs(u)) * (v >= 0 ? 1 : -1)];
}

/** snorm 16 + 16, x low. */
export function packNormal(n: Vec3): number {
  const [u, v] = octahedral(n);
  return ((snorm(u, 32767) & 0xffff) | ((snorm(v, 32767) & 0xffff) << 16)) >>> 0;
}

/** snorm 16 (x low) + 15, top bit set when the bitangent sign is negative; never NONE. */
export function packTangent(t: Vec3, sign: number): number {
  const [u, v] = octahedral(t);
  const bits = ((snorm(u, 32767) & 0xffff) | ((snorm(v, 16383) & 0x7fff) << 16) | (sign < 0 ? 0x80000000 : 0)) >>> 0;
  // One code of 2^32 means "no tangent"; its neighbour differs by less than 1e-4 radians.
  return bits === NONE ? 0xfffffffe : bits;
}

/** Linear rgba in [0, 1] to 16 bits each, r and b low; 8 would band in the dark, where linear steps are far apart to the eye. */
export function packColor(r: number, g: number, b: number, a: number): readonly [number, number] {
  const half = (x: number): number => Math.floor(Math.min(1, Math.max(0, x)) * 65_535 + 0.5);
  return [(half(r) | (half(g) << 16)) >>> 0, (half(b) | (half(a) << 16)) >>> 0];
}
