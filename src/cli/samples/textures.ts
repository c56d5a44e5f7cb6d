/**
 * Procedural textures of the samples: tileable noise and the pictures made of it, as PNG bytes.
 * Refuses randomness that is not a hash of integers, so every run gives the same bytes.
 */
import { encode } from 'fast-png';
import { lerp, linearMix, rgb, type Rgb } from './colour.ts';

const clamp01 = (v: number): number => Math.min(1, Math.max(0, v));

/** Integer hash to [0, 1) (pcg output permutation). */
export function hash(x: number, y: number, seed: number): number {
  let h = (Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca6b) ^ Math.imul(seed, 0xc2b2ae35)) >>> 0;
  h = (Math.imul(h, 747796405) + 2891336453) >>> 0;
  h = Math.imul((h >>> ((h >>> 28) + 4)) ^ h, 277803737) >>> 0;
  return (((h >>> 22) ^ h) >>> 0) / 4294967296;
}

/** Value noise with period (px, py) in its lattice, in [0, 1]. */
function noise(x: number, y: number, px: number, py: number, seed: number): number {
  const [xi, yi] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - xi, y - yi];
  const [sx, sy] = [fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)];
  const at = (i: number, j: number): number => hash((((xi + i) % px) + px) % px, (((yi + j) % py) + py) % py, seed);
  return lerp(lerp(at(0, 0), at(1, 0), sx), lerp(at(0, 1), at(1, 1), sx), sy);
}

/** Octaves of noise over a unit square with `cells` lattice cells a side, in [0, 1], tileable. */
export function fbm(u: number, v: number, cells: readonly [number, number], octaves: number, seed: number): number {
  let sum = 0;
  let weight = 0;
  for (let o = 0; o < octaves; o++) {
    const [px, py] = [cells[0] << o, cells[1] << o];
    sum += noise(u * px, v * py, px, py, seed + o) / (1 << o);
    weight += 1 / (1 << o);
  }
  return sum / weight;
}

/** A picture of `side` squared from a function of the unit square giving 0…255 sRGB values. */
export function paint(side: number, pixel: (u: number, v: number) => Rgb): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const rgb = pixel((x + 0.5) / side, (y + 0.5) / side);
      for (let c = 0; c < 3; c++) data[3 * (y * side + x) + c] = Math.round(Math.min(255, Math.max(0, rgb[c]!)));
    }
  }
  return new Uint8Array(encode({ width: side, height: side, data, channels: 3, depth: 8 }, { zlib: { level: 9 } }));
}

/** Tangent-space normal map of a tileable height (in units of the texture's side), +Y up. */
export function normalMap(side: number, depth: number, height: (u: number, v: number) => number): Uint8Array<ArrayBuffer> {
  const step = 1 / side;
  return paint(side, (u, v) => {
    const dx = ((height(u + step, v) - height(u - step, v)) / (2 * step)) * depth;
    const dy = ((height(u, v + step) - height(u, v - step)) / (2 * step)) * depth;
    const l = Math.sqrt(dx * dx + dy * dy + 1);
    return [127.5 + (127.5 * -dx) / l, 127.5 + (127.5 * dy) / l, 127.5 + 127.5 / l];
  });
}

const frac = (v: number): number => v - Math.floor(v);

/** Walnut boards: growth rings drawn out along u, fine pores. */
export function wood(side: number, dark: Rgb, light: Rgb, seed: number): Uint8Array<ArrayBuffer> {
  return paint(side, (u, v) => {
    const drift = fbm(u, v, [2, 3], 3, seed);
    const ring = frac(v * 7 + drift * 3.2);
    const band = ring < 0.75 ? ring / 0.75 : (1 - ring) / 0.25;
    const pores = fbm(u, v, [6, 128], 2, seed + 9) > 0.66 ? 0.28 : 0;
    const tone = 0.55 * band * band + 0.45 * fbm(u, v, [3, 48], 3, seed + 5) - pores;
    return linearMix(dark, light, Math.round(clamp01(tone) * 40) / 40);
  });
}

