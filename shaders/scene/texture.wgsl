// Texture reads without samplers: wrap, transform, sRGB and filtering are integers and ALU, because
// filter hardware differs between vendors. One texel per read; `jitter` in [0,1)^2 picks it with
// the weights of the bilinear filter, so the mean over samples is the filtered value. What light does
// not depend on linearly (normals, roughness) is filtered before it is used, as glTF's samplers say.
//#import scene/bindings
//#import features
//#import common/math
//#import transport/count

struct TexturePoint {
  uv0: vec2f,
  uv1: vec2f,
  jitter: vec2f,
}

/// Where the texels of a use lie and how they repeat.
struct TexelPlace {
  size: vec2i,
  origin: vec2i,
  layer: u32,
  flags: u32,
}

fn texel_place(index: u32) -> TexelPlace {
  return TexelPlace(
    vec2i(texture_uses[index].size),
    vec2i(texture_uses[index].origin),
    texture_uses[index].layer,
    texture_uses[index].flags,
  );
}

/// `i` modulo `period` for |i| up to 2^30, from 0 on. By floats, because a division of integers is slow on GPUs and is taken
/// apart lane by lane on processors; a quotient may be off by 2^-21 of itself, which the second turn makes up for.
fn modulo(i: i32, period: i32) -> i32 {
  let inverse = 1.0 / f32(period);
  var r = i - i32(floor(f32(i) * inverse)) * period;
  r -= i32(floor(f32(r) * inverse)) * period;
  r = select(r, r + period, r < 0);
  return select(r, r - period, r >= period);
}

fn wrap_texel(i: i32, size: i32, mode: u32) -> i32 {
  let mirror = mode == WRAP_MIRROR;
  let period = select(size, 2 * size, mirror);
  let j = modulo(i, period);
  let repeated = select(j, period - 1 - j, mirror && j >= size);
  return select(repeated, clamp(i, 0, size - 1), mode == WRAP_CLAMP);
}

/// Position in texels, half a texel up and left, ready for floor(position + jitter).
fn texel_position(index: u32, place: TexelPlace, point: TexturePoint) -> vec2f {
  var at = point.uv0;
  if (VERTEX_EXTRAS) { at = select(point.uv0, point.uv1, (place.flags & TEXTURE_UV1) != 0u); }
  let uv = vec3f(at, 1.0);
  let u = dot(texture_uses[index].transform_u.xyz, uv);
  let v = dot(texture_uses[index].transform_v.xyz, uv);
  let offset = select(-0.5, 0.0, (place.flags & TEXTURE_NEAREST) != 0u);
  return within2(vec2f(u, v) * vec2f(place.size) + offset, vec2f(-1e9), vec2f(1e9));
}

/// The texel at an integer position, as stored.
fn load_texel(place: TexelPlace, at: vec2f) -> vec4f {
  let i = vec2i(at);
  let x = wrap_texel(i.x, place.size.x, place.flags & 3u);
  let y = wrap_texel(i.y, place.size.y, (place.flags >> 2u) & 3u);
  return vec4f(textureLoad(texels, vec2i(x, y) + place.origin, place.layer, 0)) * (1.0 / 255.0);
}

/// The texel at `base`, or with `whole` the mean of the four from there on by the bilinear filter; `f` is the way to the next.
/// The loop asks at its end: at the head of a loop software adapters go through its body once more than it has turns.
fn blend_texels(place: TexelPlace, base: vec2f, f: vec2f, whole: bool) -> vec4f {
  let turns = select(1u, 4u, whole);
  if (COUNT) { texel_reads += turns; }
  var sum = vec4f(0.0);
  var k = 0u;
  loop {
    let step = vec2f(f32(k & 1u), f32(k >> 1u));
    let weight = mix(1.0 - f, f, step);
    sum += select(1.0, weight.x * weight.y, whole) * load_texel(place, base + step);
    continuing {
      k++;
      break if k >= turns;
    }
  }
  return sum;
}

/// Linear rgba: of one stochastic texel, or `filtered` of all four, which only data may be, not colours in sRGB.
fn read_texture(index: u32, point: TexturePoint, filtered: bool) -> vec4f {
  let place = texel_place(index);
  let nearest = (place.flags & TEXTURE_NEAREST) != 0u;
  let whole = filtered && !nearest;
  let position = texel_position(index, place, point);
  let base = floor(position + select(point.jitter, vec2f(0.0), whole || nearest));
  let texel = blend_texels(place, base, position - base, whole);
  if ((place.flags & TEXTURE_SRGB) == 0u) { return texel; }
  return vec4f(srgb_to_linear(texel.rgb), texel.a);
}

/// Alpha with the full bilinear filter; a cut-out compares after filtering.
fn read_alpha_filtered(index: u32, point: TexturePoint) -> f32 {
  let place = texel_place(index);
  let position = texel_position(index, place, point);
  let base = floor(position);
  return blend_texels(place, base, position - base, (place.flags & TEXTURE_NEAREST) == 0u).a;
}
