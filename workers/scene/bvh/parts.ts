/**
 * Cuts a big scene into parts that are built by themselves, on one thread or many: planes by the
 * surface area heuristic over a sample, then one pass that sends every triangle down those planes.
 * Where they lie depends on the triangles alone, so the tree does not depend on how many threads there
 * are. Builds nothing below a part.
 */
import { SahBins } from '../sah-bins.ts';
import { PART_TRIANGLES } from './kernel-host.ts';

const SAMPLE_TRIANGLES = 8192;
/** What a part is meant to have, by the sample, so that few turn out too big. */
const WANTED_TRIANGLES = 0.75 * PART_TRIANGLES;
/** Triangles that are sent down between two looks for an abort. */
const CHUNK_TRIANGLES = 1 << 18;

/** A part, with its triangles; or what was cut in two. */
export type Part =
  | { readonly members: Uint32Array<ArrayBuffer>; readonly sides: null }
  | { readonly members: null; readonly sides: readonly [Part, Part] };

/** Levels of inner nodes that halving needs for n things. */
export function halvingLevels(n: number, leafMax: number): number {
  let levels = 0;
  for (let rest = n; rest > leafMax; rest = Math.ceil(rest / 2)) levels += 1;
  return levels;
}

/** @param triangles three corners of 3 numbers each. @param depthMax must suffice for halving. */
export async function cutParts(triangles: Float32Array, leafMax: number, depthMax: number, pause: () => Promise<void>): Promise<Part> {
  const count = triangles.length / 9;
  if (count <= PART_TRIANGLES) return halved(all(count));
  const plan = planOf(triangles);
  const parts = await sendDown(triangles, plan, pause);
  const top = assemble(plan, parts);
  return levelsOf(top, leafMax) <= depthMax ? top : halved(all(count));
}

function all(count: number): Uint32Array<ArrayBuffer> {
  const members = new Uint32Array(count);
  for (let i = 0; i < count; i++) members[i] = i;
  return members;
}

/** Parts by place in the order, where planes do not help. */
function halved(members: Uint32Array<ArrayBuffer>): Part {
  if (members.length <= PART_TRIANGLES) return { members, sides: null };
  const middle = Math.ceil(members.length / 2);
  return { members: null, sides: [halved(members.slice(0, middle)), halved(members.slice(middle))] };
}

function levelsOf({ members, sides }: Part, leafMax: number): number {
  return sides ? 1 + Math.max(...sides.map((side) => levelsOf(side, leafMax))) : halvingLevels(members.length, leafMax);
}

/** A plane across an axis at a doubled middle, and what lies on its sides; or the number of a part. */
type Plan = { readonly part: number } | { readonly axis: number; readonly at: number; readonly sides: readonly [Plan, Plan] };

/** Least plus largest coordinate: twice the middle of the box. */
function doubledMiddle(triangles: Float32Array, triangle: number, axis: number): number {
  const a = triangles[triangle * 9 + axis] as number;
  const b = triangles[triangle * 9 + 3 + axis] as number;
  const c = triangles[triangle * 9 + 6 + axis] as number;
  const least = a < b ? (a < c ? a : c) : b < c ? b : c;
  const largest = a > b ? (a > c ? a : c) : b > c ? b : c;
  return least + largest;
}

function planOf(triangles: Float32Array): Plan {
  const count = triangles.length / 9;
  let parts = 0;
  const sample = Array.from({ length: SAMPLE_TRIANGLES }, (_, i) => Math.floor((i * count) / SAMPLE_TRIANGLES));
  const cut = (of: readonly number[]): Plan => {
    const found = (of.length / SAMPLE_TRIANGLES) * count <= WANTED_TRIANGLES ? null : planeOf(triangles, of);
    if (!found) return { part: parts++ };
    const isLeft = (triangle: number): boolean => doubledMiddle(triangles, triangle, found.axis) < found.at;
    const [left, right] = [of.filter(isLeft), of.filter((triangle) => !isLeft(triangle))];
    return left.length === 0 || right.length === 0 ? { part: parts++ } : { ...found, sides: [cut(left), cut(right)] };
  };
  return cut(sample);
}

