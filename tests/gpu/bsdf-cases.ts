/** The materials, views and measures that the short and the long tests of the BSDF share. */
import { FEATURES, type Feature } from '#workers/render/features.ts';
import { shaderModules } from '#shaders/index.ts';
import type { ShaderModules } from '#shaders/linker.ts';
import { chiSquareTest } from '../reference/chi-square.ts';
import type { BsdfBench, Row } from './bsdf-kit.ts';
import type { MaterialRow } from './kit.ts';

/** All features in one kernel, so that a test builds few. */
export const ALL: readonly Feature[] = FEATURES;

export interface MaterialCase {
  readonly name: string;
  readonly row: MaterialRow;
  /** The field that runs over roughness; that of the base unless said. */
  readonly vary?: 'roughness' | 'clearcoat_roughness' | 'sheen_roughness';
  readonly view?: Partial<Row>;
  /** Times the samples of others: refraction near the critical angle is noisy, and so is narrow sheen, drawn uniformly. */
  readonly effort?: number;
}

const GLASS = { transmission: 1, thickness: 1 };
const TILTED = { tilt: [0.75, -0.3] } as const;

/** White materials: all the light that comes must leave. */
export const WHITE: readonly MaterialCase[] = [
  { name: 'layer over diffuse', row: {} },
  { name: 'strong layer over diffuse', row: { ior: 2.2 } },
  { name: 'metal', row: { metallic: 1 } },
  { name: 'half metal', row: { metallic: 0.5 } },
  { name: 'specular-glossiness', row: { flags: 17, specular_color: [0, 0, 0] } },
  { name: 'anisotropic metal', row: { metallic: 1, anisotropy: 0.7 } },
  { name: 'anisotropic layer', row: { anisotropy: 1 } },
  { name: 'thin wall', row: { transmission: 1 } },
  { name: 'half a thin wall', row: { transmission: 0.5 } },
  { name: 'glass', row: GLASS, effort: 2 },
  { name: 'glass from inside', row: GLASS, view: { inside: true }, effort: 16 },
  { name: 'half glass from inside', row: { ...GLASS, transmission: 0.5 }, view: { inside: true }, effort: 8 },
  { name: 'water from inside', row: { ...GLASS, ior: 1.33 }, view: { inside: true }, effort: 16 },
  { name: 'diffuse transmission', row: { diffuse_transmission: 0.6 } },
  { name: 'wax from inside', row: { diffuse_transmission: 1, thickness: 1 }, view: { inside: true }, effort: 2 },
  { name: 'clearcoat', row: { clearcoat: 1 }, vary: 'clearcoat_roughness' },
  { name: 'clearcoat on rough metal', row: { clearcoat: 1, metallic: 1, roughness: 0.7 }, vary: 'clearcoat_roughness' },
  { name: 'sheen', row: { sheen_color: [1, 1, 1] }, vary: 'sheen_roughness', effort: 4 },
  { name: 'sheen under clearcoat', row: { sheen_color: [1, 1, 1], clearcoat: 0.5 }, vary: 'sheen_roughness', effort: 4 },
  { name: 'film on white metal', row: { metallic: 1, iridescence: 1, iridescence_ior: 1.5 } },
  { name: 'tilted normal', row: {}, view: TILTED },
  { name: 'tilted normal on metal', row: { metallic: 1 }, view: TILTED },
  { name: 'tilted normal on glass', row: GLASS, view: TILTED, effort: 4 },
];

/** Sum of the weights of 256 samples of a stratified sequence, and of their squares. */
export const MEAN = `
  let l = make_lobes(s, wo);
  var sum = vec4f(0.0);
  for (var i = 0u; i < 256u; i++) {
    let key = PathKey(hash_word(17u), seed * 256u + i);
    let made = sample_bsdf(s, l, wo, sample_unit(key, 0u).x, sample_unit(key, 1u));
    if (made.lobe != LOBE_NONE) { sum += vec4f(made.weight, dot(made.weight, made.weight) / 3.0); }
  }
  return sum / 256.0;`;

/** One sample from independent numbers: direction, 0 when absorbed. */
export const SAMPLE = `
  let l = make_lobes(s, wo);
  let a = hash_pair(seed, 11u);
  let made = sample_bsdf(s, l, wo, unit(a), vec2f(unit(hash_pair(a, 12u)), unit(hash_pair(a, 13u))));
  return vec4f(made.direction, made.pdf);`;

/** Value without the cosine, in red and green, and density towards the vector. */
export const EVALUATE = `
  let l = make_lobes(s, wo);
  let bsdf = evaluate_bsdf(s, l, wo, normalize(vector));
  return vec4f(bsdf.value.rg / max(abs(dot(s.normal, normalize(vector))), 1e-6), 0.0, bsdf.pdf);`;

/** A module with one text replaced; throws when the text is not there. */
export function broken(name: string, from: string, to: string): ShaderModules {
  const source = shaderModules[name] ?? '';
  if (!source.includes(from)) throw new Error(`${name} does not contain: ${from}`);
  return { [name]: source.replace(from, to) };
}

export interface Level {
  readonly roughness: number;
  readonly cosine: number;
  readonly level: number;
}

