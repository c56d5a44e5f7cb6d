/**
 * How near a denoised picture comes to what it should be, in Open Image Denoise's transfer space:
 * native Open Image Denoise's own picture where it lies beside the checkout and shows what this
 * network makes, else the network in plain loops and double precision on a small picture.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileWeights } from '#cli/denoise-weights.ts';
import type { DenoiseRequest } from '#lib/gpu/engine.ts';
import { readPfm } from '#lib/image/pfm.ts';
import { autoExposure } from '#workers/render/denoise/exposure.ts';
import { parseTza } from '#workers/render/denoise/tza.ts';
import type { DenoiseModel } from '#workers/render/denoise/weights.ts';
import { encodeLight, psnr, unet } from '../reference/unet.ts';
import { ROOT } from './scenes.ts';

const SHARED = resolve(ROOT, '../shared/reference/oidn');
/** Sides of the native pictures. */
export const NATIVE_PX = 512;
/** Sides of the picture that plain loops denoise in seconds. */
const TWIN_PX = 64;

/** What native Open Image Denoise made with which network. */
const NATIVE: Partial<Record<DenoiseModel, string>> = { rt_hdr: 'native_color', rt_hdr_calb_cnrm_large: 'native_aux' };

export interface Quality {
  readonly decibels: number;
  readonly against: 'native' | 'twin';
}

const read = (name: string): Float32Array<ArrayBuffer> | null => {
  const path = join(SHARED, `${name}.pfm`);
  if (!existsSync(path)) return null;
  const found = readPfm(readFileSync(path), { sidePx: 4096, pixels: 1 << 24 });
  return found.ok ? found.image.values : null;
};

/** The shared picture, else a made one, cut or repeated to a size. */
export function benchPicture(width: number, height: number): DenoiseRequest {
  const sized = (name: string): Float32Array<ArrayBuffer> => {
    const values = read(name);
    const out = new Float32Array(width * height * 3);
    for (let p = 0; p < width * height; p++) {
      const from = ((Math.floor(p / width) % NATIVE_PX) * NATIVE_PX + ((p % width) % NATIVE_PX)) * 3;
      for (let c = 0; c < 3; c++) out[p * 3 + c] = values ? values[from + c]! : ((Math.imul(p * 3 + c, 2654435761) >>> 8) % 1024) / 1024;
    }
    return out;
  };
  return { width, height, color: sized('color'), albedo: sized('albedo'), normal: sized('normal'), guides: 'clean', quality: 'final' };
}

/** @param denoise makes a picture of the small request; called only where nothing native shows what this network makes. */
export async function qualityOf(
  model: DenoiseModel,
  guides: 0 | 2,
  whole: { readonly request: DenoiseRequest; readonly image: Float32Array } | null,
  denoise: (request: DenoiseRequest) => Promise<Float32Array | null>,
): Promise<Quality | null> {
  const name = NATIVE[model];
  const native = name !== undefined && whole ? read(name) : null;
  if (native && whole) {
    const { color, width, height } = whole.request;
    const exposure = autoExposure(color, width, height);
    const encoded = (values: Float32Array): Float64Array => Float64Array.from(values, (v) => encodeLight(Math.max(v, 0) * exposure));
    return { decibels: psnr(encoded(whole.image), encoded(native)), against: 'native' };
  }
  const request = benchPicture(TWIN_PX, TWIN_PX);
  const image = await denoise(request);
  if (!image) return null;
  const exposure = autoExposure(request.color, TWIN_PX, TWIN_PX);
  return {
    decibels: psnr(
      planar(image, (v) => encodeLight(Math.max(v, 0) * exposure)),
      await twin(model, guides, request),
    ),
    against: 'twin',
  };
}

/** Channel by channel, as the networks take pictures. */
const planar = (values: Float32Array, encode: (v: number) => number): Float64Array => {
  const pixels = values.length / 3;
  return Float64Array.from({ length: values.length }, (_, i) => encode(values[(i % pixels) * 3 + Math.floor(i / pixels)]!));
};

const TWINS = new Map<DenoiseModel, Float64Array>();

async function twin(model: DenoiseModel, guides: 0 | 2, { color, albedo, normal }: DenoiseRequest): Promise<Float64Array> {
  const known = TWINS.get(model);
  if (known) return known;
  const exposure = autoExposure(color, TWIN_PX, TWIN_PX);
  const light = planar(color, (v) => encodeLight(Math.max(v, 0) * exposure));
  const values = new Float64Array(light.length * (guides + 1));
  values.set(light);
  if (guides > 0) {
    values.set(
      planar(albedo!, (v) => Math.min(Math.max(v, 0), 1)),
      light.length,
    );
    values.set(
      planar(normal!, (v) => v * 0.5 + 0.5),
      light.length * 2,
    );
  }
  const input = { channels: 3 * (guides + 1), width: TWIN_PX, height: TWIN_PX, values };
  const made = unet(parseTza(await fileWeights(model)), input).values;
  TWINS.set(model, made);
  return made;
}
