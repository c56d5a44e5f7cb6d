/** The walk through the light tree on the device: its probabilities against the twin, and what it really picks. */
import { beforeAll, describe, expect, it } from 'vitest';
import { buildLightTable } from '#workers/scene/lights.ts';
import { randomLamps, randomReceiver } from '../reference/lamps.ts';
import { leafProbabilities, readNodes, type Receiver } from '../reference/light-tree.ts';
import { testGpu } from './device.ts';
import { runLight } from './light-kit.ts';

let gpu: GPU;
beforeAll(async () => {
  gpu = await testGpu();
});

/** Numerical Recipes' LCG: a test that fails must fail again. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

const WALK = (known: boolean, extra: string): string => `
  let at = ${known ? 'i' : '0u'} * 8u;
  let to = Receiver(vec3f(data[at], data[at + 1u], data[at + 2u]), vec3f(data[at + 3u], data[at + 4u], data[at + 5u]));
  ${extra}`;

const words = (to: Receiver, trail: number): number[] => [
  ...to.position,
  ...to.normal,
  ...new Float32Array(Uint32Array.of(trail).buffer),
  0,
];

describe('the light tree on the device', () => {
  it('gives a known light the probability that the twin gives it', async () => {
    const random = randomNumbers(21);
    const count = 60;
    const table = await buildLightTable(randomLamps(random, count), async () => undefined);
    const nodes = readNodes(table.nodes);
    const expected: number[] = [];
    const input: number[] = [];
    for (let i = 0; i < 40; i++) {
      const to = randomReceiver(random, i);
      const { probability, trail } = leafProbabilities(nodes, to, count);
      for (let k = 0; k < count; k++) {
        // The bits of a trail pass as a float; those of a NaN would not survive.
        input.push(...words(to, trail[k]! | 0x3f000000));
        expected.push(probability[k]!);
      }
    }
    const body = WALK(
      true,
      `
      let pick = walk_light_tree(to, true, bitcast<u32>(data[at + 6u]) & 0xffffffu, 0.0, 0u);
      return vec2f(pick.probability, f32(pick.light));`,
    );
    const got = await runLight(gpu, ['light/tree'], body, { nodes: table.nodes }, Float32Array.from(input), expected.length);
    let worst = 0;
    expected.forEach((probability, i) => {
      expect(got[i * 2 + 1]).toBe(i % count);
      if (probability > 1e-4) worst = Math.max(worst, Math.abs(got[i * 2]! / probability - 1));
      else expect(got[i * 2]).toBeLessThan(2e-4);
    });
    console.log(`worst relative difference of a probability above 1e-4: ${worst.toExponential(2)}`);
    expect(worst).toBeLessThan(0.01);
  });

  it.each([
    ['whole', 1],
    ['beside distant lights', 0.3],
  ])('picks lights as often as it says: %s', async (_, treeShare) => {
    const random = randomNumbers(5);
    const count = 100;
    const table = await buildLightTable(randomLamps(random, count), async () => undefined);
    const to = randomReceiver(random, 2);
    const { probability } = leafProbabilities(readNodes(table.nodes), to, count);
    const draws = 1 << 18;
    const body = WALK(
      false,
      `
      let u = f32(hash(i) >> 8u) * 5.9604644775390625e-8;
      let pick = walk_light_tree(to, false, 0u, u, hash(i ^ 0x5bd1e995u));
      return vec2f(pick.probability, f32(pick.light));
    }
    fn hash(value: u32) -> u32 {
      var x = value * 0x9e3779b1u + 0x85ebca77u;
      x = (x ^ (x >> 15u)) * 0x2c1b3c6du;
      x = (x ^ (x >> 12u)) * 0x297a2d39u;
      return x ^ (x >> 15u);`,
    );
    const got = await runLight(gpu, ['light/tree'], body, { nodes: table.nodes, treeShare }, Float32Array.from(words(to, 0)), draws);
    const seen = new Float64Array(count);
    let worst = 0;
    for (let i = 0; i < draws; i++) {
      const light = got[i * 2 + 1]!;
      seen[light]! += 1;
      worst = Math.max(worst, Math.abs(got[i * 2]! / probability[light]! - 1));
    }
    expect(worst).toBeLessThan(0.02);
    expect(chiSquare(seen, probability, draws)).toBeLessThan(4);
    // The control: the same counts against probabilities with two lights exchanged.
    const wrong = Float64Array.from(probability);
    const order = [...wrong.keys()].toSorted((a, b) => wrong[b]! - wrong[a]!);
    [wrong[order[0]!], wrong[order[4]!]] = [wrong[order[4]!]!, wrong[order[0]!]!];
    expect(chiSquare(seen, wrong, draws)).toBeGreaterThan(10);
  });
});

/** Standard scores of the chi-square of counts; cells that expect fewer than five are joined. */
function chiSquare(seen: Float64Array, probability: Float64Array, draws: number): number {
  let [sum, cells, rareSeen, rareExpected] = [0, 0, 0, 0];
  seen.forEach((n, i) => {
    const expected = probability[i]! * draws;
    if (expected < 5) {
      rareSeen += n;
      rareExpected += expected;
      return;
    }
    sum += (n - expected) ** 2 / expected;
    cells += 1;
  });
  if (rareExpected > 5) {
    sum += (rareSeen - rareExpected) ** 2 / rareExpected;
    cells += 1;
  }
  return (sum - (cells - 1)) / Math.sqrt(2 * (cells - 1));
}
