// How the layers of a material share out the light that comes: coat, sheen, the dielectric or metal,
// and what lies below. Every layer takes what its directional albedo says and leaves the rest.
//#import scene/surface
//#import bsdf/lobe
//#import bsdf/albedo
//#import bsdf/film

/// What the layers above let through to the base.
fn lay_coat_and_sheen(l: ptr<function, Lobes>, s: Surface, wo: vec3f) -> f32 {
  var under = 1.0;
  if (COATED && s.coat > 0.0) {
    (*l).coat_frame = basis_around(s.coat_normal);
    (*l).coat_alpha = s.coat_alpha;
    let albedo = mirror_albedo(dot(s.coat_normal, wo), s.coat_alpha);
    let whole = albedo.x + albedo.y;
    (*l).coat = s.coat * (1.0 + 0.04 * (1.0 - whole) / whole);
    (*l).chance.coat = (*l).coat * (0.04 * (whole - albedo.z) + albedo.z);
    under = 1.0 - (*l).chance.coat;
  }
  if (SHEEN && max3(s.sheen) > 0.0) {
    let albedo = sheen_albedo((*l).wo.z, s.sheen_alpha);
    (*l).sheen = s.sheen * (under / greater(albedo, 1.0));
    (*l).sheen_alpha = s.sheen_alpha;
    (*l).chance.sheen = luminance((*l).sheen) * albedo;
    under *= 1.0 - max3(s.sheen) * lesser(albedo, 1.0);
  }
  return under;
}

/// The two values of the bare dielectric and of the metal, with a film over both.
fn set_fresnel(l: ptr<function, Lobes>, s: Surface) {
  let given = (materials[s.material].flags & MATERIAL_SPECULAR_GLOSSINESS) != 0u;
  let r2 = select(normal_reflectance(select(materials[s.material].ior, s.eta, s.eta > 0.0)), 1.0, given);
  (*l).bare0 = lesser3(r2 * s.specular_color, vec3f(1.0)) * s.specular;
  (*l).bare90 = vec3f(s.specular);
  let ior = select(materials[s.material].ior, s.eta, s.eta > 0.0);
  (*l).rise_ior = greater(ior, 1.0 / greater(ior, 1e-3));
  (*l).metal0 = s.base;
  (*l).metal90 = vec3f(1.0);
  if (!IRIDESCENT || s.film <= 0.0) { return; }
  // Outside the film, also when seen from inside the volume below it.
  var cosine = (*l).wo.z;
  if (VOLUMES && s.eta > 0.0 && s.eta < 1.0) { cosine = sqrt(greater(1.0 - (1.0 - cosine * cosine) / (s.eta * s.eta), 0.0)); }
  var metal = 0u;
  loop {
    let f0 = select((*l).bare0, (*l).metal0, metal == 1u);
    let pair = schlick_through(film_reflectance(f0, cosine, materials[s.material].iridescence_ior, s.film_thickness), cosine);
    if (metal == 0u) {
      (*l).bare0 = mix((*l).bare0, pair.f0, s.film);
      (*l).bare90 = mix((*l).bare90, pair.f90, s.film);
    } else {
      (*l).metal0 = mix((*l).metal0, pair.f0, s.film);
      (*l).metal90 = mix((*l).metal90, pair.f90, s.film);
    }
    continuing {
      metal++;
      break if metal >= 2u;
    }
  }
}

/// What the opaque dielectric leaves to the diffuse lobes below it; x: what they see at once, y: what comes
/// back to them. The layer takes the Fresnel reflectance at the viewer's angle (README, decision 7), of
/// which a rough one reflects only `reflected`; the rest is not lost but meets the base again and again.
fn kept_below(l: Lobes, reflected: f32) -> vec2f {
  let taken = greater(max3(mix(l.bare0, l.bare90, dielectric_rise(COMMON_IOR, l.wo.z))), reflected);
  return vec2f(1.0 - taken, taken - reflected);
}

