/**
 * The shader's own functions against their twins (tests/reference): integers bit for bit; polynomials
 * within a few ulp of a twin whose own distance from the truth is measured in tests/unit/reference.
 * Bits cannot be asked of these: WGSL lets `fma` round once or twice, division be 2.5 ulp off and
 * sqrt about 3. How many come out equal to a twin all the same is printed.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import * as twin from '../reference/math.ts';
import { hashPair, pixelKey, sampleBits } from '../reference/random.ts';
import { computeWords } from './compute.ts';
import { testGpu } from './device.ts';

let gpu: GPU;
beforeAll(async () => {
  gpu = await testGpu();
});

const COUNT = 4096;
const f = Math.fround;

describe('random numbers', () => {
  it('are the twin’s, bit for bit', async () => {
    const input = new Uint32Array(COUNT * 4);
    for (let i = 0; i < COUNT; i++) input.set([i % 64, (i * 7) % 61, i * 977, i % 37], i * 4);
    const body = `let key = PathKey(pixel_key(x.x, x.y, 12345u), x.z); let bits = sample_bits(key, x.w);
      return vec4u(bits, key.pixel, hash_pair(x.x, x.y));`;
    const words = await computeWords(gpu, ['common/random'], body, input);
    for (let i = 0; i < COUNT; i++) {
      const [x, y, sample, pair] = [...input.subarray(i * 4, i * 4 + 4)] as [number, number, number, number];
      const pixel = pixelKey(x, y, 12345);
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

interface Portable {
  /** A vec4f of (a, b, word), the bits of the input. */
  readonly wgsl: string;
  readonly twin: (a: number, b: number, fma: twin.Fma) => readonly number[];
  readonly at: (i: number) => readonly [number, number];
  /** Largest |shader - nearest twin|, relative to max(|twin|, floor). */
  readonly bound: number;
  readonly floor: number;
  readonly from?: string;
}

const between = (low: number, high: number) => (i: number) => [f(low + ((high - low) * i) / (COUNT - 1)), 0] as const;
const word = (i: number): number => Math.imul(i, 0x9e3779b1) >>> 0;
const asFloat = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0]!;
/** Bit 30 cleared: no word that is not a number as a float. */
const packed = (i: number): readonly [number, number] => [asFloat((word(i) & 0xbfffffff) >>> 0), 0];
const wordOf = (a: number): number => new Uint32Array(Float32Array.of(a).buffer)[0]!;

/** Two ulp (2^-23 each) for one more or one less rounding inside, six where a root or a quotient is in it. */
const FUNCTIONS: Readonly<Record<string, Portable>> = {
  cos_sin_turns: {
    wgsl: 'vec4f(cos_sin_turns(a), 0.0, 0.0)',
    twin: (a, _, fma) => twin.cosSinTurns(a, fma),
    at: between(-1, 2),
    bound: 2.4e-7,
    floor: 1,
  },
  acos_poly: { wgsl: 'vec4f(acos_poly(a))', twin: (a, _, fma) => [twin.acosPoly(a, fma)], at: between(-1, 1), bound: 7e-7, floor: 1e-3 },
  atan2_turns: {
    wgsl: 'vec4f(atan2_turns(a, b))',
    twin: (a, b, fma) => [twin.atan2Turns(a, b, fma)],
    at: (i) =>
      i < 9 ? [(i % 3) - 1, Math.floor(i / 3) - 1] : [f(Math.sin(i) * 10 ** ((i % 17) - 8)), f(Math.cos(i) * 10 ** ((i % 13) - 6))],
    bound: 7e-7,
    floor: 1e-3,
  },
  exp2_poly: { wgsl: 'vec4f(exp2_poly(a))', twin: (a, _, fma) => [twin.exp2Poly(a, fma)], at: between(-130, 130), bound: 2.4e-7, floor: 0 },
  log2_poly: {
    wgsl: 'vec4f(log2_poly(a))',
    twin: (a, _, fma) => [twin.log2Poly(a, fma)],
    at: (i) => [f(2 ** (-126 + (253 * i) / COUNT)), 0],
    bound: 2.4e-7,
    floor: 1e-3,
  },
  srgb_to_linear: {
    wgsl: 'vec4f(srgb_to_linear(vec3f(a)), 0.0)',
    twin: (a, _, fma) => [twin.srgbToLinear(a, fma)],
    at: between(0, 1),
    bound: 3.6e-7,
    floor: 1e-3,
  },
  unpack_normal: {
    wgsl: 'vec4f(unpack_normal(bitcast<u32>(a)), 0.0)',
    from: 'common/frame',
    twin: (a) => twin.unpackNormal(wordOf(a)),
    at: packed,
    bound: 7e-7,
    floor: 1,
  },
  unpack_tangent: {
    wgsl: 'unpack_tangent(bitcast<u32>(a))',
    from: 'common/frame',
    twin: (a) => twin.unpackTangent(wordOf(a)),
    at: packed,
    bound: 7e-7,
    floor: 1,
  },
  basis_around: {
    wgsl: 'vec4f(basis_around(unpack_normal(bitcast<u32>(a)))[0], 0.0)',
    from: 'common/frame',
    twin: (a) => twin.basisAround(twin.unpackNormal(wordOf(a)))[0],
    at: packed,
    bound: 2e-6,
    floor: 1,
  },
};

describe('portable functions', () => {
  it.each(Object.entries(FUNCTIONS))(
    '%s is its twin but for a few last bits',
    async (name, { wgsl, from, twin: twinOf, at, bound, floor }) => {
      const input = new Float32Array(COUNT * 4);
      for (let i = 0; i < COUNT; i++) input.set(at(i), i * 4);
      const body = `let a = bitcast<f32>(x.x); let b = bitcast<f32>(x.y); return bitcast<vec4u>(${wgsl});`;
      const output = new Float32Array((await computeWords(gpu, [from ?? 'common/math'], body, new Uint32Array(input.buffer))).buffer);
      let [equal, values] = [0, 0];
      for (let i = 0; i < COUNT; i++) {
        const [a, b] = [input[i * 4]!, input[i * 4 + 1]!];
        const [split, fused] = [twinOf(a, b, twin.splitFma), twinOf(a, b, twin.fusedFma)];
        split.forEach((want, c) => {
          const got = output[i * 4 + c]!;
          const error = (other: number): number => Math.abs(got - other) / Math.max(Math.abs(other), floor);
          const least = got === want ? 0 : Math.min(error(want), error(fused[c]!));
          values++;
          if (got === want || got === fused[c]) equal++;
          else expect(least, `${name}(${a}, ${b}), component ${c}: ${got} for ${want}`).toBeLessThanOrEqual(bound);
        });
      }
      console.info(`${name}: ${((100 * equal) / values).toFixed(2)} % of ${values} values are a twin's bits`);
      expect(equal / values, 'most values have exactly the bits of a twin').toBeGreaterThan(0.25);
    },
  );

  it('notice a wrong coefficient (control)', () => {
    const { twin: twinOf, bound } = FUNCTIONS['exp2_poly']!;
    const [value] = twinOf(0.5, 0, twin.fusedFma);
    expect(Math.abs(value! * (1 + 4e-7) - value!) / value!).toBeGreaterThan(bound);
  });
});
