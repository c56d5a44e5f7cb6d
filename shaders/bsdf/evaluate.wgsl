// Value and density of the whole material for a pair of directions, and a sample of it. The density
// is the mixture over all lobes, so light sampling and lobe sampling combine without special cases.
//
// Shading normals part from the geometric one, and then a lobe reaches below the surface it belongs
// to. That part is folded back: directions on the wrong side of the geometric plane are mirrored in
// it, in the value and in the density alike. So no light is lost or gained, nothing is black, nothing
// leaks, and the value is continuous across the plane. (Dropping that part darkens; bending normals
// changes the look of what lies well above the horizon.)
//#import bsdf/lobes

struct BsdfValue {
  value: vec3f, // f times |cos|
  pdf: f32,
}

struct BsdfSample {
  direction: vec3f,
  lobe: u32,     // LOBE_NONE: absorbed
  weight: vec3f, // value / pdf
  pdf: f32,
}

fn evaluate_coat(l: Lobes, direction: vec3f, wo: vec3f) -> BsdfValue {
  let o = to_local(l.coat_frame, wo);
  let i = to_local(l.coat_frame, direction);
  if (o.z <= 0.0 || i.z <= 0.0) { return BsdfValue(vec3f(0.0), 0.0); }
  let h = normalize(o + i);
  let alpha = vec2f(l.coat_alpha);
  let fresnel = l.coat * (0.04 + 0.96 * dielectric_rise(COMMON_IOR, dot(o, h)));
  let value = fresnel * ggx_distribution(h, alpha) * ggx_visibility(o, i, alpha) * i.z;
  return BsdfValue(vec3f(value), l.chance.coat * reflection_pdf(o, h, alpha));
}

fn evaluate_reflection(l: Lobes, wi: vec3f) -> BsdfValue {
  let h = normalize(l.wo + wi);
  let cosine = dot(l.wo, h);
  var fresnel = mix(l.metal0, l.metal90, schlick(cosine)) + mix(l.opaque0, l.opaque90, dielectric_rise(COMMON_IOR, cosine));
  if (TRANSMISSIVE) {
    let s = clear_rise(l, cosine);
    fresnel += select(l.f0 + (l.f90 - l.f0) * s, vec3f(l.total), s < 0.0);
  }
  var value = fresnel * (ggx_distribution(h, l.widths) * ggx_visibility(l.wo, wi, l.widths)) + l.diffuse * INV_PI;
  var pdf = l.chance.specular * reflection_pdf(l.wo, h, l.widths) + l.chance.diffuse * wi.z * INV_PI;
  if (SHEEN && l.chance.sheen > 0.0) {
    value += l.sheen * sheen_value(l.wo, wi, l.sheen_alpha);
    pdf += l.chance.sheen * (0.5 * INV_PI);
  }
  return BsdfValue(value * wi.z, pdf);
}

/// Through a thin wall: the reflection lobe, mirrored to the other side.
fn evaluate_thin(l: Lobes, wi: vec3f) -> BsdfValue {
  let mirrored = vec3f(wi.xy, -wi.z);
  let h = normalize(l.wo + mirrored);
  let lobe = ggx_distribution(h, l.widths) * ggx_visibility(l.wo, mirrored, l.widths) * mirrored.z;
  return BsdfValue(l.through * (open_share(l, dot(l.wo, h)) * lobe), l.chance.thin * reflection_pdf(l.wo, h, l.widths));
}

/// Walter et al. 2007, equation 21, without the 1/eta^2 of radiance in denser media: every path that
/// enters leaves again, and the camera and lights stand outside.
fn evaluate_refraction(l: Lobes, wi: vec3f) -> BsdfValue {
  let sum = l.wo + l.eta * wi;
  var h = normalize(sum);
  h = select(-h, h, h.z >= 0.0);
  let o = dot(l.wo, h);
  let i = dot(wi, h);
  if (o <= 0.0 || i >= 0.0) { return BsdfValue(vec3f(0.0), 0.0); }
  let jacobian = l.eta * l.eta * -i / greater(sqr(o + l.eta * i), 1e-12);
  let density = half_vector_pdf(l.wo, h, l.widths) * jacobian;
  return BsdfValue(l.through * (open_share(l, o) * density * ggx_masking(wi, l.widths)), l.chance.refract * density);
}

fn evaluate_transmission(l: Lobes, wi: vec3f) -> BsdfValue {
  var result = BsdfValue(vec3f(0.0), 0.0);
  if (DIFFUSE_TRANSMISSIVE) {
    result = BsdfValue(l.beyond * (-wi.z * INV_PI), l.chance.beyond * -wi.z * INV_PI);
  }
  if (TRANSMISSIVE && l.chance.thin + l.chance.refract > 0.0) {
    var clear: BsdfValue;
    if (VOLUMES && l.eta > 0.0) { clear = evaluate_refraction(l, wi); } else { clear = evaluate_thin(l, wi); }
    result.value += clear.value;
    result.pdf += clear.pdf;
  }
  return result;
}

/// Whether a direction as it would be before folding lies on the side of a lobe's normal where the lobe is.
fn folds(s: Surface, l: Lobes, unfolded: vec3f, above: bool) -> bool {
  let side = select(-1.0, 1.0, above);
  return side * dot(s.normal, unfolded) > 0.0 || (COATED && above && l.chance.coat > 0.0 && dot(s.coat_normal, unfolded) > 0.0);
}

