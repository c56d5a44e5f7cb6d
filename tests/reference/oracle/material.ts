/**
 * Metal and dielectric of glTF 2.0, appendix B, in double precision and straight from its text: GGX
 * with Schlick's Fresnel term over Lambert. `layered` is what the renderer promises beyond the text
 * (README, decision 7), from albedos integrated here over directions of light: GGX scaled by
 * 1 + F0 (1 - E) / E (Turquin 2019); the exact Fresnel reflectance of an ior of 1.5 for dielectrics;
 * Lambert scaled by what that leaves at the viewer's angle, and the rest of it, which a rough layer
 * does not reflect, returned in the eighth power of white. `literal` is the text itself.
 */

export type V3 = readonly [number, number, number];
export type Model = 'layered' | 'literal';

export interface OracleMaterial {
  readonly base: V3;
  readonly metallic: number;
  readonly roughness: number;
  readonly emissive: V3;
}

export const dot = (a: V3, b: V3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const unit = (a: V3): V3 => {
  const length = Math.sqrt(dot(a, a));
  return [a[0] / length, a[1] / length, a[2] / length];
};

const DIELECTRIC_F0 = 0.04;
const weight = (cosine: number): number => (1 - Math.abs(cosine)) ** 5;

/** Snell's law and Fresnel's equations at an interface of ior 1.5, from 0 at normal incidence to 1 at grazing. */
function exactWeight(cosine: number): number {
  const incident = Math.acos(Math.min(Math.abs(cosine), 1));
  if (incident < 1e-4) return 0;
  const refracted = Math.asin(Math.sin(incident) / 1.5);
  const s = Math.sin(incident - refracted) / Math.sin(incident + refracted);
  const p = Math.tan(incident - refracted) / Math.tan(incident + refracted);
  return ((s * s + p * p) / 2 - DIELECTRIC_F0) / (1 - DIELECTRIC_F0);
}

/** Appendix B.3.2: distribution of normals. */
function distribution(cosH: number, alpha: number): number {
  const a2 = alpha * alpha;
  return a2 / (Math.PI * (cosH * cosH * (a2 - 1) + 1) ** 2);
}

/** Masking and shadowing over 4 |N·L| |N·V|, Smith's joint form (Heitz 2014), which the text allows. */
function visibility(cosL: number, cosV: number, alpha: number): number {
  const a2 = alpha * alpha;
  return 0.5 / (cosL * Math.sqrt(a2 + (1 - a2) * cosV * cosV) + cosV * Math.sqrt(a2 + (1 - a2) * cosL * cosL));
}

const NODES = 65;
const STEPS = 96;

/** For 65 cosines of the viewer: ∫ V D cos, and the same with the exact weight. */
function albedos(alpha: number): readonly (readonly [number, number])[] {
  return Array.from({ length: NODES }, (_, node) => {
    const cosV = Math.max(node / (NODES - 1), 1e-3);
    const v: V3 = [Math.sqrt(1 - cosV * cosV), 0, cosV];
    let [whole, rising] = [0, 0];
    for (let i = 0; i < STEPS; i++) {
      const cosL = (i + 0.5) / STEPS;
      const sinL = Math.sqrt(1 - cosL * cosL);
      for (let j = 0; j < STEPS; j++) {
        const phi = (Math.PI * (j + 0.5)) / STEPS; // half of it: the other half mirrors it
        const l: V3 = [sinL * Math.cos(phi), sinL * Math.sin(phi), cosL];
        const h = unit([v[0] + l[0], v[1] + l[1], v[2] + l[2]]);
        const share = distribution(h[2], alpha) * visibility(cosL, cosV, alpha) * cosL * ((2 * Math.PI) / STEPS / STEPS);
        whole += share;
        rising += share * exactWeight(dot(v, h));
      }
    }
    return [whole, rising];
  });
}

export class Bsdf {
  readonly alpha: number;
  readonly #material: OracleMaterial;
  readonly #table: readonly (readonly [number, number])[] | null;

  constructor(material: OracleMaterial, model: Model) {
    this.#material = material;
    this.alpha = material.roughness ** 2;
    this.#table = model === 'layered' ? albedos(this.alpha) : null;
  }

  #albedo(cosV: number): readonly [number, number] {
    const at = Math.min(Math.max(cosV, 0), 1) * (NODES - 1);
    const node = Math.min(Math.floor(at), NODES - 2);
    const [low, high] = [this.#table![node]!, this.#table![node + 1]!];
    const t = at - node;
    return [low[0] * (1 - t) + high[0] * t, low[1] * (1 - t) + high[1] * t];
  }

  /** f · cos for local directions (z the normal), both above. */
  value(v: V3, l: V3): V3 {
    const { base, metallic } = this.#material;
    const h = unit([v[0] + l[0], v[1] + l[1], v[2] + l[2]]);
    const lobe = distribution(h[2], this.alpha) * visibility(l[2], v[2], this.alpha);
    const schlick = weight(dot(v, h));
    let fresnel = DIELECTRIC_F0 + (1 - DIELECTRIC_F0) * schlick;
    let [gain, matte] = [0, 1 - fresnel];
    if (this.#table) {
      const [whole, rising] = this.#albedo(v[2]);
      gain = (1 - whole) / whole;
      fresnel = DIELECTRIC_F0 + (1 - DIELECTRIC_F0) * exactWeight(dot(v, h));
      const reflected = (DIELECTRIC_F0 * (whole - rising) + rising) * (1 + DIELECTRIC_F0 * gain);
      const taken = Math.max(DIELECTRIC_F0 + (1 - DIELECTRIC_F0) * exactWeight(v[2]), reflected);
      matte = 1 - taken + Math.min(...base) ** 7 * (taken - reflected);
    }
    const channel = (c: number): number => {
      const dielectric = (c * matte) / Math.PI + fresnel * lobe * (1 + DIELECTRIC_F0 * gain);
      const metal = (c + (1 - c) * schlick) * lobe * (1 + c * gain);
      return (dielectric * (1 - metallic) + metal * metallic) * l[2];
    };
    return [channel(base[0]), channel(base[1]), channel(base[2])];
  }

  /** A direction by the cosine or by the distribution of normals, half the time each, and the density of the two together. */
  sample(v: V3, random: () => number): { readonly l: V3; readonly pdf: number } | null {
    const phi = 2 * Math.PI * random();
    let l: V3;
    if (random() < 0.5) {
      const r2 = random();
      l = [Math.sqrt(r2) * Math.cos(phi), Math.sqrt(r2) * Math.sin(phi), Math.sqrt(1 - r2)];
    } else {
      const u = random();
      const cosH = Math.sqrt((1 - u) / (1 + (this.alpha * this.alpha - 1) * u));
      const sinH = Math.sqrt(1 - cosH * cosH);
      const h: V3 = [sinH * Math.cos(phi), sinH * Math.sin(phi), cosH];
      const d = dot(v, h);
      l = [2 * d * h[0] - v[0], 2 * d * h[1] - v[1], 2 * d * h[2] - v[2]];
    }
    if (l[2] <= 0) return null;
    const h = unit([v[0] + l[0], v[1] + l[1], v[2] + l[2]]);
    const pdf = (0.5 * l[2]) / Math.PI + (0.5 * distribution(h[2], this.alpha) * h[2]) / (4 * dot(v, h));
    return { l, pdf };
  }
}
