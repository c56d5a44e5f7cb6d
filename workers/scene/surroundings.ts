/**
 * Reads what surrounds a scene, a Radiance .hdr or an OpenEXR file, as linear light. Radiance texels
 * are mantissa × 2^(e-136), as its own `colr_color` without the half-step, which is what OpenImageIO
 * and so Cycles read. Light is never negative: texels that are, and those that are no number, are
 * black; infinite ones count as 65504, the largest half. Pictures of 8 bits are refused.
 */
import { ENVIRONMENT_FILE_BYTES_MAX, ENVIRONMENT_SIDE_PX_MAX, ENVIRONMENT_TEXELS_MAX } from '#lib/protocol/limits.ts';
import { SceneError } from './compiled-scene.ts';
import { isExr, readExr, type LinearImage, type Refuse } from './exr.ts';

const HALF_MAX = 65_504;

/** @throws SceneError, one sentence, when the file is neither, damaged or too large. */
export function readSurroundings(file: Uint8Array<ArrayBuffer>): LinearImage {
  const refuse: Refuse = (what) => {
    throw new SceneError(`The environment ${what}; choose a .hdr or .exr file of latitude-longitude layout.`);
  };
  if (file.length > ENVIRONMENT_FILE_BYTES_MAX) refuse(`has ${file.length} bytes, at most ${ENVIRONMENT_FILE_BYTES_MAX} are allowed`);
  if (isExr(file)) return lawful(readExr(file, refuse));
  if (file[0] === 0x23 && file[1] === 0x3f) return readRadiance(file, refuse);
  return refuse('is neither a Radiance nor an OpenEXR file (byte 0 starts with neither "#?" nor their mark)');
}

function lawful(image: LinearImage): LinearImage {
  const { data } = image;
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    if (!(value >= 0)) data[i] = 0;
    else if (value === Infinity) data[i] = HALF_MAX;
  }
  return image;
}

/** Header lines, an empty line, "-Y h +X w", scanlines (Ward, "Real Pixels", Graphics Gems II). */
function readRadiance(file: Uint8Array<ArrayBuffer>, refuse: Refuse): LinearImage {
  let at = 0;
  const line = (): string => {
    const start = at;
    while (at < file.length && file[at] !== 10 && at - start < 4096) at += 1;
    if (at >= file.length || file[at] !== 10) refuse(`ends inside its header (byte ${at})`);
    return new TextDecoder().decode(file.subarray(start, at++)).trim();
  };
  for (let text = line(); text !== ''; text = line()) {
    if (text.startsWith('FORMAT=') && text !== 'FORMAT=32-bit_rle_rgbe')
      refuse(`has the pixel format "${text.slice(7, 40)}", only 32-bit_rle_rgbe can be read`);
  }
  const size = line();
  const match =
    /^-Y (\d{1,6}) \+X (\d{1,6})$/.exec(size) ??
    refuse(`has the orientation "${size.slice(0, 40)}", only "-Y height +X width" can be read`);
  const [height, width] = [Number(match[1]), Number(match[2])];
  if (width < 1 || height < 1 || Math.max(width, height) > ENVIRONMENT_SIDE_PX_MAX || width * height > ENVIRONMENT_TEXELS_MAX) {
    refuse(`is ${width} × ${height} px, at most ${ENVIRONMENT_TEXELS_MAX} texels of at most ${ENVIRONMENT_SIDE_PX_MAX} a side can be used`);
  }
  // A run-length code of two bytes makes at most 127, so this bounds what a small file can claim.
  if (width * height * 4 > (file.length - at) * 64)
    refuse(`claims ${width} × ${height} px but has only ${file.length - at} bytes of pixels`);
  const data = new Float32Array(width * height * 3);
  const row = new Uint8Array(width * 4);
  for (let y = 0; y < height; y++) {
    at = readScanline(file, at, row);
    if (at < 0) refuse(`is damaged or cut off in row ${y}`);
    for (let x = 0; x < width; x++) {
      const scale = exponentScale[row[width * 3 + x] as number] as number;
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = (row[c * width + x] as number) * scale;
    }
  }
  return { width, height, data };
}

/** 2^(e - 136) for each exponent byte; 0 means black. Made by doubling, which is exact. */
const exponentScale = Float64Array.from({ length: 256 }, (_, e) => {
  let scale = e === 0 ? 0 : 1;
  for (let k = 136; k < e; k++) scale *= 2;
  for (let k = e; k < 136; k++) scale /= 2;
  return scale;
});

/** Fills `row` with planes r, g, b, e. @returns the offset behind the scanline, or -1. */
function readScanline(file: Uint8Array, start: number, row: Uint8Array): number {
  const width = row.length / 4;
  let at = start;
  const marked = file[at] === 2 && file[at + 1] === 2 && (((file[at + 2] as number) << 8) | (file[at + 3] as number)) === width;
  if (width < 8 || width > 32767 || !marked) {
    if (at + width * 4 > file.length) return -1;
    for (let x = 0; x < width; x++) for (let c = 0; c < 4; c++) row[c * width + x] = file[at++] as number;
    return at;
  }
  at += 4;
  for (let plane = 0; plane < 4; plane++) {
    for (let x = 0; x < width;) {
      const code = file[at++];
      if (code === undefined || code === 0) return -1;
      const run = code > 128 ? code - 128 : code;
      if (x + run > width || at + (code > 128 ? 1 : run) > file.length) return -1;
      if (code > 128) row.fill(file[at++] as number, plane * width + x, plane * width + x + run);
      else for (let k = 0; k < run; k++) row[plane * width + x + k] = file[at++] as number;
      x += run;
    }
  }
  return at;
}
