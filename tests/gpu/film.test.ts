/**
 * The film is the same bits however a job is cut, and tracing stops when told. A closed room with everything in it: textures are the only thing left out.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TraceRequest } from '#lib/gpu/engine.ts';
import { TileAccumulator } from '#lib/job/accumulator.ts';
import { filmSegments, readPixel, viewOfFilm, type Film, type PixelSums } from '#lib/job/film.ts';
import { segmentsPerPathMax, type Pass, type Rect } from '#lib/job/plan.ts';
import { cutLeaf } from '#lib/trust/commitment.ts';
import { MATERIAL_ALPHA_BLEND, MATERIAL_DOUBLE_SIDED } from '#shaders/layout.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from './device.ts';
import { compileKit, material, request, type KitScene } from './kit.ts';
import { ROOM_TRIANGLES } from './room.ts';

const ROOM: KitScene = {
  triangles: ROOM_TRIANGLES,
  materials: [
    material({ base_color: [0.7, 0.7, 0.7, 1], roughness: 0.6 }),
    material({ base_color: [0.7, 0.2, 0.2, 1], clearcoat: 1, clearcoat_roughness: 0.2 }),
    material({ emissive: [8, 8, 8] }),
    material({ metallic: 1, roughness: 0.2, base_color: [0.9, 0.7, 0.3, 1] }),
    material({ transmission: 1, roughness: 0.1, thickness: 1, attenuation: [0.5, 0.1, 0.1] }),
    material({
      base_color: [0.2, 0.4, 0.9, 0.4],
      flags: MATERIAL_DOUBLE_SIDED | MATERIAL_ALPHA_BLEND,
      sheen_color: [0.3, 0.3, 0.3],
      sheen_roughness: 0.5,
    }),
  ],
  environment: { width: 8, height: 4, radiance: (x, y) => (y < 2 ? [0.2 + x * 0.05, 0.3, 0.5] : [0.1, 0.1, 0.1]) },
  lights: [{ kind: 1, position: [1.5, 1, 1.5], color: [2, 2, 1.5] }],
};

const SIDE = 32;
const never = new AbortController().signal;
let engine: RenderEngine;
let root: string;

beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
  const compiled = await compileKit(ROOM);
  root = compiled.summary.root;
  engine.adopt(compiled);
});
afterAll(() => engine.dispose());

const whole = (pass: Pass): TraceRequest => ({ ...request(root, { side: SIDE }), pass });

async function trace(wanted: TraceRequest, on = engine): Promise<Film> {
  const outcome = await on.trace(never, wanted);
  if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.text}`);
  return outcome.film;
}

const pixelsOf = (film: Film): PixelSums[] =>
  Array.from({ length: film.width * film.height }, (_, p) => readPixel(viewOfFilm(film.light), p));

describe('film', () => {
  it('of one pass of 16 is the bits of four passes of 4', async () => {
    const one = new TileAccumulator(SIDE * SIDE, true);
    const four = new TileAccumulator(SIDE * SIDE, true);
    const film = await trace(whole({ first: 0, count: 16 }));
    one.add({ first: 0, count: 16 }, film.light);
    let segments = 0;
    for (const first of [12, 0, 8, 4]) {
      const part = await trace(whole({ first, count: 4 }));
      four.add({ first, count: 4 }, part.light);
      segments += filmSegments(part.light);
      for (let p = 0; p < SIDE * SIDE; p++) {
        expect([...part.signatures.subarray(p * 4, p * 4 + 4)]).toEqual([...film.signatures.subarray(p * 16 + first, p * 16 + first + 4)]);
      }
    }
    expect(new Uint32Array(four.mean().buffer)).toEqual(new Uint32Array(one.mean().buffer));
    expect(four.layers()).toEqual(one.layers());
    expect(segments).toBe(filmSegments(film.light));
  });

  it('of the whole frame is the bits of its rectangles, odd ones too', async () => {
    const pass = { first: 4, count: 1 };
    const frame = whole(pass);
    const film = await trace(frame);
    const rects: Rect[] = [
      { x: 0, y: 0, width: 13, height: 32 },
      { x: 13, y: 0, width: 19, height: 7 },
      { x: 13, y: 7, width: 19, height: 25 },
      { x: 8, y: 16, width: 8, height: 8 },
    ];
    for (const rect of rects) {
      const part = await trace({ ...frame, rect });
      expect(cutLeaf(part, rect, rect)).toEqual(cutLeaf(film, frame.rect, rect));
    }
  });

  it('differs with seed and sample, and counts no more rays than a path may trace', async () => {
    const film = await trace(whole({ first: 0, count: 4 }));
    const other = await trace({ ...whole({ first: 0, count: 4 }), frame: { ...whole({ first: 0, count: 4 }).frame, seed: 2 } });
    expect(other.signatures).not.toEqual(film.signatures);
    const counts = pixelsOf(film).map(({ segments }) => segments);
    expect(Math.max(...counts)).toBeLessThanOrEqual(4 * segmentsPerPathMax(8));
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(4);
  });

  it('has the squared luminance of each path in its second moment', async () => {
    const singles = await Promise.all([0, 1, 2, 3].map((first) => trace(whole({ first, count: 1 }))));
    const sums = pixelsOf(await trace(whole({ first: 0, count: 4 })));
    const squares = singles.map((film) => pixelsOf(film).map(({ light: [r, g, b] }) => (0.2126 * r + 0.7152 * g + 0.0722 * b) ** 2));
    for (const [p, { moment }] of sums.entries()) {
      const expected = squares.reduce((sum, of) => sum + of[p]!, 0);
      expect(Math.abs(moment - expected)).toBeLessThanOrEqual(1e-6 * expected);
    }
    expect(sums.some(({ moment }) => moment > 0)).toBe(true);
  });

  it('of a scene nobody compiled is refused', async () => {
    expect(await engine.trace(never, { ...whole({ first: 0, count: 1 }), sceneRoot: 'f'.repeat(64) })).toMatchObject({
      ok: false,
      reason: 'unknown-scene',
    });
  });
});

describe('stopping', () => {
  it('takes well under a second in the middle of a large request', async () => {
    const controller = new AbortController();
    const large: TraceRequest = { ...request(root, { side: 256 }), pass: { first: 0, count: 64 } };
    let abortedAt = 0;
    const outcome = await engine.trace(controller.signal, large, () => {
      if (abortedAt > 0) return;
      abortedAt = performance.now();
      controller.abort();
    });
    expect(outcome).toMatchObject({ ok: false, reason: 'aborted' });
    expect(performance.now() - abortedAt).toBeLessThan(1000);
  });
});
