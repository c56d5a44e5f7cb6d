/**
 * Light sampling and BSDF sampling have one mean, block by block, under many emitters of all sizes:
 * one-sided, two-sided, coated and textured, and a sky with a bright patch. The control breaks the density of one of them. And the light
 * tree is worth its walk: noise in a corridor of 200 lamps against picking by power alone.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filmLight } from '#lib/job/film.ts';
import { Light, LightNode, TEXTURE_NEAREST } from '#shaders/layout.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { welch } from '../reference/statistics.ts';
import { testGpu } from './device.ts';
import { compileKit, FRONT, material, quad, request, type KitScene, type KitTriangle, type Vec3 } from './kit.ts';

const engines: RenderEngine[] = [];
let [both, bsdf, light] = [] as unknown as [RenderEngine, RenderEngine, RenderEngine];
beforeAll(async () => {
  for (const estimator of ['both', 'bsdf', 'light'] as const) engines.push(new RenderEngine(await testGpu(), { estimator }));
  [both, bsdf, light] = engines as [RenderEngine, RenderEngine, RenderEngine];
});
afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});

const GREY = material({ base_color: [0.6, 0.6, 0.6, 1], specular: 0 });
const FLOOR = quad([-6, -1, 6], [6, -1, 6], [6, -1, -6], [-6, -1, -6], 0);

/** A square panel that faces down or up. */
function panel([x, y, z]: Vec3, half: number, down: boolean, materialIndex: number): KitTriangle[] {
  const [a, b, c, d] = [
    [x - half, y, z - half],
    [x + half, y, z - half],
    [x + half, y, z + half],
    [x - half, y, z + half],
  ] as const;
  return down ? quad(a, b, c, d, materialIndex) : quad(d, c, b, a, materialIndex);
}

/** A 2 × 2 checker of bright and black texels on TEXCOORD_0. */
const CHECKER: Pick<KitScene, 'textures' | 'texels'> = {
  textures: [{ origin: [0, 0], size: [2, 2], layer: 0, flags: TEXTURE_NEAREST, transform_u: [1, 0, 0, 0], transform_v: [0, 1, 0, 0] }],
  texels: { side: 2, layers: 1, data: Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 255) },
};

const ROOM: KitScene = {
  triangles: [
    ...FLOOR,
    ...[0, 1, 2, 3, 4, 5].flatMap((i) => panel([-2.5 + i, 0.2 + 0.3 * i, -1 - 0.4 * i], 0.5 * 0.65 ** i, i % 2 === 0, 1 + (i % 3))),
    ...panel([0, 2.5, 1], 0.8, true, 1),
  ],
  materials: [
    material({ roughness: 0.7, metallic: 0.5, base_color: [0.8, 0.6, 0.4, 1] }),
    material({ emissive: [4, 4, 4], base_color: [0, 0, 0, 1], specular: 0 }),
    material({ emissive: [6, 6, 6], base_color: [0, 0, 0, 1], specular: 0, flags: 0, clearcoat: 1, clearcoat_roughness: 0.7 }),
    material({ emissive: [8, 8, 8], base_color: [0, 0, 0, 1], specular: 0, emissive_texture: 0 }),
  ],
  environment: { width: 8, height: 4, radiance: (x, y) => (y === 0 && x < 2 ? [6, 6, 6] : [0.5, 0.5, 0.6]) },
  ...CHECKER,
};

const SIDE = 16;
const BLOCK = 4;
const SAMPLES = 64;
const CAMERA = { ...FRONT, eye: [0, 1, 5] as [number, number, number], target: [0, -0.6, 0] as [number, number, number] };

