/**
 * Picks the variant that traces most rays a second on this adapter, by trying: kernel and tree
 * first, then the workgroup of the best, then how many paths a dispatch should have. Speed alone is
 * chosen: a variant whose film differs by a bit from the first one's is out, whatever its speed.
 * Software adapters are not tried: their answer is known (tests/BENCH.md), and compiling what would
 * lose costs them seconds. What was found is kept by adapter and kernel source.
 */
import { filmSegments } from '#lib/job/film.ts';
import type { Adapter } from '#lib/protocol/control.ts';
import { toHex, sha256 } from '#lib/protocol/bytes.ts';
import { TUNE_MS_MAX } from '#lib/protocol/limits.ts';
import type { CompiledScene } from '../scene/compiled-scene.ts';
import type { HostClock } from './duty-cycle.ts';
import { encodeFrame } from './frame.ts';
import { LANE_PATHS_MAX } from './lane.ts';
import type { ReadyScene, Session } from './session.ts';
import { TUNE_SIDE_PX, tuneRequest } from './tune-scene.ts';
import { DEFAULT_VARIANT, KERNELS, softwareVariant, TREES, variantKey, WORKGROUPS, type Variant } from './variant.ts';

/** What the tuner found for an adapter. */
export interface Tuned {
  readonly variant: Variant;
  /** Paths beyond which a dispatch gains nothing. */
  readonly paths: number;
}

/** Where findings outlive the process. Losing one costs a third of a second; a store that fails is a store without it. */
export interface TuneStore {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<void>;
}

/** A variant must be this much faster than the one before it in the list to be preferred. */
const GAIN_MIN = 1.05;
const FIRST_PATHS = 1 << 12;
/** A measurement is long enough when it takes this long on the device. */
const MEASURE_MS = 5;
const ENOUGH = 0.95;
const LONG_MS = 50;

export const softwareTuned = (adapter: Adapter): Tuned => ({
  variant: softwareVariant(`${adapter.class} ${adapter.name}`),
  paths: LANE_PATHS_MAX,
});
export const untuned: Tuned = { variant: DEFAULT_VARIANT, paths: LANE_PATHS_MAX };

export const kernelsAndTrees: readonly Variant[] = KERNELS.flatMap((kernel) =>
  TREES.map((tree): Variant => ({ kernel, tree, workgroup: DEFAULT_VARIANT.workgroup })),
);

export const withWorkgroups = (variant: Variant): readonly Variant[] =>
  WORKGROUPS.filter((workgroup) => workgroup !== variant.workgroup).map((workgroup) => ({ ...variant, workgroup }));

/** What is tried: `first` against each other, `next` what resembles the best. */
export interface TunedVariants {
  readonly first: readonly Variant[];
  readonly next: (best: Variant) => readonly Variant[];
}

export const ALL_VARIANTS: TunedVariants = { first: kernelsAndTrees, next: withWorkgroups };

export const tuneKey = ({ class: kind, name }: Adapter, shader: string): string => `${kind} ${name} ${shader.slice(0, 16)}`;

/** A finding as it was kept; null when it is none, or of variants that are no more. */
export function parseTuned(text: string | null): Tuned | null {
  try {
    const { variant, paths } = JSON.parse(text ?? 'null') as Tuned;
    const known = [...kernelsAndTrees, ...kernelsAndTrees.flatMap(withWorkgroups)].find((each) => variantKey(each) === variantKey(variant));
    return known && Number.isInteger(paths) && paths >= FIRST_PATHS && paths <= LANE_PATHS_MAX ? { variant: known, paths } : null;
  } catch {
    return null;
  }
}

/** Rays per millisecond of one variant, and the film by which it is known to be right. */
export interface Measure {
  readonly variant: Variant;
  readonly raysPerMs: number;
  readonly film: string;
}

/** The first in the list unless a later one is faster by more than noise; only those that agree with the first. */
export function fastest(measures: readonly Measure[]): Measure | null {
  const [first, ...others] = measures;
  if (!first) return null;
  return others.reduce((best, next) => (next.film === first.film && next.raysPerMs > best.raysPerMs * GAIN_MIN ? next : best), first);
}

