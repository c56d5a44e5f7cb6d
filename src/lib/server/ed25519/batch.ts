/**
 * Verifies Ed25519 signatures many at a time, at about a fifth of what each alone costs (kernel/kernel.as). By the
 * rule of protocol/ed25519, with the cofactor: what it accepts each of them is accepted alone. Refuses to say
 * which of a batch is false: then each is verified alone, so that a batch is only ever a quicker yes.
 */
import { hash, randomFillSync } from 'node:crypto';
import { concat, fromHex, toHex } from '../../protocol/bytes.ts';
import { isWellFormed } from '../../protocol/ed25519.ts';
import type { Verify } from '../../protocol/envelope.ts';
import { KERNEL_WASM } from './kernel-wasm.ts';

/** Below this a batch costs as much as its signatures alone. */
const BATCH_MIN = 8;
/** RFC 8032 section 5.1: B. */
const BASE = fromHex('58'.padEnd(64, '6'));
const BASE_PLACE = 0;
/** Where in the kernel's input a signature's parts begin. */
const HASH_AT = 64;
const RANDOM_AT = 128;
const INPUT_BYTES = 144;

interface KernelExports extends WebAssembly.Exports {
  readonly memory: WebAssembly.Memory;
  start(): void;
  input(): number;
  batchMax(): number;
  keysMax(): number;
  keep(place: number): number;
  clear(): void;
  add(key: number): number;
  holds(): number;
}

interface Signed {
  readonly sig: Uint8Array;
  readonly bytes: Uint8Array;
  readonly key: Uint8Array;
}

class Kernel {
  readonly batchMax: number;
  readonly #exports: KernelExports;
  readonly #input: Uint8Array;
  readonly #keysMax: number;
  /** Places of the keys that are kept, by hex; null for what is no point. */
  readonly #places = new Map<string, number | null>();

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(KERNEL_WASM, 'base64'));
    this.#exports = new WebAssembly.Instance(module).exports as KernelExports;
    const { memory, start, input, batchMax, keysMax } = this.#exports;
    start();
    this.#input = new Uint8Array(memory.buffer, input(), INPUT_BYTES);
    this.batchMax = batchMax();
    this.#keysMax = keysMax();
    this.#forgetKeys();
  }

  #forgetKeys(): void {
    this.#places.clear();
    this.#place(BASE);
  }

  #place(key: Uint8Array): number | null {
    const name = toHex(key);
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = this.#places.size + BASE_PLACE;
    this.#input.set(key);
    const kept = this.#exports.keep(place) ? place : null;
    this.#places.set(name, kept);
    return kept;
  }

  /** Do all of them hold? No, if one of them is malformed. @param batch no more than `batchMax`. */
  hold(batch: readonly Signed[]): boolean {
    if (this.#places.size + batch.length > this.#keysMax) this.#forgetKeys();
    this.#exports.clear();
    const randoms = randomFillSync(new Uint8Array(16 * batch.length));
    for (const [i, { sig, bytes, key }] of batch.entries()) {
      const place = isWellFormed(sig, key) ? this.#place(key) : null;
      if (place === null) return false;
      this.#input.set(sig);
      this.#input.set(hash('sha512', concat(sig.subarray(0, 32), key, bytes), 'buffer'), HASH_AT);
      this.#input.set(randoms.subarray(16 * i, 16 * i + 16), RANDOM_AT);
      if (!this.#exports.add(place)) return false;
    }
    return this.#exports.holds() === 1;
  }
}

let running: Kernel | null = null;

/** Verifies together what is asked for in one turn, and by `alone` what does not hold together, or is too few. */
export function together(alone: Verify): Verify {
  let waiting: (Signed & { readonly resolve: (good: Promise<boolean>) => void })[] = [];
  const verify = (): void => {
    const kernel = (running ??= new Kernel());
    while (waiting.length > 0) {
      const batch = waiting.splice(0, kernel.batchMax);
      const good = batch.length >= BATCH_MIN && kernel.hold(batch);
      for (const { sig, bytes, key, resolve } of batch) resolve(good ? Promise.resolve(true) : alone(sig, bytes, key));
    }
  };
  return (sig, bytes, key) =>
    new Promise((resolve) => {
      if (waiting.length === 0) setImmediate(verify);
      waiting.push({ sig, bytes, key, resolve });
    });
}