fn evaluate_bsdf(s: Surface, l: Lobes, wo: vec3f, direction: vec3f) -> BsdfValue {
  let height = dot(s.geometric, direction);
  let above = height > 0.0;
  var result = BsdfValue(vec3f(0.0), 0.0);
  // The direction itself, then the one that is folded onto it, where a lobe reaches that far: one call of
  // costly code, and mostly one turn.
  let turns = select(1u, 2u, folds(s, l, direction - 2.0 * height * s.geometric, above));
  var turn = 0u;
  loop {
    let unfolded = direction - s.geometric * select(0.0, 2.0 * height, turn == 1u);
    let wi = to_local(l.frame, unfolded);
    var part = BsdfValue(vec3f(0.0), 0.0);
    if (above && wi.z > 1e-6) { part = evaluate_reflection(l, wi); }
    if ((TRANSMISSIVE || DIFFUSE_TRANSMISSIVE) && !above && wi.z < -1e-6) { part = evaluate_transmission(l, wi); }
    result.value += part.value;
    result.pdf += part.pdf;
    if (COATED && above && l.chance.coat > 0.0) {
      let coat = evaluate_coat(l, unfolded, wo);
      result.value += coat.value;
      result.pdf += coat.pdf;
    }
    continuing {
      turn++;
      break if turn >= turns;
    }
  }
  return result;
}

/// @returns the lobe that u in [0,1) falls to; LOBE_NONE for a black surface.
fn pick_lobe(c: Chances, u: f32) -> u32 {
  if (c.diffuse + c.specular + c.thin + c.refract + c.coat + c.sheen + c.beyond <= 0.0) { return LOBE_NONE; }
  var edge = c.diffuse;
  if (u < edge) { return LOBE_DIFFUSE; }
  edge += c.thin;
  if (u < edge) { return LOBE_THIN; }
  edge += c.refract;
  if (u < edge) { return LOBE_REFRACT; }
  edge += c.coat;
  if (u < edge) { return LOBE_COAT; }
  edge += c.beyond;
  if (u < edge) { return LOBE_BEYOND; }
  edge += c.sheen;
  return select(LOBE_SPECULAR, LOBE_SHEEN, u < edge);
}

/// A direction by the microfacets of a lobe, in world space; the zero vector when the lobe gives none.
fn sample_facets(l: Lobes, wo: vec3f, lobe: u32, u: vec2f) -> vec3f {
  let coated = lobe == LOBE_COAT;
  var view = l.wo;
  if (coated) { view = to_local(l.coat_frame, wo); }
  let widths = select(l.widths, vec2f(l.coat_alpha), coated);
  let bound = select(cap_bound(view, widths), 1.0, lobe == LOBE_REFRACT);
  let h = sample_half_vector(view, widths, bound, u);
  let cosine = dot(view, h);
  var wi = 2.0 * cosine * h - view;
  if (lobe == LOBE_REFRACT) {
    let sin2 = (1.0 - cosine * cosine) / (l.eta * l.eta);
    wi = h * (cosine / l.eta - sqrt(greater(1.0 - sin2, 0.0))) - view / l.eta;
    if (cosine <= 0.0 || sin2 >= 1.0 || wi.z >= 0.0) { return vec3f(0.0); }
  } else {
    if (wi.z <= 0.0) { return vec3f(0.0); }
    if (lobe == LOBE_THIN) { wi.z = -wi.z; }
  }
  if (coated) { return l.coat_frame * wi; }
  return l.frame * wi;
}

/// A direction from one lobe, folded to the side of the surface where the lobe belongs.
fn sample_lobe(s: Surface, l: Lobes, wo: vec3f, lobe: u32, u: vec2f) -> vec3f {
  var raw: vec3f;
  if (lobe == LOBE_DIFFUSE) {
    raw = l.frame * sample_cosine(u);
  } else if (lobe == LOBE_BEYOND) {
    raw = l.frame * -sample_cosine(u);
  } else if (lobe == LOBE_SHEEN) {
    raw = l.frame * sample_hemisphere(u);
  } else {
    raw = sample_facets(l, wo, lobe, u);
  }
  let below = lobe == LOBE_THIN || lobe == LOBE_REFRACT || lobe == LOBE_BEYOND;
  let height = dot(s.geometric, raw);
  return raw - s.geometric * select(0.0, 2.0 * height, (height > 0.0) == below);
}

fn sample_bsdf(s: Surface, l: Lobes, wo: vec3f, pick: f32, u: vec2f) -> BsdfSample {
  let lobe = pick_lobe(l.chance, pick);
  if (lobe == LOBE_NONE) { return BsdfSample(vec3f(0.0), LOBE_NONE, vec3f(0.0), 0.0); }
  let direction = normalize_or(sample_lobe(s, l, wo, lobe, u), vec3f(0.0));
  let bsdf = evaluate_bsdf(s, l, wo, direction);
  if (bsdf.pdf < 1e-12) { return BsdfSample(vec3f(0.0), LOBE_NONE, vec3f(0.0), 0.0); }
  return BsdfSample(direction, lobe, bsdf.value / bsdf.pdf, bsdf.pdf);
}
