/**
 * A table of any number of axes on finer nodes: cubics through the four nearest nodes, one axis after
 * the other. Only +, - and *, so that every peer has the same bits.
 */

/** Lagrange's weights of four nodes at 0, 1, 2, 3. */
const weights = (x: number): readonly [number, number, number, number] => [
  (-(x - 1) * (x - 2) * (x - 3)) / 6,
  (x * (x - 2) * (x - 3)) / 2,
  (-x * (x - 1) * (x - 3)) / 2,
  (x * (x - 1) * (x - 2)) / 6,
];

function refineAxis(values: Float32Array, inner: number, from: number, to: number): Float32Array {
  const outer = values.length / (inner * from);
  const out = new Float32Array(inner * to * outer);
  for (let j = 0; j < to; j++) {
    const at = (j * (from - 1)) / (to - 1);
    const first = Math.min(Math.max(Math.floor(at) - 1, 0), from - 4);
    const [a, b, c, d] = weights(at - first);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const k = (o * from + first) * inner + i;
        out[(o * to + j) * inner + i] = a * values[k]! + b * values[k + inner]! + c * values[k + 2 * inner]! + d * values[k + 3 * inner]!;
      }
    }
  }
  return out;
}

/** `values` over `from` nodes along each axis, the first axis fastest, at least four where their number changes; on `to` nodes. */
export function refine(values: Float32Array, from: readonly number[], to: readonly number[]): Float32Array {
  let inner = 1;
  return from.reduce((table, size, axis) => {
    const finer = size === to[axis] ? table : refineAxis(table, inner, size, to[axis]!);
    inner *= to[axis]!;
    return finer;
  }, values);
}
