/**
 * Tone operators on one linear Rec. 709 colour, in place: in open-ended radiance that is not
 * negative, out display light that is to be clipped to 0..1. Knows neither exposure nor coding.
 */
export type Color = [number, number, number];

/** Khronos, "PBR Neutral Tone Mapper" (2024, ToneMapping repository, PBR_Neutral/pbrNeutral.glsl). */
export function neutral(color: Color): void {
  const startCompression = 0.8 - 0.04;
  const desaturation = 0.15;
  const least = Math.min(color[0], color[1], color[2]);
  const offset = least < 0.08 ? least - 6.25 * least * least : 0.04;
  for (let c = 0; c < 3; c++) color[c]! -= offset;
  const peak = Math.max(color[0], color[1], color[2]);
  if (peak < startCompression) return;
  const d = 1 - startCompression;
  const newPeak = 1 - (d * d) / (peak + d - startCompression);
  const white = 1 - 1 / (desaturation * (peak - newPeak) + 1);
  for (let c = 0; c < 3; c++) color[c] = color[c]! * (newPeak / peak) * (1 - white) + newPeak * white;
}

type Rows = readonly [number, number, number, number, number, number, number, number, number];

// AgX as Blender 4 has it, by way of Filament (pull request 7236) and three: Rec. 2020 primaries, inset, log2 over 16.5 stops
// about middle grey, Wrensch's polynomial for the sigmoid ("Minimal AgX Implementation"), outset, gamma 2.2. By rows.
const TO_REC2020: Rows = [0.6274, 0.3293, 0.0433, 0.0691, 0.9195, 0.0113, 0.0164, 0.088, 0.8956];
const FROM_REC2020: Rows = [1.6605, -0.5876, -0.0728, -0.1246, 1.1329, -0.0083, -0.0182, -0.1006, 1.1187];
const AGX_INSET: Rows = [
  ...([0.856627153315983, 0.0951212405381588, 0.0482516061458583] as const),
  ...([0.137318972929847, 0.761241990602591, 0.101439036467562] as const),
  ...([0.11189821299995, 0.0767994186031903, 0.811302368396859] as const),
];
const AGX_OUTSET: Rows = [
  ...([1.1271005818144368, -0.11060664309660323, -0.016493938717834573] as const),
  ...([-0.1413297634984383, 1.157823702216272, -0.016493938717834257] as const),
  ...([-0.14132976349843826, -0.11060664309660294, 1.2519364065950405] as const),
];
/** log2 of 0.18·2^-10 and of 0.18·2^6.5. */
const AGX_STOPS_MIN = -12.47393;
const AGX_STOPS_MAX = 4.026069;

export function agx(color: Color): void {
  multiply(TO_REC2020, color);
  multiply(AGX_INSET, color);
  for (let c = 0; c < 3; c++) {
    const stops = Math.log2(Math.max(color[c]!, 1e-10));
    color[c] = agxContrast(Math.min(Math.max((stops - AGX_STOPS_MIN) / (AGX_STOPS_MAX - AGX_STOPS_MIN), 0), 1));
  }
  multiply(AGX_OUTSET, color);
  for (let c = 0; c < 3; c++) color[c] = Math.max(color[c]!, 0) ** 2.2;
  multiply(FROM_REC2020, color);
}

/** Sixth-order fit of the AgX sigmoid on 0..1. */
function agxContrast(x: number): number {
  const x2 = x * x;
  const x4 = x2 * x2;
  return 15.5 * x4 * x2 - 40.14 * x4 * x + 31.96 * x4 - 6.868 * x2 * x + 0.4298 * x2 + 0.1191 * x - 0.00232;
}

// Stephen Hill's fit of ACES' reference rendering transform and sRGB output transform (BakingLab, ACES.hlsl, 2016), by rows,
// with the exposure of 1/0.6 that three puts before it for bright surroundings, so that pictures match what three shows.
const ACES_EXPOSURE = 1 / 0.6;
/** Rec. 709 to ACEScg with the reference transform's desaturation, and back. */
const ACES_IN: Rows = [0.59719, 0.35458, 0.04823, 0.076, 0.90834, 0.01566, 0.0284, 0.13383, 0.83777];
const ACES_OUT: Rows = [1.60475, -0.53108, -0.07367, -0.10208, 1.10813, -0.00605, -0.00327, -0.07276, 1.07602];

export function aces(color: Color): void {
  multiply(ACES_IN, color);
  for (let c = 0; c < 3; c++) {
    const v = color[c]! * ACES_EXPOSURE;
    color[c] = (v * (v + 0.0245786) - 0.000090537) / (v * (0.983729 * v + 0.432951) + 0.238081);
  }
  multiply(ACES_OUT, color);
}

function multiply(rows: Rows, color: Color): void {
  const [r, g, b] = color;
  color[0] = rows[0] * r + rows[1] * g + rows[2] * b;
  color[1] = rows[3] * r + rows[4] * g + rows[5] * b;
  color[2] = rows[6] * r + rows[7] * g + rows[8] * b;
}
