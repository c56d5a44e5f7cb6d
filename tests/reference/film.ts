/** Twin of shaders/bsdf/film.wgsl in double precision, from the formulas of KHR_materials_iridescence. */

const schlick = (f0: number, cosine: number): number => f0 + (1 - f0) * (1 - cosine) ** 5;
const f0Between = (a: number, b: number): number => ((a - b) / (a + b)) ** 2;

/** Linear sRGB of the CIE matching functions' Fourier transform at an optical path in metres. */
function sensitivity(path: number, shift: number): readonly number[] {
  const phase = 2 * Math.PI * path;
  const term = (value: number, place: number, variance: number): number =>
    value * Math.sqrt(2 * Math.PI * variance) * Math.cos(place * phase + shift) * Math.exp(-(phase ** 2) * variance);
  const x = (term(5.4856e-13, 1.681e6, 4.3278e9) + term(9.747e-14, 2.2399e6, 4.5282e9)) / 1.0685e-7;
  const y = term(4.4201e-13, 1.7953e6, 9.3046e9) / 1.0685e-7;
  const z = term(5.2481e-13, 2.2084e6, 6.6121e9) / 1.0685e-7;
  return [
    3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
    -0.969266 * x + 1.8760108 * y + 0.041556 * z,
    0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
  ];
}

/** Reflectance per channel; `thickness` in nanometres. */
export function filmReflectance(f0: number, cosine: number, filmIor: number, thickness: number): readonly number[] {
  const thin = Math.min(Math.max(thickness / 0.03, 0), 1);
  const ior = 1 + (filmIor - 1) * thin * thin * (3 - 2 * thin);
  const inside = Math.sqrt(1 - (1 - cosine * cosine) / (ior * ior));
  const r12 = schlick(f0Between(ior, 1), cosine);
  const root = Math.sqrt(Math.min(f0 + 0.0001, 0.9999));
  const baseIor = (1 + root) / (1 - root);
  const r23 = schlick(f0Between(baseIor, ior), inside);
  const shift = Math.PI + (baseIor < ior ? Math.PI : 0);
  const r123 = Math.min(Math.max(r12 * r23, 1e-5), 0.9999);
  const rs = ((1 - r12) ** 2 * r23) / (1 - r123);
  const path = 2 * ior * thickness * inside * 1e-9;
  const first = sensitivity(path, shift);
  const second = sensitivity(2 * path, 2 * shift);
  const amplitude = rs - (1 - r12);
  return [0, 1, 2].map((k) => {
    const sum = r12 + rs + 2 * amplitude * (Math.sqrt(r123) * first[k]! + r123 * second[k]!);
    return Math.min(Math.max(sum, 0), 1);
  });
}
