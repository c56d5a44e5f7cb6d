/** Every primary ray of a random soup finds the triangle that testing all of them finds. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { filmLight } from '#lib/job/film.ts';
import { MATERIAL_DOUBLE_SIDED, MATERIAL_UNLIT } from '#shaders/layout.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { hashWord, pixelKey, sampleBits, unit } from '../reference/random.ts';
import { testGpu } from './device.ts';
import { FRONT, material, render, type KitTriangle, type Vec3 } from './kit.ts';

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

const TRIANGLES = 300;
const SIDE = 48;
const TIE = 2e-6;

function soup(seed: number): KitTriangle[] {
  const random = (i: number): number => unit(hashWord(hashWord(i) + seed)) * 2 - 1;
  return Array.from({ length: TRIANGLES }, (_, t) => {
    const point = (k: number): Vec3 =>
      [0, 1, 2].map((axis) => random(t * 16 + axis) + 0.25 * random(t * 16 + 3 * (k + 1) + axis)) as unknown as Vec3;
    return { corners: [{ at: point(0) }, { at: point(1) }, { at: point(2) }], material: t };
  });
}

const sub = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const cross = (a: Vec3, b: Vec3): Vec3 => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** Distance and how far inside the nearest edge the hit lies; null when missed. */
function entry(triangle: KitTriangle, origin: Vec3, direction: Vec3): { t: number; margin: number; front: boolean } | null {
  const [v0, v1, v2] = triangle.corners.map(({ at }) => at.map(Math.fround)) as unknown as [Vec3, Vec3, Vec3];
  const [e1, e2] = [sub(v1, v0), sub(v2, v0)];
  const p = cross(direction, e2);
  const determinant = dot(e1, p);
  const s = sub(origin, v0);
  const q = cross(s, e1);
  const [u, v] = [dot(s, p) / determinant, dot(direction, q) / determinant];
  const margin = Math.min(u, v, 1 - u - v);
  return margin < -1e-4 ? null : { t: dot(e2, q) / determinant, margin, front: determinant > 0 };
}

it.each([0, TRIANGLES / 2])('finds what brute force finds, %i of the triangles single-sided', async (sided) => {
  const triangles = soup(sided + 5);
  const materials = triangles.map((_, i) =>
    material({ base_color: [i + 1, 0, 0, 1], flags: MATERIAL_UNLIT | (i < sided ? 0 : MATERIAL_DOUBLE_SIDED) }),
  );
  const film = await render(engine, { triangles, materials }, { side: SIDE, samples: 1 });
  const found = filmLight(film.light);
  let hits = 0;
  for (let i = 0; i < SIDE * SIDE; i++) {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    const [jx, jy] = sampleBits({ pixel: pixelKey(x, y, 1), sample: 0 }, 0).map(unit) as [number, number];
    const direction: Vec3 = [((2 * (x + jx)) / SIDE - 1) * FRONT.tanHalfVfov, (1 - (2 * (y + jy)) / SIDE) * FRONT.tanHalfVfov, -1];
    const all = triangles.flatMap((triangle, id) => {
      const hit = entry(triangle, FRONT.eye as Vec3, direction);
      return hit && (id >= sided || hit.front) ? [{ ...hit, id }] : [];
    });
    const nearest = Math.min(...all.map(({ t }) => t));
    const close = all.filter(({ t, margin }) => t <= nearest * (1 + TIE) || margin < 1e-4);
    // On an edge either answer is right; elsewhere there is one.
    if (close.some(({ margin }) => margin < 1e-4)) continue;
    const expected = close.length === 0 ? 0 : Math.min(...close.map(({ id }) => id)) + 1;
    // The colour is an interpolated product, so the number comes back within rounding.
    expect(Math.round(found[i * 3]!), `pixel ${x}, ${y}`).toBe(expected);
    hits += expected > 0 ? 1 : 0;
  }
  expect(hits).toBeGreaterThan(200);
});
