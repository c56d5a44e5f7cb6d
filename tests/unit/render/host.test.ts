/** The host side of the tracer, as far as it needs no GPU. */
import { describe, expect, it } from 'vitest';
import type { TraceRequest } from '#lib/gpu/engine.ts';
import { Frame } from '#shaders/layout.ts';
import { encodeFrame } from '#workers/render/frame.ts';
import { aliasDensity } from '#workers/render/scene-buffers.ts';
import { openDevice } from '#workers/render/device.ts';
import { buildAliasTable } from '#workers/scene/alias-table.ts';

const request: TraceRequest = {
  sceneRoot: 'a'.repeat(64),
  frame: {
    camera: { eye: [0, 0, 4], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.5, lens: null },
    width: 200,
    height: 100,
    bounces: 8,
    seed: 7,
  },
  rect: { x: 32, y: 16, width: 32, height: 8 },
  pass: { first: 16, count: 16 },
};
const scene = { lights: 3, envWidth: 1, envHeight: 1, envPick: 0.25, treeLights: 0, treeShare: 0, mediaAt: () => [0, 0] as const };

describe('frame', () => {
  it('spans the image plane of the order’s pinhole', () => {
    const view = new DataView(encodeFrame(request, scene, { first: 64, count: 128 }));
    const vec = (at: number): number[] => [0, 4, 8].map((k) => view.getFloat32(at + k, true) + 0);
    expect(vec(Frame.offsets.forward)).toEqual([0, 0, -1]);
    expect(vec(Frame.offsets.right)).toEqual([1, 0, 0]);
    expect(vec(Frame.offsets.up)).toEqual([0, 0.5, 0]);
    expect(view.getUint32(Frame.offsets.samples_log2, true)).toBe(4);
  });

  it('has finite axes when up and view are parallel', () => {
    const camera = { ...request.frame.camera, up: [0, 0, 1] as [number, number, number] };
    const view = new Float32Array(encodeFrame({ ...request, frame: { ...request.frame, camera } }, scene, { first: 0, count: 1 }));
    for (const at of [Frame.offsets.right, Frame.offsets.up]) expect(Math.hypot(...view.subarray(at / 4, at / 4 + 3))).toBeGreaterThan(0.4);
  });
});

describe('alias density', () => {
  it('is what the table draws', () => {
    const weights = Float64Array.of(0, 1, 5, 2, 0, 0.25);
    const table = buildAliasTable(weights);
    const alias = new Uint32Array(12);
    const bits = new Uint32Array(table.threshold.buffer);
    for (let i = 0; i < 6; i++) alias.set([bits[i]!, table.other[i]!], i * 2);
    const density = aliasDensity(alias);
    density.forEach((value, i) => expect(value).toBeCloseTo((weights[i]! / 8.25) * 6, 5));
  });
});

describe('device', () => {
  it('is refused in words where there is no WebGPU or no adapter', async () => {
    expect(await openDevice(undefined)).toMatchObject({ ok: false, reason: 'no-webgpu' });
    const none = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
    expect(await openDevice(none)).toMatchObject({ ok: false, reason: 'no-adapter' });
  });
});
