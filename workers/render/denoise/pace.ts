/**
 * How many rows of a layer the next dispatch takes, or how many pixels of two rows: near a budget of milliseconds, by what the last
 * ones took, with at most two submits in flight, so that a page stays usable and work can be stopped.
 * Sizes fall at once and grow by steps: word of two dispatches may arrive together, and then the
 * second looks as if it had taken no time.
 */
import { DENOISE_DISPATCH_MS, DENOISE_DISPATCH_WORK_MAX } from '#lib/protocol/limits.ts';
import { DispatchHistogram } from '../dispatch-histogram.ts';

const IN_FLIGHT_MAX = 2;
/** Multiplications per millisecond before anything was measured: what one core of a processor does. */
const FIRST_RATE = 5e5;
/** Largest step up of the rate between one dispatch and the next. */
const GROWTH_MAX = 1.5;
/** No dispatch is believed to have been quicker. */
const TOOK_MS_MIN = 0.5;
/** Rows of a workgroup, and the fewest that a dispatch takes: a device so slow may leave most of a workgroup idle. */
const ROWS_STEP = 8;
export const ROWS_MIN = 2;
/** Pixels of a row that a dispatch takes at least: a whole step of Winograd's patches. */
const COLUMNS_STEP = 128;

export class Pace {
  #rate = FIRST_RATE;
  #flying: Promise<void>[] = [];
  #lastDoneMs = 0;
  /** How long dispatches took so far. */
  readonly times = new DispatchHistogram();
  /** Multiplications of the largest. */
  mostWork = 0;
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @param rowWork multiplications of one row. @returns an even number of rows, whole workgroups where it can be. */
  rows(rowWork: number): number {
    const work = this.#work();
    const step = work / rowWork >= ROWS_STEP ? ROWS_STEP : ROWS_MIN;
    return Math.max(ROWS_MIN, Math.floor(work / rowWork / step) * step);
  }

  /** @param columnWork multiplications of one pixel of all rows of a dispatch. @returns a multiple of COLUMNS_STEP. */
  columns(columnWork: number): number {
    return Math.max(1, Math.floor(this.#work() / columnWork / COLUMNS_STEP)) * COLUMNS_STEP;
  }

  /** Multiplications that the next dispatch should hold. */
  #work(): number {
    return Math.min(this.#rate * DENOISE_DISPATCH_MS, DENOISE_DISPATCH_WORK_MAX);
  }

  /** Resolves when another dispatch may follow. */
  async submit(queue: GPUQueue, commands: GPUCommandBuffer, work: number): Promise<void> {
    const submittedMs = this.#now();
    queue.submit([commands]);
    this.mostWork = Math.max(this.mostWork, work);
    this.#flying.push(queue.onSubmittedWorkDone().then(() => this.#note(work, submittedMs)));
    if (this.#flying.length >= IN_FLIGHT_MAX) await this.#flying.shift();
  }

  async settle(): Promise<void> {
    await Promise.all(this.#flying);
    this.#flying = [];
  }

  #note(work: number, submittedMs: number): void {
    const now = this.#now();
    const ms = Math.max(now - Math.max(submittedMs, this.#lastDoneMs), TOOK_MS_MIN);
    this.#lastDoneMs = now;
    this.times.add(ms);
    const seen = work / ms;
    // The rest of a layer is little work, and what a submit costs by itself would make the device look slow.
    const rest = ms <= DENOISE_DISPATCH_MS && work < this.#work() / 2;
    if (seen > this.#rate || !rest) this.#rate = Math.min(seen, this.#rate * GROWTH_MAX);
  }
}
