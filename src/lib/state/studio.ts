/**
 * Soft surroundings for a scene that brings no light: a small Radiance HDR file made on the spot, so
 * that it travels and hashes like any other environment. A wide soft box above, a dim horizon, a
 * dark floor; no colours of its own.
 */
import type { Bytes } from '../protocol/bytes.ts';

const WIDTH = 64;
const HEIGHT = 32;

/** A Radiance picture (RGBE, flat scanlines), equirectangular, rows from the top. */
export function studioEnvironment(): Bytes {
  const head = new TextEncoder().encode(`#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y ${HEIGHT} +X ${WIDTH}\n`);
  const out = new Uint8Array(head.length + WIDTH * HEIGHT * 4);
  out.set(head);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) out.set(rgbe(radiance(x, y)), head.length + (y * WIDTH + x) * 4);
  }
  return out;
}

function radiance(x: number, y: number): number {
  const elevation = 0.5 - (y + 0.5) / HEIGHT;
  const turn = (x + 0.5) / WIDTH;
  if (elevation < 0) return 0.12 + 0.2 * (1 + elevation * 2) ** 4;
  const sky = 0.32 + 0.5 * elevation;
  // One soft box to the front left, one weaker to the back right: form needs a direction.
  const key = box(turn, 0.36, 0.11) * box(elevation, 0.27, 0.1) * 9;
  const fill = box(turn, 0.86, 0.09) * box(elevation, 0.18, 0.08) * 2.5;
  return sky + key + fill;
}

const box = (at: number, centre: number, half: number): number => Math.max(0, 1 - (Math.abs(at - centre) / half) ** 4);

/** Greg Ward's shared exponent, grey. */
function rgbe(value: number): readonly [number, number, number, number] {
  const exponent = Math.ceil(Math.log2(value) + 1e-9);
  const mantissa = Math.min(255, Math.floor((value / 2 ** exponent) * 256));
  return [mantissa, mantissa, mantissa, exponent + 128];
}
