/** The share of GPU time that a tab lends: told at once, remembered, and given back when work ends. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Pace } from '#lib/gpu/engine.ts';
import { GpuShare } from '#lib/state/gpu-share.svelte.ts';

/** A browser's storage, which Node has none of. */
function storage(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

const recorder = (): { readonly paces: Pace[]; setPace(pace: Pace): void } => {
  const paces: Pace[] = [];
  return { paces, setPace: (pace) => void paces.push(pace) };
};

const again = (): GpuShare => {
  const share = new GpuShare();
  share.recall();
  return share;
};

beforeEach(() => void vi.stubGlobal('localStorage', storage()));
afterEach(() => void vi.unstubAllGlobals());

it('is all of it until somebody chooses, and on the next visit what was chosen', () => {
  expect(again().percent).toBe(100);
  again().percent = 40;
  expect(again().percent).toBe(40);
});

it('reaches the engine while it is lent, at every change, and leaves the tab its GPU afterwards', () => {
  const engine = recorder();
  const share = again();
  share.percent = 50;
  expect(engine.paces).toEqual([]);
  share.lend(engine);
  share.percent = 25;
  share.keep();
  share.percent = 75;
  expect(engine.paces).toEqual([50, 25, 100].map((percent) => ({ place: 'foreground', share: percent / 100 })));
});

it('never leaves its range, whatever was kept', () => {
  const share = again();
  for (const [asked, got] of [
    [0, 5],
    [-20, 5],
    [33, 35],
    [101, 100],
    [Number.NaN, 100],
  ] as const) {
    share.percent = asked;
    expect(share.percent).toBe(got);
  }
  localStorage.setItem('pictor.gpu-share', 'a poem');
  expect(again().percent).toBe(100);
});

it('works with storage blocked, and forgets', () => {
  vi.stubGlobal('localStorage', undefined);
  const share = again();
  share.percent = 30;
  expect(share.percent).toBe(30);
  expect(again().percent).toBe(100);
});
