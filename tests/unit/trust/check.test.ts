/** Draws nobody can steer, and the leaf test on honest and dishonest leaves. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareLeaf } from '#lib/trust/compare.ts';
import { drawLeaves, drawSeed } from '#lib/trust/draw.ts';
import type { LeafParts } from '#lib/trust/commitment.ts';
import { identityFromSecret } from '#lib/protocol/envelope.ts';
import { capabilityHolds, issueCapability } from '#lib/trust/capability.ts';
import { seededRandom } from '../../sim/virtual-clock.ts';

const SAMPLES = 16;
const PIXELS = 64;
const PATHS = { samples: SAMPLES, segmentsMax: 19 };

function leaf(change: (light: Float32Array, signatures: Uint16Array, segments: Uint32Array) => void = () => {}): LeafParts {
  const light = new Float32Array(PIXELS * 4);
  const segments = new Uint32Array(light.buffer);
  const signatures = Uint16Array.from({ length: PIXELS * SAMPLES }, (_, i) => (i * 40503) & 0xffff);
  for (let p = 0; p < PIXELS; p++) {
    light.set([1 + p, 2, 0.5], p * 4);
    segments[p * 4 + 3] = 9;
  }
  change(light, signatures, segments);
  return { light: new Uint8Array(light.buffer), signatures: new Uint8Array(signatures.buffer) };
}

describe('the leaf test', () => {
  it('agrees with itself and with rounding (control)', () => {
    expect(compareLeaf(leaf(), leaf(), PATHS)).toMatchObject({ agrees: true, pathsEqual: 1024 });
    const rounded = leaf((light) => (light[0]! *= 1 + 4e-7));
    expect(compareLeaf(rounded, leaf(), PATHS).agrees).toBe(true);
  });

  it('lets a pixel differ whose paths differ, as honest drivers do', () => {
    const diverged = leaf((light, signatures) => {
      signatures[0]! ^= 1;
      light[0] = 3;
    });
    expect(compareLeaf(diverged, leaf(), PATHS)).toMatchObject({ agrees: true, pathsEqual: 1023 });
  });

  it('catches light that is 1 % too bright where all paths agree', () => {
    const bent = leaf((light) => (light[40]! *= 1.01));
    expect(compareLeaf(bent, leaf(), PATHS)).toMatchObject({ agrees: false, reason: 'light', pixelsWrong: 1 });
  });

  it('catches inflated segment counts', () => {
    const bent = leaf((_l, _s, segments) => (segments[7]! += 1));
    expect(compareLeaf(bent, leaf(), PATHS)).toMatchObject({ agrees: false, reason: 'light' });
  });

  it('catches half the samples not traced', () => {
    const bent = leaf((_l, signatures) => signatures.forEach((_, i) => i % 2 && (signatures[i] = 0)));
    expect(compareLeaf(bent, leaf(), PATHS)).toMatchObject({ agrees: false, reason: 'signatures' });
  });

  it('catches NaN and a wrong size', () => {
    expect(
      compareLeaf(
        leaf((light) => (light[0] = Number.NaN)),
        leaf(),
        PATHS,
      ).reason,
    ).toBe('not-finite');
    const short = { ...leaf(), light: leaf().light.subarray(16) };
    expect(compareLeaf(short, leaf(), PATHS).reason).toBe('size');
  });
});

/** An evenly lit leaf (mean path 1) whose paths differ where `differ` says, and what was made of it. */
function evenly(change: (light: Float32Array, segments: Uint32Array, signatures: Uint16Array) => void): LeafParts {
  return leaf((light, signatures, segments) => {
    for (let p = 0; p < PIXELS; p++) light.fill(SAMPLES, p * 4, p * 4 + 3);
    for (let p = 0; p < PIXELS; p++) segments[p * 4 + 3] = 5 * SAMPLES;
    change(light, segments, signatures);
  });
}

const flipOnePerPixel = (signatures: Uint16Array): void => {
  for (let p = 0; p < PIXELS; p++) signatures[p * SAMPLES]! ^= 1;
};

