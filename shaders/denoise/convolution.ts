/**
 * Writes the kernel of a 3 × 3 convolution: each invocation keeps a strip of pixels of some blocks of
 * channels in registers, so that a weight is loaded once for the whole strip. WGSL has neither
 * unrolled loops nor arrays that surely stay in registers, so the text is made here, from these two
 * numbers and nothing else.
 */

export interface ConvolutionShape {
  /** Pixels in a row per invocation. */
  readonly pixels: number;
  /** Blocks of four channels per invocation. */
  readonly blocks: number;
}

export const CONVOLUTION_WORKGROUP = [8, 8] as const;

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** Needs `denoise/tile` linked before it. Weights: per block out, block in, row and column four vectors, one for each channel in. */
export function convolutionSource({ pixels, blocks }: ConvolutionShape): string {
  const sums = range(blocks).flatMap((b) => range(pixels).map((p) => ({ b, p, name: `sum_${b}_${p}` })));
  const loads = range(pixels + 2).map((k) => {
    const x = `x + ${k}u - 1u`;
    return `      let s${k} = select(vec4f(0.0), source[line + ${x}], ${k === 0 ? 'x > 0u' : `${x} < conv.width`});`;
  });
  const products = range(3).flatMap((column) =>
    range(blocks).flatMap((b) => [
      ...range(4).map((k) => `      let w${column}${b}${k} = weights[at_${b} + ${column * 4 + k}u];`),
      ...range(pixels).map((p) => {
        const s = `s${p + column}`;
        const terms = ['x', 'y', 'z', 'w'].map((part, k) => `w${column}${b}${k} * ${s}.${part}`);
        return `      sum_${b}_${p} += ${terms.join(' + ')};`;
      }),
    ]),
  );
  return `
@group(0) @binding(0) var<uniform> conv: Convolution;
@group(0) @binding(1) var<storage, read> source: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> convolved: array<vec4f>;

fn put(block: u32, x: u32, y: u32, sum: vec4f) {
  if (x >= conv.width || block >= conv.out_blocks) { return; }
  let v = max(sum, vec4f(0.0));
  let plane = conv.width * conv.height;
  if (conv.enlarge == 0u) {
    convolved[(conv.to_block + block) * plane + y * conv.width + x] = v;
    return;
  }
  let wide = conv.width * 2u;
  let at = (conv.to_block + block) * plane * 4u + y * 2u * wide + x * 2u;
  convolved[at] = v;
  convolved[at + 1u] = v;
  convolved[at + wide] = v;
  convolved[at + wide + 1u] = v;
}

@compute @workgroup_size(${CONVOLUTION_WORKGROUP.join(', ')})
fn convolve(@builtin(global_invocation_id) id: vec3u) {
  let x = id.x * ${pixels}u;
  let y = conv.first_row + id.y;
  let block = id.z * ${blocks}u;
  if (x >= conv.width || y >= conv.height) { return; }
${sums.map(({ b, name }) => `  var ${name} = bias[block + ${b}u];`).join('\n')}
  for (var i = 0u; i < conv.in_blocks; i++) {
    for (var dy = 0u; dy < 3u; dy++) {
      let row = y + dy - 1u;
      if (row >= conv.height) { continue; }
      let line = ((conv.from_block + i) * conv.height + row) * conv.width;
${range(blocks)
  .map((b) => `      let at_${b} = (((block + ${b}u) * conv.in_blocks + i) * 3u + dy) * 12u;`)
  .join('\n')}
${loads.join('\n')}
${products.join('\n')}
    }
  }
${sums.map(({ b, p, name }) => `  put(block + ${b}u, x + ${p}u, y, ${name});`).join('\n')}
}
`;
}
