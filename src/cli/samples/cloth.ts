/**
 * A cloth that falls over a table edge and around round things, by position-based dynamics
 * (Müller 2007) in plain arithmetic, then given thickness. Refuses cloth finer than its own distance
 * to itself: layers are kept apart point by point, not triangle by triangle.
 */
import type { Shape } from './mesh.ts';
import { emptyShape } from './mesh.ts';
import { add, cross, normalize, scale, sub, type Vec3 } from './vec.ts';

interface ClothPlan {
  readonly columns: number;
  readonly rows: number;
  /** Where grid point (s, t) in the unit square lies before it falls, metres. */
  readonly start: (s: number, t: number) => Vec3;
  /** Rest size in metres along s and t; larger than the start makes folds. */
  readonly rest: readonly [number, number];
  /** Moves a point out of whatever it must not enter; returns it. */
  readonly collide: (p: Vec3) => Vec3;
  readonly steps: number;
  /** Share of a step's sliding that a touching point keeps: 0 sticks, 1 is ice. */
  readonly slip: number;
  /** Share by which a point at t is drawn back, across the table only, to where it was laid: a hand's pinch. */
  readonly hold: (t: number) => number;
  /** Metres that points of different folds keep between them. */
  readonly apart: number;
  readonly thickness: number;
}

interface Link {
  readonly a: number;
  readonly b: number;
  readonly rest: number;
  readonly stiffness: number;
}

/** Stretch along both threads, shear along diagonals, bending over two cells. */
function links({ columns, rows, rest }: ClothPlan): Link[] {
  const [dx, dy] = [rest[0] / (columns - 1), rest[1] / (rows - 1)];
  const out: Link[] = [];
  const link = (i: number, j: number, di: number, dj: number, stiffness: number): void => {
    if (i + di < 0 || i + di >= columns || j + dj >= rows) return;
    out.push({ a: j * columns + i, b: (j + dj) * columns + i + di, rest: Math.sqrt((di * dx) ** 2 + (dj * dy) ** 2), stiffness });
  };
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      link(i, j, 1, 0, 1);
      link(i, j, 0, 1, 1);
      link(i, j, 1, 1, 0.35);
      link(i, j, -1, 1, 0.35);
      link(i, j, 3, 0, 0.28);
      link(i, j, 0, 3, 0.28);
    }
  }
  return out;
}

/** One round of distance constraints, Gauss-Seidel in link order, on flat xyz. */
function relax(now: Float64Array, all: readonly Link[]): void {
  for (const { a, b, rest, stiffness } of all) {
    const [ia, ib] = [3 * a, 3 * b];
    const dx = now[ib]! - now[ia]!;
    const dy = now[ib + 1]! - now[ia + 1]!;
    const dz = now[ib + 2]! - now[ia + 2]!;
    const l = Math.sqrt(dx * dx + dy * dy + dz * dz);
    const k = (0.5 * stiffness * (l - rest)) / l;
    now[ia]! += dx * k;
    now[ia + 1]! += dy * k;
    now[ia + 2]! += dz * k;
    now[ib]! -= dx * k;
    now[ib + 1]! -= dy * k;
    now[ib + 2]! -= dz * k;
  }
}

/** Pushes points of the grid that are not neighbours apart to `apart`, found through cells of that size. */
function separate(now: Float64Array, { columns, apart }: ClothPlan): void {
  // Chains of points per cell: the first and last of each, and who follows whom.
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  const next = new Int32Array(now.length / 3).fill(-1);
  for (let i = 0; i < next.length; i++) {
    const cell = cellOf(Math.floor(now[3 * i]! / apart), Math.floor(now[3 * i + 1]! / apart), Math.floor(now[3 * i + 2]! / apart));
    const [column, row] = [i % columns, Math.floor(i / columns)];
    for (const step of NEIGHBOURS) {
      for (let j = first.get(cell + step) ?? -1; j >= 0; j = next[j]!) {
        // Two cells or nearer along both threads: held by links, not by contact.
        if (row - Math.floor(j / columns) <= 2 && Math.abs(column - (j % columns)) <= 2) continue;
        push(now, 3 * i, 3 * j, apart);
      }
    }
    const end = last.get(cell);
    if (end === undefined) first.set(cell, i);
    else next[end] = i;
    last.set(cell, i);
  }
}

/** One number per cell; a step to a neighbour is a fixed difference while the cloth lies within 512 cells of the origin. */
const cellOf = (x: number, y: number, z: number): number => ((x + 512) * 1024 + y + 512) * 1024 + z + 512;
const NEIGHBOURS = Array.from(
  { length: 27 },
  (_, k) => cellOf((k % 3) - 1, (Math.floor(k / 3) % 3) - 1, Math.floor(k / 9) - 1) - cellOf(0, 0, 0),
);