describe('a leaf whose every pixel has one disowned path', () => {
  const truth = evenly(() => {});
  const judged = (change: (light: Float32Array, segments: Uint32Array) => void): ReturnType<typeof compareLeaf> =>
    compareLeaf(
      evenly((light, segments, signatures) => {
        flipOnePerPixel(signatures);
        change(light, segments);
      }),
      truth,
      PATHS,
    );
  const times = (factor: number) => (light: Float32Array) => {
    for (let i = 0; i < light.length; i++) if (i % 4 !== 3) light[i]! *= factor;
  };

  it('agrees while light and segments are what was traced (control)', () => {
    expect(judged(() => {})).toMatchObject({ agrees: true, pathsEqual: 960, pixelsWrong: 0 });
  });

  it('agrees while the disowned paths differ as draws from one distribution do (control)', () => {
    const random = seededRandom(3);
    for (let n = 0; n < 200; n++) {
      // Exponentially distributed light, and 1 to 9 segments.
      const path = (): number => -Math.log(1 - random());
      const honest = judged((light, segments) => {
        for (let p = 0; p < PIXELS; p++) {
          for (let c = 0; c < 3; c++) light[p * 4 + c]! += path() - path();
          segments[p * 4 + 3]! += Math.floor(random() * 9) - Math.floor(random() * 9);
        }
      });
      expect(honest).toMatchObject({ agrees: true });
    }
  });

  it.each([
    ['huge light and segments without number', times(1e30), 999_999],
    ['huge light', times(1e30), 80],
    ['a light twice as bright', times(2), 80],
    ['a light 5 % brighter', times(1.05), 80],
    ['a light 5 % darker', times(0.95), 80],
    ['no light', times(0), 80],
    ['segments of one path at their most', times(1), 80 + 14],
    ['segments beyond what a path may have', times(1), 80 + 20],
    ['6 % more segments', times(1), 85],
  ])('does not pass %s', (_, bend, count) => {
    const finding = judged((light, segments) => {
      bend(light);
      for (let p = 0; p < PIXELS; p++) segments[p * 4 + 3] = count;
    });
    expect(finding).toMatchObject({ agrees: false, reason: 'light', pixelsWrong: 64, pathsEqual: 960 });
  });

  it('does not pass noise that cancels out but is more than its paths can make', () => {
    const finding = judged((light) => {
      for (let p = 0; p < PIXELS; p++) for (let c = 0; c < 3; c++) light[p * 4 + c]! += p % 2 === 0 ? 8 : -8;
    });
    expect(finding).toMatchObject({ agrees: false, reason: 'light' });
  });

  it('passes nothing bright where the re-trace is dark', () => {
    const dark = evenly((light) => times(0)(light));
    const claimed = evenly((light, _, signatures) => {
      times(0)(light);
      flipOnePerPixel(signatures);
      light[0] = 0.01;
    });
    expect(compareLeaf(claimed, dark, PATHS)).toMatchObject({ agrees: false, reason: 'light', pixelsWrong: 1 });
  });
});

describe('a draw', () => {
  const base = { beacon: '11'.repeat(32), nonce: '22'.repeat(32), lease: '33'.repeat(16), root: '44'.repeat(32) };

  it('is the same for everyone who knows its four parts (control) and another when any part changes', () => {
    const drawn = drawLeaves(drawSeed(base), 256, 4);
    expect(drawLeaves(drawSeed({ ...base }), 256, 4)).toEqual(drawn);
    for (const part of ['beacon', 'nonce', 'lease', 'root'] as const) {
      const other = { ...base, [part]: base[part].replace(/^../, 'ff') };
      expect(drawLeaves(drawSeed(other), 256, 4)).not.toEqual(drawn);
    }
  });

  it('gives different leaves inside the tile, ascending, never more than there are', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 16 }),
        (seed, leaves, count) => {
          const drawn = drawLeaves(seed, leaves, count);
          expect(drawn).toHaveLength(Math.min(leaves, count));
          expect(new Set(drawn).size).toBe(drawn.length);
          expect(drawn.every((i, k) => i >= 0 && i < leaves && (k === 0 || i > drawn[k - 1]!))).toBe(true);
        },
      ),
    );
  });

  it('takes every leaf about equally often', () => {
    const hits = new Array<number>(16).fill(0);
    for (let n = 0; n < 4000; n++) for (const i of drawLeaves(Uint8Array.from([n & 255, n >> 8]), 16, 2)) hits[i]!++;
    // 8000 draws over 16 leaves: mean 500, standard deviation about 20.
    expect(Math.min(...hits)).toBeGreaterThan(400);
    expect(Math.max(...hits)).toBeLessThan(600);
  });
});

describe('a capability', () => {
  it('holds for its key, job, network and time, and for nothing else', async () => {
    const coordinator = await identityFromSecret(new Uint8Array(32).fill(1));
    const capability = { network: 'test', job: 'ab'.repeat(16), key: 'cd'.repeat(32), untilMs: 1_000 };
    const text = await issueCapability(coordinator, capability);
    const use = { coordinatorKey: coordinator.key, network: 'test', job: capability.job, key: capability.key, nowMs: 999 };
    expect(await capabilityHolds(text, use)).toBe(true);
    expect(await capabilityHolds(text, { ...use, key: 'ef'.repeat(32) })).toBe(false);
    expect(await capabilityHolds(text, { ...use, job: 'ac'.repeat(16) })).toBe(false);
    expect(await capabilityHolds(text, { ...use, network: 'other' })).toBe(false);
    expect(await capabilityHolds(text, { ...use, nowMs: 1_001 })).toBe(false);
    expect(await capabilityHolds(text, { ...use, coordinatorKey: capability.key })).toBe(false);
    expect(await capabilityHolds(`${text.slice(0, -2)}AA`, use)).toBe(false);
  });
});
