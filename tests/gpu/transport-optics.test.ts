/**
 * Cameras, dispersion and the guides of the denoiser: geometry known on paper. A lens blurs a point
 * to a disk of known size, a prism bends each wavelength as Snell says, a mirror hands on what it shows.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALBEDO_STEPS, filmCounters, NORMAL_STEPS, readPixel, viewOfFilm } from '#lib/job/film.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { cauchy, meanOver } from '../reference/spectrum.ts';
import { computeWords } from './compute.ts';
import { testGpu } from './device.ts';
import { compileKit, FRONT, material, quad, render, request, sphere, type KitScene, type MaterialRow } from './kit.ts';
import { estimate as estimateScene, films, WHITE, type Estimate } from './transport-kit.ts';

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

const prism = (row: MaterialRow = {}): MaterialRow =>
  material({ transmission: 1, roughness: 0, thickness: 1, specular: 0, ior: 1.5, flags: 0, dispersion: 2, ...row });
const LAMP = material({ base_color: [0, 0, 0, 1], specular: 0, emissive: [1, 1, 1] });
/** One kernel for the whole file: every scene holds a dispersive volume and a lamp too small to matter. */
const complete = ({ triangles, materials, ...rest }: KitScene): KitScene => ({
  ...rest,
  triangles: [...triangles, ...quad([0, -20, 0], [1e-4, -20, 0], [1e-4, -20, 1e-4], [0, -20, 1e-4], materials.length)],
  materials: [...materials, LAMP, prism()],
});
const estimate = (scene: KitScene, shot: Parameters<typeof estimateScene>[2], passes = 1): Promise<Estimate> =>
  estimateScene(engine, complete(scene), shot, passes);

const lamp = (half: number, z: number): KitScene => ({
  triangles: quad([-half, -half, z], [half, -half, z], [half, half, z], [-half, half, z], 0),
  materials: [LAMP],
});

describe('an orthographic camera', () => {
  const camera = { eye: [0, 0, 4], target: [0, 0, 0], up: [0, 1, 0], halfHeight: 1, lens: null } as never;

  it('sees a square as large as it is, near and far', async () => {
    for (const z of [2, -50]) {
      const { mean } = await estimate(lamp(0.5, z), { camera, side: 32, samples: 16 });
      expect(Math.abs(mean[0] - 0.25), `at ${z}`).toBeLessThan(0.003);
    }
    const { mean } = await estimate(lamp(0.5, 2), { camera: { ...FRONT, tanHalfVfov: 0.25 }, side: 32, samples: 16 });
    expect(Math.abs(mean[0] - 0.25), 'control: perspective').toBeGreaterThan(0.1);
  });
});

describe('a thin lens', () => {
  const [focus, radius, halfHeight] = [4, 0.2, 0.25];
  const view = (lens: { radius: number; focusDistance: number } | null) =>
    ({ ...FRONT, eye: [0, 0, 0] as const, target: [0, 0, -1] as const, tanHalfVfov: halfHeight / focus, lens }) as never;
  const side = 32;

  /** Mean squared distance of the light from the axis, on the plane in focus; and where the farthest lies. */
  async function spread(half: number, depth: number, lens: { radius: number; focusDistance: number } | null) {
    let [sum, square, far] = [0, 0, 0];
    for (const film of await films(engine, complete(lamp(half, -depth)), { camera: view(lens), side, samples: 64, bounces: 0 }, 4)) {
      const bytes = viewOfFilm(film.light);
      for (let i = 0; i < side * side; i++) {
        const level = readPixel(bytes, i).light[0];
        const [x, y] = [i % side, Math.floor(i / side)].map((at) => ((2 * (at + 0.5)) / side - 1) * halfHeight) as [number, number];
        sum += level;
        square += level * (x * x + y * y);
        if (level > 0) far = Math.max(far, Math.hypot(x, y));
      }
    }
    return { square: square / sum, far };
  }

  it('shows a point out of focus as a disk of the circle of confusion', async () => {
    const [half, depth] = [0.05, 8];
    const circle = radius * Math.abs(1 - focus / depth);
    // A disk of this radius, and the lamp's and the pixel's own squares.
    const pixel = (2 * halfHeight) / side;
    const expected = circle ** 2 / 2 + ((2 * half * focus) / depth) ** 2 / 6 + pixel ** 2 / 6;
    const seen = await spread(half, depth, { radius, focusDistance: focus });
    expect(Math.abs(seen.square / expected - 1)).toBeLessThan(0.05);
    expect(seen.far).toBeLessThan(circle + (Math.SQRT2 * half * focus) / depth + pixel);
    expect((await spread(half, depth, null)).square, 'control: a pinhole').toBeLessThan(expected / 5);
  });

  it('shows the plane in focus as the pinhole does', async () => {
    const sharp = await spread(0.05, focus, null);
    const lens = await spread(0.05, focus, { radius, focusDistance: focus });
    expect(Math.abs(lens.square / sharp.square - 1)).toBeLessThan(0.02);
    expect(lens.far).toBeCloseTo(sharp.far, 6);
  });
});

