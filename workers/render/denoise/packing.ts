/** Lays out the weights of a layer as the kernels read them: blocks of four channels, in f32 or in half precision. */
import type { Precision } from '#shaders/denoise/kernel-text.ts';
import type { Layer } from './unet.ts';

export const BLOCK = 4;
export const blocksOf = (channels: number): number => Math.ceil(channels / BLOCK);

/** Per block out, block in, row, column and channel in, four channels out. */
export function packWeights({ weights, inputs, outputs }: Layer): Float32Array<ArrayBuffer> {
  const [ins, outs] = [blocksOf(inputs), blocksOf(outputs)];
  const packed = new Float32Array(outs * ins * 9 * BLOCK * BLOCK);
  for (let o = 0; o < outputs; o++) {
    for (let c = 0; c < inputs; c++) {
      for (let k = 0; k < 9; k++) {
        const block = (Math.floor(o / BLOCK) * ins + Math.floor(c / BLOCK)) * 9 + k;
        packed[(block * BLOCK + (c % BLOCK)) * BLOCK + (o % BLOCK)] = weights[(o * inputs + c) * 9 + k]!;
      }
    }
  }
  return packed;
}

/** The rows of Winograd's matrix G: G g G^T is what 3 × 3 weights are in the 16 planes. */
const SPREAD = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
] as const;

/** Per plane, block out, block in and channel in, four channels out. */
export function packWinograd({ weights, inputs, outputs }: Layer): Float32Array<ArrayBuffer> {
  const [ins, outs] = [blocksOf(inputs), blocksOf(outputs)];
  const packed = new Float32Array(16 * outs * ins * BLOCK * BLOCK);
  const rows = new Float64Array(12);
  for (let o = 0; o < outputs; o++) {
    for (let c = 0; c < inputs; c++) {
      const from = (o * inputs + c) * 9;
      SPREAD.forEach(([a, b, d], r) => {
        for (let k = 0; k < 3; k++) rows[r * 3 + k] = a * weights[from + k]! + b * weights[from + 3 + k]! + d * weights[from + 6 + k]!;
      });
      for (let plane = 0; plane < 16; plane++) {
        const [a, b, d] = SPREAD[plane % 4]!;
        const row = Math.floor(plane / 4) * 3;
        const block = (plane * outs + Math.floor(o / BLOCK)) * ins + Math.floor(c / BLOCK);
        packed[(block * BLOCK + (c % BLOCK)) * BLOCK + (o % BLOCK)] = a * rows[row]! + b * rows[row + 1]! + d * rows[row + 2]!;
      }
    }
  }
  return packed;
}

export function packBias({ bias, outputs }: Layer): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(blocksOf(outputs) * BLOCK);
  packed.set(bias);
  return packed;
}

/** In the precision of the kernels; halves are rounded to the nearest, ties to even. */
export const inPrecision = (
  values: Float32Array<ArrayBuffer>,
  precision: Precision,
): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> => (precision === 'f32' ? values : Uint16Array.from(values, toHalf));

const word = new DataView(new ArrayBuffer(4));

/** IEEE 754 binary16 of a number; beyond the largest half it is the largest. */
export function toHalf(value: number): number {
  word.setFloat32(0, Math.max(-65504, Math.min(65504, value)));
  const bits = word.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 255) - 127;
  if (exponent < -25) return sign;
  const fraction = (bits & 0x7fffff) | 0x800000;
  // Below 2^-14 halves have fixed steps; above, 13 bits of the fraction go.
  const shift = exponent < -14 ? -1 - exponent : 13;
  const whole = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const rounded = whole + Number(rest > half || (rest === half && (whole & 1) === 1));
  // A carry out of the fraction counts the exponent up by itself.
  return sign | (exponent < -14 ? rounded : ((exponent + 14) << 10) + rounded);
}
