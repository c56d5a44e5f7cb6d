/**
 * A traced picture without its grain, beside itself: the raw light stays. A picture that could not be
 * denoised is still a picture, so failure is told, not thrown: hours of tracing lie behind it.
 */
import type { DenoiseQuality, Engine } from '#lib/gpu/engine.ts';
import type { Picture } from '#lib/image/develop.ts';
import { progressBar } from './progress.ts';

export interface DenoisedPicture {
  readonly picture: Picture;
  readonly models: readonly string[];
  readonly seconds: number;
  /** One sentence when the picture is as it was. */
  readonly trouble: string | null;
}

/** @returns null when the signal aborts. */
export async function denoisePicture(
  signal: AbortSignal,
  engine: Engine,
  picture: Picture,
  quality: DenoiseQuality,
): Promise<DenoisedPicture | null> {
  const { width, height, light, auxiliary, samples: paths } = picture;
  const bar = progressBar();
  const samples = typeof paths === 'number' ? new Float32Array(width * height).fill(paths) : paths;
  const known = { albedo: auxiliary?.albedo, normal: auxiliary?.normal, moment: auxiliary?.moment, samples };
  const request = { width, height, color: light, ...known, guides: 'noisy', quality } as const;
  const result = await engine.denoise(signal, request, (share) => bar.update(share, 'denoising'));
  bar.end();
  if (signal.aborted) return null;
  if (!result.ok) return { picture, models: [], seconds: 0, trouble: `denoising failed (${result.reason}): ${result.text}` };
  return { picture: { ...picture, denoised: result.image }, models: result.models, seconds: result.seconds, trouble: null };
}
