/**
 * How many rows of a layer the next dispatch takes: near a budget of milliseconds, by what the last
 * ones took, with at most two submits in flight, so that a page stays usable and work can be stopped.
 */
import { DENOISE_DISPATCH_MS } from '#lib/protocol/limits.ts';

const IN_FLIGHT_MAX = 2;
/** Multiplications per millisecond before anything was measured: what a processor does. */
const FIRST_RATE = 1e6;
const SMOOTHING = 0.4;
/** Rows of a workgroup. */
const ROWS_STEP = 8;

export class Pace {
  #rate = FIRST_RATE;
  #flying: Promise<void>[] = [];
  #lastDoneMs = 0;
  /** Longest dispatch so far, milliseconds. */
  longestMs = 0;
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @param rowWork multiplications of one row. */
  rows(rowWork: number): number {
    const rows = Math.floor((this.#rate * DENOISE_DISPATCH_MS) / rowWork / ROWS_STEP) * ROWS_STEP;
    return Math.max(ROWS_STEP, rows);
  }

  /** Resolves when another dispatch may follow. */
  async submit(queue: GPUQueue, commands: GPUCommandBuffer, work: number): Promise<void> {
    const submittedMs = this.#now();
    queue.submit([commands]);
    this.#flying.push(queue.onSubmittedWorkDone().then(() => this.#note(work, submittedMs)));
    if (this.#flying.length >= IN_FLIGHT_MAX) await this.#flying.shift();
  }

  async settle(): Promise<void> {
    await Promise.all(this.#flying);
    this.#flying = [];
  }

  #note(work: number, submittedMs: number): void {
    const now = this.#now();
    const ms = Math.max(now - Math.max(submittedMs, this.#lastDoneMs), 0.05);
    this.#lastDoneMs = now;
    this.longestMs = Math.max(this.longestMs, ms);
    this.#rate += SMOOTHING * (work / ms - this.#rate);
  }
}
