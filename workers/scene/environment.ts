/**
 * Radiance HDR and OpenEXR files to an importance-sampled environment. Wider images than 2048 px are
 * halved by exact 2×2 boxes. Any shape is taken and stretched over the sphere, as other renderers do.
 */
import { buildAliasTable } from './alias-table.ts';
import { SceneError, type CompiledEnvironment } from './compiled-scene.ts';
import { luminance, PI, sin } from './exact-math.ts';
import type { LinearImage } from './exr.ts';
import { readSurroundings } from './surroundings.ts';

const WIDTH_MAX = 2048;

export interface Environment extends CompiledEnvironment {
  /** Mean luminance over the sphere; 0 when the surroundings are black. */
  readonly meanLuminance: number;
}

export const BLACK: Environment = { width: 1, height: 1, texels: new Float32Array(4), alias: new Uint32Array(2), meanLuminance: 0 };

/** @throws SceneError, one sentence, when the file is no readable picture of light. */
export const compileEnvironment = (file: Uint8Array<ArrayBuffer>, intensity: number): Environment =>
  environmentOf(readSurroundings(file), intensity);

/** @throws SceneError when the light is beyond f32. */
export function environmentOf(surroundings: LinearImage, intensity: number): Environment {
  let image = surroundings;
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

function halve({ width, height, data }: LinearImage): LinearImage {
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
