// What guides the denoiser and the eye: albedo and normal of the first vertex that is no mirror,
// depth and id of the first surface. A chain of mirrors, glass and clear coat hands its weight on,
// so the mean over samples blends what is reflected with what lies beneath by their Fresnel terms.
//#import common/math
//#import scene/bindings

/// A lobe of GGX width up to this (perceptual roughness 0.2) counts as a mirror.
const GUIDE_ALPHA = 0.04;

struct Guide {
  weight: vec3f, // of the chain so far
  done: bool,
  albedo: vec3f,
  normal: vec3f,
  depth: f32,
  object: u32,
}

fn new_guide() -> Guide {
  return Guide(vec3f(1.0), false, vec3f(0.0), vec3f(0.0), 0.0, NONE);
}

/// Ends the chain on something of this colour; a zero normal where there is none.
fn ended_guide(before: Guide, albedo: vec3f, normal: vec3f) -> Guide {
  // By value: Firefox 153 (naga) falls over pointers to members of what a pointer points to.
  if (before.done) { return before; }
  var g = before;
  g.done = true;
  g.albedo = within3(g.weight * albedo, vec3f(0.0), vec3f(1.0));
  g.normal = normal;
  return g;
}

fn pack_albedo(albedo: vec3f) -> u32 {
  let w = vec3u(albedo * f32(ALBEDO_STEPS) + 0.5);
  return w.x | (w.y << 10u) | (w.z << 20u);
}

fn pack_guide_normal(normal: vec3f) -> u32 {
  let w = bitcast<vec3u>(vec3i(round(within3(normal, vec3f(-1.0), vec3f(1.0)) * f32(NORMAL_STEPS)))) & vec3u(1023u);
  return w.x | (w.y << 10u) | (w.z << 20u);
}
