// One light per vertex, from the light tree over everything with a place or from the alias table of
// the distant lights, with the exact density that multiple importance sampling needs.
//#import light/environment
//#import light/tree
//#import light/profile
//#import scene/surface
//#import bsdf/fresnel

/// Whose textures change what an emitter sends.
const EMITTER_SLOTS = (1u << SLOT_EMISSIVE) | (1u << SLOT_COAT);

struct LightSample {
  direction: vec3f,
  distance: f32,
  radiance: vec3f, // divided by nothing; black: no sample
  pdf: f32,        // per solid angle, the pick included; of a point-like light the pick alone
  triangle: u32,   // NONE unless an emissive triangle
  point_like: bool,
  point: vec3f,    // where the shadow ray ends, off the emitter's surface; of no meaning at FAR
}

fn no_light() -> LightSample {
  return LightSample(vec3f(0.0, 1.0, 0.0), 0.0, vec3f(0.0), 0.0, NONE, true, vec3f(0.0));
}

/// `bits.x` chooses the group and then the light; `bits.y` is for the tree's deeper levels.
fn pick_light(to: Receiver, bits: vec2u) -> LightPick {
  let u = unit(bits.x);
  if (u < frame.tree_share) {
    let pick = walk_light_tree(to, false, 0u, lesser(u / frame.tree_share, BELOW_ONE), bits.y);
    return LightPick(pick.light, pick.probability * frame.tree_share);
  }
  let distant = frame.lights - frame.tree_lights;
  let at = lesser((u - frame.tree_share) / (1.0 - frame.tree_share), BELOW_ONE) * f32(distant);
  var light = frame.tree_lights + min(u32(at), distant - 1u);
  if (at - floor(at) >= lights[light].alias_threshold) { light = lights[light].alias_other; }
  return LightPick(light, lights[light].pick);
}

/// Density per solid angle of a uniform point of a triangle, seen along `direction`.
/// `n`: its triangle_cross.
fn triangle_area_pdf(n: vec3f, distance: f32, direction: vec3f) -> f32 {
  let projected = 0.5 * abs(dot(n, direction)); // area times cosine
  return distance * distance / greater(projected, 1e-20);
}

/// Density per solid angle with which light sampling from `to` chooses a point of a triangle, seen along `direction`.
fn triangle_light_pdf(triangle: Triangle, distance: f32, direction: vec3f, to: Receiver) -> f32 {
  if (!EMISSIVE || triangle.light == NONE) { return 0.0; }
  var trail = 0u;
  if (LIGHT_TREE) { trail = lights[triangle.light].trail; }
  let pick = walk_light_tree(to, true, trail, 0.0, 0u);
  return frame.tree_share * pick.probability * triangle_area_pdf(triangle_cross(triangle), distance, direction);
}

fn emits_towards(triangle: Triangle, direction: vec3f) -> bool {
  if ((materials[triangle.material & TRIANGLE_MATERIAL].flags & MATERIAL_DOUBLE_SIDED) != 0u) { return true; }
  return (dot(triangle_cross(triangle), direction) < 0.0) != ((triangle.material & TRIANGLE_MIRRORED) != 0u);
}

/// Share of an emitter's light that leaves through its coat along `direction`: KHR_materials_clearcoat lies on top
/// of emission. By the interpolated normal, without the coat's own normal map, so that light sampling knows it as well.
fn coat_opening(triangle: u32, bary: vec2f, direction: vec3f, coat: f32) -> f32 {
  if (!COATED || coat <= 0.0) { return 1.0; }
  let n = normal_at(corners_of(triangle), vec3f(1.0 - bary.x - bary.y, bary));
  let cosine = lesser(abs(dot(normalize_or(n, direction), direction)), 1.0);
  return 1.0 - coat * (0.04 + 0.96 * dielectric_rise(COMMON_IOR, cosine));
}

