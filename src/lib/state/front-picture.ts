/** The front door shows the last picture that was finished: a small one of each is kept for it, raw as it was traced. */
import { developAside } from '../image/darkroom.ts';
import type { ToneOptions } from '../image/tonemap.ts';
import type { CreatorJob } from '../roles/types.ts';
import { choicesOf } from './job-files.ts';
import { keepLastPicture } from './last-picture.ts';
import { thinned } from './painter.ts';

/** Longer side of what is kept. */
const FRONT_SIDE_PX = 1280;

export async function keepForFront(job: CreatorJob, tone: ToneOptions): Promise<void> {
  const { image, width, height } = thinned(job.image, job.order.width, job.order.height, FRONT_SIDE_PX);
  const small = { width, height, light: image, denoised: null, coverage: null, auxiliary: null, samples: job.order.samples };
  const file = await developAside(new AbortController().signal, small, choicesOf(job, 'png8', null, tone, location.origin));
  const picture = file && new Blob([file.bytes], { type: file.type });
  if (picture) await keepLastPicture({ title: job.order.title, atMs: Date.now(), file: picture });
}
