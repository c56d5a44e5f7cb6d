/** What holds or carries pictures: ZIPs, video frames, and pieces on their way to a worker. */
import { unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import type { Picture } from '#lib/image/develop.ts';
import { Assembly, takeApart } from '#lib/image/planes.ts';
import { videoFrame } from '#lib/image/video-frame.ts';
import { PictureZip, ZIP_BYTES_MAX } from '#lib/image/zip.ts';

test('a ZIP unpacks to what was put in, the same bytes each time', () => {
  const make = (): Uint8Array => {
    const pieces: number[] = [];
    const zip = new PictureZip((piece) => pieces.push(...piece));
    expect(zip.add('ä-0001.png', Uint8Array.of(1, 2, 3))).toBe(true);
    expect(zip.add('b.exr', new Uint8Array(0))).toBe(true);
    zip.end();
    return Uint8Array.from(pieces);
  };
  expect(unzipSync(make())).toEqual({ 'ä-0001.png': Uint8Array.of(1, 2, 3), 'b.exr': new Uint8Array(0) });
  expect(make()).toEqual(make());
});

test('a ZIP that would outgrow its offsets refuses before it writes', () => {
  let bytes = 0;
  const zip = new PictureZip((piece) => (bytes += piece.length));
  // A length is all that is looked at first.
  const huge = Object.defineProperty(new Uint8Array(0), 'length', { value: ZIP_BYTES_MAX });
  expect(zip.add('huge.exr', huge)).toBe(false);
  expect(bytes).toBe(0);
  expect(zip.add('small.exr', Uint8Array.of(1))).toBe(true);
});

test('video planes are those of Rec. 709 in its limited range, and odd sides are made even', () => {
  const light = Float32Array.of(1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0);
  const { width, height, planes } = videoFrame(light, 7, 1, { exposure: 0, operator: 'none' });
  expect([width, height]).toEqual([8, 2]);
  // White, black, red, blue, black: Y' as BT.709 has them; each pair of a colour has its Cb and Cr.
  const luma = [235, 16, 63, 63, 32, 32, 16, 16];
  expect([...planes]).toEqual([...luma, ...luma, ...[128, 102, 240, 128], ...[128, 240, 118, 128]]);
});

test('a picture taken apart is put together again, whatever it has', () => {
  const of = (n: number): Float32Array<ArrayBuffer> => Float32Array.from({ length: n }, (_, i) => i / 3);
  const bare: Picture = { width: 2, height: 3, light: of(18), denoised: null, coverage: null, auxiliary: null, samples: 7 };
  const auxiliary = { albedo: of(18), normal: of(18), depth: of(6), moment: of(6), object: Uint32Array.of(1, 2, 3, 4, 5, 0xffffffff) };
  const big = 3_000_000;
  for (const picture of [bare, { ...bare, denoised: of(18), coverage: of(6), auxiliary, samples: of(6) }, { ...bare, light: of(big) }]) {
    const { head, pieces } = takeApart(picture);
    const assembly = new Assembly(head);
    let count = 0;
    for (const piece of pieces) {
      expect(piece.values.buffer).not.toBe(picture.light.buffer);
      assembly.add(piece);
      count++;
    }
    const back = assembly.picture();
    // Millions of values take a matcher a minute.
    if (picture.light.length === big) expect(Buffer.compare(Buffer.from(back.light.buffer), Buffer.from(picture.light.buffer))).toBe(0);
    else expect(back).toEqual(picture);
    expect(count).toBeGreaterThan(picture.light.length === big ? 1 : 0);
  }
});
