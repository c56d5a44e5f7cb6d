// The equirectangular environment: u = atan2(z, x)/2pi + 1/2, rows from +Y. Radiance and density
// are both bilinear between texel centres; offsetting an alias-picked texel by a tent-shaped random
// draws exactly that density, so a bright texel's bleed into its neighbours is sampled as well.
//#import scene/bindings
//#import common/math

struct EnvironmentValue {
  radiance: vec3f,
  pdf: f32, // per solid angle, before the chance that the environment is picked at all
}

fn env_texel(x: i32, y: i32) -> vec4f {
  let width = i32(frame.env_width);
  let wrapped = select(select(x, x - width, x >= width), x + width, x < 0);
  return textureLoad(env_texels, vec2i(wrapped, clamp(y, 0, i32(frame.env_height) - 1)), 0);
}

fn environment_at(uv: vec2f, sin_theta: f32) -> EnvironmentValue {
  let at = uv * vec2f(f32(frame.env_width), f32(frame.env_height)) - 0.5;
  let base = floor(at);
  let f = at - base;
  let i = vec2i(base);
  let top = mix(env_texel(i.x, i.y), env_texel(i.x + 1, i.y), f.x);
  let bottom = mix(env_texel(i.x, i.y + 1), env_texel(i.x + 1, i.y + 1), f.x);
  let value = mix(top, bottom, f.y);
  return EnvironmentValue(value.rgb, value.a / (2.0 * PI * PI * greater(sin_theta, 1e-6)));
}

fn environment_towards(direction: vec3f) -> EnvironmentValue {
  let y = within(direction.y, -1.0, 1.0);
  let uv = vec2f(atan2_turns(direction.z, direction.x) + 0.5, acos_poly(y) * INV_PI);
  return environment_at(uv, sqrt(direction.x * direction.x + direction.z * direction.z));
}

/// Offset in (-1, 1) with density 1 - |x|.
fn tent(u: f32) -> f32 {
  return select(1.0 - sqrt(2.0 - 2.0 * u), sqrt(2.0 * u) - 1.0, u < 0.5);
}

/// (u, v) of a sampled direction. `bits` choose texel and offset, `keep` decides the alias row.
fn sample_environment_uv(bits: vec2u, keep: f32) -> vec2f {
  let width = frame.env_width;
  let row = multiply_wide(bits.x, width * frame.env_height);
  var texel = row.x;
  let entry = textureLoad(env_alias, vec2u(texel % width, texel / width), 0).xy;
  if (keep >= bitcast<f32>(entry.x)) { texel = entry.y; }
  let size = vec2f(f32(width), f32(frame.env_height));
  let offset = vec2f(tent(f32(row.y >> 8u) * 5.9604644775390625e-8), tent(f32(bits.y >> 8u) * 5.9604644775390625e-8));
  let at = (vec2f(f32(texel % width), f32(texel / width)) + 0.5 + offset) / size;
  // Past a pole the tent folds back, past the seam it goes around.
  let v = select(abs(at.y), 2.0 - at.y, at.y > 1.0);
  return vec2f(at.x - floor(at.x), v);
}

fn environment_direction(uv: vec2f) -> vec3f {
  let phi = cos_sin_turns(uv.x - 0.5);
  let theta = cos_sin_turns(uv.y * 0.5);
  return vec3f(phi.x * theta.y, theta.x, phi.y * theta.y);
}
