/** Films over the wide tree are those over the binary one, to the bit: glass, cut-outs, instances, coincident surfaces. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { filmSegments, type Film } from '#lib/job/film.ts';
import { MATERIAL_ALPHA_BLEND, MATERIAL_DOUBLE_SIDED } from '#shaders/layout.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { DEFAULT_VARIANT } from '#workers/render/variant.ts';
import { testGpu } from './device.ts';
import { material, render, sphere, type KitScene } from './kit.ts';
import { ROOM_TRIANGLES } from './room.ts';
import { randomPlacements, soup } from './shapes.ts';

let engines: readonly RenderEngine[];
beforeAll(async () => {
  const gpu = await testGpu();
  engines = (['binary', 'wide'] as const).map((tree) => new RenderEngine(gpu, { variant: { ...DEFAULT_VARIANT, tree } }));
});
afterAll(() => Promise.all(engines.map((engine) => engine.dispose())));

const materials = [
  material({ base_color: [0.7, 0.7, 0.7, 1], roughness: 0.6 }),
  material({ base_color: [0.7, 0.2, 0.2, 1] }),
  material({ emissive: [8, 8, 8] }),
  material({ metallic: 1, roughness: 0.2 }),
  material({ transmission: 1, roughness: 0.1, thickness: 1, attenuation: [0.5, 0.1, 0.1] }),
  material({ base_color: [0.2, 0.4, 0.9, 0.4], flags: MATERIAL_DOUBLE_SIDED | MATERIAL_ALPHA_BLEND }),
];
const environment: NonNullable<KitScene['environment']> = { width: 8, height: 4, radiance: (x) => [0.2 + x * 0.05, 0.3, 0.5] };
const scenes: [string, KitScene][] = [
  [
    'a room, loose panes twice in one place, instances of glass and of panes',
    {
      triangles: [...ROOM_TRIANGLES, ...soup(150, 3, 1, 5), ...soup(150, 3, 1, 0)],
      meshes: [
        { triangles: sphere([0, 0, 0], 0.5, 4, 6), placements: randomPlacements(6, 5, 1, 0.3) },
        { triangles: soup(30, 4, 1, 5), placements: randomPlacements(6, 6, 1, 0.5) },
      ],
      materials,
      environment,
    },
  ],
];

it.each(scenes)('are the same: %s', async (_, scene) => {
  const films: Film[] = [];
  for (const engine of engines) films.push(await render(engine, scene, { side: 24, samples: 2, bounces: 3 }));
  const [binary, ...others] = films as [Film, ...Film[]];
  expect(filmSegments(binary.light)).toBeGreaterThan(24 * 24 * 2 * 2);
  for (const other of others) {
    expect(other.signatures.filter((word, i) => word !== binary.signatures[i]).length).toBe(0);
    expect(Buffer.compare(other.light, binary.light)).toBe(0);
  }
});
