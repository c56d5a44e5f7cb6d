/**
 * The stages leave the bits of the megakernel: film, segments, layers and signatures. Cuts that
 * fill no workgroup, one sample and a full pass, from no bounce to many. What needs long compilation
 * (every material at once, the shipped samples) is in tests/deep/wavefront.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TraceRequest } from '#lib/gpu/engine.ts';
import { filmSegments } from '#lib/job/film.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { brokenGpu } from './broken-gpu.ts';
import { testGpu } from './device.ts';
import { compileKit, material, request, type KitScene } from './kit.ts';
import { ROOM_TRIANGLES } from './room.ts';
import { differences, film, Pair, STAGES } from './wavefront-kit.ts';

const PLAIN_ROOM: KitScene = {
  triangles: ROOM_TRIANGLES,
  materials: [
    material({ base_color: [0.7, 0.7, 0.7, 1], roughness: 0.6 }),
    material({ base_color: [0.7, 0.2, 0.2, 1] }),
    material({ emissive: [8, 8, 8] }),
    material({ metallic: 1, roughness: 0.05, base_color: [0.9, 0.7, 0.3, 1] }),
    material({ metallic: 1, roughness: 0.3, base_color: [0.8, 0.8, 0.9, 1] }),
    material({ base_color: [0.2, 0.4, 0.9, 0.4], emissive: [0.1, 0.2, 0.1] }),
  ],
  environment: { width: 8, height: 4, radiance: (x, y) => (y < 2 ? [0.2 + x * 0.05, 0.3, 0.5] : [0.1, 0.1, 0.1]) },
  lights: [{ kind: 1, position: [1.5, 1, 1.5], color: [2, 2, 1.5] }],
};

let gpu: GPU;
let pair: Pair;
let root: string;

beforeAll(async () => {
  gpu = await testGpu();
  pair = new Pair(gpu);
  const scene = await compileKit(PLAIN_ROOM);
  root = scene.summary.root;
  pair.adopt(scene);
});
afterAll(() => pair.dispose());

const shot = (side: number, samples: number, bounces: number): TraceRequest => request(root, { side, samples, bounces });

describe('the stages and the megakernel', () => {
  it.each([
    { side: 17, samples: 1, bounces: 8 },
    { side: 5, samples: 64, bounces: 3 },
    { side: 16, samples: 4, bounces: 0 },
    { side: 13, samples: 2, bounces: 1 },
    { side: 11, samples: 2, bounces: 32 },
  ])('agree in every bit of $side² pixels, $samples spp, $bounces bounces', async ({ side, samples, bounces }) => {
    const films = await pair.films(shot(side, samples, bounces));
    expect(differences(films)).toEqual([]);
    expect(filmSegments(films[0].light)).toBeGreaterThan(side * side * samples);
  });

  it('agree in a rectangle of one pixel, and of a row that begins in the middle', async () => {
    const whole = shot(19, 2, 4);
    for (const rect of [
      { x: 9, y: 11, width: 1, height: 1 },
      { x: 3, y: 7, width: 13, height: 1 },
    ]) {
      expect(differences(await pair.films({ ...whole, rect }))).toEqual([]);
    }
  });

  it('do not when one place in a workgroup of the queue is left out (control)', async () => {
    const broken = brokenGpu(gpu, 'if (goes_on != 0u) { words[', 'if (goes_on != 0u && lane != 3u) { words[');
    const maimed = new RenderEngine(broken.gpu, { variant: STAGES });
    maimed.adopt(await compileKit(PLAIN_ROOM));
    const [mega] = await pair.films(shot(16, 1, 2));
    const lacking = await film(maimed, shot(16, 1, 2));
    await maimed.dispose();
    expect(broken.hits()).toBe(1);
    expect(differences([mega, lacking])).toContain('signatures');
  });
});