function push(now: Float64Array, a: number, b: number, apart: number): void {
  const dx = now[b]! - now[a]!;
  const dy = now[b + 1]! - now[a + 1]!;
  const dz = now[b + 2]! - now[a + 2]!;
  const l = Math.sqrt(dx * dx + dy * dy + dz * dz);
  if (l >= apart || l === 0) return;
  const k = (0.5 * (apart - l)) / l;
  now[a]! -= dx * k;
  now[a + 1]! -= dy * k;
  now[a + 2]! -= dz * k;
  now[b]! += dx * k;
  now[b + 1]! += dy * k;
  now[b + 2]! += dz * k;
}

/** Settled positions of the grid, row by row. A step is 1/120 s. */
function settle(plan: ClothPlan): Vec3[] {
  const { columns, rows, steps } = plan;
  const count = columns * rows;
  const now = new Float64Array(3 * count);
  for (let j = 0; j < rows; j++)
    for (let i = 0; i < columns; i++) now.set(plan.start(i / (columns - 1), j / (rows - 1)), 3 * (j * columns + i));
  const before = now.slice();
  const laid = now.slice();
  const all = links(plan);
  const fall = -9.81 / 14400;
  for (let step = 0; step < steps; step++) {
    const keep = step < steps * 0.75 ? 0.985 : 0.9;
    for (let i = 0; i < 3 * count; i++) {
      const velocity = (now[i]! - before[i]!) * keep;
      before[i] = now[i]!;
      now[i]! += velocity + (i % 3 === 1 ? fall : 0);
    }
    for (let iteration = 0; iteration < 8; iteration++) relax(now, all);
    separate(now, plan);
    for (let i = 0; i < 3 * count; i++) {
      if (i % 3 !== 1) now[i]! += (laid[i]! - now[i]!) * plan.hold(Math.floor(i / 3 / columns) / (rows - 1));
    }
    for (let i = 0; i < 3 * count; i += 3) {
      const free: Vec3 = [now[i]!, now[i + 1]!, now[i + 2]!];
      const kept = plan.collide(free);
      if (kept === free) continue;
      // Contact sticks: most of a step's sliding is taken back, which is what holds a fold in place.
      const stuck = kept.map((v, c) => before[i + c]! + (v - before[i + c]!) * plan.slip) as unknown as Vec3;
      now.set(plan.collide(stuck), i);
    }
  }
  return Array.from({ length: count }, (_, i) => [now[3 * i]!, now[3 * i + 1]!, now[3 * i + 2]!]);
}

/** The settled cloth as a closed sheet: two sides and a rim; texture coordinates are (s, t) on both. */
export function drape(plan: ClothPlan, repeat: readonly [number, number]): Shape {
  const { columns, rows, thickness } = plan;
  const middle = settle(plan);
  const at = (i: number, j: number): Vec3 => middle[Math.min(rows - 1, Math.max(0, j)) * columns + Math.min(columns - 1, Math.max(0, i))]!;
  const out = emptyShape();
  for (const side of [1, -1]) {
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++) {
        const normal = normalize(cross(sub(at(i, j + 1), at(i, j - 1)), sub(at(i + 1, j), at(i - 1, j))));
        out.points.push(add(at(i, j), scale(normal, (side * thickness) / 2)));
        out.uvs.push([(i / (columns - 1)) * repeat[0], (j / (rows - 1)) * repeat[1]]);
      }
    }
  }
  const under = columns * rows;
  for (let j = 0; j + 1 < rows; j++) {
    for (let i = 0; i + 1 < columns; i++) {
      const a = j * columns + i;
      const [b, c, d] = [a + 1, a + columns, a + columns + 1];
      out.triangles.push(a, c, d, a, d, b);
      out.triangles.push(under + a, under + d, under + c, under + a, under + b, under + d);
    }
  }
  const rim: number[] = [];
  for (let i = 0; i + 1 < columns; i++) rim.push(i);
  for (let j = 0; j + 1 < rows; j++) rim.push(j * columns + columns - 1);
  for (let i = columns - 1; i > 0; i--) rim.push((rows - 1) * columns + i);
  for (let j = rows - 1; j > 0; j--) rim.push(j * columns);
  rim.forEach((a, k) => {
    const b = rim[(k + 1) % rim.length]!;
    out.triangles.push(a, b, under + b, a, under + b, under + a);
  });
  return out;
}
