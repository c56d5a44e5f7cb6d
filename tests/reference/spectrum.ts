/** Twin of shaders/transport/spectrum.wgsl: the tents of the three responses and Cauchy's formula. */

/** Apex and widths before and after it, nanometres, with the share of the channel that lies in the tent. */
type Tent = readonly [apex: number, before: number, after: number, share: number];
export const RESPONSES: readonly (readonly Tent[])[] = [
  [
    [603.2, 51.6, 67.3, 0.95],
    [442.9, 42, 17.5, 0.05],
  ],
  [[540.7, 67, 66.9, 1]],
  [[444.8, 38.1, 60, 1]],
];

/** Density of each channel's response, per nanometre. */
export const response = (channel: number, wavelength: number): number =>
  RESPONSES[channel]!.reduce((sum, [apex, before, after, share]) => {
    const d = wavelength - apex;
    return sum + (share * Math.max(1 - (d < 0 ? -d / before : d / after), 0) * 2) / (before + after);
  }, 0);

/** KHR_materials_dispersion, from the Fraunhofer lines F, d and C rather than from its shortened form. */
export function cauchy(ior: number, dispersion: number, wavelength: number): number {
  const abbe = 20 / dispersion;
  const b = (ior - 1) / (abbe * (486.1 ** -2 - 656.3 ** -2));
  return Math.max(ior - b / 587.6 ** 2 + b / wavelength ** 2, 1);
}

/** Mean of f over a channel's response, by the midpoint rule at every tenth of a nanometre. */
export function meanOver(channel: number, f: (wavelength: number) => number): number {
  let [sum, weight] = [0, 0];
  for (let l = 380.05; l < 700; l += 0.1) {
    const r = response(channel, l);
    sum += r * f(l);
    weight += r;
  }
  return sum / weight;
}
