/** The autotuner on a real device: every variant traces the same bits, time is bounded, the engine takes what was found. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TuneBench, tuneSession, type TunedVariants } from '#workers/render/autotune.ts';
import { DEFAULT_LIMITS } from '#workers/render/device.ts';
import type { HostClock } from '#workers/render/duty-cycle.ts';
import { Session } from '#workers/render/session.ts';
import { tuneScene } from '#workers/render/tune-scene.ts';
import { TREES, DEFAULT_VARIANT, variantKey } from '#workers/render/variant.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { testGpu } from './device.ts';

/** Time stands still but for what each look at it adds. */
const clockOf = (stepMs: number): HostClock => {
  let now = 0;
  return { nowMs: () => (now += stepMs), sleep: async () => undefined };
};
/** Those of one kernel: wavefront.test.ts has the bits of the other, and tests/deep/autotune.test.ts tries all. */
const variants: TunedVariants = {
  first: TREES.map((tree) => ({ ...DEFAULT_VARIANT, tree })),
  next: () => [],
};
let session: Session;
let scene: CompiledScene;

beforeAll(async () => {
  scene = await tuneScene(new AbortController().signal);
  const opened = await Session.open(await testGpu(), DEFAULT_LIMITS, 'both', async () => DEFAULT_VARIANT);
  if (!opened.ok) throw new Error(opened.text);
  ({ session } = opened);
});
afterAll(() => session.close());

describe('the scene that variants are compared on', () => {
  it('is small, sound, and needs the plainest kernel', () => {
    expect(scene.summary.triangles).toBeGreaterThan(10_000);
    expect(scene.summary.needs.bytes).toBeLessThan(8 * 1024 * 1024);
    expect(scene.summary.warnings).toEqual([]);
  });
});

describe('variants', () => {
  it('trace the same bits of it, and more than one ray a path', async () => {
    const bench = new TuneBench(session, scene.summary.root, clockOf(0));
    const films = new Map<string, string>();
    for (const variant of variants.first) {
      const ready = await session.ready(scene.summary.root, scene, variant);
      if (!ready.ok) throw new Error(ready.text);
      const found = await bench.dispatch(ready.scene, 4_096);
      expect(found!.rays).toBeGreaterThan(2 * 4_096);
      films.set(variantKey(variant), found!.film);
    }
    expect(films.size).toBe(variants.first.length);
    expect(new Set(films.values()).size).toBe(1);
  });

  it('are measured, and one of them is picked', async () => {
    const tuned = await tuneSession(session, scene, clockOf(1), variants);
    expect(variants.first.map(variantKey)).toContain(variantKey(tuned!.variant));
  });

  it('are not all measured when time is up: the first stays', async () => {
    const tuned = await tuneSession(session, scene, clockOf(200), variants);
    expect(tuned?.variant).toEqual(DEFAULT_VARIANT);
  });
});