describe('wavelengths', () => {
  it('weigh white in the mean, and bend as Cauchy says', async () => {
    const count = 1 << 14;
    const input = new Uint32Array(count * 4);
    for (let i = 0; i < count; i++) input.set([i], i * 4);
    const body = `let l = sample_wavelength((f32(x.x) + 0.5) / ${count}.0); return bitcast<vec4u>(vec4f(wavelength_weight(l), l));`;
    const out = new Float32Array((await computeWords(await testGpu(), ['transport/spectrum'], body, input)).buffer);
    const sums = [0, 0, 0, 0];
    for (let i = 0; i < out.length; i++) sums[i % 4]! += out[i]! / count;
    for (const channel of sums.slice(0, 3)) expect(Math.abs(channel - 1)).toBeLessThan(0.001);
    expect(Math.max(...out.filter((_, i) => i % 4 < 3))).toBeLessThan(3.001);
    const mean = [0, 1, 2].reduce((sum, c) => sum + meanOver(c, (l) => l) / 3, 0);
    expect(Math.abs(sums[3]! - mean)).toBeLessThan(0.1);
  });
});

describe('a prism', () => {
  const APEX = Math.PI / 6;
  const RAMP = 1000;
  /** Position along the environment where light of this ior leaves to, in turns. */
  function exit(n: number): number {
    const [sin, cos] = [Math.sin(APEX), Math.cos(APEX)];
    const bend = Math.sqrt(1 - (n * sin) ** 2) - n * cos;
    return Math.atan2(-n - bend * cos, bend * sin) / (2 * Math.PI) + 0.5;
  }
  const FIRST = exit(1.6) - 0.004;
  const width = 1024;
  const depth = -2 * Math.tan(APEX);
  const scene = (row: MaterialRow): KitScene => ({
    triangles: [
      ...quad([-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0], 0),
      ...quad([1, -1, 0], [-1, -1, depth], [-1, 1, depth], [1, 1, 0], 0),
      ...quad([-1, -1, depth], [-1, -1, 0], [-1, 1, 0], [-1, 1, depth], 0),
    ],
    materials: [prism(row)],
    environment: { width, height: 4, radiance: (x) => Array(3).fill(Math.max(((x + 0.5) / width - FIRST) * RAMP, 0)) as never },
  });
  const camera = { eye: [0, 0, 4], target: [0, 0, 0], up: [0, 1, 0], halfHeight: 0.01, lens: null } as never;
  const shot = { camera, side: 64, samples: 64, bounces: 4 };

  it('sends each channel where Snell sends its wavelengths', async () => {
    const { mean } = await estimate(scene({}), shot, 2);
    const at = (n: number): number => (exit(n) - FIRST) * RAMP;
    const expected = [0, 1, 2].map((c) => meanOver(c, (l) => at(cauchy(1.5, 2, l))));
    expected.forEach((value, c) => expect(Math.abs(mean[c]! - value), `channel ${c}: ${mean[c]} for ${value}`).toBeLessThan(0.05));
    expect(Math.abs(expected[0]! - expected[2]!), 'control: without dispersion they are one').toBeGreaterThan(1);
    const plain = await estimate(scene({ dispersion: 0 }), shot);
    for (const value of plain.mean) expect(Math.abs(value - at(1.5))).toBeLessThan(0.03);
  });

  it('leaves white light white in the mean', async () => {
    const ball: KitScene = { triangles: sphere([0, 0, 0], 1, 0), materials: [prism({ specular: 1 })], environment: WHITE };
    const { mean } = await estimate(ball, { camera: { ...FRONT, tanHalfVfov: 0.1 }, side: 64, samples: 64, bounces: 12 }, 2);
    for (const value of mean) expect(Math.abs(value - 1)).toBeLessThan(0.005);
  });
});

