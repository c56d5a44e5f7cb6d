/**
 * The shader's own functions against their twins: random numbers bit for bit, polynomials within
 * bounds that stand here.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { hashPair, pixelKey, sampleBits } from '../reference/random.ts';
import { computeWords } from './compute.ts';
import { testGpu } from './device.ts';

let gpu: GPU;
beforeAll(async () => {
  gpu = await testGpu();
});

const COUNT = 4096;

/** Applies WGSL to `COUNT` floats per lane and gives (inputs, outputs). */
async function overFloats(
  imports: string[],
  body: string,
  lane: (i: number) => readonly [number, number],
): Promise<[Float32Array, Float32Array]> {
  const input = new Float32Array(COUNT * 4);
  for (let i = 0; i < COUNT; i++) input.set(lane(i), i * 4);
  const words = await computeWords(
    gpu,
    imports,
    `let a = bitcast<f32>(x.x); let b = bitcast<f32>(x.y); ${body}`,
    new Uint32Array(input.buffer),
  );
  return [input, new Float32Array(words.buffer)];
}

const out = (value: string): string => `return bitcast<vec4u>(${value});`;

function worst(
  expected: (a: number, b: number) => number,
  [input, output]: [Float32Array, Float32Array],
  channel = 0,
  relative = false,
): number {
  let most = 0;
  for (let i = 0; i < COUNT; i++) {
    const want = expected(input[i * 4]!, input[i * 4 + 1]!);
    const error = Math.abs(output[i * 4 + channel]! - want) / (relative ? Math.abs(want) : 1);
    most = Number.isNaN(error) ? Infinity : Math.max(most, error);
  }
  return most;
}

describe('random numbers', () => {
  it('are the twin’s, bit for bit', async () => {
    const input = new Uint32Array(COUNT * 4);
    for (let i = 0; i < COUNT; i++) input.set([hashPair(i, 3) & 0x1fff, hashPair(i, 4) & 0x1fff, hashPair(i, 5) & 0xffff, i % 60], i * 4);
    const body =
      'let key = PathKey(pixel_key(x.x, x.y, 99u), x.z); let bits = sample_bits(key, x.w); return vec4u(bits, key.pixel, hash_pair(x.x, x.y));';
    const words = await computeWords(gpu, ['common/random'], body, input);
    for (let i = 0; i < COUNT; i++) {
      const [x, y, sample, pair] = input.subarray(i * 4, i * 4 + 4) as unknown as [number, number, number, number];
      const pixel = pixelKey(x, y, 99);
      expect([...words.subarray(i * 4, i * 4 + 4)]).toEqual([...sampleBits({ pixel, sample }, pair), pixel, hashPair(x, y)]);
    }
  });

  it('multiply words as 64-bit integers do', async () => {
    const input = new Uint32Array(COUNT * 4);
    for (let i = 0; i < COUNT; i++) input.set([hashPair(i, 1), hashPair(i, 2) >>> (i % 32), 0, 0], i * 4);
    const words = await computeWords(gpu, ['common/math'], 'let p = multiply_wide(x.x, x.y); return vec4u(p, 0u, 0u);', input);
    for (let i = 0; i < COUNT; i++) {
      const product = BigInt(input[i * 4]!) * BigInt(input[i * 4 + 1]!);
      expect((BigInt(words[i * 4]!) << 32n) | BigInt(words[i * 4 + 1]!)).toBe(product);
    }
  });
});

describe('polynomials', () => {
  const between = (low: number, high: number) => (i: number) => [low + ((high - low) * i) / (COUNT - 1), 0] as const;

  it('cosine and sine within 2e-7', async () => {
    const run = await overFloats(['common/math'], `let r = cos_sin_turns(a); ${out('vec4f(r, 0.0, 0.0)')}`, between(-1, 2));
    expect(worst((a) => Math.cos(2 * Math.PI * a), run)).toBeLessThan(2e-7);
    expect(worst((a) => Math.sin(2 * Math.PI * a), run, 1)).toBeLessThan(2e-7);
  });

  it('arc cosine within 5e-7', async () => {
    const run = await overFloats(['common/math'], out('vec4f(acos_poly(a))'), between(-1, 1));
    expect(worst(Math.acos, run)).toBeLessThan(5e-7);
  });

  it('arc tangent, in turns, within 1.5e-7 in all quadrants and on the axes', async () => {
    const around = (i: number): readonly [number, number] => {
      const angle = (i / COUNT) * 2 * Math.PI;
      return i < 4
        ? (
            [
              [0, 1],
              [1, 0],
              [0, -1],
              [-1, 0],
            ] as const
          )[i]!
        : [Math.sin(angle) * (1 + (i % 7)), Math.cos(angle) * (1 + (i % 7))];
    };
    const run = await overFloats(['common/math'], out('vec4f(atan2_turns(a, b))'), around);
    expect(worst((y, x) => Math.atan2(y, x) / (2 * Math.PI), run)).toBeLessThan(1.5e-7);
  });

  it('powers of two within a relative 3e-7, logarithms within 3e-6', async () => {
    const powers = await overFloats(['common/math'], out('vec4f(exp2_poly(a))'), between(-60, 60));
    expect(worst((a) => 2 ** a, powers, 0, true)).toBeLessThan(3e-7);
    const logs = await overFloats(['common/math'], out('vec4f(log2_poly(a))'), (i) => [2 ** ((i - 2048) / 64), 0]);
    expect(worst(Math.log2, logs)).toBeLessThan(3e-6);
  });

  it('sRGB within a relative 2e-4 for all 256 codes', async () => {
    const run = await overFloats(['common/math'], out('vec4f(srgb_to_linear(vec3f(a)), 0.0)'), (i) => [((i % 255) + 1) / 255, 0]);
    const linear = (c: number): number => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    expect(worst(linear, run, 0, true)).toBeLessThan(2e-4);
  });
});
