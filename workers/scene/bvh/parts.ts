/**
 * Cuts a big scene into parts that are built by themselves, on one thread or many, by the surface area
 * heuristic over a sample. Where the cuts lie depends on the triangles alone, so the tree does not
 * depend on how many threads there are. Builds nothing below a part.
 */
import { SahBins } from '../sah-bins.ts';
import { PART_TRIANGLES } from './kernel-host.ts';

const SAMPLE = 4096;
/** Triangles that are sorted to their sides between two looks for an abort. */
const CHUNK_TRIANGLES = 1 << 20;

/** Triangles of the scene, and what they are cut into where they are too many. */
export interface Part {
  readonly members: Uint32Array<ArrayBuffer>;
  readonly sides: readonly [Part, Part] | null;
}

/** Levels of inner nodes that halving needs for n things. */
export function halvingLevels(n: number, leafMax: number): number {
  let levels = 0;
  for (let rest = n; rest > leafMax; rest = Math.ceil(rest / 2)) levels += 1;
  return levels;
}

/** @param triangles three corners of 3 numbers each. @param depthMax must suffice for halving. */
export async function cutParts(triangles: Float32Array, leafMax: number, depthMax: number, pause: () => Promise<void>): Promise<Part> {
  const members = new Uint32Array(triangles.length / 9);
  for (let i = 0; i < members.length; i++) members[i] = i;
  return cut(members, depthMax);

  async function cut(of: Uint32Array<ArrayBuffer>, levels: number): Promise<Part> {
    if (of.length <= PART_TRIANGLES) return { members: of, sides: null };
    await pause();
    const mustHalve = halvingLevels(of.length - 1, leafMax) >= levels;
    const [left, right] = (mustHalve ? null : await divide(triangles, of, pause)) ?? halves(of);
    return { members: of, sides: [await cut(left, levels - 1), await cut(right, levels - 1)] };
  }
}

type Sides = readonly [Uint32Array<ArrayBuffer>, Uint32Array<ArrayBuffer>];

function halves(of: Uint32Array<ArrayBuffer>): Sides {
  const middle = Math.ceil(of.length / 2);
  return [of.slice(0, middle), of.slice(middle)];
}

function boxOf(triangles: Float32Array, triangle: number, out: Float32Array, at: number): void {
  for (let axis = 0; axis < 3; axis++) {
    const a = triangles[triangle * 9 + axis] as number;
    const b = triangles[triangle * 9 + 3 + axis] as number;
    const c = triangles[triangle * 9 + 6 + axis] as number;
    out[at + axis] = Math.min(a, b, c);
    out[at + 3 + axis] = Math.max(a, b, c);
  }
}

/** @returns null where no plane divides the sample. */
async function divide(triangles: Float32Array, of: Uint32Array<ArrayBuffer>, pause: () => Promise<void>): Promise<Sides | null> {
  const boxes = new Float32Array(SAMPLE * 6);
  const middles = new Float64Array(6).fill(Infinity).fill(-Infinity, 3);
  for (let i = 0; i < SAMPLE; i++) {
    boxOf(triangles, of[Math.floor((i * of.length) / SAMPLE)] as number, boxes, i * 6);
    for (let axis = 0; axis < 3; axis++) {
      const middle = (boxes[i * 6 + axis] as number) + (boxes[i * 6 + 3 + axis] as number);
      middles[axis] = Math.min(middles[axis] as number, middle);
      middles[3 + axis] = Math.max(middles[3 + axis] as number, middle);
    }
  }
  const bins = new SahBins();
  bins.setRange(boxes, 0, SAMPLE, middles);
  if (!bins.findPlane()) return null;
  // Left from the front, right from the back; both keep the order of the scene.
  const sorted = new Uint32Array(of.length);
  const box = new Float32Array(6);
  let left = 0;
  let right = of.length;
  for (let i = 0; i < of.length; i++) {
    if (i % CHUNK_TRIANGLES === 0) await pause();
    const triangle = of[i] as number;
    boxOf(triangles, triangle, box, 0);
    if (bins.isLeft(box, 0)) sorted[left++] = triangle;
    else sorted[--right] = triangle;
  }
  return [sorted.slice(0, left), sorted.slice(left).reverse()];
}
