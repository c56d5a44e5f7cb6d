/** Mixing of sRGB triples (0…255) for painted textures. Refuses gamut questions: results are clamped by the painter. */
export type Rgb = readonly [number, number, number];

export const lerp = (a: number, b: number, t: number): number => a + (b - a) * t;

/** Blend in an approximately linear space (square of the code value), which keeps mid-tones from going muddy. */
export function linearMix(a: Rgb, b: Rgb, t: number): Rgb {
  return a.map((v, i) => Math.sqrt(lerp(v * v, b[i]! * b[i]!, t))) as unknown as Rgb;
}

/** `#rrggbb` to 0…255. */
export const rgb = (hex: string): Rgb => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;
