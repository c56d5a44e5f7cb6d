// How Open Image Denoise encodes what it denoises (its core/color.h): light by a perceptually uniform
// curve for high dynamic range, albedo by the sRGB curve, normals as they are. Nothing here decides a
// path, so the driver's own powers and logarithms will do.

override TRANSFER: u32 = 0u;
const TRANSFER_LIGHT = 0u;
const TRANSFER_SRGB = 1u;
const TRANSFER_NORMAL = 2u;

/// Largest value of the curve's range, that of a half float.
const LIGHT_MAX = 65504.0;
/// 1 / the curve at LIGHT_MAX.
const LIGHT_NORM = 0.31896715517604124;

fn light_curve(y: f32) -> f32 {
  if (y <= 1.5794576e-6) { return 1.41283765e3 * y; }
  if (y <= 3.22087631e-2) { return 1.64593172 * pow(y, 4.31384981e-1) - 2.94139609e-3; }
  return 1.92653254e-1 * log(y + 6.26026094e-3) + 9.98620152e-1;
}

fn light_curve_inverse(x: f32) -> f32 {
  if (x <= 2.23151711e-3) { return x / 1.41283765e3; }
  if (x <= 3.70974749e-1) { return pow((x + 2.94139609e-3) / 1.64593172, 1.0 / 4.31384981e-1); }
  return exp((x - 9.98620152e-1) / 1.92653254e-1) - 6.26026094e-3;
}

fn srgb_curve(y: f32) -> f32 {
  return select(1.055 * pow(max(y, 1e-9), 1.0 / 2.4) - 0.055, 12.92 * y, y <= 0.0031308);
}

fn srgb_curve_inverse(x: f32) -> f32 {
  return select(pow((max(x, 0.0) + 0.055) / 1.055, 2.4), x / 12.92, x <= 0.04045);
}

fn encode(v: f32) -> f32 {
  if (TRANSFER == TRANSFER_LIGHT) { return light_curve(v) * LIGHT_NORM; }
  if (TRANSFER == TRANSFER_SRGB) { return srgb_curve(v); }
  return v;
}

fn decode(v: f32) -> f32 {
  if (TRANSFER == TRANSFER_LIGHT) { return light_curve_inverse(v / LIGHT_NORM); }
  if (TRANSFER == TRANSFER_SRGB) { return srgb_curve_inverse(v); }
  return v;
}
