/**
 * Radiance HDR files to an importance-sampled environment. Texel values are mantissa × 2^(e-136),
 * as Radiance's own `colr_color` without its half-step, which is what OpenImageIO and so Cycles
 * read. Wider images than 2048 px are halved by exact 2×2 boxes. EXR and LDR images are refused.
 */
import { ENVIRONMENT_FILE_BYTES_MAX, ENVIRONMENT_SIDE_PX_MAX } from '#lib/protocol/limits.ts';
import { buildAliasTable } from './alias-table.ts';
import { SceneError, type CompiledEnvironment } from './compiled-scene.ts';
import { luminance, PI, sin } from './exact-math.ts';

const WIDTH_MAX = 2048;

interface Radiance {
  readonly width: number;
  readonly height: number;
  /** rgb rows from the top. */
  readonly data: Float32Array;
}

export interface Environment extends CompiledEnvironment {
  /** Mean luminance over the sphere; 0 when the surroundings are black. */
  readonly meanLuminance: number;
}

export const BLACK: Environment = { width: 1, height: 1, texels: new Float32Array(4), alias: new Uint32Array(2), meanLuminance: 0 };

/** @throws SceneError, one sentence, when the file is no readable Radiance HDR. */
export function compileEnvironment(file: Uint8Array<ArrayBuffer>, intensity: number): Environment {
  let image = readRadiance(file);
  while (image.width > WIDTH_MAX && image.width % 2 === 0 && image.height % 2 === 0) image = halve(image);
  const { width, height } = image;
  const texels = new Float32Array(width * height * 4);
  const weights = new Float64Array(width * height);
  const sines = Float64Array.from({ length: height }, (_, row) => sin(((row + 0.5) / height) * PI));
  let sum = 0;
  let sphere = 0;
  for (let i = 0; i < width * height; i++) {
    const sine = sines[Math.floor(i / width)] as number;
    for (let c = 0; c < 3; c++) texels[i * 4 + c] = (image.data[i * 3 + c] as number) * intensity;
    weights[i] = luminance(texels[i * 4] as number, texels[i * 4 + 1] as number, texels[i * 4 + 2] as number) * sine;
    sum += weights[i] as number;
    sphere += sine;
  }
  if (!Number.isFinite(sum)) throw new SceneError('The environment is too bright to be represented; lower its intensity.');
  if (!(sum > 0)) return BLACK;
  const table = buildAliasTable(weights);
  const bits = new Uint32Array(table.threshold.buffer);
  const alias = new Uint32Array(width * height * 2);
  const scale = (width * height) / (2 * PI * PI);
  for (let i = 0; i < width * height; i++) {
    texels[i * 4 + 3] = ((table.probability[i] as number) * scale) / (sines[Math.floor(i / width)] as number);
    alias[i * 2] = bits[i] as number;
    alias[i * 2 + 1] = table.other[i] as number;
  }
  return { width, height, texels, alias, meanLuminance: sum / sphere };
}

function halve({ width, height, data }: Radiance): Radiance {
  const [w, h] = [width / 2, height / 2];
  const out = new Float32Array(w * h * 3);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (let c = 0; c < 3; c++) {
        const at = (2 * y * width + 2 * x) * 3 + c;
        const below = at + width * 3;
        out[(y * w + x) * 3 + c] =
          ((data[at] as number) + (data[at + 3] as number) + (data[below] as number) + (data[below + 3] as number)) / 4;
      }
    }
  }
  return { width: w, height: h, data: out };
}

/** Header lines, an empty line, "-Y h +X w", scanlines (Ward, "Real Pixels", Graphics Gems II). */
function readRadiance(file: Uint8Array<ArrayBuffer>): Radiance {
  const refuse = (what: string): never => {
    throw new SceneError(`The environment ${what}; choose a Radiance .hdr file of latitude-longitude layout.`);
  };
  if (file.length > ENVIRONMENT_FILE_BYTES_MAX) refuse(`has ${file.length} bytes, at most ${ENVIRONMENT_FILE_BYTES_MAX} are allowed`);
  if (file[0] === 0x76 && file[1] === 0x2f && file[2] === 0x31 && file[3] === 0x01) refuse('is an OpenEXR file, which is not supported');
  if (file[0] !== 0x23 || file[1] !== 0x3f) refuse('is not a Radiance file (byte 0 does not start with "#?")');
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
  if (width < 1 || height < 1 || width > ENVIRONMENT_SIDE_PX_MAX || height > ENVIRONMENT_SIDE_PX_MAX) {
    refuse(`is ${width} × ${height} px, at most ${ENVIRONMENT_SIDE_PX_MAX} px a side can be used`);
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