/// Along `direction`, towards the emitter.
fn triangle_radiance(triangle: u32, material: u32, bary: vec2f, direction: vec3f, jitter: vec2f) -> vec3f {
  var radiance = materials[material].emissive;
  var coat = materials[material].clearcoat;
  var left = textured_slots(material) & EMITTER_SLOTS;
  loop { // one call of the long code that reads a texture
    if (TEXTURED && left != 0u) {
      let slot = lowest_bit(left);
      let point = texture_point(corners_of(triangle), vec3f(1.0 - bary.x - bary.y, bary), jitter);
      let texel = read_texture(slot_texture(material, slot), point, false);
      if (slot == SLOT_EMISSIVE) { radiance *= texel.rgb; } else { coat *= texel.x; }
    }
    left &= left - 1u;
    continuing { break if left == 0u; }
  }
  radiance *= coat_opening(triangle, bary, direction, coat);
  let flags = materials[material].flags;
  if (SEE_THROUGH && (flags & (MATERIAL_ALPHA_MASK | MATERIAL_ALPHA_BLEND)) != 0u) {
    // The ray that lands here would meet the surface with this chance.
    let alpha = alpha_at(triangle, material, bary.x, bary.y);
    radiance *= select(alpha, select(0.0, 1.0, alpha >= materials[material].alpha_cutoff), (flags & MATERIAL_ALPHA_MASK) != 0u);
  }
  return radiance;
}

fn sample_triangle_light(pick: LightPick, origin: vec3f, u: vec2f, jitter: vec2f) -> LightSample {
  let at = lights[pick.light].triangle;
  let triangle = load_triangle(at);
  let root = sqrt(u.x);
  let bary = vec2f(root * (1.0 - u.y), root * u.y);
  let point = triangle_point(triangle, bary);
  let towards = point - origin;
  let distance = sqrt(dot(towards, towards));
  let direction = normalize_or(towards, vec3f(0.0, 1.0, 0.0));
  if (distance < 1e-12 || !emits_towards(triangle, direction)) { return no_light(); }
  let n = triangle_cross(triangle);
  let pdf = pick.probability * triangle_area_pdf(n, distance, direction);
  let off = normalize_or(n / greater(max3(abs(n)), 1e-37), direction) * hit_blur(triangle, NONE, point).step;
  let end = point + select(off, -off, dot(n, direction) > 0.0);
  let radiance = triangle_radiance(at, triangle.material & TRIANGLE_MATERIAL, bary, direction, jitter);
  return LightSample(direction, distance, radiance, pdf, at, false, end);
}

/// KHR_lights_punctual: point, spot, directional.
fn sample_punctual(pick: LightPick, origin: vec3f) -> LightSample {
  let l = lights[pick.light];
  if (l.kind == LIGHT_DIRECTIONAL) { return LightSample(-l.direction, FAR, l.color, pick.probability, NONE, true, vec3f(0.0)); }
  let towards = l.position - origin;
  let distance2 = greater(dot(towards, towards), 1e-20);
  let distance = sqrt(distance2);
  let direction = towards / distance;
  var strength = 1.0 / distance2;
  if (l.range > 0.0) { strength *= within(1.0 - sqr(sqr(distance / l.range)), 0.0, 1.0); }
  if (l.kind == LIGHT_SPOT) { strength *= sqr(within(dot(l.direction, -direction) * l.spot_scale + l.spot_offset, 0.0, 1.0)); }
  if (PHOTOMETRIC && l.profile != NONE) { strength *= profile_intensity(l.profile, l.direction, -direction); }
  return LightSample(direction, distance, l.color * strength, pick.probability, NONE, true, l.position);
}

/// `jitter` is of the texture reads.
fn sample_light(to: Receiver, bits: vec2u, point_bits: vec2u, jitter: vec2f) -> LightSample {
  let pick = pick_light(to, bits);
  let kind = lights[pick.light].kind;
  if (EMISSIVE && kind == LIGHT_TRIANGLE) {
    return sample_triangle_light(pick, to.position, vec2f(unit(point_bits.x), unit(point_bits.y)), jitter);
  }
  if (PUNCTUAL && kind != LIGHT_ENVIRONMENT) { return sample_punctual(pick, to.position); }
  if (!ENVIRONMENT) { return no_light(); }
  let uv = sample_environment_uv(point_bits, unit(bits.y));
  let direction = environment_direction(uv);
  let value = environment_towards(direction);
  return LightSample(direction, FAR, value.radiance, value.pdf * pick.probability, NONE, false, vec3f(0.0));
}

/// From the surface to just before the light: straight to its point, because a ray that starts off the surface and keeps
/// the sample's direction would meet a close emitter too soon.
fn shadow_ray(s: Surface, light: LightSample) -> Ray {
  let origin = leave_surface(s, light.direction);
  if (light.distance >= FAR) { return Ray(origin, FAR, light.direction, s.primitive); }
  let towards = light.point - origin;
  let distance = sqrt(dot(towards, towards));
  return Ray(origin, distance * 0.999999, normalize_or(towards, light.direction), s.primitive);
}
