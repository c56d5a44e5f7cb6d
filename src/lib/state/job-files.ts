/**
 * Files of a job's picture: what goes into them, and what is noted in them. The receipt names the job
 * and says where its entries are verified; it proves nothing by itself.
 */
import { developAside } from '../image/darkroom.ts';
import { ALL_LAYERS, type Developed, type DevelopChoices, type Format, type Picture } from '../image/develop.ts';
import type { Notes } from '../image/png.ts';
import type { ToneOptions } from '../image/tonemap.ts';
import type { Layers } from '../job/layers.ts';
import type { CreatorJob } from '../roles/types.ts';
import type { Denoised, Denoising } from './denoising.svelte.ts';
import { plural } from './format.ts';
import { samplesOfPixels } from './raw-picture.ts';

/** Formats that hold layers, and so want them read. */
const holdsLayers = (format: Format): boolean => format === 'exr' || format === 'exr32';

/** PNG and PFM as it is shown, EXR with all that is known of it. @throws whatever `developAside` throws */
export async function fileOf(
  job: CreatorJob,
  format: Format,
  { layers, denoising, tone }: { layers: () => Promise<Layers | null>; denoising: Denoising; tone: ToneOptions },
): Promise<Developed | null> {
  const shown = denoising.shown(job.job);
  const latest = denoising.latest?.of === job.job ? denoising.latest : null;
  const picture = holdsLayers(format) ? pictureOf(job, await layers(), latest) : pictureOf(job, null, shown);
  return developAside(new AbortController().signal, picture, choicesOf(job, format, shown, tone, location.origin));
}

export function pictureOf({ order, image, coverage, tileSamples }: CreatorJob, layers: Layers | null, denoised: Denoised | null): Picture {
  const { width, height, transparent } = order;
  return {
    width,
    height,
    light: image,
    denoised: denoised?.image ?? null,
    coverage: transparent ? coverage : null,
    auxiliary: layers,
    samples: samplesOfPixels(order, tileSamples),
  };
}

/** @param denoised when it is what the file shows. @param origin of this site. */
export function choicesOf(job: CreatorJob, format: Format, denoised: Denoised | null, tone: ToneOptions, origin: string): DevelopChoices {
  const notes: Notes = { Title: job.order.title, Software: 'Pictor', Comment: commentOf(job, denoised), ...receiptOf(job, origin) };
  return { format, state: denoised ? 'denoised' : 'raw', tone, layers: ALL_LAYERS, title: job.order.title, notes };
}

function commentOf({ tileSamples }: CreatorJob, denoised: Denoised | null): string {
  if (denoised) {
    const by = denoised.models.length > 0 ? `Open Image Denoise (${denoised.models.join(', ')})` : 'an edge-avoiding filter';
    return `Denoised by ${by}, from ${plural(denoised.samples, 'sample')} per pixel.`;
  }
  const [least, most] = [Math.min(...tileSamples), Math.max(...tileSamples)];
  return `Raw light of ${least === most ? plural(most, 'sample') : `${least} to ${plural(most, 'sample')}`} per pixel.`;
}

function receiptOf({ job, view }: CreatorJob, origin: string): Notes {
  if (view.state === 'open') return {};
  const { settled, checks, creator } = view;
  return { Receipt: JSON.stringify({ job, creator, settled, checks, verify: `${origin}/ledger?q=${job}` }) };
}
