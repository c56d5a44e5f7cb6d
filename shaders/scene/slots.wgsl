// Where a material may have textures, and which of them a kernel reads: what a scene has in no slot is
// compiled away, and of the others a loop goes over those of the material at hand alone.
//#import scene/bindings
//#import features

const SLOT_BASE = 0u;
const SLOT_METAL_ROUGH = 1u;
const SLOT_EMISSIVE = 2u;
const SLOT_NORMAL = 3u;
const SLOT_SPECULAR = 4u;
const SLOT_SPECULAR_COLOR = 5u;
const SLOT_TRANSMISSION = 6u;
const SLOT_COAT = 7u;
const SLOT_COAT_ROUGHNESS = 8u;
const SLOT_COAT_NORMAL = 9u;
const SLOT_SHEEN_COLOR = 10u;
const SLOT_SHEEN_ROUGHNESS = 11u;
const SLOT_ANISOTROPY = 12u;
const SLOT_FILM = 13u;
const SLOT_FILM_THICKNESS = 14u;
const SLOT_BEYOND = 15u;
const SLOT_BEYOND_COLOR = 16u;
const SLOTS = 17u;

/// Slots whose texels are data of which the mean of what they give is not what their mean gives.
const FILTERED_SLOTS = (1u << SLOT_METAL_ROUGH) | (1u << SLOT_NORMAL) | (1u << SLOT_COAT_ROUGHNESS) | (1u << SLOT_COAT_NORMAL)
  | (1u << SLOT_SHEEN_ROUGHNESS) | (1u << SLOT_ANISOTROPY) | (1u << SLOT_FILM_THICKNESS);

/// TextureUse of a slot, NONE when absent or when the scene's kernel has no use for it.
fn slot_texture(m: u32, slot: u32) -> u32 {
  switch (slot) {
    case SLOT_BASE: { return select(NONE, materials[m].base_color_texture, TEXTURED_BASE); }
    case SLOT_METAL_ROUGH: { return select(NONE, materials[m].metal_rough_texture, TEXTURED_METAL_ROUGH); }
    case SLOT_EMISSIVE: { return select(NONE, materials[m].emissive_texture, TEXTURED_EMISSIVE); }
    case SLOT_NORMAL: { return select(NONE, materials[m].normal_texture, TEXTURED_NORMAL); }
    default: {
      if (!TEXTURED_EXTENSIONS) { return NONE; }
      return extension_texture(m, slot);
    }
  }
}

fn extension_texture(m: u32, slot: u32) -> u32 {
  switch (slot) {
    case SLOT_SPECULAR: { return materials[m].specular_texture; }
    case SLOT_SPECULAR_COLOR: { return materials[m].specular_color_texture; }
    case SLOT_TRANSMISSION: { return select(NONE, materials[m].transmission_texture, TRANSMISSIVE); }
    case SLOT_COAT: { return select(NONE, materials[m].clearcoat_texture, COATED); }
    case SLOT_COAT_ROUGHNESS: { return select(NONE, materials[m].clearcoat_roughness_texture, COATED); }
    case SLOT_COAT_NORMAL: { return select(NONE, materials[m].clearcoat_normal_texture, COATED); }
    case SLOT_SHEEN_COLOR: { return select(NONE, materials[m].sheen_color_texture, SHEEN); }
    case SLOT_SHEEN_ROUGHNESS: { return select(NONE, materials[m].sheen_roughness_texture, SHEEN); }
    case SLOT_ANISOTROPY: { return select(NONE, materials[m].anisotropy_texture, ANISOTROPIC); }
    case SLOT_FILM: { return select(NONE, materials[m].iridescence_texture, IRIDESCENT); }
    case SLOT_FILM_THICKNESS: { return select(NONE, materials[m].iridescence_thickness_texture, IRIDESCENT); }
    case SLOT_BEYOND: { return select(NONE, materials[m].diffuse_transmission_texture, DIFFUSE_TRANSMISSIVE); }
    default: { return select(NONE, materials[m].diffuse_transmission_color_texture, DIFFUSE_TRANSMISSIVE); }
  }
}

fn slot_bit(slot: u32, texture: u32) -> u32 {
  return select(1u << slot, 0u, texture == NONE);
}

/// A bit for each slot where the material has a texture that this kernel reads.
fn textured_slots(m: u32) -> u32 {
  var slots = 0u;
  if (TEXTURED_BASE) { slots |= slot_bit(SLOT_BASE, materials[m].base_color_texture); }
  if (TEXTURED_METAL_ROUGH) { slots |= slot_bit(SLOT_METAL_ROUGH, materials[m].metal_rough_texture); }
  if (TEXTURED_EMISSIVE) { slots |= slot_bit(SLOT_EMISSIVE, materials[m].emissive_texture); }
  if (TEXTURED_NORMAL) { slots |= slot_bit(SLOT_NORMAL, materials[m].normal_texture); }
  if (!TEXTURED_EXTENSIONS) { return slots; }
  return slots | extension_slots(m);
}

fn extension_slots(m: u32) -> u32 {
  var slots = slot_bit(SLOT_SPECULAR, materials[m].specular_texture) | slot_bit(SLOT_SPECULAR_COLOR, materials[m].specular_color_texture);
  if (TRANSMISSIVE) { slots |= slot_bit(SLOT_TRANSMISSION, materials[m].transmission_texture); }
  if (COATED) {
    slots |= slot_bit(SLOT_COAT, materials[m].clearcoat_texture)
      | slot_bit(SLOT_COAT_ROUGHNESS, materials[m].clearcoat_roughness_texture)
      | slot_bit(SLOT_COAT_NORMAL, materials[m].clearcoat_normal_texture);
  }
  if (SHEEN) {
    slots |= slot_bit(SLOT_SHEEN_COLOR, materials[m].sheen_color_texture)
      | slot_bit(SLOT_SHEEN_ROUGHNESS, materials[m].sheen_roughness_texture);
  }
  if (ANISOTROPIC) { slots |= slot_bit(SLOT_ANISOTROPY, materials[m].anisotropy_texture); }
  if (IRIDESCENT) {
    slots |= slot_bit(SLOT_FILM, materials[m].iridescence_texture)
      | slot_bit(SLOT_FILM_THICKNESS, materials[m].iridescence_thickness_texture);
  }
  if (DIFFUSE_TRANSMISSIVE) {
    slots |= slot_bit(SLOT_BEYOND, materials[m].diffuse_transmission_texture)
      | slot_bit(SLOT_BEYOND_COLOR, materials[m].diffuse_transmission_color_texture);
  }
  return slots;
}
