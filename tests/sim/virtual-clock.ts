/**
 * Virtual time for whole runs: nobody waits, and a run of minutes takes seconds. Time moves to the
 * next timer only after everything that can happen now has happened, as far as the event loop shows.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '#lib/roles/types.ts';

/**
 * Hashes and signatures under way. Web Crypto works on threads of its own, and time must not pass
 * meanwhile: a second of virtual time may take less than one signature.
 */
let hashing = 0;
for (const name of ['digest', 'sign', 'verify', 'importKey'] as const) {
  const real = crypto.subtle[name].bind(crypto.subtle) as (...args: unknown[]) => Promise<unknown>;
  const counted = async (...args: unknown[]): Promise<unknown> => {
    hashing++;
    try {
      return await real(...args);
    } finally {
      hashing--;
    }
  };
  Object.defineProperty(crypto.subtle, name, { value: counted });
}

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly fire: () => void;
}

export class VirtualClock implements Clock {
  #nowMs: number;
  #timers: Timer[] = [];
  #order = 0;

  constructor(startMs = Date.UTC(2027, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return Math.floor(this.#nowMs);
  }

  sleep(signal: AbortSignal, ms: number): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    // Many sleep under one signal here; Node would take that for a leak.
    setMaxListeners(0, signal);
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#timers = this.#timers.filter((other) => other !== timer);
        resolve();
      };
      const timer: Timer = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, fire: done };
      this.#timers.push(timer);
      signal.addEventListener('abort', done);
    });
  }

  get #next(): Timer | undefined {
    return this.#timers.toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
  }

  /** Lets time pass until `until` holds. @returns false when `limitMs` of virtual time went by first. */
  async run(until: () => boolean, limitMs: number, settle: () => Promise<void>): Promise<boolean> {
    const endMs = this.#nowMs + limitMs;
    for (;;) {
      await settle();
      if (until()) return true;
      const next = this.#next;
      if (!next || next.atMs > endMs) return false;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
  }
}

/** Turns of the event loop until everything that can happen now has happened. */
export async function turns(count = 3): Promise<void> {
  for (let quiet = 0; quiet < count; quiet = hashing > 0 ? 0 : quiet + 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Mulberry32: small, seeded, good enough to shuffle delays. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
