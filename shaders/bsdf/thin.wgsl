// What a smooth thin wall lets straight through. Rays call this while they are traced, so that light
// is found through windows; see the contract in bsdf/lobes.wgsl. Knows no rough walls, no volumes.
//#import scene/texture
//#import scene/slots
//#import features
//#import bsdf/fresnel

/// GGX narrower than this is not told from a mirror, and keeps every density finite in f32.
const ALPHA_MIN = 1e-3;

/// Whose textures say what passes.
const THIN_SLOTS = (1u << SLOT_BASE) | (1u << SLOT_METAL_ROUGH) | (1u << SLOT_TRANSMISSION);

/// May be smooth enough for light to leave in the direction it came; not under another layer. Where a
/// texture gives the roughness, each texel decides: rough ones let nothing through here. thin_pass knows no
/// specular-glossiness, whose specification excludes transmission.
fn lets_straight_through(material: u32) -> bool {
  return TRANSMISSIVE && materials[material].transmission > 0.0 && materials[material].thickness <= 0.0
    && (materials[material].flags & MATERIAL_SPECULAR_GLOSSINESS) == 0u
    && (materials[material].roughness * materials[material].roughness <= ALPHA_MIN || materials[material].metal_rough_texture != NONE)
    && materials[material].clearcoat <= 0.0 && max3(materials[material].sheen_color) <= 0.0 && materials[material].iridescence <= 0.0;
}

/// Share of light per channel that passes a surface of a material with lets_straight_through.
/// `cosine` is that of the ray with the interpolated normal, either sign.
fn thin_pass(material: u32, point: TexturePoint, vertex_color: vec3f, cosine: f32) -> vec3f {
  let r2 = normal_reflectance(materials[material].ior);
  let f0 = lesser3(r2 * materials[material].specular_color, vec3f(1.0)) * materials[material].specular;
  let rise = dielectric_rise(materials[material].ior, lesser(abs(cosine), 1.0));
  let reflected = max3(f0 + (vec3f(materials[material].specular) - f0) * rise);
  var share = materials[material].transmission * (1.0 - reflected);
  var tint = materials[material].base_color.rgb * vertex_color;
  var rough_metal = vec2f(materials[material].roughness, materials[material].metallic);
  // One call of the long code that reads a texture.
  var left = textured_slots(material) & THIN_SLOTS;
  loop {
    if (TEXTURED && left != 0u) {
      let slot = lowest_bit(left);
      let texel = read_texture(slot_texture(material, slot), point, slot == SLOT_METAL_ROUGH); // as the surface itself reads them
      if (slot == SLOT_BASE) { tint *= texel.rgb; }
      if (slot == SLOT_TRANSMISSION) { share *= texel.x; }
      if (slot == SLOT_METAL_ROUGH) { rough_metal *= texel.yz; }
    }
    left &= left - 1u;
    continuing { break if left == 0u; }
  }
  if (rough_metal.x * rough_metal.x > ALPHA_MIN) { return vec3f(0.0); }
  return tint * (share * (1.0 - rough_metal.y));
}