/** Height of a plain weave with `threads` warp and weft threads a side; crossing threads swap which is on top. */
export function weave(u: number, v: number, threads: number): number {
  const [x, y] = [frac(u) * threads, frac(v) * threads];
  const over = (Math.floor(x) + Math.floor(y)) % 2 === 0;
  const [fx, fy] = [x - Math.floor(x) - 0.5, y - Math.floor(y) - 0.5];
  const warp = Math.sqrt(Math.max(0, 0.25 - fx * fx)) + (over ? 0.22 : -0.22) * (1 - 4 * fy * fy);
  const weft = Math.sqrt(Math.max(0, 0.25 - fy * fy)) + (over ? -0.22 : 0.22) * (1 - 4 * fx * fx);
  return Math.max(warp, weft);
}

/** Woven cloth with stripes near two sides; thread colours vary a little. */
export function linen(
  side: number,
  threads: number,
  ground: Rgb,
  stripe: Rgb,
  isStripe: (u: number) => boolean,
  seed: number,
): Uint8Array<ArrayBuffer> {
  return paint(side, (u, v) => {
    const depth = weave(u, v, threads);
    const warp = hash(Math.floor(u * threads), 1, seed);
    const weft = hash(2, Math.floor(v * threads), seed);
    const base = isStripe(u) ? stripe : ground;
    const shade = 0.72 + 0.36 * depth + 0.06 * (warp + weft - 1);
    return base.map((c) => Math.round((c * shade) / 3) * 3) as unknown as Rgb;
  });
}

/** Glazed stoneware: ground with soft blotches and dark iron specks. */
export function speckled(side: number, ground: Rgb, deep: Rgb, speck: Rgb, seed: number): Uint8Array<ArrayBuffer> {
  return paint(side, (u, v) => {
    const cloud = Math.round(clamp01((fbm(u, v, [3, 3], 4, seed) - 0.3) * 1.8) * 40) / 40;
    const iron = fbm(u, v, [40, 40], 2, seed + 3);
    return iron > 0.79 ? linearMix(deep, speck, clamp01((iron - 0.79) * 14)) : linearMix(ground, deep, cloud * 0.6);
  });
}

/** Plaster: tone of a trowelled wall in few steps, so that it packs well. */
export function plaster(side: number, dark: Rgb, light: Rgb, seed: number): Uint8Array<ArrayBuffer> {
  return paint(side, (u, v) => {
    const tone = 0.7 * fbm(u, v, [2, 2], 5, seed) + 0.3 * fbm(u, v, [3, 9], 4, seed + 20);
    return linearMix(dark, light, Math.round(clamp01((tone - 0.3) * 2.4) * 48) / 48);
  });
}

/** A printed page: margins, paragraphs of grey words, a chapter's heading. v runs down the page. */
export function page(side: number, seed: number): Uint8Array<ArrayBuffer> {
  const paper = rgb('#efe6d2');
  const ink = rgb('#4a443c');
  return paint(side, (u, v) => {
    const [x, y] = [(u - 0.13) / 0.74, (v - 0.12) / 0.76];
    if (x < 0 || x > 1 || y < 0 || y > 1) return paper;
    const line = Math.floor(y * 30);
    const inLine = frac(y * 30);
    const heading = seed % 2 === 1 && line < 4;
    if (heading) return line === 1 && x > 0.25 && x < 0.75 && hash(Math.floor(x * 40), 7, seed) > 0.2 ? ink : paper;
    const end = hash(line, 3, seed) > 0.86 ? 0.2 + 0.6 * hash(line, 4, seed) : 1;
    const indent = hash(line - 1, 3, seed) > 0.86 ? 0.06 : 0;
    const gap = hash(Math.floor(x * 46 + 3 * hash(line, 5, seed)), line, seed + 1) > 0.82;
    return inLine > 0.22 && inLine < 0.6 && x < end && x > indent && !gap ? ink : paper;
  });
}