/** @returns null where no plane divides. */
function planeOf(triangles: Float32Array, of: readonly number[]): { axis: number; at: number } | null {
  const boxes = new Float32Array(of.length * 6);
  const middles = new Float64Array(6).fill(Infinity).fill(-Infinity, 3);
  for (let i = 0; i < of.length; i++) {
    for (let axis = 0; axis < 3; axis++) {
      const at = (of[i] as number) * 9 + axis;
      const a = triangles[at] as number;
      const b = triangles[at + 3] as number;
      const c = triangles[at + 6] as number;
      const least = Math.min(a, b, c);
      const largest = Math.max(a, b, c);
      boxes[i * 6 + axis] = least;
      boxes[i * 6 + 3 + axis] = largest;
      middles[axis] = Math.min(middles[axis] as number, least + largest);
      middles[3 + axis] = Math.max(middles[3 + axis] as number, least + largest);
    }
  }
  const bins = new SahBins();
  bins.setRange(boxes, 0, of.length, middles);
  return bins.findPlane() ? bins.plane() : null;
}

/** Triangles of every part, in the order of the scene. */
async function sendDown(triangles: Float32Array, plan: Plan, pause: () => Promise<void>): Promise<readonly Uint32Array<ArrayBuffer>[]> {
  const count = triangles.length / 9;
  // Planes as flat lists; a side below zero is a part's number, complemented.
  const [axes, ats, sides] = [[] as number[], [] as number[], [] as number[]];
  const flatten = (one: Plan): number => {
    if ('part' in one) return ~one.part;
    const row = axes.push(one.axis) - 1;
    ats.push(one.at);
    sides.push(0, 0);
    one.sides.forEach((side, i) => (sides[row * 2 + i] = flatten(side)));
    return row;
  };
  const root = flatten(plan);
  const partOf = new Uint16Array(count);
  const counts = new Uint32Array(axes.length + 1);
  for (let start = 0; start < count; start += CHUNK_TRIANGLES) {
    await pause();
    classify(
      triangles,
      start,
      Math.min(count, start + CHUNK_TRIANGLES),
      root,
      axes,
      Float64Array.from(ats),
      Int32Array.from(sides),
      partOf,
      counts,
    );
  }
  return sortedBy(partOf, counts);
}

/** Members of every part, as views of one array. */
function sortedBy(partOf: Uint16Array, counts: Uint32Array): readonly Uint32Array<ArrayBuffer>[] {
  const sorted = new Uint32Array(partOf.length);
  const next = new Uint32Array(counts.length);
  for (let part = 1; part < counts.length; part++) next[part] = (next[part - 1] as number) + (counts[part - 1] as number);
  const members = Array.from(counts, (length, part) => sorted.subarray(next[part], (next[part] as number) + length));
  for (let i = 0; i < partOf.length; i++) {
    const part = partOf[i] as number;
    const at = next[part] as number;
    sorted[at] = i;
    next[part] = at + 1;
  }
  return members;
}

function classify(
  triangles: Float32Array,
  start: number,
  end: number,
  root: number,
  axes: readonly number[],
  ats: Float64Array,
  sides: Int32Array,
  partOf: Uint16Array,
  counts: Uint32Array,
): void {
  for (let i = start; i < end; i++) {
    let row = root;
    while (row >= 0) row = sides[row * 2 + (doubledMiddle(triangles, i, axes[row] as number) < (ats[row] as number) ? 0 : 1)] as number;
    partOf[i] = ~row;
    counts[~row] = (counts[~row] as number) + 1;
  }
}

function assemble(plan: Plan, parts: readonly Uint32Array<ArrayBuffer>[]): Part {
  if ('part' in plan) return halved(parts[plan.part] as Uint32Array<ArrayBuffer>);
  return { members: null, sides: [assemble(plan.sides[0], parts), assemble(plan.sides[1], parts)] };
}
