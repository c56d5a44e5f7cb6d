/** Draws nobody can steer, and capabilities that hold for one holder, job and time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawLeaves, drawSeed } from '#lib/trust/draw.ts';
import { identityFromSecret } from '#lib/protocol/envelope.ts';
import { capabilityHolds, issueCapability } from '#lib/trust/capability.ts';

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
