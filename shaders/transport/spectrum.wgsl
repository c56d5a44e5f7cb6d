// Dispersion by one wavelength per path (KHR_materials_dispersion). The responses of the three
// channels are densities over the wavelength made of tents, fitted to the part of the linear sRGB
// responses of the CIE 1931 observer that is not negative, each scaled to mean 1, so that
// equal energy is white; they leave 5 % of each area elsewhere. A wavelength is drawn from the mean
// of the three and weighs each channel by its share of three, so the mean weight is (1, 1, 1)
// whatever the fit, and no path ever weighs more than 3.
//#import scene/bindings
//#import common/math

/// A tent in nanometres: apex, width before it, width after it.
const TENT_RED = vec3f(603.2, 51.6, 67.3);
const TENT_RED_VIOLET = vec3f(442.9, 42.0, 17.5);
const TENT_GREEN = vec3f(540.7, 67.0, 66.9);
const TENT_BLUE = vec3f(444.8, 38.1, 60.0);
/// Share of the red response that lies in the violet.
const VIOLET_SHARE = 0.05;

fn tent_density(shape: vec3f, x: f32) -> f32 {
  let d = x - shape.x;
  return greater(1.0 - select(d / shape.z, -d / shape.y, d < 0.0), 0.0) * 2.0 / (shape.y + shape.z);
}

fn sample_tent(shape: vec3f, u: f32) -> f32 {
  let width = shape.y + shape.z;
  let before = u * width < shape.y;
  return shape.x + select(shape.z - sqrt((1.0 - u) * width * shape.z), sqrt(u * width * shape.y) - shape.y, before);
}

/// A wavelength in nanometres for u in [0, 1).
fn sample_wavelength(u: f32) -> f32 {
  let v = u * 3.0;
  if (v >= 2.0) { return sample_tent(TENT_BLUE, v - 2.0); }
  if (v >= 1.0) { return sample_tent(TENT_GREEN, v - 1.0); }
  if (v < VIOLET_SHARE) { return sample_tent(TENT_RED_VIOLET, v / VIOLET_SHARE); }
  return sample_tent(TENT_RED, (v - VIOLET_SHARE) / (1.0 - VIOLET_SHARE));
}

/// What a path of this wavelength carries per channel; the mean over sample_wavelength is white.
fn wavelength_weight(wavelength: f32) -> vec3f {
  let red = mix(tent_density(TENT_RED, wavelength), tent_density(TENT_RED_VIOLET, wavelength), VIOLET_SHARE);
  let response = vec3f(red, tent_density(TENT_GREEN, wavelength), tent_density(TENT_BLUE, wavelength));
  return response * (3.0 / greater(response.x + response.y + response.z, 1e-12));
}

/// Index of refraction: at `wavelength` by the extension's Cauchy formula, or at the d line for 0.
fn ior_at(material: u32, wavelength: f32) -> f32 {
  let ior = materials[material].ior;
  if (wavelength == 0.0) { return ior; }
  // dispersion is 20 / Abbe number.
  let bend = materials[material].dispersion * 0.05 * (523655.0 / (wavelength * wavelength) - 1.5168);
  return greater(ior + (ior - 1.0) * bend, 1.0);
}
