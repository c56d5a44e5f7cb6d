/** Alias tables yield exactly the distribution they claim; lights and environment use them so. */
import { describe, expect, test } from 'vitest';
import { Light, LIGHT_ENVIRONMENT, LIGHT_TRIANGLE, LightNode, NONE, Triangle } from '#shaders/layout.ts';
import { buildAliasTable } from '#workers/scene/alias-table.ts';
import { compileScene } from '#workers/scene/compile.ts';
import { compileEnvironment } from '#workers/scene/environment.ts';
import { emissiveRoomGlb, type Bytes } from './fixtures.ts';
import { one, randomNumbers } from './oracle.ts';

/** The probability of each row, summed over the table itself. */
function implied(threshold: ArrayLike<number>, other: ArrayLike<number>): number[] {
  const out = new Array<number>(threshold.length).fill(0);
  for (let i = 0; i < threshold.length; i++) {
    out[i] = (out[i] as number) + (threshold[i] as number) / threshold.length;
    const to = other[i] as number;
    out[to] = (out[to] as number) + (1 - (threshold[i] as number)) / threshold.length;
  }
  return out;
}

describe('alias tables', () => {
  const random = randomNumbers(7);
  test.each([
    ['one row', [3]],
    ['equal rows', [1, 1, 1, 1]],
    ['zeros among them', [0, 2, 0, 6, 0]],
    ['a giant', [1e-9, 1e9, 1, 1]],
    ['a thousand', Array.from({ length: 1000 }, () => random() ** 8)],
  ])('%s', (_, weights) => {
    const table = buildAliasTable(Float64Array.from(weights));
    const total = weights.reduce((sum, w) => sum + w, 0);
    expect([...table.probability]).toEqual(implied(table.threshold, table.other));
    expect(table.probability.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    weights.forEach((weight, i) => {
      expect(Math.abs((table.probability[i] as number) - weight / total)).toBeLessThan(1e-6);
      if (weight === 0) expect(table.probability[i]).toBe(0);
    });
  });
});

/** A flat (not run-length coded) Radiance file; `pixel` returns r, g, b, e. */
function hdr(width: number, height: number, pixel: (x: number, y: number) => readonly number[]): Bytes {
  const head = new TextEncoder().encode(`#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y ${height} +X ${width}\n`);
  const body = Array.from({ length: width * height }, (_, i) => pixel(i % width, Math.floor(i / width))).flat();
  return Uint8Array.from([...head, ...body]);
}

describe('the environment', () => {
  test('rows from the top, values mantissa × 2^(e-136) × intensity', () => {
    const env = compileEnvironment(
      hdr(2, 2, (x, y) => [128, 64, 0, 129 + x + 2 * y]),
      0.5,
    );
    expect([...env.texels].filter((_, i) => i % 4 < 3)).toEqual([0.5, 0.25, 0, 1, 0.5, 0, 2, 1, 0, 4, 2, 0]);
  });

  test('run-length coded scanlines read like flat ones', () => {
    const flat = hdr(8, 1, (x) => [x < 5 ? 10 : 20 + x, 30, 40, 130]);
    const head = flat.slice(0, flat.length - 32);
    const coded = Uint8Array.from([...head, 2, 2, 0, 8, 133, 10, 3, 25, 26, 27, 136, 30, 136, 40, 136, 130]);
    expect(compileEnvironment(coded, 1)).toEqual(compileEnvironment(flat, 1));
  });

  test('the density integrates to one and follows luminance', () => {
    const [width, height] = [32, 16];
    const random = randomNumbers(3);
    const env = compileEnvironment(
      hdr(width, height, () => [1 + Math.floor(random() * 255), 1 + Math.floor(random() * 255), 9, 126 + Math.floor(random() * 6)]),
      1,
    );
    let integral = 0;
    for (let y = 0; y < height; y++) {
      const solid = ((2 * Math.PI) / width) * (Math.PI / height) * Math.sin(((y + 0.5) / height) * Math.PI);
      for (let x = 0; x < width; x++) integral += (env.texels[(y * width + x) * 4 + 3] as number) * solid;
    }
    expect(integral).toBeCloseTo(1, 6);
    const level = (i: number): number =>
      0.2126 * (env.texels[i * 4] as number) + 0.7152 * (env.texels[i * 4 + 1] as number) + 0.0722 * (env.texels[i * 4 + 2] as number);
    const ratio = (env.texels[3] as number) / level(0);
    for (let i = 0; i < width * height; i++) expect((env.texels[i * 4 + 3] as number) / level(i) / ratio).toBeCloseTo(1, 3);
  });

  test('black becomes one black texel, and a wide image is halved exactly', () => {
    expect(
      compileEnvironment(
        hdr(4, 2, () => [0, 0, 0, 0]),
        1,
      ),
    ).toMatchObject({ width: 1, height: 1, meanLuminance: 0 });
    const wide = compileEnvironment(
      hdr(4096, 2, (x) => [x % 2 === 0 ? 100 : 200, 100, 100, 136]),
      1,
    );
    expect([wide.width, wide.height, wide.texels[0], wide.texels[1]]).toEqual([2048, 1, 150, 100]);
  });
});

describe('lights', () => {
  const compile = async (environment: Bytes | null) =>
    compileScene(new AbortController().signal, {
      scene: await emissiveRoomGlb(),
      environment: environment && { file: environment, intensity: 1 },
      frameTimeS: 0,
      variant: null,
    });

  test('both triangles of the lamp are leaves of the light tree, linked both ways', async () => {
    const scene = await compile(null);
    expect(scene.lights.length / Light.size).toBe(2);
    const lit = Array.from({ length: scene.summary.triangles }, (_, t) => [t, one(scene.triangles, Triangle, t, 'light')] as const).filter(
      ([, light]) => light !== NONE,
    );
    expect(lit.length).toBe(2);
    for (const [triangle, light] of lit) {
      expect(one(scene.lights, Light, light, 'kind')).toBe(LIGHT_TRIANGLE);
      expect(one(scene.lights, Light, light, 'triangle')).toBe(triangle);
      // No distant light: the tree is always asked.
      expect(one(scene.lights, Light, light, 'pick')).toBe(1);
    }
  });

  test('the environment is the last row and its share is kept within a quarter and three quarters', async () => {
    const scene = await compile(hdr(4, 2, () => [255, 255, 255, 150]));
    expect(scene.lights.length / Light.size).toBe(3);
    expect(one(scene.lights, Light, 2, 'kind')).toBe(LIGHT_ENVIRONMENT);
    expect(one(scene.lights, Light, 2, 'pick')).toBeCloseTo(0.75, 6);
    expect(one(scene.lights, Light, 0, 'pick')).toBeCloseTo(0.25, 6);
    expect([one(scene.lights, Light, 2, 'alias_threshold'), one(scene.lights, Light, 2, 'alias_other')]).toEqual([1, 2]);
    expect(scene.lightNodes.length).toBe(3 * LightNode.size);
  });
});
