/**
 * The film of one lease, as it is traced, hashed, sent and summed. This file is the one place that
 * fixes its layout on the wire; the kernel's own layout is in shaders/layout.ts.
 */

/** Little-endian bytes per pixel of `light`: sums of R, G, B (f32), then the segment count (u32). */
export const LIGHT_BYTES_PER_PIXEL = 16;
/** Little-endian bytes per path of `signatures`. */
export const SIGNATURE_BYTES_PER_PATH = 2;

export interface Film {
  readonly width: number;
  readonly height: number;
  /** Samples per pixel of the pass. */
  readonly samples: number;
  /** width × height × 16 bytes, rows from the top. Sums over the pass's samples, not means. */
  readonly light: Uint8Array<ArrayBuffer>;
  /** width × height × samples u16, pixel by pixel in row order, samples ascending. Absent on the creator's side. */
  readonly signatures: Uint16Array<ArrayBuffer>;
}

/** Rays traced for a film: the sum of its pixels' segment counts. */
export function filmSegments(light: Uint8Array<ArrayBuffer>): number {
  const words = new Uint32Array(light.buffer, light.byteOffset, light.byteLength / 4);
  let sum = 0;
  for (let i = 3; i < words.length; i += 4) sum += words[i]!;
  return sum;
}