/** Light that leaves a white-lit surface, over roughness and angle. */
export async function furnace(
  bench: BsdfBench,
  { row, vary = 'roughness', view = {}, effort = 1 }: MaterialCase,
  grid: { readonly roughness: readonly number[]; readonly cosines: readonly number[]; readonly blocks: number },
  kernel: { readonly features?: readonly Feature[]; readonly broken?: ShaderModules } = { features: ALL },
): Promise<Level[]> {
  const materials = grid.roughness.map((roughness) => ({ ...row, [vary]: roughness }));
  const rows = materials.flatMap((_, m) => grid.cosines.map((cosine, c) => ({ material: m, cosine, phi: 0.4 + c, ...view })));
  const repeat = grid.blocks * effort;
  const out = await bench.run({ materials, rows, repeat, body: MEAN, ...kernel });
  return rows.map(({ material, cosine }, i) => {
    let sum = 0;
    for (let k = 0; k < repeat; k++) sum += out[(i * repeat + k) * 4]!;
    return { roughness: grid.roughness[material]!, cosine, level: sum / repeat };
  });
}

/** The worst of them, for a message that names it. */
export const worst = (levels: readonly Level[]): Level =>
  levels.reduce((a, b) => (Math.abs(b.level - 1) > Math.abs(a.level - 1) || Number.isNaN(b.level) ? b : a));

export interface Draw {
  readonly name: string;
  readonly row: MaterialRow;
  readonly cosine: number;
  readonly view?: Partial<Row>;
  /** For an edge that the common number of steps would miss. */
  readonly steps?: number;
}

/** Every lobe, alone or in company. */
export const DRAWS: readonly Draw[] = [
  { name: 'diffuse under a layer', row: { roughness: 0.5 }, cosine: 0.7 },
  { name: 'rough mirror, grazing', row: { metallic: 1, roughness: 0.7 }, cosine: 0.15 },
  { name: 'anisotropic mirror', row: { metallic: 1, roughness: 0.55, anisotropy: 0.6 }, cosine: 0.5 },
  { name: 'thin wall', row: { transmission: 0.7, roughness: 0.6 }, cosine: 0.4 },
  { name: 'rough glass', row: { ...GLASS, roughness: 0.6 }, cosine: 0.5 },
  { name: 'rough glass from inside', row: { ...GLASS, roughness: 0.6 }, cosine: 0.7, view: { inside: true }, steps: 16 },
  { name: 'clearcoat over metal', row: { metallic: 1, roughness: 0.8, clearcoat: 1, clearcoat_roughness: 0.5 }, cosine: 0.3 },
  { name: 'sheen', row: { sheen_color: [1, 1, 1], sheen_roughness: 0.5 }, cosine: 0.3 },
  { name: 'diffuse transmission', row: { diffuse_transmission: 0.7, roughness: 0.6 }, cosine: 0.6 },
  { name: 'folded by a tilted normal', row: { roughness: 0.6, ior: 2 }, cosine: 0.6, view: TILTED },
  { name: 'folded glass', row: { ...GLASS, roughness: 0.6 }, cosine: 0.6, view: TILTED, steps: 16 },
];

export interface ChiSquareGrid {
  readonly theta: number;
  readonly phi: number;
  readonly samples: number;
  /** The density is integrated over steps^2 points of each bin. */
  readonly steps: number;
}

/** More would not fit a buffer. */
const BANDS_MAX = 640;

/** Pearson's test of drawn directions against the integrated density, lost samples a bin of their own. */
export async function chiSquare(
  bench: BsdfBench,
  { row, cosine, view = {}, steps: finer = 0 }: Draw,
  { theta, phi, samples, steps: common }: ChiSquareGrid,
  kernel: { readonly features?: readonly Feature[]; readonly broken?: ShaderModules } = { features: ALL },
): Promise<{ readonly p: number; readonly mass: number; readonly lost: number }> {
  const base = { cosine, phi: 0.5, ...view };
  const steps = Math.max(common, Math.min(finer, Math.floor(BANDS_MAX / theta)));
  const drawn = await bench.run({ materials: [row], rows: [base], repeat: samples, body: SAMPLE, ...kernel });
  const observed = new Float64Array(theta * phi + 1);
  for (let i = 0; i < samples; i++) {
    const [x, y, z] = drawn.subarray(i * 4, i * 4 + 3) as unknown as [number, number, number];
    const band = Math.min(Math.floor((Math.acos(Math.min(Math.max(z, -1), 1)) / Math.PI) * theta), theta - 1);
    const sector = Math.min(Math.floor(((Math.atan2(y, x) / (2 * Math.PI) + 1) % 1) * phi), phi - 1);
    observed[x === 0 && y === 0 && z === 0 ? theta * phi : band * phi + sector]!++;
  }
  const [bands, sectors] = [theta * steps, phi * steps];
  const rows = Array.from({ length: bands * sectors }, (_, i): Row => {
    const [t, a] = [((Math.floor(i / sectors) + 0.5) / bands) * Math.PI, (((i % sectors) + 0.5) / sectors) * 2 * Math.PI];
    return { ...base, vector: [Math.sin(t) * Math.cos(a), Math.sin(t) * Math.sin(a), Math.cos(t)] };
  });
  const densities = await bench.run({ materials: [row], rows, body: EVALUATE, ...kernel });
  const expected = new Float64Array(theta * phi + 1);
  let mass = 0;
  for (let i = 0; i < rows.length; i++) {
    const [band, sector] = [Math.floor(i / sectors), i % sectors];
    const [top, bottom] = [(band / bands) * Math.PI, ((band + 1) / bands) * Math.PI];
    const share = densities[i * 4 + 3]! * (Math.cos(top) - Math.cos(bottom)) * ((2 * Math.PI) / sectors);
    mass += share;
    expected[Math.floor(band / steps) * phi + Math.floor(sector / steps)]! += share * samples;
  }
  expected[theta * phi] = Math.max(1 - mass, 0) * samples;
  return { p: chiSquareTest(observed, expected), mass, lost: observed[theta * phi]! / samples };
}
