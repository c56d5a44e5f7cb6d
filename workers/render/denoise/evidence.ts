/**
 * What a network lost, put back by what a film knows of its own noise. Where picture and light differ
 * by more than noise explains, the light returns: an empirical Bayes estimate in windows, as James
 * and Stein's, so that with many samples the picture becomes the light, whatever the network makes of
 * it. Then the picture is given as much light as came in. Knows nothing of networks; a picture whose
 * variance nobody knows is left as it is.
 */
import { luminance } from '../../scene/exact-math.ts';

/** What is known of the light's noise. */
export interface Noise {
  /** Mean squared luminance of a pixel's paths. */
  readonly moment: Float32Array;
  /** Paths per pixel. */
  readonly samples: Float32Array;
}

/** Pixels to each side that a pixel's window takes. */
const REACH = 3;
const SIDE = 2 * REACH + 1;
/** Differences count by the square of what is there and of this share of the mean, for both are relative. */
const DARK = 0.1;
/** After so many pixels others have their turn. */
const BREATH_PIXELS = 1 << 20;
/** A pixel whose light is no surer than this (a standard error, as a share of it) has it of about one path: a rumour. */
const RUMOUR = 0.9;
/** Shares of all light that are put back at most: fireflies of any brightness don't light up a picture, what many paths saw does. */
const RUMOUR_MAX = 0.05;
const PUT_BACK_MAX = 0.5;
/** The brightest pixel is changed by at most this share of itself before all others are changed alike. */
const BRIGHTEST_MAX = 0.5;

/** Sums over the rows of a window come from what rows say: squared differences of luminance and variances of the mean, both weighed. */
interface Row {
  readonly differences: Float64Array;
  readonly variances: Float64Array;
}
interface Images {
  /** What a network made of `color`; is replaced. */
  readonly image: Float32Array;
  readonly color: Float32Array;
  readonly width: number;
  readonly height: number;
}

const luminanceAt = (values: Float32Array, p: number): number => luminance(values[p * 3]!, values[p * 3 + 1]!, values[p * 3 + 2]!);
const emptyRow = (width: number): Row => ({ differences: new Float64Array(width), variances: new Float64Array(width) });

/** Width × height × 3 both; the image is replaced pixel by pixel. @returns false when aborted. */
export async function blendByEvidence(signal: AbortSignal, images: Images, noise: Noise): Promise<boolean> {
  const { image, width, height } = images;
  let sum = 0;
  for (let p = 0; p < width * height; p++) sum += luminanceAt(image, p);
  const dark = ((DARK * sum) / (width * height)) ** 2 + 1e-30;
  const rows = Array.from({ length: SIDE }, () => emptyRow(width));
  const window = emptyRow(width);
  const breath = Math.ceil(BREATH_PIXELS / width);
  for (let y = -REACH; y < height; y++) {
    // Rows ahead are read before they are replaced; those behind are kept.
    readRow(rows[(y + REACH) % SIDE]!, images, y + REACH, noise, dark);
    if (y < 0) continue;
    if ((y + 1) % breath === 0) await new Promise((go) => setTimeout(go, 0));
    if (signal.aborted) return false;
    addRows(window, rows);
    blendRow(images, y, rows[y % SIDE]!, window);
  }
  return true;
}

function addRows(window: Row, rows: readonly Row[]): void {
  for (const name of ['differences', 'variances'] as const) {
    const sums = window[name].fill(0);
    for (const { [name]: values } of rows) for (let x = 0; x < sums.length; x++) sums[x]! += values[x]!;
  }
}

/** What a row of pixels says: nothing beyond the picture, no evidence where light is no number or of a single path. */
function readRow(row: Row, { image, color, width, height }: Images, y: number, { moment, samples }: Noise, dark: number): void {
  row.differences.fill(0);
  row.variances.fill(0);
  if (y >= height) return;
  for (let x = 0; x < width; x++) {
    const p = y * width + x;
    const [light, made, paths] = [luminanceAt(color, p), luminanceAt(image, p), samples[p]!];
    const known = Number.isFinite(light) && paths > 1;
    const weight = known ? 1 / (made * made + dark) : 0;
    row.differences[x] = known ? weight * (light - made) ** 2 : 0;
    row.variances[x] = known ? (weight * Math.max(moment[p]! - light * light, 0)) / (paths - 1) : Infinity;
  }
}

/** @param own of the row itself. @param window sums over the rows around it. */
function blendRow({ image, color, width }: Images, y: number, own: Row, window: Row): void {
  for (let x = 0; x < width; x++) {
    const [from, to] = [Math.max(0, x - REACH), Math.min(width - 1, x + REACH)];
    let [differences, variances] = [0, 0];
    for (let k = from; k <= to; k++) {
      differences += window.differences[k]!;
      variances += window.variances[k]!;
    }
    const lost = differences - variances;
    if (!(lost > 0)) continue;
    // A pixel noisier than its window, a firefly at the most, counts as noisy as it is.
    const pixels = (to - from + 1) * SIDE;
    const share = lost / (lost + Math.max(variances, own.variances[x]! * pixels));
    for (let c = (y * width + x) * 3; c < (y * width + x) * 3 + 3; c++) image[c]! += share * (color[c]! - image[c]!);
  }
}

/** Gives the image the mean luminance of the light, mostly in its brightest pixels: there networks err the most, and it shows the least. */
export function keepMean({ image, color, width, height }: Images, { moment, samples }: Noise): void {
  let [came, rumours, made, squares, most] = [0, 0, 0, 0, 0];
  for (let p = 0; p < width * height; p++) {
    const [light, value] = [luminanceAt(color, p), luminanceAt(image, p)];
    if (Number.isFinite(light)) {
      came += light;
      const known = moment[p]! - light * light < (samples[p]! - 1) * (RUMOUR * light) ** 2;
      if (light > value && !known) rumours += light - value;
    }
    made += value;
    squares += value * value;
    most = Math.max(most, value);
  }
  if (!(squares > 0)) return;
  const lost = clamp(came - made - rumours, PUT_BACK_MAX * made) + clamp(rumours, RUMOUR_MAX * made);
  const slope = clamp((lost * most) / squares, BRIGHTEST_MAX) / most;
  const all = 1 + (lost - slope * squares) / made;
  for (let p = 0; p < width * height; p++) {
    const factor = all + slope * luminanceAt(image, p);
    for (let c = p * 3; c < p * 3 + 3; c++) image[c]! *= factor;
  }
}

const clamp = (value: number, bound: number): number => Math.max(-bound, Math.min(bound, value));
