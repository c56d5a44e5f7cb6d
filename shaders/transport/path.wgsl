// The state of a path between two vertices, and how its two estimators of light are weighed.
//#import transport/straight
//#import transport/guide
//#import transport/count
//#import bsdf/lobes
//#import common/signature
//#import light/sample

/// 0: both estimators; 1: BSDF sampling alone; 2: light sampling alone. Tests compare their means.
override ESTIMATOR: u32 = 0u;

/// Scatterings before Russian roulette begins.
const ROULETTE_FROM = 4u;

struct Path {
  ray: Ray,
  key: PathKey,
  light: vec3f,
  throughput: vec3f,
  pdf: f32,           // of the direction of `ray`; 0 for the camera's
  receiver: Receiver, // where `ray` was scattered: what light sampling knew there
  wavelength: f32,    // nanometres; 0: the path is still white
  media: Media,       // where `ray` starts
  signature: u32,
  segments: u32,
  alive: bool,        // `ray` is still to be traced
  shadow: Ray,        // towards the light sampled last; traced together with `ray`, so that the kernel holds one traversal
  shadow_light: vec3f, // what it brings when nothing stands before it; black: nothing to trace
  shadow_media: Media, // where `shadow` starts
  guide: Guide,
}

/// Weight of light that a BSDF-sampled ray met, when light sampling would have met it with `light_pdf`.
fn met_weight(bsdf_pdf: f32, light_pdf: f32) -> f32 {
  if (bsdf_pdf == 0.0 || ESTIMATOR == 1u) { return 1.0; }
  if (ESTIMATOR == 2u) { return select(0.0, 1.0, light_pdf == 0.0); }
  return 1.0 / (1.0 + sqr(light_pdf / bsdf_pdf));
}

fn sampled_weight(light_pdf: f32, bsdf_pdf: f32) -> f32 {
  if (ESTIMATOR != 0u) { return select(1.0, 0.0, ESTIMATOR == 1u); }
  return 1.0 / (1.0 + sqr(bsdf_pdf / light_pdf));
}

/// @returns false when the path ends here. Throughput holds no 1/eta^2 (see evaluate_refraction), so
/// glass needs no correction of its own.
fn roulette(p: ptr<function, Path>, vertex: u32, u: f32) -> bool {
  if (max3((*p).throughput) <= 0.0) { return false; }
  if (vertex < ROULETTE_FROM) { return true; }
  let survive = min(sqrt(max3((*p).throughput)), 1.0);
  if (u >= survive) { return false; }
  (*p).throughput /= survive;
  return true;
}

/// Makes a white path one of a single wavelength, once.
fn draw_wavelength(p: ptr<function, Path>) {
  if ((*p).wavelength > 0.0) { return; }
  (*p).wavelength = sample_wavelength(sample_unit((*p).key, PAIR_WAVELENGTH).x);
  (*p).throughput *= wavelength_weight((*p).wavelength);
}

/// The relative ior of the surface met, from the media on its two sides.
fn resolve_interface(p: ptr<function, Path>, s: ptr<function, Surface>, met: Crossing) {
  if (!is_volume((*s).material)) { return; }
  let near = present_medium(met.before);
  let far = present_medium(met.after);
  if (DISPERSIVE && (disperses(near) || disperses(far))) { draw_wavelength(p); }
  (*s).eta = medium_ior(far, (*p).wavelength) / medium_ior(near, (*p).wavelength);
}

/// What light sampling may rely on at a surface.
fn receiver_at(s: Surface) -> Receiver {
  let both = (TRANSMISSIVE && materials[s.material].transmission > 0.0)
    || (DIFFUSE_TRANSMISSIVE && materials[s.material].diffuse_transmission > 0.0);
  return Receiver(s.position, select(s.geometric, vec3f(0.0), both));
}

/// Does the lobe hand on what lies in the mirror's direction (see transport/guide)?
fn is_mirror(lobe: u32, l: Lobes) -> bool {
  if (lobe == LOBE_DIFFUSE || lobe == LOBE_SHEEN) { return false; }
  return select(l.alpha, l.coat_alpha, lobe == LOBE_COAT) <= GUIDE_ALPHA;
}
