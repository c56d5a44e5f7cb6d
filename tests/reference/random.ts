/** Twin of shaders/common/random.wgsl, bit for bit. */

const multiply = (a: number, b: number): number => Math.imul(a, b) >>> 0;

export function hashWord(value: number): number {
  let x = value >>> 0;
  x = (x ^ (x >>> 16)) >>> 0;
  x = multiply(x, 0x21f0aaad);
  x = (x ^ (x >>> 15)) >>> 0;
  x = multiply(x, 0xd35a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

export const hashPair = (a: number, b: number): number => hashWord((a ^ ((hashWord(b) + 0x9e3779b9) >>> 0)) >>> 0);

export const pixelKey = (x: number, y: number, seed: number): number => hashPair((x | (y << 16)) >>> 0, seed);

export function scrambleReversed(value: number, seed: number): number {
  let x = value >>> 0;
  x = (x ^ multiply(x, 0x3d20adea)) >>> 0;
  x = (x + seed) >>> 0;
  x = multiply(x, (seed >>> 16) | 1);
  x = (x ^ multiply(x, 0x05526c56)) >>> 0;
  return (x ^ multiply(x, 0x53a22864)) >>> 0;
}

export function reverseBits(value: number): number {
  let x = value >>> 0;
  let out = 0;
  for (let i = 0; i < 32; i++, x >>>= 1) out = (out << 1) | (x & 1);
  return out >>> 0;
}

/** Second Sobol dimension from its direction numbers, not from the closed form of the shader. */
export function sobolSecond(index: number): number {
  let out = 0;
  let direction = 0x80000000;
  for (let i = index >>> 0; i !== 0; i >>>= 1) {
    if ((i & 1) !== 0) out ^= direction;
    direction = (direction ^ (direction >>> 1)) >>> 0;
  }
  return out >>> 0;
}

export function sampleBits(key: { readonly pixel: number; readonly sample: number }, pair: number): readonly [number, number] {
  const seed = hashPair(key.pixel, pair);
  const index = reverseBits(scrambleReversed(reverseBits(key.sample), seed));
  const x = scrambleReversed(index, hashWord((seed ^ 0x68bc21eb) >>> 0));
  const y = scrambleReversed(reverseBits(sobolSecond(index)), hashWord((seed ^ 0x02e5be93) >>> 0));
  return [reverseBits(x), reverseBits(y)];
}

export const unit = (bits: number): number => (bits >>> 8) * 2 ** -24;
