// Texture reads without samplers: wrap, transform, sRGB and filtering are integers and ALU, because
// filter hardware differs between vendors. One texel per read; `jitter` in [0,1)^2 picks it with
// the weights of the bilinear filter, so the mean over samples is the filtered value. What light does
// not depend on linearly (normals, roughness) is filtered before it is used, as glTF's samplers say.
//#import scene/bindings
//#import common/math

struct TexturePoint {
  uv0: vec2f,
  uv1: vec2f,
  jitter: vec2f,
}

fn wrap_texel(i: i32, size: i32, mode: u32) -> i32 {
  if (mode == WRAP_CLAMP) { return clamp(i, 0, size - 1); }
  let period = select(size, 2 * size, mode == WRAP_MIRROR);
  let j = ((i % period) + period) % period;
  return select(j, period - 1 - j, mode == WRAP_MIRROR && j >= size);
}

/// Position in texels, half a texel up and left, ready for floor(position + jitter).
fn texel_position(index: u32, point: TexturePoint) -> vec2f {
  let flags = texture_uses[index].flags;
  let uv = vec3f(select(point.uv0, point.uv1, (flags & TEXTURE_UV1) != 0u), 1.0);
  let u = dot(texture_uses[index].transform_u.xyz, uv);
  let v = dot(texture_uses[index].transform_v.xyz, uv);
  let offset = select(-0.5, 0.0, (flags & TEXTURE_NEAREST) != 0u);
  return clamp(vec2f(u, v) * vec2f(texture_uses[index].size) + offset, vec2f(-1e9), vec2f(1e9));
}

/// The texel at an integer position, as stored.
fn load_texel(index: u32, at: vec2f) -> vec4f {
  let flags = texture_uses[index].flags;
  let size = vec2i(texture_uses[index].size);
  let i = vec2i(at);
  let wrapped = vec2i(wrap_texel(i.x, size.x, flags & 3u), wrap_texel(i.y, size.y, (flags >> 2u) & 3u));
  return vec4f(textureLoad(texels, wrapped + vec2i(texture_uses[index].origin), texture_uses[index].layer, 0)) * (1.0 / 255.0);
}

/// Linear rgba: of one stochastic texel, or `filtered` of all four, which only data may be, not colours in sRGB.
fn read_texture(index: u32, point: TexturePoint, filtered: bool) -> vec4f {
  let flags = texture_uses[index].flags;
  let whole = filtered && (flags & TEXTURE_NEAREST) == 0u;
  let position = texel_position(index, point);
  let base = floor(position + select(point.jitter, vec2f(0.0), whole || (flags & TEXTURE_NEAREST) != 0u));
  let f = position - base;
  var texel = vec4f(0.0);
  for (var k = 0u; k < select(1u, 4u, whole); k++) {
    let step = vec2f(f32(k & 1u), f32(k >> 1u));
    let weight = mix(1.0 - f, f, step);
    texel += select(1.0, weight.x * weight.y, whole) * load_texel(index, base + step);
  }
  if ((flags & TEXTURE_SRGB) == 0u) { return texel; }
  return vec4f(srgb_to_linear(texel.rgb), texel.a);
}

/// Alpha with the full bilinear filter; a cut-out compares after filtering.
fn read_alpha_filtered(index: u32, point: TexturePoint) -> f32 {
  let position = texel_position(index, point);
  let base = floor(position);
  if ((texture_uses[index].flags & TEXTURE_NEAREST) != 0u) { return load_texel(index, base).a; }
  let f = position - base;
  var sum = 0.0;
  for (var k = 0u; k < 4u; k++) {
    let step = vec2f(f32(k & 1u), f32(k >> 1u));
    let weight = mix(1.0 - f, f, step);
    sum += weight.x * weight.y * load_texel(index, base + step).a;
  }
  return sum;
}
