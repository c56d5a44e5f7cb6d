// What a smooth thin wall lets straight through. Rays call this while they are traced, so that light
// is found through windows; see the contract in bsdf/lobes.wgsl. Knows no rough walls, no volumes.
//#import scene/texture
//#import features

/// GGX narrower than this is not told from a mirror, and keeps every density finite in f32.
const ALPHA_MIN = 1e-3;

/// May be smooth enough for light to leave in the direction it came; not under another layer. Where a
/// texture gives the roughness, each texel decides: rough ones let nothing through here.
fn lets_straight_through(material: u32) -> bool {
  return TRANSMISSIVE && materials[material].transmission > 0.0 && materials[material].thickness <= 0.0
    && (materials[material].roughness * materials[material].roughness <= ALPHA_MIN || materials[material].metal_rough_texture != NONE)
    && materials[material].clearcoat <= 0.0 && max3(materials[material].sheen_color) <= 0.0 && materials[material].iridescence <= 0.0;
}

/// Share of light per channel that passes a surface of a material with lets_straight_through.
/// `cosine` is that of the ray with the interpolated normal, either sign.
fn thin_pass(material: u32, point: TexturePoint, vertex_color: vec3f, cosine: f32) -> vec3f {
  let ior = materials[material].ior;
  let r = (ior - 1.0) / (ior + 1.0);
  let f0 = min(r * r * materials[material].specular_color, vec3f(1.0)) * materials[material].specular;
  let m = clamp(1.0 - abs(cosine), 0.0, 1.0);
  let reflected = max3(f0 + (vec3f(materials[material].specular) - f0) * (m * m * m * m * m));
  var share = materials[material].transmission * (1.0 - reflected);
  var metallic = materials[material].metallic;
  if (materials[material].metal_rough_texture != NONE) {
    let texel = read_texture(materials[material].metal_rough_texture, point);
    let roughness = materials[material].roughness * texel.y;
    if (roughness * roughness > ALPHA_MIN) { return vec3f(0.0); }
    metallic *= texel.z;
  }
  if (materials[material].transmission_texture != NONE) { share *= read_texture(materials[material].transmission_texture, point).x; }
  var tint = materials[material].base_color.rgb * vertex_color;
  if (materials[material].base_color_texture != NONE) { tint *= read_texture(materials[material].base_color_texture, point).rgb; }
  return tint * (share * (1.0 - metallic));
}
