/**
 * Layered OpenEXR files in other people's programs: OpenEXR's own exrheader, and Blender's compositor,
 * which must find every layer by name and read back the values that were written.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALL_LAYERS, develop, type Picture } from '#lib/image/develop.ts';
import { openExr, readExrChannels } from '#workers/scene/exr.ts';
import { blenderPath } from '../reference/blender/cycles.ts';
import { requireProgram } from '../reference/programs.ts';

const [WIDTH, HEIGHT] = [50, 34];
const PIXELS = WIDTH * HEIGHT;
const CLIPPED = { exposure: 0, operator: 'none' } as const;

const ramp = (k: number, channels: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: PIXELS * channels }, (_, i) => k + Math.fround(i / 64));
const PICTURE: Picture = {
  width: WIDTH,
  height: HEIGHT,
  light: ramp(1, 3),
  denoised: ramp(2, 3),
  coverage: Float32Array.from({ length: PIXELS }, (_, p) => (p % 5) / 4),
  auxiliary: {
    albedo: ramp(3, 3),
    normal: ramp(4, 3),
    depth: ramp(5, 1),
    moment: ramp(6, 1),
    object: Uint32Array.from({ length: PIXELS }, (_, p) => p * 7),
  },
  samples: 9,
};

const refuse = (what: string): never => {
  throw new Error(what);
};

/** A file of Blender's, which writes a single value three times. */
function read(path: string, channels: readonly string[]): Float32Array {
  const opened = openExr(Uint8Array.from(readFileSync(path)), refuse, { sidePx: 1000, texels: 1e6 });
  expect([opened.width, opened.height]).toEqual([WIDTH, HEIGHT]);
  return readExrChannels(opened, channels, refuse);
}

describe.each(['exr', 'exr32'] as const)('a layered file (%s)', (format) => {
  const folder = mkdtempSync(join(tmpdir(), 'pictor-exr-'));
  const path = join(folder, 'layers.exr');
  beforeAll(async () => {
    const notes = { Software: 'Pictor', Receipt: '{"grüße":"∞"}' };
    const choices = { format, state: 'raw', tone: CLIPPED, layers: ALL_LAYERS, title: 'x', notes } as const;
    writeFileSync(path, (await develop(PICTURE, choices)).bytes);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('has its channels, types, colours and notes by exrheader', () => {
    requireProgram('exrheader', 'openexr');
    const told = execFileSync('exrheader', [path], { encoding: 'utf8' });
    const colour = format === 'exr' ? '16-bit floating-point' : '32-bit floating-point';
    for (const name of [...'RGBA', 'albedo.R', 'denoised.G']) expect(told).toContain(`    ${name}, ${colour}, sampling 1 1`);
    for (const name of ['depth.Z', 'moment.Y', 'normal.X', 'normal.Y', 'normal.Z', 'samples.X', 'variance.Y'])
      expect(told).toContain(`    ${name}, 32-bit floating-point, sampling 1 1`);
    expect(told).toContain('    object.X, 32-bit unsigned integer');
    expect(told).toContain('red   (0.64 0.33)');
    expect(told).toContain('receipt (type string): "{"grüße":"∞"}"');
    expect(told).toContain(`dataWindow (type box2i): (0 0) - (${WIDTH - 1} ${HEIGHT - 1})`);
    // Control: exrheader does not pass whatever it is given.
    writeFileSync(join(folder, 'cut.exr'), readFileSync(path).subarray(0, 300));
    expect(spawnSync('exrheader', [join(folder, 'cut.exr')]).status).not.toBe(0);
  });

  test("opens in Blender's compositor layer by layer", () => {
    const out = join(folder, 'passes');
    mkdirSync(out);
    const script = join(import.meta.dirname, '../reference/blender/passes.py');
    const run = spawnSync(blenderPath(), ['-b', '--factory-startup', '--python-exit-code', '1', '-P', script, '--', path, out], {
      encoding: 'utf8',
    });
    expect(run.status, run.stderr).toBe(0);
    const layers = [...run.stdout.matchAll(/^LAYER (\S+) (\S+)$/gm)].map(([, name]) => name);
    expect(layers.toSorted()).toEqual([...['Alpha', 'Combined', 'denoised'], ...ALL_LAYERS].toSorted());
    const { light, denoised, coverage, auxiliary } = PICTURE;
    const { albedo, normal, depth, moment, object } = auxiliary!;
    const passed = (name: string, channels = [...'RGB']): Float32Array => read(join(out, `${name}-0001.exr`), channels);
    const half = format === 'exr' ? 2 ** -11 : 0;
    for (const [name, values] of Object.entries({ Combined: light, denoised: denoised!, albedo }))
      passed(name).forEach((value, i) => expect(Math.abs(value - values[i]!), `${name} ${i}`).toBeLessThanOrEqual(half * values[i]!));
    for (const [name, values] of Object.entries({ depth, moment, object, samples: new Float32Array(PIXELS).fill(9), Alpha: coverage! }))
      expect(passed(name, ['R']), name).toEqual(Float32Array.from(values));
    expect(passed('normal')).toEqual(normal);
    // Control: the layers are not all one.
    expect(passed('denoised')).not.toEqual(passed('Combined'));
  });
});
