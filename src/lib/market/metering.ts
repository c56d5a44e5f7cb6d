/**
 * What a traced ray costs in a scene, so that work takes one device the same seconds whatever the
 * scene. Counted by the kernel that counts (film counters) over paths that the order alone chooses:
 * every peer that decides the same paths counts the same. Refuses to be a clock.
 */
import type { Counters } from '../job/film.ts';
import { shrunk, type Pass, type Rect } from '../job/plan.ts';
import { LEAF_SIDE_PX, COST_PER_MILLE_MAX } from '../protocol/limits.ts';
import type { JobOrder } from '../protocol/order.ts';

/** Leaves that are counted. */
const METER_LEAVES = 24;
/** Longer side of the frame that they are of, whatever size is ordered: at it they are a third of the picture. */
const METER_SIDE_PX = 96;
/** How far two honest counts may differ: devices part over one path in a hundred at worst. */
export const COST_TOLERANCE = 0.05;

/**
 * What each counted thing costs: fitted to the seconds of CPU time that segments of the shared scenes take on SwiftShader and on
 * lavapipe, so that none is further off than a fifth (tests/BENCH.md), and scaled so that their geometric mean is 1. Rays and
 * shadings by themselves took no share that the fit could tell from none.
 */
const COSTS = { nodeVisits: 0.024, triangleTests: 0.121, texelReads: 0.059 } as const satisfies Partial<Record<keyof Counters, number>>;

/** Leaves of the frame, spread by the generalised golden ratio (Roberts 2018), none twice; all of a frame that has few. */
export function meterLeaves({ width, height }: { readonly width: number; readonly height: number }): Rect[] {
  const [columns, rows] = [Math.ceil(width / LEAF_SIDE_PX), Math.ceil(height / LEAF_SIDE_PX)];
  const chosen = new Set<number>();
  for (let i = 1; chosen.size < Math.min(METER_LEAVES, columns * rows) && i < 64 * METER_LEAVES; i++) {
    const x = Math.floor(((i * 0.7548776662466927) % 1) * columns);
    const y = Math.floor(((i * 0.5698402909980532) % 1) * rows);
    chosen.add(y * columns + x);
  }
  return [...chosen]
    .sort((a, b) => a - b)
    .map((leaf) => {
      const [x, y] = [(leaf % columns) * LEAF_SIDE_PX, Math.floor(leaf / columns) * LEAF_SIDE_PX];
      return { x, y, width: Math.min(LEAF_SIDE_PX, width - x), height: Math.min(LEAF_SIDE_PX, height - y) };
    });
}

/** What of an order decides its cost: the same for any size of one shape, any number of samples, any seed. */
export type Metered = Pick<JobOrder, 'sceneRoot' | 'camera' | 'transparent' | 'width' | 'height' | 'bounces'>;

export interface MeterPlan {
  readonly frame: Pick<JobOrder, 'camera' | 'transparent' | 'width' | 'height' | 'bounces' | 'seed'>;
  readonly leaves: readonly Rect[];
  readonly pass: Pass;
}

/** The paths that are counted for an order, the same at every peer: one through each pixel of a few leaves. */
export function meterPlan({ camera, transparent, bounces, ...size }: Metered): MeterPlan {
  const { width, height } = shrunk(size, METER_SIDE_PX);
  const frame = { camera, transparent, width, height, bounces, seed: 0 };
  return { frame, leaves: meterLeaves(frame), pass: { first: 0, count: 1 } };
}

/** Paths of a plan. */
export const meterPaths = ({ leaves }: MeterPlan): number => leaves.reduce((sum, { width, height }) => sum + width * height, 0);

/** What a thousand segments cost, from counters of the meter's leaves: JobOrder.costPerMille. */
export function costPerMille(counted: readonly Counters[]): number {
  const sum = (name: keyof Counters): number => counted.reduce((total, counters) => total + counters[name], 0);
  const segments = sum('segments');
  if (segments === 0) return 1;
  const work = (Object.keys(COSTS) as (keyof typeof COSTS)[]).reduce((total, name) => total + COSTS[name] * sum(name), 0);
  return Math.min(Math.max(Math.round((1000 * work) / segments), 1), COST_PER_MILLE_MAX);
}

/** Does an order pay for what its scene takes? Who counts more than it says need not take its leases. */
export const costAgrees = (ordered: number, counted: number): boolean => counted <= ordered * (1 + COST_TOLERANCE) + 1;
