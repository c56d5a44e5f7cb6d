/**
 * How many paths the next dispatch takes. A dispatch cannot be interrupted, so each is kept near a
 * budget of milliseconds and well below a hard cap, from what the last ones took: sizes fall at
 * once and grow by steps, and the more the picture surprises the more room is left below the cap.
 * A lost device halves the budget; good dispatches win it back. Refuses to look at a clock.
 */
import type { Pace } from '#lib/gpu/engine.ts';
import { DISPATCH_MS_CAP } from '#lib/protocol/limits.ts';
import { DispatchHistogram } from './dispatch-histogram.ts';

/** Milliseconds a dispatch should take: 8 to 12 where frames are drawn beside it, 40 to 60 where nothing is. */
const BUDGET_MS: Readonly<Record<Pace['place'], number>> = { foreground: 10, idle: 50 };
const BUDGET_MIN_MS = 1;
/** Predicted times stay this far below the cap. */
const CAP_AIM = 0.8;
/** Paths of the first dispatch on a device or scene of which nothing is known. */
export const FIRST_PATHS = 512;
/** Largest step up between one measured dispatch and the next. */
const GROWTH_MAX = 4;
const SHRINK_MAX = 16;
/** Fewer fill no workgroup. */
const PATHS_MIN = 64;
/** Sizes of two dispatches differ by so much before they tell what a dispatch costs that traces nothing. */
const REFERENCE_RATIO = 1.5;
/** A request begins with so many times less than the last one ended with: it may see a costlier part of the picture. */
const SOFT_START = { sameFrame: 4, otherFrame: 16 };
/** How much longer than predicted a dispatch took, at worst lately. */
const SURPRISE_MAX = 5;
const SURPRISE_FIRST = 2;
const SURPRISE_DECAY = 0.99;
/** Good dispatches in a row that win back half of what a lost device took. */
const RECOVERY_DISPATCHES = 64;

const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

export class Pacer {
  readonly histogram = new DispatchHistogram();
  #place: Pace['place'] = 'idle';
  /** Halvings of the budget that lost devices have left. */
  #halvings = 0;
  #good = 0;
  #paths = FIRST_PATHS;
  #surprise = SURPRISE_FIRST;
  /** Milliseconds per path of the last dispatch beyond the latency; 0 before the first. */
  #cost = 0;
  /** A dispatch to compare others with. */
  #reference = { paths: 0, ms: 0 };
  /** What a dispatch takes however small it is: where that exceeds the budget, smaller ones would only waste it. */
  #latencyMs = 0;

  /** Milliseconds that the next dispatch may take. */
  get budgetMs(): number {
    const usual = BUDGET_MS[this.#place];
    const roomy = clamp((DISPATCH_MS_CAP * CAP_AIM) / this.#surprise, usual / SURPRISE_MAX, usual);
    return Math.max(roomy / 2 ** this.#halvings, BUDGET_MIN_MS);
  }

  place(place: Pace['place']): void {
    this.#place = place;
  }

  /** Another scene or kernel: what was measured says nothing about it. */
  restart(): void {
    this.#paths = FIRST_PATHS;
    this.#surprise = SURPRISE_FIRST;
    this.#cost = 0;
    this.#reference = { paths: 0, ms: 0 };
    this.#latencyMs = 0;
  }

  /** The next dispatches belong to another request for the same scene. */
  begin(from: keyof typeof SOFT_START): void {
    this.#paths = Math.max(this.#paths / SOFT_START[from], Math.min(this.#paths, FIRST_PATHS));
  }

  /** Whole pixels of `samples` paths each, at least one, at most `left`, and no more than `most` paths where they fit. */
  pixels(samples: number, left: number, most: number): number {
    return clamp(Math.floor(Math.min(this.#paths, most) / samples), 1, left);
  }

  /** @param ms what the dispatch of so many paths took on the device. */
  note(paths: number, ms: number): void {
    this.histogram.add(ms);
    const took = Math.max(ms, 0.05);
    this.#learn(paths, took);
    const ratio = Math.max(this.budgetMs, Math.min(2 * this.#latencyMs, DISPATCH_MS_CAP * CAP_AIM)) / took;
    if (ratio < 1) this.#paths = Math.max(Math.min(this.#paths, paths * Math.max(ratio, 1 / SHRINK_MAX)), PATHS_MIN);
    // The last dispatch of a request is small: that it was quick says nothing about large ones.
    else this.#paths = Math.max(this.#paths, paths * Math.min(Math.sqrt(ratio), GROWTH_MAX));
    this.#recover(took);
  }

  #learn(paths: number, took: number): void {
    if (paths * 2 >= this.#paths) {
      const predicted = this.#latencyMs + this.#cost * paths;
      if (this.#cost > 0) this.#surprise = clamp(took / predicted, Math.max(this.#surprise * SURPRISE_DECAY, 1), SURPRISE_MAX);
      this.#cost = Math.max(took - this.#latencyMs, took / 5) / paths;
    }
    const { paths: others, ms } = this.#reference;
    const [small, large] = [Math.min(paths, others), Math.max(paths, others)];
    if (others > 0 && large < small * REFERENCE_RATIO) return;
    this.#reference = { paths, ms: took };
    if (others === 0) return;
    const [quick, long] = paths < others ? [took, ms] : [ms, took];
    // Where the line through both meets no paths at all; never more than four fifths of the smaller one's time.
    const fixed = clamp((quick * large - long * small) / (large - small), 0, quick * 0.8);
    this.#latencyMs = this.#latencyMs === 0 ? fixed : (this.#latencyMs + fixed) / 2;
  }

  /** The device was lost, and a long dispatch may be why. */
  halve(): void {
    this.#halvings += 1;
    this.#good = 0;
    this.restart();
  }

  #recover(took: number): void {
    this.#good = took <= DISPATCH_MS_CAP ? this.#good + 1 : 0;
    if (this.#good < RECOVERY_DISPATCHES) return;
    this.#good = 0;
    this.#halvings = Math.max(this.#halvings - 1, 0);
  }
}
