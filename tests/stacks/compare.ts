/** How two stacks' drawings of one scene differ: in the decisions of paths, and in light where no decision does. */
import type { Drawing } from './subject.ts';

export interface Difference {
  readonly name: string;
  readonly paths: number;
  /** Paths whose signatures are equal. */
  readonly equalPaths: number;
  /** Pixels all of whose paths decided alike. */
  readonly equalPixels: number;
  /** Worst |a - b| / max(a, b, 1e-3) over channels of those pixels. */
  readonly worstLight: number;
  /** Relative difference of the means of all pixels. */
  readonly meanLight: number;
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'base64'));

/** Sums of radiance, R, G, B per pixel. */
export const lightOf = (drawing: Drawing): Float32Array => new Float32Array(bytesOf(drawing.light).buffer);

const signaturesOf = (drawing: Drawing): Uint16Array => new Uint16Array(bytesOf(drawing.signatures).buffer);

export function compareDrawings(a: Drawing, b: Drawing): Difference {
  const [left, right] = [lightOf(a), lightOf(b)];
  const [mine, other] = [signaturesOf(a), signaturesOf(b)];
  const pixels = a.width * a.height;
  let [equalPaths, equalPixels, worstLight, sumA, sumB] = [0, 0, 0, 0, 0];
  for (let p = 0; p < pixels; p++) {
    let same = 0;
    for (let s = p * a.samples; s < (p + 1) * a.samples; s++) if (mine[s] === other[s]) same++;
    equalPaths += same;
    if (same === a.samples) equalPixels++;
    for (let c = 0; c < 3; c++) {
      const [x, y] = [left[p * 3 + c]! / a.samples, right[p * 3 + c]! / a.samples];
      sumA += x;
      sumB += y;
      if (same === a.samples) worstLight = Math.max(worstLight, Math.abs(x - y) / Math.max(x, y, 1e-3));
    }
  }
  const meanLight = Math.abs(sumA - sumB) / Math.max(sumA, sumB);
  return { name: a.name, paths: mine.length, equalPaths, equalPixels, worstLight, meanLight };
}

/** One line of the table that is printed and, when measured anew, copied into tests/README.md. */
export const rowOf = (stack: string, d: Difference): string =>
  `| ${stack} | ${d.name} | ${((100 * d.equalPaths) / d.paths).toFixed(3)} % of ${d.paths} | ${d.worstLight.toExponential(1)} | ${d.meanLight.toExponential(1)} |`;
