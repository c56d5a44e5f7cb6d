/** Packs placed vertices into Vertex rows (shaders/layout.ts) in a buffer that doubles as it fills. */
import { TEXTURE_COORDINATE_MAX } from '#lib/protocol/limits.ts';
import { NONE, Vertex } from '#shaders/layout.ts';
import { packColor, packNormal, packTangent } from './pack.ts';
import type { PlacedVertices } from './placement.ts';

const WORDS = Vertex.size / 4;
const AT = {
  normal: Vertex.offsets.normal / 4,
  tangent: Vertex.offsets.tangent / 4,
  uv0: Vertex.offsets.uv0 / 4,
  uv1: Vertex.offsets.uv1 / 4,
  color: Vertex.offsets.color / 4,
};
/** Beyond the bound no two texels can be told apart, and the sums of the kernels would overflow. */
const coordinate = (x: number): number => Math.min(TEXTURE_COORDINATE_MAX, Math.max(-TEXTURE_COORDINATE_MAX, x));

const WHITE = [0xffffffff, 0xffffffff] as const;

export class VertexSink {
  #words = new Uint32Array(1024 * WORDS);
  #floats = new Float32Array(this.#words.buffer);
  #count = 0;

  /** @returns the index of the first vertex added. */
  add(placed: PlacedVertices): number {
    const { source, normals, tangents } = placed;
    const base = this.#count;
    this.#reserve(base + source.length);
    const num = (array: Float64Array, i: number): number => array[i] as number;
    for (let i = 0; i < source.length; i++) {
      const at = (base + i) * WORDS;
      const from = source[i] as number;
      this.#words[at + AT.normal] = packNormal([num(normals, i * 3), num(normals, i * 3 + 1), num(normals, i * 3 + 2)]);
      this.#words[at + AT.tangent] = tangents
        ? packTangent([num(tangents, i * 4), num(tangents, i * 4 + 1), num(tangents, i * 4 + 2)], num(tangents, i * 4 + 3))
        : NONE;
      for (const [set, word] of [
        [0, AT.uv0],
        [1, AT.uv1],
      ] as const) {
        const uv = placed.uv[set];
        if (uv) this.#floats.set([coordinate(num(uv, from * 2)), coordinate(num(uv, from * 2 + 1))], at + word);
      }
      const color = placed.colors;
      const packed = color
        ? packColor(num(color, from * 4), num(color, from * 4 + 1), num(color, from * 4 + 2), num(color, from * 4 + 3))
        : WHITE;
      this.#words.set(packed, at + AT.color);
    }
    this.#count += source.length;
    return base;
  }

  #reserve(count: number): void {
    if (count * WORDS <= this.#words.length) return;
    const grown = new Uint32Array(Math.max(count * WORDS, this.#words.length * 2));
    grown.set(this.#words);
    this.#words = grown;
    this.#floats = new Float32Array(grown.buffer);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#words.buffer.slice(0, this.#count * Vertex.size));
  }
}
