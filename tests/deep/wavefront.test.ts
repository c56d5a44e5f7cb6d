/**
 * The stages and the megakernel over everything: a room of every feature at once, glasses in each
 * other, the shipped samples. Bit for bit, on whatever adapter runs this.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filmSegments } from '#lib/job/film.ts';
import { MATERIAL_ALPHA_BLEND, MATERIAL_DOUBLE_SIDED, MATERIAL_UNLIT } from '#shaders/layout.ts';
import { FEATURES, sceneFeatures } from '#workers/render/features.ts';
import { compileScene } from '#workers/scene/compile.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { testGpu } from '../gpu/device.ts';
import { compileKit, FRONT, material, quad, request, sphere, type KitScene } from '../gpu/kit.ts';
import { ROOM_TRIANGLES } from '../gpu/room.ts';
import { menagerie } from '../gpu/transport-scenes.ts';
import { differences, Pair } from '../gpu/wavefront-kit.ts';
import { sceneFiles } from '../unit/scene/fixtures.ts';
import { boxOf, CASES } from './gltf-cases.ts';

const SAMPLES = resolve(import.meta.dirname, '../../static/samples');

/** Materials 0 to 5 are the room's; the rest are of what was brought in. */
const EVERYTHING: KitScene = {
  triangles: [
    ...ROOM_TRIANGLES,
    ...quad([-1.8, -0.9, -1], [-1.2, -0.9, -1], [-1.2, 0.5, -1], [-1.8, 0.5, -1], 6),
    ...quad([1.2, -0.9, -1], [1.8, -0.9, -1], [1.8, 0.5, -1], [1.2, 0.5, -1], 7),
    ...sphere([0, 0.6, -0.8], 0.4, 8, 8),
  ],
  meshes: [
    {
      triangles: sphere([0, 0, 0], 0.3, 9, 6),
      placements: [
        [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, -1.4, 1, 0.2, 1],
        [-1.3, 0, 0, 0, 0, 0.7, 0, 0, 0, 0, 1, 0, 1.4, 1, 0, 1],
      ],
    },
  ],
  materials: [
    material({ base_color: [0.7, 0.7, 0.7, 1], roughness: 0.6 }),
    material({ base_color: [0.7, 0.2, 0.2, 1], clearcoat: 1, clearcoat_roughness: 0.2 }),
    material({ emissive: [8, 8, 8], clearcoat: 1 }),
    material({ metallic: 1, roughness: 0.2, base_color: [0.9, 0.7, 0.3, 1], anisotropy: 0.8, anisotropy_direction: [0.6, 0.8] }),
    material({ transmission: 1, roughness: 0.1, thickness: 1, attenuation: [0.5, 0.1, 0.1], dispersion: 2, flags: 0 }),
    material({
      base_color: [0.2, 0.4, 0.9, 0.4],
      flags: MATERIAL_DOUBLE_SIDED | MATERIAL_ALPHA_BLEND,
      sheen_color: [0.3, 0.3, 0.3],
      sheen_roughness: 0.5,
    }),
    material({ diffuse_transmission: 0.6, diffuse_transmission_color: [0.3, 0.8, 0.3] }),
    material({ base_color: [0.6, 0.1, 0.6, 1], flags: MATERIAL_DOUBLE_SIDED | MATERIAL_UNLIT }),
    material({ transmission: 1, roughness: 0, base_color: [0.8, 1, 0.9, 1] }),
    material({ metallic: 0.5, roughness: 0.3, iridescence: 1, iridescence_ior: 1.4, iridescence_thickness_max: 400 }),
  ],
  environment: { width: 8, height: 4, radiance: (x, y) => (y < 2 ? [0.2 + x * 0.05, 0.3, 0.5] : [0.1, 0.1, 0.1]) },
  lights: [{ kind: 1, position: [1.5, 1, 1.5], color: [2, 2, 1.5] }],
};

let pair: Pair;
beforeAll(async () => {
  pair = new Pair(await testGpu());
});
afterAll(() => pair.dispose());

describe('the stages and the megakernel agree in every bit', () => {
  const lacking = new Set(FEATURES);
  const adopt = (scene: CompiledScene): void => {
    for (const name of FEATURES) if (sceneFeatures(scene)[name]) lacking.delete(name);
    pair.adopt(scene);
  };

  it('of a room with every kind of surface', async () => {
    const scene = await compileKit(EVERYTHING);
    adopt(scene);
    for (const bounces of [0, 1, 12]) {
      const camera = { ...FRONT, lens: { radius: 0.05, focusDistance: 4 } };
      const films = await pair.films(request(scene.summary.root, { side: 37, samples: 4, bounces, camera }));
      expect(differences(films)).toEqual([]);
      expect(filmSegments(films[0].light)).toBeGreaterThan(37 * 37 * 4);
    }
  });

  it('of glasses in and across each other', async () => {
    const scene = await compileKit(menagerie(7));
    adopt(scene);
    expect(differences(await pair.films(request(scene.summary.root, { side: 41, samples: 4, bounces: 16 })))).toEqual([]);
  });

  it.each(readdirSync(SAMPLES).filter((name) => name.endsWith('.glb')))('of %s', async (name) => {
    const bytes = new Uint8Array(readFileSync(join(SAMPLES, name)));
    const scene = await compileScene(new AbortController().signal, { scene: bytes, environment: null, frameTimeS: 0, variant: null });
    adopt(scene);
    const wanted = request(scene.summary.root, { side: 45, samples: 2, bounces: 8, camera: scene.summary.view });
    expect(differences(await pair.films(wanted))).toEqual([]);
  });

  it.each(CASES)('of a box with %s, all of it behind textures', async (_, material) => {
    const scene = await compileScene(new AbortController().signal, sceneFiles(await boxOf(material)));
    adopt(scene);
    const wanted = request(scene.summary.root, { side: 33, samples: 2, bounces: 8, camera: scene.summary.view });
    expect(differences(await pair.films(wanted))).toEqual([]);
  });

  it('and together these have every feature but profiles, and what vertices carry besides, which gpu/vertices has', () => {
    expect([...lacking]).toEqual(['PHOTOMETRIC', 'VERTEX_EXTRAS']);
  });
});
