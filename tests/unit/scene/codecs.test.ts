/**
 * Pictures and surroundings through every codec: what independent encoders wrote is what comes out,
 * to the last bit on every peer (golden hashes), and what cannot be read is refused in words.
 */
import { zlibSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { EXRLoader } from 'three/examples/jsm/loaders/EXRLoader.js';
import { FloatType } from 'three';
import { decodeImage } from '#workers/scene/image-decode.ts';
import { crc32 } from '#workers/scene/inflate.ts';
import { readSurroundings } from '#workers/scene/surroundings.ts';
import { codecSample, sourceTexel, type SampleName } from './codec-samples.ts';
import { pngImage, type Bytes } from './fixtures.ts';

const [WIDTH, HEIGHT] = [12, 8];

async function sha256(bytes: Bytes): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Buffer.from(digest).toString('hex').slice(0, 16);
}

/** Mean difference to the picture, in codes, over the first `channels`. */
function meanError(data: Bytes, channels: number): number {
  let sum = 0;
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const source = sourceTexel(i % WIDTH, Math.floor(i / WIDTH));
    for (let c = 0; c < channels; c++) sum += Math.abs((data[i * 4 + c] as number) - (source[c] as number));
  }
  return sum / (WIDTH * HEIGHT * channels);
}

describe('pictures', () => {
  // The largest mean error is that of 4:2:0 chroma over texels this small; measured, with a tenth to spare.
  test.each([
    ['png16Interlaced', 4, 0, '2c1d9dfe443b870d'],
    ['pngInterlaced', 4, 0, '2c1d9dfe443b870d'],
    ['webpLossless', 4, 0, '2c1d9dfe443b870d'],
    ['webp', 4, 9, '0e36137cee1fde9c'],
    ['jpeg', 3, 17, '9f811ce3cb63bc29'],
    ['jpegProgressive', 3, 17, '9f811ce3cb63bc29'],
    ['avif', 3, 17, '3f3fc872a17a06b7'],
    ['ktx2Etc1s', 4, 22, '78b3d21caa568126'],
    ['ktx2Uastc', 4, 1.7, 'cca5973959dc17fe'],
    ['ktx2UastcZstd', 4, 1.7, 'cca5973959dc17fe'],
    ['pngPalette', 3, 40, 'ebc1209c596dde4a'],
    ['jpegGrey', 3, 80, 'd8b04d8834f67262'],
  ] as const)('%s', async (name, channels, error, golden) => {
    const image = await decodeImage(codecSample(name), 'images[0]');
    expect([image.width, image.height]).toEqual([WIDTH, HEIGHT]);
    expect(meanError(image.data, channels)).toBeLessThanOrEqual(error);
    expect(await sha256(image.data)).toBe(golden);
  });

  test('a JPEG turned by EXIF stays as its texels lie, as glTF says', async () => {
    const plain = codecSample('jpeg');
    const exif = [0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
    const turned = Uint8Array.from([0xff, 0xd8, 0xff, 0xe1, 0, exif.length + 2, ...exif, ...plain.subarray(2)]);
    expect(await decodeImage(turned, 'x')).toEqual(await decodeImage(plain, 'x'));
  });

  test('a plain KTX2 of 8 bits, red and green', async () => {
    const image = await decodeImage(plainKtx2(16, [10, 20, 30, 40]), 'x');
    expect([image.width, image.height, ...image.data]).toEqual([2, 1, 10, 20, 0, 255, 30, 40, 0, 255]);
  });

  test('a PNG with a damaged colour profile is as good as one without', async () => {
    const png = pngImage(3, 2, (x, y) => [x, y, 9, 255]);
    const chunk = Uint8Array.from([0, 0, 0, 4, 0x69, 0x43, 0x43, 0x50, 1, 2, 3, 4, 0, 0, 0, 0]);
    const profiled = Uint8Array.from([...png.subarray(0, 33), ...chunk, ...png.subarray(33)]);
    expect(await decodeImage(profiled, 'x')).toEqual(await decodeImage(png, 'x'));
  });

  test('a PNG whose data unpacks to a gigabyte gives its picture and no more', async () => {
    const png = pngImage(2, 1, (x) => [x, 2, 3, 255]);
    const bomb = zlibSync(Uint8Array.from([0, 0, 2, 3, 255, 1, 2, 3, 255, ...new Uint8Array(32 * 1024 * 1024)]), { level: 9 });
    const idat = new Uint8Array(12 + bomb.length);
    const view = new DataView(idat.buffer);
    view.setUint32(0, bomb.length);
    idat.set([0x49, 0x44, 0x41, 0x54], 4);
    idat.set(bomb, 8);
    view.setUint32(8 + bomb.length, crc32(idat.subarray(4, 8 + bomb.length)));
    const end = png.subarray(png.length - 12);
    const image = await decodeImage(Uint8Array.from([...png.subarray(0, 33), ...idat, ...end]), 'x');
    expect([...image.data]).toEqual([0, 2, 3, 255, 1, 2, 3, 255]);
  });

  test.each([
    ['CMYK', codecSample('jpegCmyk'), /^images\[3\]: the JPEG has CMYK colours/],
    ['a cube map', ktx2With(36, 6), /^images\[3\]: the KTX2 is no flat image/],
    ['a BC7 texture', plainKtx2(145, [0, 0, 0, 0]), /^images\[3\]: the KTX2 has texels of VkFormat 145/],
    ['an enormous AVIF', hugeAvif(), /^images\[3\]: the image is 1048576 × 8 px/],
    ['a KTX2 cut off', codecSample('ktx2UastcZstd').slice(0, 200), /^images\[3\]: the KTX2 is damaged/],
  ])('%s is refused', async (_, bytes, text) => {
    await expect(decodeImage(bytes, 'images[3]')).rejects.toThrow(text);
  });

  function ktx2With(offset: number, word: number): Bytes {
    const file = codecSample('ktx2Uastc');
    new DataView(file.buffer).setUint32(offset, word, true);
    return file;
  }

  function hugeAvif(): Bytes {
    const file = codecSample('avif');
    const at = String.fromCharCode(...file).indexOf('ispe');
    new DataView(file.buffer).setUint32(at + 8, 1_048_576);
    return file;
  }

  /** Two texels of a VkFormat without supercompression. */
  function plainKtx2(format: number, texels: readonly number[]): Bytes {
    const file = new Uint8Array(104 + texels.length);
    const view = new DataView(file.buffer);
    file.set([0xab, 0x4b, 0x54, 0x58, 0x20, 0x32, 0x30, 0xbb, 0x0d, 0x0a, 0x1a, 0x0a]);
    [format, 1, 2, 1, 0, 0, 1, 1, 0].forEach((word, i) => view.setUint32(12 + i * 4, word, true));
    [104, 0, texels.length, 0, texels.length, 0].forEach((word, i) => view.setUint32(80 + i * 4, word, true));
    file.set(texels, 104);
    return file;
  }
});

describe('surroundings', () => {
  test.each(['exrZip', 'exrPiz'] as const)('%s is what three reads, to the bit', (name: SampleName) => {
    const ours = readSurroundings(codecSample(name));
    const theirs = new EXRLoader().setDataType(FloatType).parse(codecSample(name).buffer) as unknown as { data: Float32Array };
    const flipped = (i: number): number => {
      const [row, x] = [Math.floor(i / 3 / ours.width), Math.floor(i / 3) % ours.width];
      return theirs.data[((ours.height - 1 - row) * ours.width + x) * 4 + (i % 3)] as number;
    };
    expect([ours.width, ours.height]).toEqual([20, 34]);
    expect(ours.data.every((value, i) => value === flipped(i))).toBe(true);
    expect(ours.data.some((value) => value > 0.1)).toBe(true);
  });

  test('plain halves and floats: negative light and no number are black, infinite light is 65504', () => {
    const half = exr(1, 2, (view, at, i) => view.setUint16(at, [0x3c00, 0xbc00, 0x7c00, 0x7e00, 0x0001, 0x7bff][i] as number, true));
    // Channels lie as B, G, R; two texels of each.
    expect([...readSurroundings(half).data]).toEqual([2 ** -24, 65_504, 1, 65_504, 0, 0]);
    const float = exr(2, 4, (view, at, i) => view.setFloat32(at, [0.25, -1, Infinity, NaN, 1e30, 3][i] as number, true));
    expect([...readSurroundings(float).data]).toEqual([Math.fround(1e30), 65_504, 0.25, 3, 0, 0]);
  });

  test.each([
    ['DWAA', 8, /compressed by DWAA; save it with ZIP or PIZ/],
    ['B44', 6, /compressed by B44/],
  ] as const)('%s is refused by name', (_, method, text) => {
    const file = codecSample('exrZip');
    const at = String.fromCharCode(...file).indexOf('compression\0compression\0') + 24 + 4;
    file[at] = method;
    expect(() => readSurroundings(file)).toThrow(text);
  });

  test('a tiled file and an enormous one are refused', () => {
    const tiled = codecSample('exrZip');
    new DataView(tiled.buffer).setUint32(4, 0x202, true);
    expect(() => readSurroundings(tiled)).toThrow(/tiled, deep or multi-part/);
    const huge = codecSample('exrZip');
    const at = String.fromCharCode(...huge).indexOf('dataWindow\0box2i\0') + 17 + 4;
    new DataView(huge.buffer).setInt32(at + 8, 2_000_000_000, true);
    expect(() => readSurroundings(huge)).toThrow(/is 2000000001 × 34 px, at most/);
  });

  /** 2 × 1 texels of B, G, R of one type, uncompressed. `put` writes sample i at a byte. */
  function exr(type: 1 | 2, bytes: 2 | 4, put: (view: DataView, at: number, i: number) => void): Bytes {
    const parts: number[] = [0x76, 0x2f, 0x31, 1, 2, 0, 0, 0];
    const word = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];
    const text = (value: string): number[] => [...value].map((c) => c.charCodeAt(0)).concat(0);
    const attribute = (name: string, kind: string, value: readonly number[]): void =>
      void parts.push(...text(name), ...text(kind), ...word(value.length), ...value);
    attribute('channels', 'chlist', [
      ...['B', 'G', 'R'].flatMap((name) => [...text(name), ...word(type), 0, 0, 0, 0, ...word(1), ...word(1)]),
      0,
    ]);
    attribute('compression', 'compression', [0]);
    attribute('dataWindow', 'box2i', [...word(0), ...word(0), ...word(1), ...word(0)]);
    parts.push(0);
    const chunk = parts.length + 8;
    parts.push(...word(chunk), ...word(0), ...word(0), ...word(6 * bytes));
    const file = Uint8Array.from([...parts, ...new Uint8Array(6 * bytes)]);
    const view = new DataView(file.buffer);
    for (let i = 0; i < 6; i++) put(view, chunk + 8 + i * bytes, i);
    return file;
  }
});
