/** What the desks compute: files refused by name, surroundings, frames, estimates and leaf pictures. */
import { describe, expect, it } from 'vitest';
import { HDRLoader } from 'three/examples/jsm/loaders/HDRLoader.js';
import { Frame, passOf } from '#lib/state/frame.ts';
import { thinned } from '#lib/state/painter.ts';
import { refuseFiles } from '#lib/state/scene-desk.svelte.ts';
import { secondsLeft } from '#lib/state/seconds-left.ts';
import { studioEnvironment } from '#lib/state/studio.ts';
import { FilmPixel } from '#shaders/layout.ts';

/** Light of a film with the same sum in every pixel. */
function light(pixels: number, r: number, g: number, b: number): Uint8Array<ArrayBuffer> {
  const words = FilmPixel.size / 4;
  const out = new Float32Array(pixels * words);
  for (let p = 0; p < pixels; p++) out.set([r, g, b], p * words);
  return new Uint8Array(out.buffer);
}

describe('files', () => {
  it('refuses by name and size before reading, and takes what may hold a scene', () => {
    const refuse = (...list: readonly (readonly [string, number])[]) => refuseFiles(list.map(([name, size]) => ({ file: { name, size } })));
    for (const name of ['chair.GLB', 'chair.gltf', 'chair.zip']) expect(refuse([name, 10])).toBeNull();
    expect(refuse(['leather.png', 10], ['chair.gltf', 10], ['chair.bin', 10])).toBeNull();
    expect(refuse(['chair.obj', 10])).toMatch(/chair\.obj is not a glTF scene/);
    expect(refuse(['chair.glb', 0])).toMatch(/empty/);
    expect(refuse(['chair.glb', 512 * 1024 * 1024])).toBeNull();
    expect(refuse(['chair.glb', 512 * 1024 * 1024 + 1])).toMatch(/limit/);
    expect(refuse(['chair.gltf', 10], ['a.bin', 2 ** 29], ['b.bin', 2 ** 29])).toMatch(/together/);
  });

  it('makes studio surroundings that an independent reader of Radiance files reads', () => {
    const { width, height, data } = new HDRLoader().parse(studioEnvironment().buffer) as {
      width: number;
      height: number;
      data: Uint16Array;
    };
    expect([width, height]).toEqual([64, 32]);
    expect(data.length).toBe(64 * 32 * 4);
    expect(data.every((half) => (half & 0x7c00) !== 0x7c00)).toBe(true);
    // Half floats of positive numbers order like integers: the sky is brighter than the floor.
    expect(data[0]!).toBeGreaterThan(data[31 * 64 * 4]!);
  });
});

describe('frame', () => {
  it('shows the mean over all passes of a tile, whatever their order', () => {
    const frame = new Frame(4, 2);
    const left = { x: 0, y: 0, width: 2, height: 2 };
    expect(frame.add(left, { first: 1, count: 1 }, light(4, 3, 0, 0))).toBe(true);
    expect(frame.add(left, { first: 0, count: 1 }, light(4, 1, 0, 0))).toBe(true);
    expect([...frame.image.slice(0, 3)]).toEqual([2, 0, 0]);
    expect([...frame.image.slice(6, 9)]).toEqual([0, 0, 0]);
  });

  it('takes a pass once', () => {
    const frame = new Frame(2, 2);
    const all = { x: 0, y: 0, width: 2, height: 2 };
    frame.add(all, { first: 0, count: 1 }, light(4, 1, 1, 1));
    expect(frame.add(all, { first: 0, count: 1 }, light(4, 9, 9, 9))).toBe(false);
    expect(frame.image[0]).toBe(1);
  });

  it('knows no pass beyond the order', () => {
    expect(passOf({ samples: 4, passSamples: 64 }, 0)).toEqual({ first: 0, count: 1 });
    expect(passOf({ samples: 4, passSamples: 64 }, 99)).toBeNull();
  });
});

it('does not tell the time left before there is a pace', () => {
  expect(secondsLeft(0, 10, 30)).toBeNull();
  expect(secondsLeft(5, 10, 30)).toBe(30);
});

describe('the picture kept for the front door', () => {
  it('is the picture itself when it is small, and thinned by whole steps when it is not', () => {
    const image = Float32Array.from({ length: 5 * 4 * 3 }, (_, i) => i);
    expect(thinned(image, 5, 4, 5)).toEqual({ image, width: 5, height: 4 });
    const small = thinned(image, 5, 4, 3);
    expect([small.width, small.height]).toEqual([2, 2]);
    expect([...small.image]).toEqual([0, 1, 2, 6, 7, 8, 30, 31, 32, 36, 37, 38]);
  });
});
