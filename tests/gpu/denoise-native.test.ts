/**
 * A corner of native Open Image Denoise's own result, where it lies beside the checkout: the network
 * sees enough of the picture for the corner to be what the whole gives. All of both pictures is
 * compared in tests/deep.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { readPfm } from '#lib/image/pfm.ts';
import { softwareKind } from '#workers/render/denoise/choice.ts';
import { autoExposure } from '#workers/render/denoise/exposure.ts';
import { openDevice } from '#workers/render/device.ts';
import { Denoiser } from '#workers/render/denoiser.ts';
import { encodeLight, psnr } from '../reference/unet.ts';
import { testGpu } from './device.ts';
import { testWeights } from './weights.ts';

const FOLDER = resolve(import.meta.dirname, '../../../shared/reference/oidn');
/** The network of one picture sees 87 pixels around each. */
const [SEEN, KEPT] = [112, 24];

function pfm(name: string) {
  const read = readPfm(readFileSync(resolve(FOLDER, `${name}.pfm`)), { sidePx: 1024, pixels: 1 << 20 });
  if (!read.ok) throw new Error(read.text);
  return read.image;
}

/** The lowest rightmost pixels of a square picture. */
const corner = (values: Float32Array, width: number, side: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: side * side * 3 }, (_, i) => {
    const [row, column] = [Math.floor(i / 3 / side), Math.floor(i / 3) % side];
    return values[((width - side + row) * width + width - side + column) * 3 + (i % 3)]!;
  });

it(
  existsSync(FOLDER) ? 'gives what native Open Image Denoise gives' : 'native pictures are not beside the checkout: nothing was compared',
  async () => {
    if (!existsSync(FOLDER)) return;
    const opened = await openDevice(await testGpu());
    if (!opened.ok) throw new Error(opened.text);
    const { values, width, height } = pfm('color');
    const exposure = autoExposure(values, width, height);
    // What native Open Image Denoise 2.5 says of this picture.
    expect(exposure).toBeCloseTo(1.3436, 3);
    const denoiser = new Denoiser(opened.device, testWeights, { choose: async () => softwareKind });
    const color = corner(values, width, SEEN);
    const outcome = await denoiser.run(new AbortController().signal, { width: SEEN, height: SEEN, color, exposure, quality: 'final' });
    if (!outcome.ok) throw new Error(outcome.text);
    opened.device.destroy();
    const encoded = (pixels: Float32Array): Float64Array => Float64Array.from(pixels, (v) => encodeLight(v * exposure));
    const native = encoded(corner(pfm('native_color').values, width, KEPT));
    expect(psnr(encoded(corner(outcome.image, SEEN, KEPT)), native)).toBeGreaterThan(50);
    // Control: what came in is another picture.
    expect(psnr(encoded(corner(color, SEEN, KEPT)), native)).toBeLessThan(40);
  },
);
