/**
 * When an engine tunes: never for a fixed variant, never on software, not before the first picture
 * is out of the way, and once per adapter and kernel source, for findings are kept. Until it knows,
 * the default runs. Refuses to measure anything itself: autotune.ts does.
 */
import type { Adapter } from '#lib/protocol/control.ts';
import type { HostClock } from './duty-cycle.ts';
import {
  kernelsAndTrees,
  parseTuned,
  softwareTuned,
  tuneKey,
  tuneSession,
  untuned,
  withWorkgroups,
  type Tuned,
  type TuneStore,
} from './autotune.ts';
import { LANE_PATHS_MAX } from './lane.ts';
import type { Session } from './session.ts';
import { tuneScene } from './tune-scene.ts';
import type { Variant } from './variant.ts';

export interface TunerParts {
  readonly shader: string;
  readonly clock: HostClock;
  readonly store: TuneStore | undefined;
  readonly fixed: Variant | undefined;
  /** Runs work when nothing else is in flight. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
}

export class Tuner {
  readonly #parts: TunerParts;
  #tuned: Tuned;
  /** Adapters that are tuned or being tuned, by key. */
  readonly #adapters = new Map<string, Promise<Tuned>>();

  constructor(parts: TunerParts) {
    this.#parts = parts;
    this.#tuned = parts.fixed ? { variant: parts.fixed, paths: LANE_PATHS_MAX } : untuned;
  }

  /** What is known now. */
  get tuned(): Tuned {
    return this.#tuned;
  }

  /** A test or a bench has named the variant: nothing may stand in for it. */
  get isFixed(): boolean {
    return this.#parts.fixed !== undefined;
  }

  /** Reads what is known of this adapter; quick. */
  async recall(adapter: Adapter): Promise<Tuned> {
    if (this.#parts.fixed) return this.#tuned;
    if (adapter.software) this.#tuned = softwareTuned(adapter);
    else this.#tuned = (await this.#kept(tuneKey(adapter, this.#parts.shader))) ?? this.#tuned;
    return this.#tuned;
  }

  /** Tunes unless that was done. Resolves when it is settled; a lost device leaves it for another time. */
  settle(session: Session): Promise<Tuned> {
    const { fixed, shader } = this.#parts;
    if (fixed || session.adapter.software) return Promise.resolve(this.#tuned);
    const key = tuneKey(session.adapter, shader);
    const known = this.#adapters.get(key);
    if (known) return known;
    // A device that goes away meanwhile may throw anywhere: an engine that could not tune is one that has not.
    const settled = this.#settle(session, key).catch(() => this.#tuned);
    this.#adapters.set(key, settled);
    return settled;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#adapters.values());
  }

  async #settle(session: Session, key: string): Promise<Tuned> {
    const kept = await this.#kept(key);
    if (kept) return (this.#tuned = kept);
    const scene = await tuneScene(new AbortController().signal);
    await Promise.all([...kernelsAndTrees, ...kernelsAndTrees.flatMap(withWorkgroups)].map((variant) => session.build(variant)));
    const { clock, store, exclusively } = this.#parts;
    const found = await exclusively(() => (session.fault === null ? tuneSession(session, scene, clock) : Promise.resolve(null)));
    if (!found) {
      this.#adapters.delete(key);
      return this.#tuned;
    }
    await store?.set(key, JSON.stringify(found)).catch(() => undefined);
    return (this.#tuned = found);
  }

  async #kept(key: string): Promise<Tuned | null> {
    return parseTuned((await this.#parts.store?.get(key).catch(() => null)) ?? null);
  }
}
