/** The few choices of an order, in words, with the numbers they stand for. */

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
