/**
 * Writes the direct kernel of a 3 × 3 convolution: each invocation keeps a strip of pixels of some
 * blocks of channels in registers, so that a weight is loaded once for the whole strip.
 */
import { productText, putText, range, stored, type Precision } from './kernel-text.ts';

export interface ConvolutionShape {
  /** Pixels in a row per invocation. */
  readonly pixels: number;
  /** Blocks of four channels per invocation. */
  readonly blocks: number;
}

export const CONVOLUTION_WORKGROUP = [8, 8] as const;

/** Weights: per block out, block in, row and column four vectors, one for each channel in. */
export function directSource({ pixels, blocks }: ConvolutionShape, precision: Precision): string {
  const type = stored(precision);
  const sums = range(blocks).flatMap((b) => range(pixels).map((p) => `sum_${b}_${p}`));
  const loads = range(pixels + 2).map((k) => {
    const x = `x + ${k}u - 1u`;
    return `      let s${k} = select(${type}(), source[line + ${x}], ${k === 0 ? 'x > 0u' : `${x} < conv.width`});`;
  });
  const products = range(3).flatMap((column) =>
    range(blocks).flatMap((b) => [
      ...range(4).map((k) => `      let w${column}${b}${k} = weights[at_${b} + ${column * 4 + k}u];`),
      ...range(pixels).map((p) => `      ${productText(`sum_${b}_${p}`, precision, `s${p + column}`, (k) => `w${column}${b}${k}`)}`),
    ]),
  );
  return `//#import denoise/tile
@group(0) @binding(0) var<uniform> conv: Convolution;
@group(0) @binding(1) var<storage, read> source: array<${type}>;
@group(0) @binding(2) var<storage, read> weights: array<${type}>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> convolved: array<${type}>;
${putText(precision, sums.length, pixels)}
@compute @workgroup_size(${CONVOLUTION_WORKGROUP.join(', ')})
fn convolve(@builtin(global_invocation_id) id: vec3u) {
  let x = conv.first_column + id.x * ${pixels}u;
  let y = conv.first_row + id.y;
  let block = id.z * ${blocks}u;
  if (id.x * ${pixels}u >= conv.columns || id.y >= conv.rows) { return; }
${range(blocks)
  .flatMap((b) => range(pixels).map((p) => `  var sum_${b}_${p} = bias[block + ${b}u];`))
  .join('\n')}
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
  put_all(block, x, y, array<vec4f, ${sums.length}>(${sums.join(', ')}));
}
`;
}
