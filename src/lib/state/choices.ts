/** The few choices of an order, in words, with the numbers they stand for. */
import type { ToneOperator } from '../image/tonemap.ts';

export const SIZES = {
  screen: { name: 'Screen', width: 1280, height: 720 },
  large: { name: 'Large', width: 1920, height: 1080 },
  square: { name: 'Square', width: 1024, height: 1024 },
  portrait: { name: 'Portrait', width: 864, height: 1080 },
} as const;
export type SizeName = keyof typeof SIZES | 'custom';

/**
 * Grain at which a tile has had enough (JobOrder.noisePpm), in words, and the samples that no tile goes beyond.
 * Over the shared scenes a draft takes 32 to 122 samples, good 57 to 936, fine 221 to 5,666 (tests/deep/quotes).
 */
export const NOISE_LEVELS = {
  draft: { name: 'Draft', says: 'grain is plain to see', noisePpm: 250_000, samplesMax: 256 },
  good: { name: 'Good', says: 'grain only where one looks for it', noisePpm: 80_000, samplesMax: 2048 },
  fine: { name: 'Fine', says: 'clean on a large screen', noisePpm: 30_000, samplesMax: 8192 },
} as const;
export type QualityName = keyof typeof NOISE_LEVELS | 'custom';

/** Grain taken away here, on the creator's own GPU; nobody else is asked and nothing is paid. */
export const DENOISING = {
  off: { name: 'Off', says: 'the light as it was traced' },
  fast: { name: 'Fast', says: 'a small network, after each pass' },
  final: { name: 'Best', says: 'the same, and the largest network when it is done' },
} as const;
export type DenoiseName = keyof typeof DENOISING;
export const isDenoiseName = (name: string | null): name is DenoiseName => name !== null && name in DENOISING;

/** How bright light becomes a colour of the screen, by the names of src/lib/image/tonemap.ts. */
export const TONES = {
  neutral: { name: 'Neutral', says: 'colours stay true' },
  agx: { name: 'AgX', says: 'bright light fades to white, as on film' },
  aces: { name: 'ACES', says: 'strong contrast' },
  none: { name: 'None', says: 'what is too bright is cut off' },
} as const satisfies Record<ToneOperator, { name: string; says: string }>;