describe('guides', () => {
  const WALL = [0.8, 0.2, 0.1] as const;
  const METAL = [0.9, 0.8, 0.7] as const;
  const scene = (roughness: number): KitScene => ({
    triangles: [
      ...quad([-9, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0], 0),
      ...quad([-99, -99, 8], [99, -99, 8], [99, 99, 8], [-99, 99, 8], 1),
    ],
    materials: [material({ metallic: 1, roughness, base_color: [...METAL, 1] }), material({ base_color: [...WALL, 1], specular: 0 })],
  });
  const first = async (row: KitScene) => {
    const film = await render(engine, complete(row), { camera: { ...FRONT, tanHalfVfov: 0.01 }, side: 4, samples: 16 });
    return readPixel(viewOfFilm(film.light), 5);
  };

  it('look through a mirror, and not through rough metal', async () => {
    const mirror = await first(scene(0));
    mirror.albedo.forEach((sum, c) => expect(sum / 16 / ALBEDO_STEPS).toBeCloseTo(WALL[c]! * METAL[c]!, 2));
    expect(mirror.normal.map((sum) => Math.round(sum / 16 / NORMAL_STEPS))).toEqual([0, 0, -1]);
    const rough = await first(scene(0.5));
    rough.albedo.forEach((sum, c) => expect(sum / 16 / ALBEDO_STEPS).toBeCloseTo(METAL[c]!, 2));
    expect(rough.normal.map((sum) => Math.round(sum / 16 / NORMAL_STEPS))).toEqual([0, 0, 1]);
  });

  it('hold distance and id of the first surface, and nothing where there is none', async () => {
    const mirror = await first(scene(0));
    expect(mirror.depth / 16).toBeCloseTo(4, 3);
    expect(mirror.coverage).toBe(16);
    expect([0, 1]).toContain(mirror.object);
    const nothing = await first({
      triangles: quad([90, 90, 0], [91, 90, 0], [91, 91, 0], [90, 91, 0], 0),
      materials: [material()],
      environment: WHITE,
    });
    expect(nothing).toMatchObject({ albedo: [0, 0, 0], depth: 0, coverage: 0, object: 0xffffffff });
  });
});

describe('the counting kernel', () => {
  const counters = async (x: number) => {
    const compiled = await compileKit({
      triangles: quad([x - 9, -9, 0], [x + 9, -9, 0], [x + 9, 9, 0], [x - 9, 9, 0], 0),
      materials: [material()],
    });
    engine.adopt(compiled);
    const outcome = await engine.trace(new AbortController().signal, {
      ...request(compiled.summary.root, { side: 8, samples: 4, bounces: 0 }),
      count: true,
    });
    if (!outcome.ok) throw new Error(outcome.text);
    return filmCounters(outcome.film.light);
  };

  it('counts one node per ray that misses, and both triangles and one shading where it meets', async () => {
    const paths = 8 * 8 * 4;
    expect(await counters(50)).toMatchObject({ segments: paths, nodeVisits: paths, triangleTests: 0, shadingCalls: 0 });
    const met = await counters(0);
    expect(met).toMatchObject({ segments: 2 * paths, nodeVisits: 2 * paths, shadingCalls: paths });
    expect(met.triangleTests).toBeGreaterThanOrEqual(2 * paths);
  });
});
