/**
 * What the texts of all convolution kernels share: how numbers are stored, and how results are put
 * where the next layer reads them. WGSL has neither unrolled loops nor arrays that surely stay in
 * registers, so these texts are made from a few numbers and nothing else.
 */

/** How tensors and weights are stored. Sums are f32 in either. */
export type Precision = 'f32' | 'f16';

export const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

export const stored = (precision: Precision): string => (precision === 'f16' ? 'vec4h' : 'vec4f');

/**
 * `put_all(block, x, y, step)`: sum n of `sums` goes to block + n / across and to the pixel n % across steps beyond x. One place
 * stores them, in a loop: drivers that run on processors build each store anew for every lane, and took ten times as long to compile
 * where the text had one per sum. The sums leave their registers only here.
 */
export function putText(precision: Precision, sums: number, across: number): string {
  const value = precision === 'f16' ? 'vec4h(v)' : 'v';
  return `
fn put_all(block: u32, x: u32, y: u32, sums: array<vec4f, ${sums}>) {
  var kept = sums;
  let plane = conv.width * conv.height;
  let wide = conv.width << conv.enlarge;
  for (var n = 0u; n < ${sums}u; n++) {
    let b = block + n / ${across}u;
    let px = x + n % ${across}u;
    if (px >= conv.width || b >= conv.out_blocks) { continue; }
    let v = max(kept[n], vec4f(0.0));
    let start = (conv.to_block + b) * (plane << (2u * conv.enlarge)) + (y << conv.enlarge) * wide + (px << conv.enlarge);
    for (var copy = 0u; copy < (1u << (2u * conv.enlarge)); copy++) {
      convolved[start + (copy >> 1u) * wide + (copy & 1u)] = ${value};
    }
  }
}
`;
}

/** One vector of four outputs plus four inputs times their weights: in half precision the four products are summed first, then kept in f32. */
export function productText(sum: string, precision: Precision, source: string, weight: (k: number) => string): string {
  const terms = ['x', 'y', 'z', 'w'].map((part, k) => `${weight(k)} * ${source}.${part}`).join(' + ');
  return `${sum} += ${precision === 'f16' ? `vec4f(${terms})` : terms};`;
}
