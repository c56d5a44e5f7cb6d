/** PNG files chunk by chunk, and pixel by pixel through somebody else's decoder. */
import { decode } from 'fast-png';
import { unzlibSync, zlibSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { crc32, deflate } from '#lib/image/deflate.ts';
import { writePng, type PngShape } from '#lib/image/png.ts';

const text = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);

/** Every chunk, its checksum verified. */
function chunks(file: Uint8Array): { type: string; data: Uint8Array }[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found: { type: string; data: Uint8Array }[] = [];
  for (let at = 8; at < file.length; at += 12 + view.getUint32(at)) {
    const length = view.getUint32(at);
    expect(crc32(file.subarray(at + 4, at + 8 + length))).toBe(view.getUint32(at + 8 + length));
    found.push({ type: text(file.subarray(at + 4, at + 8)), data: file.subarray(at + 8, at + 8 + length) });
  }
  return found;
}

const SHAPES: readonly PngShape[] = [8, 16].flatMap((bits) =>
  [false, true].map((alpha) => ({ width: 61, height: 47, bits: bits as 8 | 16, alpha })),
);

describe.each(SHAPES)('$bits bits, alpha $alpha', (shape) => {
  const { width, height, bits, alpha } = shape;
  /** Smooth in places, noise in others, so that every filter is the best of some row. */
  const rgba = Array.from({ length: width * height * 4 }, (_, i) => {
    const [x, y] = [Math.floor(i / 4) % width, Math.floor(i / 4 / width)];
    const noise = Math.imul(i + 7, 2_654_435_761) >>> 16;
    return (
      (y % 4 === 0 ? noise : y % 4 === 1 ? x * 900 + (i % 4) : y % 4 === 2 ? 30_000 + y : x * 300 + y * 500) & (bits === 16 ? 65_535 : 255)
    );
  });
  const rowsOf = (top: number, end: number): Uint16Array | Uint8ClampedArray =>
    (bits === 16 ? Uint16Array : Uint8ClampedArray).from(rgba.slice(top * width * 4, end * width * 4));

  test('every value comes back', async () => {
    const file = await writePng(shape, rowsOf);
    const image = decode(file, { checkCrc: true });
    expect([image.width, image.height, image.depth, image.channels]).toEqual([width, height, bits, alpha ? 4 : 3]);
    expect([...image.data]).toEqual(alpha ? rgba : rgba.filter((_, i) => i % 4 !== 3));
    // Control: the filters were at work.
    const raw = unzlibSync(
      Uint8Array.from(
        chunks(file)
          .filter(({ type }) => type === 'IDAT')
          .flatMap(({ data }) => [...data]),
      ),
    );
    const rowBytes = 1 + (raw.length - height) / height;
    expect(new Set(Array.from({ length: height }, (_, y) => raw[y * rowBytes]))).toEqual(new Set([1, 2, 4]));
  });
});

test('the colours are said in every way, before the pixels, and texts are whole', async () => {
  const long = 'grüße ∞ '.repeat(500);
  const file = await writePng({ width: 1, height: 1, bits: 8, alpha: false }, () => new Uint8ClampedArray([1, 2, 3, 4]), {
    Software: 'Pictor',
    Receipt: long,
  });
  const found = chunks(file);
  expect(found.map(({ type }) => type)).toEqual(['IHDR', 'cICP', 'sRGB', 'gAMA', 'cHRM', 'iTXt', 'iTXt', 'IDAT', 'IEND']);
  const data = (type: string): number[] => [...found.find((chunk) => chunk.type === type)!.data];
  // PNG third edition, 11.3.2: BT.709 primaries, the sRGB curve, RGB, full range; 1/2.2 × 100,000.
  expect(data('cICP')).toEqual([1, 13, 0, 1]);
  expect(data('sRGB')).toEqual([0]);
  expect(data('gAMA')).toEqual([0, 0, 0xb1, 0x8f]);
  const [short, packed] = found.filter(({ type }) => type === 'iTXt').map((chunk) => chunk.data);
  expect(text(short!)).toBe('Software\0\0\0\0\0Pictor');
  expect(text(packed!.subarray(0, 12))).toBe('Receipt\0\u0001\0\0\0');
  expect(new TextDecoder().decode(unzlibSync(packed!.subarray(12)))).toBe(long);
});

test('deflate is what other programs unpack', async () => {
  const raw = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) & 255);
  expect(unzlibSync(await deflate(raw))).toEqual(raw);
  expect(unzlibSync(zlibSync(raw))).toEqual(raw);
});