/** Dispatches of the tune scene on a session that nothing else uses meanwhile. */
export class TuneBench {
  readonly #session: Session;
  readonly #root: string;
  readonly #clock: HostClock;
  readonly #untilMs: number;

  constructor(session: Session, root: string, clock: HostClock) {
    this.#session = session;
    this.#root = root;
    this.#clock = clock;
    this.#untilMs = clock.nowMs() + TUNE_MS_MAX;
  }

  /** Time is up: what was measured so far decides. */
  get over(): boolean {
    return this.#clock.nowMs() >= this.#untilMs;
  }

  /** @returns null when the device is lost. */
  async measure(scene: ReadyScene): Promise<Measure | null> {
    const first = await this.dispatch(scene, FIRST_PATHS);
    if (!first) return null;
    let found = first;
    for (let paths = FIRST_PATHS * 4; paths <= LANE_PATHS_MAX && found.ms < MEASURE_MS && !this.over; paths *= 4) {
      const next = await this.dispatch(scene, paths);
      // No memory for as many, or no device: what was measured stands.
      if (!next) break;
      found = next;
    }
    return { variant: scene.variant, raysPerMs: found.rays / found.ms, film: first.film };
  }

  /** Fewest paths whose rate is close to the best. */
  async enough(scene: ReadyScene): Promise<number> {
    const rates: { paths: number; rate: number }[] = [];
    for (let paths = 1 << 16; paths <= LANE_PATHS_MAX && !this.over; paths *= 4) {
      const found = await this.dispatch(scene, paths);
      if (!found) break;
      rates.push({ paths, rate: found.rays / found.ms });
      // The pacer allows no dispatch so long: whether more paths gain anything does not matter.
      if (found.ms > LONG_MS) break;
    }
    const best = Math.max(...rates.map(({ rate }) => rate));
    const enough = rates.find(({ rate }) => rate >= best * ENOUGH);
    return enough && rates.length > 1 ? enough.paths : LANE_PATHS_MAX;
  }

  async dispatch(scene: ReadyScene, paths: number): Promise<{ rays: number; ms: number; film: string } | null> {
    const samples = Math.max(1, paths / TUNE_SIDE_PX ** 2);
    const pixels = paths / samples;
    const request = tuneRequest(this.#root, samples);
    const frame = encodeFrame(request, scene.buffers.frame, { first: TUNE_SIDE_PX ** 2 - pixels, count: pixels });
    const start = this.#clock.nowMs();
    const result = await this.#session.lanes[0]!.run(scene, { frame, pixels, paths, count: false }).catch(() => null);
    if (!result || result === 'no-memory' || this.#session.fault !== null) return null;
    const ms = Math.max(result.deviceMs ?? this.#clock.nowMs() - start, 0.01);
    return { rays: filmSegments(result.light), ms, film: toHex(sha256(result.light)) };
  }
}

/**
 * Measures all variants within TUNE_MS_MAX; their pipelines must be there, and nothing else may be
 * in flight. @returns null when the device was lost on the way.
 */
export async function tuneSession(
  session: Session,
  scene: CompiledScene,
  clock: HostClock,
  variants: TunedVariants = ALL_VARIANTS,
): Promise<Tuned | null> {
  const { root } = scene.summary;
  const bench = new TuneBench(session, root, clock);
  const measureAll = async (variants: readonly Variant[]): Promise<Measure[] | null> => {
    const out: Measure[] = [];
    for (const variant of variants) {
      if (bench.over) break;
      const ready = await session.ready(root, scene, variant);
      // A variant that this device refuses is no candidate.
      if (!ready.ok && session.fault !== null) return null;
      const found = ready.ok ? await bench.measure(ready.scene) : null;
      if (!found && session.fault !== null) return null;
      if (found) out.push(found);
    }
    return out;
  };
  const tried = await measureAll(variants.first);
  const leader = tried && fastest(tried);
  if (!leader) return null;
  const sized = await measureAll(variants.next(leader.variant));
  if (!sized) return null;
  const { variant } = fastest([leader, ...sized]) ?? leader;
  const ready = await session.ready(root, scene, variant);
  const paths = ready.ok ? await bench.enough(ready.scene) : LANE_PATHS_MAX;
  session.drop(root);
  return session.fault === null ? { variant, paths } : null;
}
