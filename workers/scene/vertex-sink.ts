/**
 * Packs placed vertices into rows of Vertex and VertexExtra (shaders/layout.ts), each once: vertices whose
 * rows are alike are one, wherever they lie, for positions are the triangles'. Keeps what it has made
 * in a buffer that doubles as it fills.
 */
import { TEXTURE_COORDINATE_MAX } from '#lib/protocol/limits.ts';
import { NONE, Vertex, VertexExtra } from '#shaders/layout.ts';
import { packColor, packNormal, packTangent } from './pack.ts';
import type { PlacedVertices } from './placement.ts';

/** A row of either, the vertex first. */
const WORDS = (Vertex.size + VertexExtra.size) / 4;
const EXTRA = Vertex.size / 4;
const AT = {
  normal: Vertex.offsets.normal / 4,
  tangent: Vertex.offsets.tangent / 4,
  uv0: Vertex.offsets.uv0 / 4,
  uv1: EXTRA + VertexExtra.offsets.uv1 / 4,
  color: EXTRA + VertexExtra.offsets.color / 4,
};
/** Beyond the bound no two texels can be told apart, and the sums of the kernels would overflow. */
const coordinate = (x: number): number => Math.min(TEXTURE_COORDINATE_MAX, Math.max(-TEXTURE_COORDINATE_MAX, x));

const WHITE = [NONE, NONE] as const;
/** A file that makes more rows collide shares fewer of them, and takes no longer. */
const PROBES_MAX = 16;

export class VertexSink {
  #words = new Uint32Array(1024 * WORDS);
  #floats = new Float32Array(this.#words.buffer);
  /** Rows by their hash, one more than their index; at most half of it is used. */
  #table = new Uint32Array(2048);
  #count = 0;
  #extra = false;

  /** @returns for each vertex the row that holds it. */
  add(placed: PlacedVertices): Uint32Array {
    const rows = new Uint32Array(placed.source.length);
    for (let i = 0; i < rows.length; i++) {
      this.#reserve();
      this.#write(placed, i);
      rows[i] = this.#keep();
    }
    return rows;
  }

  /** Behind the last row, as a candidate. */
  #write({ source, normals, tangents, uv, colors }: PlacedVertices, i: number): void {
    const at = this.#count * WORDS;
    const from = source[i] as number;
    const num = (array: Float64Array, k: number): number => array[k] as number;
    this.#words[at + AT.normal] = packNormal([num(normals, i * 3), num(normals, i * 3 + 1), num(normals, i * 3 + 2)]);
    this.#words[at + AT.tangent] = tangents
      ? packTangent([num(tangents, i * 4), num(tangents, i * 4 + 1), num(tangents, i * 4 + 2)], num(tangents, i * 4 + 3))
      : NONE;
    const [first, second] = uv;
    for (let k = 0; k < 2; k++) {
      // + 0: what is equal has one code, and rows are compared as words.
      this.#floats[at + AT.uv0 + k] = first ? coordinate(num(first, from * 2 + k)) + 0 : 0;
      this.#floats[at + AT.uv1 + k] = second ? coordinate(num(second, from * 2 + k)) + 0 : 0;
    }
    const color = colors
      ? packColor(num(colors, from * 4), num(colors, from * 4 + 1), num(colors, from * 4 + 2), num(colors, from * 4 + 3))
      : WHITE;
    this.#words.set(color, at + AT.color);
  }

  /** @returns the row that is like the candidate; the candidate's own when there is none. */
  #keep(): number {
    const words = this.#words;
    const at = this.#count * WORDS;
    const mask = this.#table.length - 1;
    const hash = this.#hash(this.#count);
    for (let probe = 0; probe < PROBES_MAX; probe++) {
      const slot = (hash + probe) & mask;
      const row = (this.#table[slot] as number) - 1;
      if (row < 0) {
        this.#table[slot] = this.#count + 1;
        break;
      }
      let k = 0;
      while (k < WORDS && words[row * WORDS + k] === words[at + k]) k++;
      if (k === WORDS) return row;
    }
    this.#extra ||= (words[at + AT.uv1] as number) !== 0 || (words[at + AT.uv1 + 1] as number) !== 0;
    this.#extra ||= words[at + AT.color] !== NONE || words[at + AT.color + 1] !== NONE;
    return this.#count++;
  }

  #hash(row: number): number {
    let hash = 0x811c9dc5;
    for (let k = 0; k < WORDS; k++) {
      hash = Math.imul(hash ^ (this.#words[row * WORDS + k] as number), 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    return hash >>> 0;
  }

  /** For one row more. */
  #reserve(): void {
    if ((this.#count + 1) * WORDS > this.#words.length) {
      const grown = new Uint32Array(this.#words.length * 2);
      grown.set(this.#words);
      this.#words = grown;
      this.#floats = new Float32Array(grown.buffer);
    }
    if ((this.#count + 1) * 2 <= this.#table.length) return;
    this.#table = new Uint32Array(this.#table.length * 2);
    const mask = this.#table.length - 1;
    for (let row = 0; row < this.#count; row++) {
      const hash = this.#hash(row);
      for (let probe = 0; probe < PROBES_MAX; probe++) {
        const slot = (hash + probe) & mask;
        if (this.#table[slot] !== 0) continue;
        this.#table[slot] = row + 1;
        break;
      }
    }
  }

  /** `extras` is empty when no vertex has more than a Vertex holds. */
  finish(): { readonly vertices: Uint8Array<ArrayBuffer>; readonly extras: Uint8Array<ArrayBuffer> } {
    const column = (from: number, words: number): Uint8Array<ArrayBuffer> => {
      const out = new Uint32Array(this.#count * words);
      for (let row = 0; row < this.#count; row++) {
        for (let k = 0; k < words; k++) out[row * words + k] = this.#words[row * WORDS + from + k] as number;
      }
      return new Uint8Array(out.buffer);
    };
    return { vertices: column(0, EXTRA), extras: this.#extra ? column(EXTRA, WORDS - EXTRA) : new Uint8Array(0) };
  }
}
