/**
 * Writes the implicit-GEMM kernel of a 3 × 3 convolution: a workgroup takes a patch of pixels and
 * some blocks of channels, and brings the pixels and the weights of one block in to its own memory,
 * from which every invocation reads many times. For devices whose workgroup memory is nearer than
 * their caches; on processors it is neither.
 */
import { productText, putText, range, stored, type Precision } from './kernel-text.ts';

/** Pixels of the patch, and blocks out, of a workgroup of 64. */
export const GEMM = { width: 16, height: 8, blocks: 8 } as const;
/** Pixels in a row and blocks of one invocation. */
const EACH = { pixels: 4, blocks: 4 } as const;
const INVOCATIONS = 64;
const ACROSS = GEMM.width / EACH.pixels;

/** Blocks beyond those of the layer are computed from weights that wrap around, and are not stored. */
export function gemmSource(precision: Precision): string {
  const type = stored(precision);
  const [wide, tall] = [GEMM.width + 2, GEMM.height + 2];
  const weightsEach = GEMM.blocks * 36;
  const sums = range(EACH.blocks).flatMap((b) => range(EACH.pixels).map((p) => `sum_${b}_${p}`));
  const products = range(3).flatMap((column) =>
    range(EACH.blocks).flatMap((b) => [
      ...range(4).map((k) => `        let w${column}${b}${k} = near_weights[at + ${b * 36 + column * 4 + k}u];`),
      ...range(EACH.pixels).map((p) => `        ${productText(`sum_${b}_${p}`, precision, `s${p + column}`, (k) => `w${column}${b}${k}`)}`),
    ]),
  );
  return `//#import denoise/tile
@group(0) @binding(0) var<uniform> conv: Convolution;
@group(0) @binding(1) var<storage, read> source: array<${type}>;
@group(0) @binding(2) var<storage, read> weights: array<${type}>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> convolved: array<${type}>;
var<workgroup> near_pixels: array<${type}, ${wide * tall}>;
var<workgroup> near_weights: array<${type}, ${weightsEach}>;
${putText(precision, sums.length, EACH.pixels)}
@compute @workgroup_size(${INVOCATIONS})
fn convolve(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) mine: u32) {
  let left = conv.first_column + group.x * ${GEMM.width}u;
  let top = conv.first_row + group.y * ${GEMM.height}u;
  let px = (mine % ${ACROSS}u) * ${EACH.pixels}u;
  let py = (mine / ${ACROSS}u) % ${GEMM.height}u;
  let pb = (mine / ${ACROSS * GEMM.height}u) * ${EACH.blocks}u;
  let first = group.z * ${GEMM.blocks}u;
${range(EACH.blocks)
  .flatMap((b) => range(EACH.pixels).map((p) => `  var sum_${b}_${p} = bias[min(first + pb + ${b}u, conv.out_blocks - 1u)];`))
  .join('\n')}
  for (var i = 0u; i < conv.in_blocks; i++) {
    for (var n = mine; n < ${wide * tall}u; n += ${INVOCATIONS}u) {
      let x = left + n % ${wide}u - 1u;
      let y = top + n / ${wide}u - 1u;
      let there = x < conv.width && y < conv.height;
      near_pixels[n] = select(${type}(), source[((conv.from_block + i) * conv.height + y) * conv.width + x], there);
    }
    for (var n = mine; n < ${weightsEach}u; n += ${INVOCATIONS}u) {
      let block = min(first + n / 36u, conv.out_blocks - 1u);
      near_weights[n] = weights[(block * conv.in_blocks + i) * 36u + n % 36u];
    }
    workgroupBarrier();
    for (var dy = 0u; dy < 3u; dy++) {
        let line = (py + dy) * ${wide}u + px;
        let at = pb * 36u + dy * 12u;
${range(EACH.pixels + 2)
  .map((k) => `        let s${k} = near_pixels[line + ${k}u];`)
  .join('\n')}
${products.join('\n')}
    }
    workgroupBarrier();
  }
  if (top + py < conv.first_row + conv.rows) { put_all(first + pb, left + px, top + py, array<vec4f, ${sums.length}>(${sums.join(', ')})); }
}
`;
}
