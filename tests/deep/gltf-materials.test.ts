/** Files with every material extension at once, each factor behind its texture, give finite light through the compiler and the kernel. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Camera } from '#lib/protocol/order.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { compileScene } from '#workers/scene/compile.ts';
import { sceneFiles } from '../unit/scene/fixtures.ts';
import { testGpu } from '../gpu/device.ts';
import { meanOf, request } from '../gpu/kit.ts';
import { boxOf, CASES } from './gltf-cases.ts';

describe('files with', () => {
  let engine: RenderEngine;
  beforeAll(async () => {
    engine = new RenderEngine(await testGpu());
    expect(await engine.probe()).toMatchObject({ ok: true });
  });
  afterAll(() => engine.dispose());

  test.each(CASES)('%s', async (_, material) => {
    const compiled = await compileScene(new AbortController().signal, sceneFiles(await boxOf(material)));
    expect(compiled.summary.warnings).toEqual([]);
    engine.adopt(compiled);
    const camera: Camera = { eye: [3, 2, 5], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.4, lens: null };
    const outcome = await engine.trace(new AbortController().signal, request(compiled.summary.root, { camera, side: 24, samples: 4 }));
    if (!outcome.ok) throw new Error(outcome.text);
    for (const value of meanOf(outcome.film)) {
      expect(Number.isFinite(value)).toBe(true);
      expect(value).toBeGreaterThan(0.02);
    }
  });
});