/** Green of every block in renders with different seeds: [block][seed]. */
async function blocks(engine: RenderEngine, scene: CompiledScene, seeds: number, first: number): Promise<number[][]> {
  engine.adopt(scene);
  const across = SIDE / BLOCK;
  const out = Array.from({ length: across * across }, () => new Array<number>(seeds).fill(0));
  for (let seed = 0; seed < seeds; seed++) {
    const order = request(scene.summary.root, { camera: CAMERA, side: SIDE, samples: SAMPLES, bounces: 1, seed: first + seed });
    const outcome = await engine.trace(new AbortController().signal, order);
    if (!outcome.ok) throw new Error(outcome.text);
    filmLight(outcome.film.light).forEach((value, i) => {
      const pixel = Math.floor(i / 3);
      const block = Math.floor(Math.floor(pixel / SIDE) / BLOCK) * across + Math.floor((pixel % SIDE) / BLOCK);
      if (i % 3 === 1) out[block]![seed]! += value / (SAMPLES * BLOCK * BLOCK);
    });
  }
  return out;
}

/** Bonferroni: the least p of all blocks times their number. */
const least = (a: number[][], b: number[][]): number => Math.min(...a.map((own, i) => welch(own, b[i]!).p)) * a.length;

const rename = (scene: CompiledScene, root: string): CompiledScene => ({ ...scene, summary: { ...scene.summary, root } });

describe('many emitters', () => {
  it('light the room alike by light sampling, by BSDF sampling and by both', async () => {
    const scene = await compileKit(ROOM);
    const seeds = 10;
    const combined = await blocks(both, scene, seeds, 100);
    const scattered = await blocks(bsdf, scene, seeds, 200);
    const sampled = await blocks(light, scene, seeds, 300);
    const p = { bsdf: least(combined, scattered), light: least(combined, sampled) };
    console.log(`least p, Bonferroni: BSDF ${p.bsdf.toPrecision(3)}, light ${p.light.toPrecision(3)}`);
    expect(p.bsdf).toBeGreaterThan(0.01);
    expect(p.light).toBeGreaterThan(0.01);
    // The control: hits believe they would have been sampled as often as another light.
    const lights = scene.lights.slice();
    const view = new DataView(lights.buffer);
    const count = lights.length / Light.size;
    for (let i = 0; i < count; i++) {
      const other = new DataView(scene.lights.buffer).getUint32(((i + 5) % count) * Light.size + Light.offsets.trail, true);
      view.setUint32(i * Light.size + Light.offsets.trail, other, true);
    }
    const broken = await blocks(both, rename({ ...scene, lights }, 'b'.repeat(64)), seeds, 400);
    expect(least(broken, scattered)).toBeLessThan(1e-3);
  }, 900_000);
});

describe('a corridor of 200 lamps', () => {
  it('has far less noise with the tree than with picking by power', async () => {
    const lamps = Array.from({ length: 100 }, (_, i) => panel([i % 2 === 0 ? -1 : 1, 1.5, 3 - i * 0.8], 0.1, true, 1));
    const scene = await compileKit({
      triangles: [...quad([-2, -1, 8], [2, -1, 8], [2, -1, -80], [-2, -1, -80], 0), ...lamps.flat()],
      materials: [GREY, material({ emissive: [50, 50, 50], base_color: [0, 0, 0, 1], specular: 0, flags: 0 })],
    });
    // Spheres that hold everything leave nothing but intensity to choose by; densities follow.
    const lightNodes = scene.lightNodes.slice();
    const view = new DataView(lightNodes.buffer);
    for (let at = 0; at < lightNodes.length; at += LightNode.size) view.setFloat32(at + LightNode.offsets.radius_squared, 1e12, true);
    const seeds = 8;
    const tree = await blocks(both, scene, seeds, 1);
    const power = await blocks(both, rename({ ...scene, lightNodes }, 'c'.repeat(64)), seeds, 1);
    const variance = (all: number[][]): number =>
      all.reduce((sum, own) => {
        const mean = own.reduce((s, x) => s + x, 0) / own.length;
        return sum + own.reduce((s, x) => s + (x - mean) ** 2, 0) / (own.length - 1);
      }, 0);
    const ratio = variance(power) / variance(tree);
    console.log(`variance by power / by tree: ${ratio.toFixed(1)}`);
    expect(ratio).toBeGreaterThan(5);
    expect(least(tree, power)).toBeGreaterThan(0.01);
  });
});