/// Albedo of a base under a layer. What comes back has met the base many times, which only white survives.
fn under_layer(base: vec3f, kept: vec2f) -> vec3f {
  let whiteness = lesser(base.x, lesser(base.y, base.z));
  let w3 = whiteness * whiteness * whiteness;
  return base * (kept.x + w3 * w3 * whiteness * kept.y);
}

/// Shares out what reaches the base: `under` of the light. Sets the chances of its lobes to their albedos.
///
/// The share `transmission` of the dielectric is a clear interface, compensated as a whole (what it does
/// not reflect it lets through), the rest reflects like an opaque layer over its diffuse lobes; from
/// inside a volume only the clear share knows total reflection.
fn share_base(l: ptr<function, Lobes>, s: Surface, under: f32) {
  let table = surface_albedo(s, *l);
  let whole = table.x + table.y;
  let gain = (1.0 - whole) / whole;
  let dielectric = under * (1.0 - s.metallic);
  let metal = (vec3f(1.0) + (*l).metal0 * gain) * (under * s.metallic);
  let opaque = (vec3f(1.0) + (*l).bare0 * gain) * (dielectric * (1.0 - s.transmission));
  let bare = (*l).bare0 * (whole - table.z) + (*l).bare90 * table.z;
  let reflected = bare * (vec3f(1.0) + (*l).bare0 * gain);
  (*l).metal0 *= metal;
  (*l).metal90 *= metal;
  (*l).opaque0 = (*l).bare0 * opaque;
  (*l).opaque90 = (*l).bare90 * opaque;
  let matte = dielectric * (1.0 - s.transmission);
  let kept = kept_below(*l, max3(reflected));
  (*l).diffuse = under_layer(s.base, kept) * (matte * (1.0 - s.beyond_share));
  (*l).beyond = under_layer(s.beyond, kept) * (matte * s.beyond_share);
  (*l).chance.specular = luminance((*l).metal0 * table.x + (*l).metal90 * table.y + bare * opaque);
  (*l).chance.diffuse = luminance((*l).diffuse);
  (*l).chance.beyond = luminance((*l).beyond);
  if (TRANSMISSIVE && s.transmission > 0.0) { share_clear(l, s, dielectric * s.transmission, vec3f(table.w, whole, table.z / whole)); }
}

/// The clear share of the dielectric. `table`: width, albedo of a white mirror, C's part in that.
fn share_clear(l: ptr<function, Lobes>, s: Surface, share: f32, table: vec3f) {
  var filled = 1.0 / table.y;
  let open = open_share(*l, (*l).wo.z);
  var passing = 1.0 - max3(mix((*l).bare0, (*l).bare90, table.z));
  if (VOLUMES && s.eta > 0.0) {
    let glass = glass_albedo((*l).wo.z, table.x, s.eta);
    filled /= mix(glass.y, glass.x, lesser((*l).bare90.x, 1.0));
    // Of smooth glass what the one angle says; of rough glass never zero where light may pass.
    passing = mix(open, passing, lesser(10.0 * table.x, 0.5));
    // From inside, rough glass reflects totally at facets that lean away: more of it than either says.
    if (s.eta < 1.0) { passing *= 1.0 - 0.2 * table.x; }
  }
  (*l).total = share * filled;
  (*l).f0 = (*l).bare0 * (*l).total;
  (*l).f90 = (*l).bare90 * (*l).total;
  (*l).through = s.base * (*l).total;
  (*l).chance.specular += share * (1.0 - passing);
  let likely = luminance(s.base) * share * passing;
  (*l).chance.thin = select(likely, 0.0, s.eta > 0.0 || s.passed);
  (*l).chance.refract = select(0.0, likely, s.eta > 0.0);
}

/// (A, B, C) of the base's own reflection, and the width that refraction looks its albedo up by.
fn surface_albedo(s: Surface, l: Lobes) -> vec4f {
  if (ANISOTROPIC && s.anisotropy > 0.0) { return stretched_albedo(l.wo, l.widths); }
  return vec4f(mirror_albedo(l.wo.z, s.alpha), s.alpha);
}
