/** What happened, counted: bytes per kind of socket and messages dropped per reason. Lost on restart. */

export type Wire = 'control' | 'signal' | 'http';

/** Reasons are ours, but a bound is a bound. */
const REASONS_MAX = 200;

export class Counters {
  readonly bytes: Record<Wire, { in: number; out: number }> = {
    control: { in: 0, out: 0 },
    signal: { in: 0, out: 0 },
    http: { in: 0, out: 0 },
  };
  readonly #counts = new Map<string, number>();

  in(wire: Wire, bytes: number): void {
    this.bytes[wire].in += bytes;
  }

  out(wire: Wire, bytes: number): void {
    this.bytes[wire].out += bytes;
  }

  count(reason: string): void {
    if (this.#counts.has(reason) || this.#counts.size < REASONS_MAX) this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
