/**
 * The device's own clock around one submission, where it has `timestamp-query`: two passes that do
 * nothing write the time before and after the work. Says null where the clock is not there or not
 * to be believed, which the specification allows.
 */
const BYTES = 16;

export class DispatchClock {
  /** Bytes that `stop` copies and `read` takes. */
  readonly bytes: number;
  readonly #queries: GPUQuerySet | null;
  readonly #resolved: GPUBuffer | null;

  constructor(device: GPUDevice) {
    const there = device.features.has('timestamp-query');
    this.bytes = there ? BYTES : 0;
    this.#queries = there ? device.createQuerySet({ label: 'dispatch clock', type: 'timestamp', count: 2 }) : null;
    const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
    this.#resolved = there ? device.createBuffer({ label: 'dispatch clock', size: BYTES, usage }) : null;
  }

  start(encoder: GPUCommandEncoder): void {
    if (!this.#queries) return;
    encoder.beginComputePass({ label: 'start', timestampWrites: { querySet: this.#queries, beginningOfPassWriteIndex: 0 } }).end();
  }

  /** @param at multiple of 4, with room for `bytes`. */
  stop(encoder: GPUCommandEncoder, staging: GPUBuffer, at: number): void {
    if (!this.#queries || !this.#resolved) return;
    encoder.beginComputePass({ label: 'stop', timestampWrites: { querySet: this.#queries, endOfPassWriteIndex: 1 } }).end();
    encoder.resolveQuerySet(this.#queries, 0, 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, staging, at, BYTES);
  }

  /** @returns milliseconds between start and stop. */
  read(mapped: ArrayBuffer, at: number): number | null {
    if (!this.#queries) return null;
    const [start = 0n, stop = 0n] = new BigUint64Array(mapped.slice(at, at + BYTES));
    return stop > start ? Number(stop - start) / 1e6 : null;
  }
}
