/** Portable float map: raw linear radiance, the simplest format that measurements can read. */
import { ascii, join, type Bytes } from './bytes.ts';

/**
 * @param values width × height × channels linear values, rows from the top. PFM itself stores rows from the bottom.
 * @param channels 3, or 1 for a file of greys ("Pf").
 */
export function encodePfm(values: Float32Array, width: number, height: number, channels: 1 | 3 = 3): Bytes {
  if (values.length !== width * height * channels)
    throw new RangeError(`${values.length} values are not ${width} × ${height} × ${channels}`);
  const body = new DataView(new ArrayBuffer(values.length * 4));
  const row = width * channels;
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < row; i++) body.setFloat32(((height - 1 - y) * row + i) * 4, values[y * row + i]!, true);
  }
  // A negative scale means little-endian.
  return join(ascii(`${channels === 3 ? 'PF' : 'Pf'}\n${width} ${height}\n-1.0\n`), new Uint8Array(body.buffer));
}

export interface PfmImage {
  readonly width: number;
  readonly height: number;
  /** Rows from the top. */
  readonly rgb: Float32Array<ArrayBuffer>;
}

/** @returns null for anything but a whole little-endian colour PFM. */
export function decodePfm(bytes: Uint8Array): PfmImage | null {
  const head = /^PF\s+(\d{1,6})\s+(\d{1,6})\s+-[\d.]+\n/.exec(String.fromCharCode(...bytes.subarray(0, 64)));
  if (!head) return null;
  const width = Number(head[1]);
  const height = Number(head[2]);
  const row = width * 3;
  if (bytes.length !== head[0].length + row * height * 4) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + head[0].length);
  const rgb = new Float32Array(row * height);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < row; i++) rgb[y * row + i] = view.getFloat32(((height - 1 - y) * row + i) * 4, true);
  }
  return { width, height, rgb };
}