/** Edges of many leaves: fine stripes along v. */
export function leaves(side: number, seed: number): Uint8Array<ArrayBuffer> {
  return paint(side, (_, v) => linearMix(rgb('#bfae8c'), rgb('#f2e8d2'), Math.round(4 * hash(Math.floor(v * 96), 1, seed)) / 4));
}

/** Dusk behind a window: sky, two lines of hills, a few lit windows below. */
export function dusk(side: number): Uint8Array<ArrayBuffer> {
  const [zenith, middle, horizon] = [rgb('#16264f'), rgb('#345a9a'), rgb('#c9a08c')];
  return paint(side, (u, v) => {
    const far = 0.7 + 0.1 * (fbm(u, 0.3, [3, 1], 3, 4) - 0.5);
    const near = 0.82 + 0.12 * (fbm(u, 0.7, [4, 1], 3, 9) - 0.5);
    if (v > near) {
      const [cx, cy] = [Math.floor(u * 40), Math.floor(v * 48)];
      const lit = hash(cx, cy, 17) > 0.93 && frac(u * 40) < 0.45 && frac(v * 48) < 0.5;
      return lit ? rgb('#ffcf87') : rgb('#0a1020');
    }
    if (v > far) return rgb('#1a2a4a');
    const t = Math.round((v / 0.7) * 64) / 64;
    return t < 0.6 ? linearMix(zenith, middle, t / 0.6) : linearMix(middle, horizon, ((t - 0.6) / 0.4) ** 2);
  });
}

/** A small abstract: flat fields with a sun, as a print on the wall. */
export function print(side: number): Uint8Array<ArrayBuffer> {
  return paint(side, (u, v) => {
    if (u < 0.09 || u > 0.91 || v < 0.09 || v > 0.91) return rgb('#efe9dd');
    const [dx, dy] = [u - 0.62, v - 0.36];
    if (dx * dx + dy * dy < 0.024) return rgb('#d8512f');
    const hill = 0.62 + 0.13 * Math.sin(5.2 * u + 0.6);
    const sea = 0.74 + 0.05 * Math.sin(7.1 * u + 2);
    if (v > sea) return rgb('#20405c');
    return v > hill ? rgb('#4f8a83') : rgb('#e6c99a');
  });
}

/** Land and sea in three enamels, clouds left out: u around, v from pole to pole. */
export function globe(side: number): Uint8Array<ArrayBuffer> {
  return paint(side, (u, v) => {
    const land = fbm(u, v, [4, 3], 4, 51);
    if (v < 0.07 || v > 0.94) return rgb('#e8eef0');
    if (land > 0.56) return land > 0.63 ? rgb('#b5893f') : rgb('#4f7f45');
    return land > 0.535 ? rgb('#3f8fb5') : rgb('#17407e');
  });
}

/** Bands of a large planet along v. */
export function bands(side: number): Uint8Array<ArrayBuffer> {
  const tones = ['#d9b98a', '#c79a63', '#e8d5b0', '#b98552', '#e2c79a', '#caa06c'].map(rgb);
  return paint(side, (u, v) => {
    const drift = v + 0.012 * (fbm(u, v, [5, 8], 3, 71) - 0.5);
    return tones[Math.floor(hash(Math.floor(drift * 18), 3, 12) * tones.length)]!;
  });
}

/** A graduated ring of `marks` divisions around u: every fifth longer, every tenth across; v from rim to rim. */
export function graduation(side: number, marks: number, ground: Rgb, engraved: Rgb): Uint8Array<ArrayBuffer> {
  return paint(side, (u, v) => {
    const at = u * marks + 0.5;
    const long = Math.floor(at) % 10 === 0 ? 0.8 : Math.floor(at) % 5 === 0 ? 0.6 : 0.4;
    const near = Math.abs(frac(at) - 0.5) < 0.11;
    return (near && v > 0.12 && v < 0.12 + long) || Math.abs(v - 0.1) < 0.02 ? engraved : ground;
  });
}
