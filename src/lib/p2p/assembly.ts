/**
 * The half-arrived messages of one link. Refuses what would make a peer's unfinished words cost
 * memory: a request's body must have been accepted by its head before any of it is kept, a message
 * that stops coming is dropped, and all links of a net share one bound.
 */
import {
  PEER_ASSEMBLY_BYTES_MAX,
  PEER_MESSAGE_TIMEOUT_MS,
  PEER_REQUESTS_IN_FLIGHT_MAX,
  PEER_REQUEST_TIMEOUT_MS,
} from '../protocol/limits.ts';
import { Assembler, type Assembly, type Frame } from './framing.ts';

/** Bytes held by all links of one net; shared by reference. */
export interface AssemblyBudget {
  bytes: number;
}

interface Entry {
  readonly assembler: Assembler;
  readonly startedMs: number;
  touchedMs: number;
}

export class Assemblies {
  readonly #budget: AssemblyBudget;
  readonly #entries = new Map<string, Entry>();

  constructor(budget: AssemblyBudget) {
    this.#budget = budget;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(frame: Frame): boolean {
    return this.#entries.has(keyOf(frame));
  }

  /**
   * @param discard for the first frame of a message nobody wants: the rest is counted and not kept,
   *   and `whole` is never returned for it.
   * @returns `broken` also when a bound is passed.
   */
  add(frame: Frame, nowMs: number, discard = false): Assembly {
    const key = keyOf(frame);
    let entry = this.#entries.get(key);
    if (!entry) {
      // Twice the slots: own replies and the peer's requests. More is a peer that ignores the bound.
      if (this.#entries.size >= 2 * PEER_REQUESTS_IN_FLIGHT_MAX) return { status: 'broken' };
      entry = { assembler: new Assembler(frame, !discard), startedMs: nowMs, touchedMs: nowMs };
      this.#entries.set(key, entry);
    }
    entry.touchedMs = nowMs;
    const before = entry.assembler.heldBytes;
    const assembly = entry.assembler.add(frame);
    this.#budget.bytes += entry.assembler.heldBytes - before;
    if (assembly.status !== 'more') this.#forget(key);
    return this.#budget.bytes > PEER_ASSEMBLY_BYTES_MAX ? { status: 'broken' } : assembly;
  }

  delete(kind: number, stream: number): void {
    this.#forget(`${kind}:${stream}`);
  }

  /** Drops what has not moved for PEER_REQUEST_TIMEOUT_MS, and what took PEER_MESSAGE_TIMEOUT_MS in all. */
  expire(nowMs: number): void {
    for (const [key, { startedMs, touchedMs }] of this.#entries) {
      if (nowMs - touchedMs >= PEER_REQUEST_TIMEOUT_MS || nowMs - startedMs >= PEER_MESSAGE_TIMEOUT_MS) this.#forget(key);
    }
  }

  clear(): void {
    for (const key of [...this.#entries.keys()]) this.#forget(key);
  }

  #forget(key: string): void {
    this.#budget.bytes -= this.#entries.get(key)?.assembler.heldBytes ?? 0;
    this.#entries.delete(key);
  }
}

const keyOf = ({ kind, stream }: Pick<Frame, 'kind' | 'stream'>): string => `${kind}:${stream}`;
