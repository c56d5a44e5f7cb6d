// How alike two pixels are by what is seen in them, whatever light falls there: Dammertz et al. 2010
// ("Edge-Avoiding A-Trous Wavelet Transform for fast Global Illumination Filtering", section 3), with
// the slope of depth after Schied et al. 2017 ("Spatiotemporal Variance-Guided Filtering", 4.4).
// Both pixels count the same in everything here, which is what keeps the mean of a picture.
//#import common/math
//#import atrous/strip

@group(0) @binding(0) var<uniform> strip: Strip;

/// Of squared distance between normals: 10 degrees apart weigh 1 / e^2.
const NORMAL_WEIGHT = 64.0;
/// Of the squared relative difference of what surfaces return.
const ALBEDO_WEIGHT = 6.0;
/// Depth may differ by so many times what its slope explains, and by this share of itself.
const SLOPE_ROOM = 1.0;
const DEPTH_ROOM = 0.005;

/// What is seen in a pixel.
struct Surface {
  normal: vec3f,
  depth: f32,
  returned: vec3f,
  slope: f32,
}

fn surface_of(first: vec4f, second: vec4f) -> Surface {
  return Surface(first.xyz, first.w, second.xyz, second.w);
}

/// Exponent of the weight, positive: 0 for the same surface. `apart` in pixels.
fn difference(p: Surface, q: Surface, apart: f32) -> f32 {
  let n = p.normal - q.normal;
  let a = abs(p.returned - q.returned) / (p.returned + q.returned);
  let room = SLOPE_ROOM * apart * (p.slope + q.slope) + DEPTH_ROOM * (p.depth + q.depth) + 1e-30;
  return NORMAL_WEIGHT * dot(n, n) + ALBEDO_WEIGHT * sqr(max3(a)) + abs(p.depth - q.depth) / room;
}
