/**
 * The material model by itself, without rays: what leaves equals what comes, samplers draw what their
 * density says, and light may run backwards. Each with a control that fails when the physics is broken.
 * Longer versions are in tests/deep/bsdf.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ShaderModules } from '#shaders/linker.ts';
import { direction, glassAlbedo, mirrorAlbedo } from '../reference/albedo.ts';
import { filmReflectance } from '../reference/film.ts';
import { ALL, broken, chiSquare, DRAWS, EVALUATE, furnace, MEAN, WHITE, worst, type MaterialCase } from './bsdf-cases.ts';
import { BsdfBench } from './bsdf-kit.ts';
import { testGpu } from './device.ts';

let bench: BsdfBench;
beforeAll(async () => {
  bench = await BsdfBench.open(await testGpu());
});
afterAll(() => bench.dispose());

const GRID = { roughness: [0, 0.2, 0.4, 0.6, 0.8, 1], cosines: [0.06, 0.2, 0.45, 0.75, 0.99], blocks: 128 };
const FEW = { roughness: [0.5, 1], cosines: [0.3, 0.9], blocks: 32 };
const off = (level: number): number => Math.abs(level - 1);

describe('white furnace over roughness and angle, within 0.5 %', () => {
  it.each(WHITE.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const w = worst(await furnace(bench, one, GRID));
    expect(off(w.level), JSON.stringify(w)).toBeLessThan(0.005);
  });

  it('control: metal without its compensation loses light', async () => {
    const levels = await furnace(bench, { name: '', row: { metallic: 1 } }, FEW, {
      broken: broken('bsdf/layers', 'let gain = (1.0 - whole) / whole;', 'let gain = 0.0;'),
    });
    // What single scattering leaves at normal incidence is known: alpha 0.25 and 1.
    expect(levels.find((l) => l.roughness === 1 && l.cosine === 0.9)!.level).toBeLessThan(0.4);
    expect(off(worst(levels).level)).toBeGreaterThan(0.05);
  });

  it('control: a layer that forgets what it took from its base is no furnace', async () => {
    const levels = await furnace(bench, { name: '', row: { ior: 2 } }, FEW, {
      broken: broken('bsdf/layers', 'let kept = kept_below(*l, max3(reflected));', 'let kept = vec2f(1.0, 0.0);'),
    });
    expect(off(worst(levels).level)).toBeGreaterThan(0.05);
  });

  it('control: without folding, tilted shading normals lose light', async () => {
    const levels = await furnace(bench, { name: '', row: {}, view: { tilt: [0.75, -0.3] } }, FEW, {
      broken: broken('bsdf/evaluate', 'select(0.0, 2.0 * height, (height > 0.0) == below)', '0.0'),
    });
    expect(off(worst(levels).level)).toBeGreaterThan(0.05);
  });
});

describe('coloured and partial materials', () => {
  const level = async (one: MaterialCase, grid = FEW): Promise<number[]> => (await furnace(bench, one, grid)).map((l) => l.level);

  it('never give back more than came', async () => {
    for (const row of [
      { iridescence: 1, iridescence_thickness_max: 550 },
      { sheen_color: [1, 0.3, 0.1] as const, clearcoat: 0.7, base_color: [0.9, 0.5, 0.2, 1] as const },
      { specular_color: [1, 0.2, 0.2] as const, ior: 2 },
      { iridescence: 0.5, transmission: 1, thickness: 1 },
    ]) {
      for (const value of await level({ name: '', row })) expect(value).toBeLessThan(1.005);
    }
  });

  it('specular-glossiness is a metallic-roughness material of the same F0', async () => {
    const glossy = { flags: 17, roughness: 0.4, specular_color: [0.04, 0.04, 0.04] as const, base_color: [0.5, 0.5, 0.5, 1] as const };
    const rough = { roughness: 0.4, base_color: [0.48, 0.48, 0.48, 1] as const };
    const rows = [0, 1].flatMap((material) => [0.2, 0.8].map((cosine) => ({ material, cosine, vector: [-0.3, 0.2, 0.7] as const })));
    const out = await bench.run({ materials: [glossy, rough], rows, body: EVALUATE, features: ALL });
    for (const i of [0, 1]) expect(Math.abs(out[i * 4]! / out[(i + 2) * 4]! - 1)).toBeLessThan(1e-4);
  });

  it('an interface between equal iors is not there', async () => {
    const body = `let l = make_lobes(s, wo); let made = sample_bsdf(s, l, wo, 0.5, vec2f(0.3, 0.6)); return vec4f(made.direction + wo, made.weight.r);`;
    const materials = [{ transmission: 1, thickness: 1, ior: 1, roughness: 0 }];
    const out = await bench.run({
      materials,
      rows: [{ cosine: 0.1 }, { cosine: 0.9 }, { cosine: 0.4, inside: true }],
      body,
      features: ALL,
    });
    for (let i = 0; i < 3; i++) {
      expect(Math.hypot(out[i * 4]!, out[i * 4 + 1]!, out[i * 4 + 2]!)).toBeLessThan(0.02);
      // One draw, not the mean of many: it may stray further than a furnace.
      expect(off(out[i * 4 + 3]!), String(i)).toBeLessThan(0.007);
    }
  });

  it('what goes straight through a thin wall and what does not are all of it', async () => {
    const materials = [{ transmission: 0.8, roughness: 0 }];
    const rows = [0.1, 0.3, 0.6, 0.95].map((cosine) => ({ cosine }));
    const passed = 'var passed = s; passed.passed = true; let l = make_lobes(passed, wo);';
    const rest = await bench.run({ materials, rows, repeat: 64, body: MEAN.replace('let l = make_lobes(s, wo);', passed), features: ALL });
    const straight = await bench.run({
      materials,
      rows,
      body: 'return vec4f(thin_pass(s.material, TexturePoint(vec2f(0.0), vec2f(0.0), vec2f(0.0)), vec3f(1.0), wo.z), f32(lets_straight_through(s.material)));',
      features: ALL,
    });
    rows.forEach((_, i) => {
      let sum = 0;
      for (let k = 0; k < 64; k++) sum += rest[(i * 64 + k) * 4]! / 64;
      expect(straight[i * 4 + 3]).toBe(1);
      expect(off(sum + straight[i * 4]!)).toBeLessThan(0.005);
    });
  });
});

describe('a thin film', () => {
  it('reflects what its formula gives in double precision, within 1e-4', async () => {
    const body = 'return vec4f(film_reflectance(vec3f(vector.x), wo.z, vector.y, vector.z), 0.0);';
    const rows = Array.from({ length: 200 }, (_, i) => {
      const [cosine, f0, ior, thickness] = [0.02 + ((i * 0.618) % 0.98), (i * 0.317) % 1, 1.1 + ((i * 0.123) % 1), (i * 37.7) % 1200];
      return { cosine, vector: [f0, ior, thickness] as const };
    });
    const out = await bench.run({ materials: [{}], rows, body });
    rows.forEach(({ cosine, vector: [f0, ior, thickness] }, i) => {
      filmReflectance(f0, cosine, ior, thickness).forEach((want, k) =>
        expect(Math.abs(out[i * 4 + k]! - want), `${f0} ${cosine} ${ior} ${thickness}`).toBeLessThan(1e-4),
      );
    });
  });
});

describe('light may run backwards', () => {
  const PAIRS = [
    { a: [0.3, 0.2, 0.6], b: [-0.5, 0.4, 0.3] },
    { a: [0.7, -0.1, 0.2], b: [0.1, 0.3, 0.9] },
  ] as const;
  const METALS = [
    [{ metallic: 1, roughness: 0.6 }, [0.36, 0.36]],
    [{ metallic: 1, roughness: 0.5, anisotropy: 0.6 }, [0.25 * 0.64 + 0.36, 0.25]],
  ] as const;
  const viewed = (view: readonly [number, number, number], light: readonly [number, number, number]) => ({
    cosine: view[2] / Math.hypot(...view),
    phi: Math.atan2(view[1], view[0]),
    vector: light,
  });

  /** Largest |f(a, b) / f(b, a) - 1| of white metals, with the compensation of each viewer taken out. */
  async function byReflection(wrong: ShaderModules = {}): Promise<number> {
    let most = 0;
    for (const [row, widths] of METALS) {
      const rows = PAIRS.flatMap(({ a, b }) => [viewed(a, b), viewed(b, a)]);
      const out = await bench.run({ materials: [row], rows, body: EVALUATE, features: ALL, broken: wrong });
      const bare = rows.map((view, i) => {
        const [x, y] = mirrorAlbedo(direction(view.cosine, view.phi), widths, 96);
        return out[i * 4]! * (x + y);
      });
      for (const i of [0, 2]) most = Math.max(most, off(bare[i]! / bare[i + 1]!));
    }
    return most;
  }

  /** |f(a, b) / f(b, a) / ior^2 - 1| of a glass. */
  async function byRefraction(wrong: ShaderModules = {}): Promise<number> {
    const [ior, alpha] = [1.5, 0.25];
    const [a, b] = [[0.4, 0.1, 0.8] as const, [-0.1, 0.2, -0.9] as const];
    // Seen from inside, the frame is turned about x.
    const turned = ([x, y, z]: readonly [number, number, number]): readonly [number, number, number] => [x, -y, -z];
    const rows = [viewed(a, b), { ...viewed(turned(b), turned(a)), inside: true }];
    const materials = [{ transmission: 1, thickness: 1, roughness: 0.5, ior }];
    const out = await bench.run({ materials, rows, body: EVALUATE, features: ALL, broken: wrong });
    const [outside, inside] = rows.map(
      ({ cosine }, i) => out[i * 4]! * glassAlbedo(direction(cosine), alpha, i === 0 ? ior : 1 / ior, 96)[0],
    );
    return off(outside! / inside! / ior ** 2);
  }

  it('by reflection: f(a, b) = f(b, a) before compensation', async () => {
    expect(await byReflection()).toBeLessThan(0.01);
  });

  it('and not by facets that only the viewer shadows (control)', async () => {
    const oneSided = broken(
      'bsdf/ggx',
      'wi.z * ggx_stretch(wo, alpha) + wo.z * ggx_stretch(wi, alpha)',
      '2.0 * wi.z * ggx_stretch(wo, alpha)',
    );
    expect(await byReflection(oneSided)).toBeGreaterThan(0.05);
  });

  it('by refraction: f(a, b) = f(b, a) times the square of the relative ior', async () => {
    expect(await byRefraction()).toBeLessThan(0.01);
  });

  it('and not by a refraction that forgets how solid angles are squeezed (control)', async () => {
    const unsqueezed = broken('bsdf/evaluate', 'let jacobian = l.eta * l.eta * -i', 'let jacobian = -i');
    expect(await byRefraction(unsqueezed)).toBeGreaterThan(0.05);
  });
});

describe('samplers draw what their density says', () => {
  const SHORT = { theta: 20, phi: 40, samples: 100_000, steps: 6 };
  // pbrt's significance of 0.01 over all runs (Bonferroni).
  const limit = 0.01 / DRAWS.length;

  it.each(DRAWS.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const { p, mass, lost } = await chiSquare(bench, one, SHORT);
    expect(p, `density integrates to ${mass}, ${lost} of the samples were lost`).toBeGreaterThan(limit);
    expect(Math.abs(mass + lost - 1)).toBeLessThan(0.01);
  });

  it('control: a density without the bound of the cap is refused', async () => {
    const wrong = broken('bsdf/ggx', '(2.0 * (cap_bound(wo, alpha) * wo.z + ', '(2.0 * (wo.z + ');
    const { p } = await chiSquare(bench, { name: '', row: { metallic: 1, roughness: 0.7 }, cosine: 0.6 }, SHORT, { broken: wrong });
    expect(p).toBeLessThan(1e-6);
  });
});
