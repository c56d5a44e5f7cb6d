/** Takes weights only if they are those that this program was made for, byte for byte. */
import { sha256, toHex } from '#lib/protocol/bytes.ts';
import { DENOISE_WEIGHTS, type DenoiseModel, type LoadWeights } from './weights.ts';

/** Weights that could not be had; the message is one sentence. */
export class WeightsError extends Error {
  override readonly name = 'WeightsError';
}

/** @throws WeightsError when they are not there, or not those that this program was made for. */
export async function loadVerified(load: LoadWeights, model: DenoiseModel): Promise<Uint8Array> {
  const bytes = await load(model).catch((cause: unknown) => {
    throw new WeightsError(
      `The denoiser's weights '${model}' could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  });
  if (toHex(sha256(bytes)) === DENOISE_WEIGHTS[model]) return bytes;
  throw new WeightsError(
    `The denoiser's weights '${model}' are damaged: their ${bytes.length} bytes are not those this program was made for.`,
  );
}
