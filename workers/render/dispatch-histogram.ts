/** How long dispatches took, in bins that double; what shows whether the hard cap holds. Counts only. */
import type { DispatchTimes } from '#lib/gpu/engine.ts';
import { DISPATCH_MS_CAP } from '#lib/protocol/limits.ts';

/** Upper edges in milliseconds; one more bin holds what is above the cap. */
const EDGES_MS = [1, 2, 4, 8, 12, 16, 32, 64, DISPATCH_MS_CAP] as const;

export class DispatchHistogram {
  readonly #counts = EDGES_MS.map(() => 0).concat(0);
  #longestMs = 0;

  add(ms: number): void {
    const bin = EDGES_MS.findIndex((edge) => ms <= edge);
    this.#counts[bin < 0 ? EDGES_MS.length : bin]! += 1;
    this.#longestMs = Math.max(this.#longestMs, ms);
  }

  read(): DispatchTimes {
    return { edgesMs: EDGES_MS, counts: [...this.#counts], longestMs: this.#longestMs };
  }
}
