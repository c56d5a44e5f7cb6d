/**
 * Numbers a set of keys of two or three doubles in the order they come: a hash table of fixed size, by
 * exact equality, -0 being 0. Refuses nothing and forgets nothing; holds `most` keys.
 */
export class KeyTable {
  count = 0;
  readonly #slots: Int32Array;
  readonly #keys: Float64Array;
  readonly #width: number;

  constructor(most: number, width: 2 | 3) {
    let size = 16;
    while (size < most * 2) size *= 2;
    this.#slots = new Int32Array(size).fill(-1);
    this.#keys = new Float64Array(Math.max(most, 1) * width);
    this.#width = width;
  }

  /** Number of the key (a, b, c), or of (a, b) in a table of two. */
  index(a: number, b: number, c: number): number {
    const mask = this.#slots.length - 1;
    const three = this.#width === 3;
    for (let slot = mix(mix(mix(0, a), b), three ? c : 0) & mask; ; slot = (slot + 1) & mask) {
      const known = this.#slots[slot] as number;
      if (known < 0) {
        this.#slots[slot] = this.count;
        const at = this.count * this.#width;
        this.#keys[at] = a;
        this.#keys[at + 1] = b;
        if (three) this.#keys[at + 2] = c;
        return this.count++;
      }
      const at = known * this.#width;
      if (this.#keys[at] === a && this.#keys[at + 1] === b && (!three || this.#keys[at + 2] === c)) return known;
    }
  }

  point(index: number): readonly [number, number, number] {
    const at = index * this.#width;
    return [this.#keys[at] as number, this.#keys[at + 1] as number, this.#keys[at + 2] as number];
  }
}

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

function mix(hash: number, value: number): number {
  float[0] = value + 0; // -0 becomes 0
  let x = Math.imul(hash ^ (words[0] as number), 0x21f0aaad) ^ (words[1] as number);
  x ^= x >>> 15;
  x = Math.imul(x, 0xd35a2d97);
  return x ^ (x >>> 15);
}
