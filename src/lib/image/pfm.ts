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
  readonly channels: 1 | 3;
  /** Rows from the top, times the file's scale. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** `text` is the end of a sentence that begins with the file's name. */
export type PfmOutcome = { readonly ok: true; readonly image: PfmImage } | { readonly ok: false; readonly text: string };

const HEAD_BYTES_MAX = 128;

/** Either byte order, colour or grey. Nothing is allocated before the file has proven long enough. */
export function readPfm(file: Uint8Array, bounds: { readonly sidePx: number; readonly pixels: number }): PfmOutcome {
  const refuse = (text: string): PfmOutcome => ({ ok: false, text });
  const start = String.fromCharCode(...file.subarray(0, HEAD_BYTES_MAX));
  const head = /^P([Ff])\s+(\d{1,9})\s+(\d{1,9})\s+([-+]?[\d.]+(?:e[-+]?\d+)?)(?:\r\n|[\n\r \t])/i.exec(start);
  if (!head) return refuse('is not a PFM file: it does not begin with PF or Pf, a width, a height and a scale');
  const channels = head[1] === 'F' ? 3 : 1;
  const [width, height, scale] = [Number(head[2]), Number(head[3]), Number(head[4])];
  if (width < 1 || height < 1 || Math.max(width, height) > bounds.sidePx || width * height > bounds.pixels)
    return refuse(`is ${width} × ${height} px, at most ${bounds.pixels} of at most ${bounds.sidePx} a side can be used`);
  if (!Number.isFinite(scale) || scale === 0) return refuse(`is a PFM file with the scale ${head[4]}, which tells no byte order`);
  const row = width * channels;
  const need = head[0].length + row * height * 4;
  if (file.length < need) return refuse(`is cut off: it has ${file.length} bytes, ${width} × ${height} px need ${need}`);
  const view = new DataView(file.buffer, file.byteOffset + head[0].length);
  const values = new Float32Array(row * height);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < row; i++) values[y * row + i] = view.getFloat32(((height - 1 - y) * row + i) * 4, scale < 0) * Math.abs(scale);
  }
  return { ok: true, image: { width, height, channels, values } };
}
