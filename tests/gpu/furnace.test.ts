/**
 * White furnace: a closed white body in uniform white light must be invisible, whatever its
 * roughness; and single-scattering loss of rough metal must stay in its known range.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from './device.ts';
import { FRONT, material, meanOf, quad, render, sphere, type KitScene, type MaterialRow } from './kit.ts';

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

const WHITE = { width: 8, height: 4, radiance: () => [1, 1, 1] as const };
const ball = (row: MaterialRow): KitScene => ({ triangles: sphere([0, 0, 0], 1, 0), materials: [material(row)], environment: WHITE });
const CLOSE = { camera: { ...FRONT, tanHalfVfov: 0.12 }, samples: 64 };

describe('white furnace', () => {
  it('shows the environment itself unchanged', async () => {
    const film = await render(engine, { triangles: quad([9, 9, 9], [10, 9, 9], [10, 10, 9], [9, 10, 9], 0), materials: [material()], environment: WHITE });
    for (const channel of meanOf(film)) expect(channel).toBeCloseTo(1, 5);
  });

  it('gives back all light of a Lambert body without a specular layer', async () => {
    const [r] = meanOf(await render(engine, ball({ specular: 0 }), CLOSE));
    expect(Math.abs(r - 1)).toBeLessThan(0.005);
  });

  it('halves it for an albedo of one half', async () => {
    const [r] = meanOf(await render(engine, ball({ specular: 0, base_color: [0.5, 0.5, 0.5, 1] }), CLOSE));
    expect(Math.abs(r - 0.5)).toBeLessThan(0.005);
  });
});

describe('zz', () => {
  for (const row of [{}, {roughness: .5}, {metallic: 1, roughness: .3}, {metallic:1, roughness:1}, {roughness:.5, base_color:[.4,.4,.4,1]}, {clearcoat:1,clearcoat_roughness:.3}, {transmission:1,roughness:0}, {transmission:1,roughness:.5,thickness:1}, {transmission:1,roughness:.0,thickness:1},{sheen_color:[.5,.5,.5],sheen_roughness:.5, base_color:[0,0,0,1]}] as MaterialRow[])
  it(JSON.stringify(row), async () => {
    console.log(JSON.stringify(row), meanOf(await render(engine, ball(row), CLOSE)), meanOf(await render(engine, ball(row), {...CLOSE, bounces: 0})));
  });
});
