/** Finished frames on disk: every number comes back, what was half written does not, and a sequence goes whole. */
import { mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileFrameStore } from '#cli/frame-files.ts';
import { emptyLayers } from '#lib/job/layers.ts';
import type { StoredFrame } from '#lib/roles/frame-store.ts';

const id = (digit: string): string => digit.repeat(32);

function frameOf(sequence: string, frame: number): StoredFrame {
  const counts = { leases: 2, settled: 2, committed: 0, leased: 0, redone: 0, workers: 1, checks: 2, segments: 9 };
  const layers = emptyLayers(6);
  layers.normal.forEach((_, i) => (layers.normal[i] = -i / 7));
  layers.object[4] = 0xdead_beef;
  return {
    sequence,
    frame,
    job: id('a'),
    order: {
      title: 'two\nlines',
      scene: { hash: 'a'.repeat(64), bytes: 5 },
      environment: null,
      sceneRoot: 'b'.repeat(64),
      sceneNeeds: { bytes: 2_000, bindingBytes: 500 },
      frameTimeS: frame / 24,
      variant: null,
      transparent: false,
      camera: { eye: [0, 0, 1], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.5, lens: null },
      ...{ width: 3, height: 2, tileSide: 32, samples: 2, passSamples: 64, bounces: 1, seed: 0, capMicro: '9' },
    },
    view: { job: id('a'), title: 't', creator: 'c'.repeat(64), state: 'done', reason: '', ...counts, capMicro: '9', spentMicro: '3' },
    light: Float32Array.from({ length: 18 }, (_, i) => i * 1.1),
    layers,
  };
}

test('frames come back to the last bit, and go with their sequence', async () => {
  const store = new FileFrameStore(mkdtempSync(join(tmpdir(), 'pictor-frames-')));
  expect(await store.frames(id('1'))).toEqual([]);
  for (const frame of [7, 10]) await store.putFrame(frameOf(id('1'), frame));
  await store.putFrame(frameOf(id('2'), 7));
  expect((await store.frames(id('1'))).toSorted((a, b) => a - b)).toEqual([7, 10]);
  expect(await store.frame(id('1'), 10)).toEqual(frameOf(id('1'), 10));
  expect(await store.frame(id('1'), 8)).toBeNull();
  await store.deleteFrames(id('1'));
  expect([await store.frames(id('1')), await store.frames(id('2'))]).toEqual([[], [7]]);
});

test('a file that is cut short, grown or no frame at all is none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pictor-frames-'));
  const store = new FileFrameStore(folder);
  await store.putFrame(frameOf(id('1'), 1));
  const path = join(folder, id('1'), '1.frame');
  const whole = readFileSync(path);
  truncateSync(path, whole.length - 1);
  expect([await store.frame(id('1'), 1), await store.frames(id('1'))]).toEqual([null, []]);
  writeFileSync(path, Buffer.concat([whole, Buffer.of(0)]));
  expect([await store.frame(id('1'), 1), await store.frames(id('1'))]).toEqual([null, []]);
  writeFileSync(path, 'no newline');
  expect([await store.frame(id('1'), 1), await store.frames(id('1'))]).toEqual([null, []]);
  writeFileSync(path, whole);
  expect(await store.frames(id('1'))).toEqual([1]);
  expect(await store.frame(id('1'), 1)).not.toBeNull();
});
