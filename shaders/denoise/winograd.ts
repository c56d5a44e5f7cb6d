/**
 * Writes the kernels of Winograd's F(2 × 2, 3 × 3) (Lavin and Gray 2016, section 4.1): patches of 4 × 4
 * pixels are turned into 16 planes, in which a convolution is a product of matrices with 2.25 times
 * fewer multiplications, and turned back into 2 × 2 pixels. Works on a band of rows at a time, so
 * that the planes stay small.
 */
import { productText, putText, range, stored, type Precision } from './kernel-text.ts';

/** Patches and blocks out per invocation of the product; `side` invocations of either make a workgroup. */
export const WINOGRAD = { patches: 8, blocks: 2, side: 8, workgroup: 64 } as const;
/** Patches of a plane are a multiple of this, so that the product needs no bounds. */
export const WINOGRAD_STEP = WINOGRAD.patches * WINOGRAD.side;

/** The rows of the matrix B^T of the paper: what each of four takes, and what it adds of another. */
const FORWARD = [
  ['0', '- ', '2'],
  ['1', '+ ', '2'],
  ['2', '- ', '1'],
  ['1', '- ', '3'],
] as const;

/** Band of rows → planes [16][block in][patch]. */
export function winogradInSource(precision: Precision): string {
  const type = stored(precision);
  const across = range(4).flatMap((r) => FORWARD.map(([a, sign, b], c) => `  let r${r}${c} = d${r}${a} ${sign}d${r}${b};`));
  const down = FORWARD.flatMap(([a, sign, b], r) =>
    range(4).map((c) => `  planes[at + ${r * 4 + c}u * stride] = ${type}(r${a}${c} ${sign}r${b}${c});`),
  );
  return `//#import denoise/tile
@group(0) @binding(0) var<uniform> conv: Convolution;
@group(0) @binding(1) var<storage, read> source: array<${type}>;
@group(0) @binding(2) var<storage, read_write> planes: array<${type}>;

fn near(block: u32, x: u32, y: u32) -> vec4f {
  let there = x < conv.width && y < conv.height;
  return vec4f(select(${type}(), source[(block * conv.height + y) * conv.width + x], there));
}

@compute @workgroup_size(${WINOGRAD.workgroup})
fn spread(@builtin(global_invocation_id) id: vec3u) {
  let across = (conv.columns + 1u) / 2u;
  let x = conv.first_column + (id.x % across) * 2u - 1u;
  let y = conv.first_row + (id.x / across) * 2u - 1u;
  if (id.x >= conv.patches) { return; }
  let block = conv.from_block + id.y;
${range(4)
  .flatMap((r) => range(4).map((c) => `  let d${r}${c} = near(block, x + ${c}u, y + ${r}u);`))
  .join('\n')}
${across.join('\n')}
  let stride = conv.in_blocks * conv.patch_stride;
  let at = id.y * conv.patch_stride + id.x;
${down.join('\n')}
}
`;
}

/** Planes [16][block in][patch] times weights [16][block out][block in][4] → products [16][block out][patch]. */
export function winogradProductSource(precision: Precision): string {
  const type = stored(precision);
  const { patches, blocks, side } = WINOGRAD;
  const sums = range(blocks).flatMap((b) => range(patches).map((p) => `sum_${b}_${p}`));
  return `//#import denoise/tile
@group(0) @binding(0) var<uniform> conv: Convolution;
@group(0) @binding(1) var<storage, read> planes: array<${type}>;
@group(0) @binding(2) var<storage, read> weights: array<${type}>;
@group(0) @binding(3) var<storage, read_write> products: array<vec4f>;

@compute @workgroup_size(${side}, ${side})
fn multiply(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) mine: vec3u) {
  let patch_at = group.x * ${WINOGRAD_STEP}u + mine.x;
  let block = (group.y * ${side}u + mine.y) * ${blocks}u;
  let plane = group.z;
  if (block >= conv.out_blocks) { return; }
${sums.map((name) => `  var ${name} = vec4f(0.0);`).join('\n')}
  for (var i = 0u; i < conv.in_blocks; i++) {
    let start = (plane * conv.in_blocks + i) * conv.patch_stride + patch_at;
${range(patches)
  .map((p) => `    let s${p} = planes[start + ${p * side}u];`)
  .join('\n')}
${range(blocks)
  .flatMap((b) => [
    `    let at_${b} = ((plane * conv.out_blocks + block + ${b}u) * conv.in_blocks + i) * 4u;`,
    ...range(4).map((k) => `    let w${b}${k} = weights[at_${b} + ${k}u];`),
    ...range(patches).map((p) => `    ${productText(`sum_${b}_${p}`, precision, `s${p}`, (k) => `w${b}${k}`)}`),
  ])
  .join('\n')}
  }
  var kept = array<vec4f, ${sums.length}>(${sums.join(', ')});
  for (var n = 0u; n < ${sums.length}u; n++) {
    let to = (plane * conv.out_blocks + block + n / ${patches}u) * conv.patch_stride + patch_at;
    products[to + (n % ${patches}u) * ${side}u] = kept[n];
  }
}
`;
}

/** Products [16][block out][patch] → rows of the result. */
export function winogradOutSource(precision: Precision): string {
  return `//#import denoise/tile
@group(0) @binding(0) var<uniform> conv: Convolution;
@group(0) @binding(1) var<storage, read> products: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> convolved: array<${stored(precision)}>;
${putText(precision, 2, 2)}
@compute @workgroup_size(${WINOGRAD.workgroup})
fn gather(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= conv.patches) { return; }
  let across = (conv.columns + 1u) / 2u;
  let stride = conv.out_blocks * conv.patch_stride;
  let at = id.y * conv.patch_stride + id.x;
${range(4)
  .flatMap((r) => range(4).map((c) => `  let m${r}${c} = products[at + ${r * 4 + c}u * stride];`))
  .join('\n')}
${range(4)
  .flatMap((c) => [`  let t0${c} = m0${c} + m1${c} + m2${c};`, `  let t1${c} = m1${c} - m2${c} - m3${c};`])
  .join('\n')}
  let x = conv.first_column + (id.x % across) * 2u;
  let y = conv.first_row + (id.x / across) * 2u;
  let b = bias[id.y];
  var rows = array<vec4f, 4>(t00 + t01 + t02 + b, t01 - t02 - t03 + b, t10 + t11 + t12 + b, t11 - t12 - t13 + b);
  for (var r = 0u; r < 2u; r++) {
    if (y + r < conv.height) { put_all(id.y, x, y + r, array<vec4f, 2>(rows[r * 2u], rows[r * 2u + 1u])); }
  }
}
`;
}
