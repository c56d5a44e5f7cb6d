/** The few choices of an order, in words, with the numbers they stand for. */
import type { ToneOperator } from '../image/tonemap.ts';

export const SIZES = {
  screen: { name: 'Screen', width: 1280, height: 720 },
  large: { name: 'Large', width: 1920, height: 1080 },
  square: { name: 'Square', width: 1024, height: 1024 },
  portrait: { name: 'Portrait', width: 864, height: 1080 },
} as const;
export type SizeName = keyof typeof SIZES | 'custom';

export const QUALITIES = {
  draft: { name: 'Draft', samples: 32, says: 'grain is plain to see' },
  good: { name: 'Good', samples: 256, says: 'grain only in shadows and glass' },
  fine: { name: 'Fine', samples: 2048, says: 'clean on a large screen' },
} as const;
export type QualityName = keyof typeof QUALITIES | 'custom';

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
