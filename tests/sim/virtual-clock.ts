/**
 * Virtual time for whole runs: nobody waits, and a run of minutes takes seconds. Time moves to the
 * next timer only after everything that can happen now has happened, as far as the event loop shows.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '#lib/roles/types.ts';

const LEAP_MS = 2_000;
const LOOK_AGAIN_MS = 50;

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
      let next = this.#next;
      // A long way to go often means that hashing threads are at work: look again before leaping.
      if (!next || next.atMs - this.#nowMs > LEAP_MS) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
        await settle();
        if (until()) return true;
        next = this.#next;
      }
      if (!next || next.atMs > endMs) return false;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
  }
}

/** A few turns of the event loop: promises, then what Web Crypto finishes on its own threads. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
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
