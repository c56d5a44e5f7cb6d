/**
 * The edge-avoiding wavelet filter in plain loops and double precision: the twin of shaders/atrous.
 * `off` leaves parts of it out, so that tests can tell what each does.
 */
import type { AtrousImages } from '#workers/render/atrous.ts';

export interface AtrousParts {
  /** What surfaces return, normals and depth tell pixels apart. */
  readonly guides: boolean;
  /** Light does, as far as its noise lets it. */
  readonly variance: boolean;
}

interface Pixel {
  readonly normal: readonly number[];
  readonly depth: number;
  readonly slope: number;
  readonly returned: readonly number[];
  light: number[];
  variance: number;
}

const STEPS = [1, 2, 4, 8, 16];
const SPLINE = [0.0625, 0.25, 0.375, 0.25, 0.0625];
const luminance = (c: readonly number[]): number => 0.2126 * c[0]! + 0.7152 * c[1]! + 0.0722 * c[2]!;
const finite = (v: number | undefined): number => (Number.isFinite(v) ? v! : 0);
const triple = (values: Float32Array | undefined, p: number): number[] => [0, 1, 2].map((c) => finite(values?.[p * 3 + c]));

function prepared(images: AtrousImages): Pixel[] {
  const { width, height, depth, moment, samples } = images;
  const slope = (x: number, y: number): number => {
    if (!depth) return 0;
    const at = (dx: number, dy: number): number[] => {
      const there = x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height;
      return there ? [Math.abs(depth[(y + dy) * width + x + dx]! - depth[y * width + x]!)] : [];
    };
    const least = (sides: number[]): number => (sides.length > 0 ? Math.min(...sides) : 0);
    return Math.max(least([...at(-1, 0), ...at(1, 0)]), least([...at(0, -1), ...at(0, 1)]));
  };
  return Array.from({ length: width * height }, (_, p) => {
    const [color, albedo] = [triple(images.color, p), triple(images.albedo, p)];
    const seen = albedo.some((a) => a > 0);
    const returned = albedo.map((a) => (seen ? Math.min(Math.max(a, 0.04), 1) : 1));
    const n = moment && samples ? samples[p]! : 0;
    const own = Math.max(finite(moment?.[p]) - luminance(color) ** 2, 0) / ((n - 1) * luminance(returned) ** 2);
    const normal = triple(images.normal, p);
    const guided = images.albedo !== undefined && images.normal !== undefined && depth !== undefined;
    const sky = guided && !seen && normal.every((v) => v === 0) && finite(depth[p]) === 0;
    return {
      normal,
      depth: finite(depth?.[p]),
      slope: slope(p % width, Math.floor(p / width)),
      returned,
      light: color.map((c, i) => c / returned[i]!),
      variance: sky ? 0 : n >= 2 ? own : -1,
    };
  });
}

function difference(p: Pixel, q: Pixel, apart: number): number {
  const normals = p.normal.reduce((sum, n, i) => sum + (n - q.normal[i]!) ** 2, 0);
  const returned = Math.max(...p.returned.map((a, i) => Math.abs(a - q.returned[i]!) / (a + q.returned[i]!)));
  const room = apart * (p.slope + q.slope) + 0.005 * (p.depth + q.depth) + 1e-30;
  return 64 * normals + 6 * returned ** 2 + Math.abs(p.depth - q.depth) / room;
}

/** Calls `visit` for every pixel within `reach` taps, `step` apart. */
function around(
  width: number,
  height: number,
  p: number,
  reach: number,
  step: number,
  visit: (q: number, dx: number, dy: number) => void,
): void {
  const [x, y] = [p % width, Math.floor(p / width)];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const [column, row] = [x + dx * step, y + dy * step];
      if (column >= 0 && column < width && row >= 0 && row < height) visit(row * width + column, dx, dy);
    }
  }
}

function judged(pixels: readonly Pixel[], width: number, height: number, guides: boolean): number[] {
  return pixels.map((mine, p) => {
    const [seen, known] = [
      [0, 0, 0],
      [0, 0],
    ];
    around(width, height, p, 3, 1, (q, dx, dy) => {
      const theirs = pixels[q]!;
      const w = guides ? Math.exp(-difference(mine, theirs, Math.hypot(dx, dy))) : 1;
      const l = luminance(theirs.light) - luminance(mine.light);
      [1, l, l * l].forEach((v, i) => (seen[i]! += w * v));
      if (theirs.variance >= 0) [1, theirs.variance].forEach((v, i) => (known[i]! += w * v));
    });
    if (mine.variance >= 0) return known[1]! / known[0]!;
    return Math.max(seen[2]! / seen[0]! - (seen[1]! / seen[0]!) ** 2, 0);
  });
}

/** @returns width × height × 3 */
export function atrous(images: AtrousImages, parts: AtrousParts = { guides: true, variance: true }): Float64Array {
  const { width, height } = images;
  let pixels = prepared(images);
  const variances = judged(pixels, width, height, parts.guides);
  pixels = pixels.map((pixel, p) => ({ ...pixel, variance: variances[p]! }));
  for (const step of STEPS) {
    pixels = pixels.map((mine, p) => {
      const bright = luminance(mine.light);
      const light = [0, 0, 0];
      let [variance, weights] = [0, 0];
      around(width, height, p, 2, step, (q, dx, dy) => {
        const theirs = pixels[q]!;
        const luminous = luminance(theirs.light);
        const room = 2 * Math.sqrt(mine.variance + theirs.variance) + 1e-6 * (Math.abs(bright) + Math.abs(luminous)) + 1e-30;
        const unlike = parts.guides ? difference(mine, theirs, step * Math.hypot(dx, dy)) : 0;
        const w = SPLINE[dx + 2]! * SPLINE[dy + 2]! * Math.exp(-unlike - (parts.variance ? Math.abs(bright - luminous) / room : 0));
        theirs.light.forEach((c, i) => (light[i]! += w * c));
        variance += w * w * theirs.variance;
        weights += w;
      });
      return { ...mine, light: light.map((c) => c / weights), variance: variance / weights ** 2 };
    });
  }
  return Float64Array.from(pixels.flatMap(({ light, returned }) => light.map((c, i) => c * returned[i]!)));
}
