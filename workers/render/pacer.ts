/**
 * How many paths the next dispatch takes. A dispatch cannot be interrupted, so each is kept near a
 * budget of milliseconds, from what the last ones took; a lost device halves the budget.
 */
import { WORKGROUP } from '#shaders/layout.ts';
import { LANE_PATHS_MAX } from './lane.ts';

/** Milliseconds a dispatch should take; the hard cap of the design is 100. */
const BUDGET_MS = 45;
const FIRST_PATHS = 16 * WORKGROUP;
const GROWTH_MAX = 4;
const SMOOTHING = 0.4;

export class Pacer {
  #budgetMs = BUDGET_MS;
  #paths = FIRST_PATHS;
  /** Paths per millisecond; 0 before the first measurement. */
  #rate = 0;

  /** Whole pixels of `samples` paths each, at least one and at most `left`. */
  pixels(samples: number, left: number): number {
    const wanted = this.#rate > 0 ? Math.min(this.#rate * this.#budgetMs, this.#paths * GROWTH_MAX) : this.#paths;
    this.#paths = Math.min(Math.max(wanted, WORKGROUP), LANE_PATHS_MAX);
    return Math.min(Math.max(Math.floor(this.#paths / samples), 1), left);
  }

  note(paths: number, ms: number): void {
    const rate = paths / Math.max(ms, 0.05);
    this.#rate = this.#rate === 0 ? rate : this.#rate + SMOOTHING * (rate - this.#rate);
  }

  halve(): void {
    this.#budgetMs /= 2;
    this.#paths = FIRST_PATHS;
    this.#rate = 0;
  }
}
