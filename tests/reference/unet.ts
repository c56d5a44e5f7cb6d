/** The U-Net of Open Image Denoise in plain loops and double precision: the twin of shaders/denoise. */
import type { Tensor } from '#workers/render/denoise/tza.ts';

interface Planes {
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  /** Channel by channel, rows from the top. */
  readonly values: Float64Array;
}

const planes = (channels: number, width: number, height: number): Planes => ({
  channels,
  width,
  height,
  values: new Float64Array(channels * width * height),
});

/** 3 × 3, zeros around, negative results become zero. */
function convolve(tensors: ReadonlyMap<string, Tensor>, name: string, x: Planes): Planes {
  const weight = tensors.get(`${name}.weight`)!;
  const bias = tensors.get(`${name}.bias`)!.values;
  const [outputs, inputs] = weight.shape as [number, number];
  const { width, height } = x;
  const out = planes(outputs, width, height);
  for (let o = 0; o < outputs; o++) {
    const plane = out.values.subarray(o * width * height, (o + 1) * width * height).fill(bias[o]!);
    for (let c = 0; c < inputs; c++) {
      for (let k = 0; k < 9; k++) {
        const [dx, dy, w] = [(k % 3) - 1, Math.floor(k / 3) - 1, weight.values[(o * inputs + c) * 9 + k]!];
        for (let row = Math.max(0, -dy); row < Math.min(height, height - dy); row++) {
          const from = (c * height + row + dy) * width + dx;
          for (let column = Math.max(0, -dx); column < Math.min(width, width - dx); column++)
            plane[row * width + column]! += w * x.values[from + column]!;
        }
      }
    }
    for (let i = 0; i < plane.length; i++) plane[i] = Math.max(plane[i]!, 0);
  }
  return out;
}

function resample(x: Planes, width: number, height: number, value: (channel: number, column: number, row: number) => number): Planes {
  const out = planes(x.channels, width, height);
  for (let c = 0; c < x.channels; c++) {
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) out.values[(c * height + row) * width + column] = value(c, column, row);
  }
  return out;
}

const at = (x: Planes, channel: number, column: number, row: number): number => x.values[(channel * x.height + row) * x.width + column]!;
const pool = (x: Planes): Planes =>
  resample(x, x.width / 2, x.height / 2, (c, column, row) =>
    Math.max(...[0, 1, 2, 3].map((k) => at(x, c, column * 2 + (k % 2), row * 2 + Math.floor(k / 2)))),
  );
const enlarge = (x: Planes): Planes =>
  resample(x, x.width * 2, x.height * 2, (c, column, row) => at(x, c, Math.floor(column / 2), Math.floor(row / 2)));
function join(a: Planes, b: Planes): Planes {
  const out = planes(a.channels + b.channels, a.width, a.height);
  out.values.set(a.values);
  out.values.set(b.values, a.values.length);
  return out;
}

/** Any of the networks; sides are multiples of 16. */
export const unet = (tensors: ReadonlyMap<string, Tensor>, input: Planes): Planes =>
  tensors.has('enc_conv0.weight') ? baseUnet(tensors, input) : largeUnet(tensors, input);

/** Two convolutions on each level, three on the last (`enc_conv1a` to `dec_conv1c`). */
function largeUnet(tensors: ReadonlyMap<string, Tensor>, input: Planes): Planes {
  const run = (x: Planes, ...names: string[]): Planes => names.reduce((y, name) => convolve(tensors, name, y), x);
  const across = [input];
  let x = input;
  for (const level of [1, 2, 3, 4]) {
    x = pool(run(x, `enc_conv${level}a`, `enc_conv${level}b`));
    across.push(x);
  }
  x = run(x, 'enc_conv5a', 'enc_conv5b');
  for (const level of [4, 3, 2]) x = run(join(enlarge(x), across[level - 1]!), `dec_conv${level}a`, `dec_conv${level}b`);
  return run(join(enlarge(x), input), 'dec_conv1a', 'dec_conv1b', 'dec_conv1c');
}

/** The base and small networks (`enc_conv0` to `dec_conv0`). */
function baseUnet(tensors: ReadonlyMap<string, Tensor>, input: Planes): Planes {
  const run = (x: Planes, ...names: string[]): Planes => names.reduce((y, name) => convolve(tensors, name, y), x);
  const first = pool(run(input, 'enc_conv0', 'enc_conv1'));
  const second = pool(run(first, 'enc_conv2'));
  const third = pool(run(second, 'enc_conv3'));
  let x = run(pool(run(third, 'enc_conv4')), 'enc_conv5a', 'enc_conv5b');
  x = run(join(enlarge(x), third), 'dec_conv4a', 'dec_conv4b');
  x = run(join(enlarge(x), second), 'dec_conv3a', 'dec_conv3b');
  x = run(join(enlarge(x), first), 'dec_conv2a', 'dec_conv2b');
  return run(join(enlarge(x), input), 'dec_conv1a', 'dec_conv1b', 'dec_conv0');
}

/** OIDN's curve for light of high dynamic range (core/color.h), normed to 1 at 65504. */
export function encodeLight(y: number): number {
  const curve = (v: number): number => {
    if (v <= 1.5794576e-6) return 1.41283765e3 * v;
    if (v <= 3.22087631e-2) return 1.64593172 * v ** 4.31384981e-1 - 2.94139609e-3;
    return 1.92653254e-1 * Math.log(v + 6.26026094e-3) + 9.98620152e-1;
  };
  return curve(y) / curve(65504);
}

/** Peak signal-to-noise ratio of two pictures of 0 to 1, decibels. */
export function psnr(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return -10 * Math.log10(sum / a.length);
}
