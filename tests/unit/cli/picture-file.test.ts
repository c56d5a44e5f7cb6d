/** Linear pictures of other programs: found layers, refused files, and damage that never takes memory or a stack trace. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { CommandError, UsageError } from '#cli/command.ts';
import { readDenoiseOptions } from '#cli/commands/denoise.ts';
import { readPictureFile, type PictureRole } from '#cli/picture-file.ts';
import { encodeExr, type ExrLayer } from '#lib/image/exr.ts';
import { encodePfm } from '#lib/image/pfm.ts';

const folder = mkdtempSync(join(tmpdir(), 'pictor-pictures-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [WIDTH, HEIGHT] = [20, 34];
const PIXELS = WIDTH * HEIGHT;
const ramp = (k: number, channels = 3): Float32Array<ArrayBuffer> => Float32Array.from({ length: PIXELS * channels }, (_, i) => k + i / 32);

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const layer = (prefix: string, letters: string, k: number): ExrLayer => ({
  channels: [...letters].map((letter) => (prefix === '' ? letter : `${prefix}.${letter}`)),
  values: ramp(k, letters.length),
});
const exr = (layers: readonly ExrLayer[], compression: 'zip' | 'none' = 'zip'): Promise<Uint8Array<ArrayBuffer>> =>
  encodeExr(layers, WIDTH, HEIGHT, { type: 'float', compression });

describe('layers by the names that programs give them', () => {
  test.each([
    ['our own', [layer('', 'RGB', 1), layer('', 'A', 4), layer('albedo', 'RGB', 2), layer('normal', 'XYZ', 3)]],
    [
      'of Blender',
      [
        layer('ViewLayer.Combined', 'RGB', 1),
        layer('ViewLayer.Combined', 'A', 4),
        layer('ViewLayer.Denoising Albedo', 'RGB', 2),
        layer('ViewLayer.Denoising Normal', 'XYZ', 3),
        layer('ViewLayer.Depth', 'Z', 9),
      ],
    ],
    ['of Nuke', [layer('', 'RGB', 1), layer('', 'A', 4), layer('Albedo', 'RGB', 2), layer('N', 'XYZ', 3)]],
  ])('%s', async (name, layers) => {
    const path = file(`${name}.exr`, await exr(layers));
    const read = await readPictureFile(path, 'color', ['albedo', 'normal']);
    expect([read.width, read.height]).toEqual([WIDTH, HEIGHT]);
    expect(read.planes).toEqual({ color: ramp(1), albedo: ramp(2), normal: ramp(3) });
    expect(read.coverage).toEqual(ramp(4, 1));
  });

  test('a file named for a guide may call it what it likes', async () => {
    const path = file('guide.exr', await exr([layer('', 'RGB', 5)]));
    expect((await readPictureFile(path, 'normal')).planes).toEqual({ normal: ramp(5) });
    // Control: beside a colour the same channels are the colour.
    expect((await readPictureFile(path, 'color', ['normal'])).planes).toEqual({ color: ramp(5) });
  });

  test('greys, either byte order and a scale', async () => {
    const grey = await readPictureFile(file('grey.pfm', encodePfm(ramp(1, 1), WIDTH, HEIGHT, 1)), 'color');
    expect([...grey.planes.color!.subarray(0, 6)]).toEqual([1, 1, 1, 1.03125, 1.03125, 1.03125]);
    const little = encodePfm(ramp(1), WIDTH, HEIGHT);
    const head = `PF\n${WIDTH} ${HEIGHT}\n-1.0\n`.length;
    const swapped = little.slice(head);
    for (let i = 0; i < swapped.length; i += 4) swapped.subarray(i, i + 4).reverse();
    const big = Buffer.concat([Buffer.from(`PF ${WIDTH} ${HEIGHT} 2e0\n`), swapped]);
    expect((await readPictureFile(file('big.pfm', big), 'color')).planes.color).toEqual(ramp(1).map((value) => value * 2));
  });
});

describe('what is no picture is refused in a sentence', () => {
  const pfm = encodePfm(ramp(1), WIDTH, HEIGHT);
  const text = (words: string): Uint8Array => new TextEncoder().encode(words);
  const cases: [string, Uint8Array | Promise<Uint8Array>, PictureRole, RegExp][] = [
    ['cut.pfm', pfm.subarray(0, -1), 'color', /is cut off: it has 8173 bytes, 20 × 34 px need 8174/],
    ['huge.pfm', text('PF\n99999 99999\n-1\n'), 'color', /is 99999 × 99999 px, at most/],
    ['flat.pfm', text('PF\n0 5\n-1\n'), 'color', /is 0 × 5 px/],
    ['order.pfm', text('PF\n2 2\n0\n'), 'color', /tells no byte order/],
    ['words.pfm', text('PF width height'), 'color', /does not begin with PF or Pf, a width/],
    ['a.png', Uint8Array.of(0x89, 0x50, 0x4e, 0x47), 'color', /is neither a PFM nor an OpenEXR file/],
    ['empty.exr', new Uint8Array(0), 'color', /is neither/],
    ['depth.exr', exr([layer('depth', 'Z', 1)]), 'color', /has no channels for color: it holds depth.Z/],
    ['cut.exr', exr([layer('', 'RGB', 1)], 'none').then((bytes) => bytes.subarray(0, 3000)), 'color', /damaged or cut off in row/],
    ['head.exr', exr([layer('', 'RGB', 1)]).then((bytes) => bytes.subarray(0, 60)), 'color', /ends inside its header/],
  ];
  test.each(cases)('%s', async (name, bytes, role, reason) => {
    const path = file(name, await bytes);
    await expect(readPictureFile(path, role)).rejects.toThrow(CommandError);
    await expect(readPictureFile(path, role)).rejects.toThrow(reason);
  });

  test('a file that is not there, and a small one that claims much', async () => {
    await expect(readPictureFile(join(folder, 'none.exr'), 'color')).rejects.toThrow(/can't read .*none.exr/);
    const claims = await exr([layer('', 'RGB', 1)]);
    const at = Buffer.from(claims).indexOf('dataWindow\0box2i\0') + 'dataWindow\0box2i\0'.length + 4;
    new DataView(claims.buffer).setInt32(at + 8, 16_383, true);
    new DataView(claims.buffer).setInt32(at + 12, 500, true);
    const before = process.memoryUsage().arrayBuffers;
    await expect(readPictureFile(file('claims.exr', claims), 'color')).rejects.toThrow(/is cut off: no \d+ bytes unpack to 16384 × 501 px/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
  });
});

test('damage anywhere reads or is refused, hundreds of times', async () => {
  const layers = [layer('', 'RGB', 1), layer('', 'A', 4), layer('albedo', 'RGB', 2)];
  const sound = [await exr(layers), await exr(layers, 'none'), encodePfm(ramp(1), WIDTH, HEIGHT)];
  let state = 1;
  const random = (n: number): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) % n;
  const counts = { read: 0, refused: 0 };
  for (let i = 0; i < 300; i++) {
    const bytes = sound[i % sound.length]!.slice();
    // Half of the damage goes into the header, where it matters most.
    for (let k = 0; k <= random(4); k++) bytes[random(random(2) ? 400 : bytes.length) % bytes.length] = random(256);
    const path = file('damaged', random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes);
    try {
      const { width, height, planes } = await readPictureFile(path, 'color', ['albedo', 'normal']);
      expect(planes.color).toHaveLength(width * height * 3);
      counts.read++;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      expect(error.message).toMatch(/^\S+damaged [a-z'].{10,}/);
      counts.refused++;
    }
  }
  expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(30);
});

describe('words of pictor denoise', () => {
  const there = file('there.png', new Uint8Array(1));
  const out = join(folder, 'out.exr');
  test('all of them', () => {
    const words = [
      'a.exr',
      '--albedo',
      'b.pfm',
      '--normal',
      'c.pfm',
      '--clean',
      '--quality',
      'fast',
      '--out',
      out,
      '--out',
      there,
      '--overwrite',
    ];
    expect(readDenoiseOptions([...words, '--tonemap', 'agx', '--exposure', '2', '--bits', '16', '--json'])).toEqual({
      ...{ color: 'a.exr', albedo: 'b.pfm', normal: 'c.pfm', clean: true, json: true, quality: 'fast', outputs: [out, there] },
      ...{ tone: { operator: 'agx', exposure: 2 }, pngBits: 16 },
    });
    expect(readDenoiseOptions(['a.exr', '--out', out])).toMatchObject({ quality: 'final', clean: false, tone: { operator: 'neutral' } });
  });

  test.each([
    [['--out', out], /name the picture/],
    [['a.exr'], /--out says where/],
    [['a.exr', '--out', 'x.jpg'], /must end in .png, .exr, .pfm/],
    [['a.exr', '--out', join(folder, 'no/x.png')], /is not there or not writable/],
    [['a.exr', '--out', there], /is there already; name another file or say --overwrite/],
    [[there, '--out', there, '--overwrite'], /is what is read; name another file/],
    [['a.exr', '--out', out, '--quality', 'best'], /--quality takes fast, final, not 'best'/],
  ])('%j is refused', (words, reason) => {
    expect(() => readDenoiseOptions(words)).toThrow(UsageError);
    expect(() => readDenoiseOptions(words)).toThrow(reason);
  });
});
