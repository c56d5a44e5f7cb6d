// The values of a material at a point: factors times textures, as glTF 2.0 and the KHR_materials
// extensions define them. All textures are read by one loop, because the code of a read is long and
// software adapters inline it at every call. Knows nothing of lobes.
//#import common/frame
//#import scene/slots
//#import bsdf/thin

struct Surface {
  position: vec3f,
  material: u32,
  geometric: vec3f,   // unit, on the side the ray came from
  front: bool,        // the ray came from the outside of the surface
  smooth_normal: vec3f, // interpolated, same side
  alpha: f32,         // GGX width; with anisotropy the one across `tangent`
  normal: vec3f,      // with the normal map, same side
  metallic: f32,
  base: vec3f,
  transmission: f32,
  emission: vec3f,
  triangle: u32,
  primitive: u32,     // its id, unique in the scene: what a ray from here skips
  eta: f32,           // ior beyond the surface over ior before it, 0: thin wall; make_lobes takes it from here
  passed: bool,       // the ray was already offered its straight way through (thin_pass): no thin lobe
  specular: f32,      // KHR_materials_specular
  specular_color: vec3f, // F0 itself with MATERIAL_SPECULAR_GLOSSINESS
  tangent: vec3f,     // direction of the greater width, in the plane of `normal`
  anisotropy: f32,    // KHR_materials_anisotropy strength; 0: `tangent` is not set
  coat_normal: vec3f, // same side
  coat: f32,
  coat_alpha: f32,
  sheen: vec3f,
  sheen_alpha: f32,
  film: f32,          // KHR_materials_iridescence factor
  film_thickness: f32, // nanometres
  beyond: vec3f,      // KHR_materials_diffuse_transmission colour
  beyond_share: f32,
  step_off: f32,      // how far along `geometric` rays start
}

/// Charlie sheen narrower than this is not in the albedo tables.
const SHEEN_ALPHA_MIN = 0.01;

/// Texels that turn frames, as read; the flat ones where a material has no such texture.
struct FrameTexels {
  normal: vec3f,
  coat_normal: vec3f,
  anisotropy: vec3f,
}

/// Multiplies one texture in. `alpha` and its kin hold perceptual roughness until all are read.
fn apply_texel(s: ptr<function, Surface>, maps: ptr<function, FrameTexels>, slot: u32, texel: vec4f) {
  switch (slot) {
    case SLOT_BASE: { if (TEXTURED_BASE) { (*s).base *= texel.rgb; } }
    case SLOT_METAL_ROUGH: { if (TEXTURED_METAL_ROUGH) { (*s).alpha *= texel.y; (*s).metallic *= texel.z; } }
    case SLOT_EMISSIVE: { if (TEXTURED_EMISSIVE) { (*s).emission *= texel.rgb; } }
    case SLOT_NORMAL: { if (TEXTURED_NORMAL) { (*maps).normal = texel.rgb; } }
    default: { if (TEXTURED_EXTENSIONS) { apply_extension_texel(s, maps, slot, texel); } }
  }
}

fn apply_extension_texel(s: ptr<function, Surface>, maps: ptr<function, FrameTexels>, slot: u32, texel: vec4f) {
  switch (slot) {
    case SLOT_SPECULAR: { (*s).specular *= texel.a; }
    case SLOT_SPECULAR_COLOR: { (*s).specular_color *= texel.rgb; }
    case SLOT_TRANSMISSION: { (*s).transmission *= texel.x; }
    case SLOT_COAT: { (*s).coat *= texel.x; }
    case SLOT_COAT_ROUGHNESS: { (*s).coat_alpha *= texel.y; }
    case SLOT_COAT_NORMAL: { (*maps).coat_normal = texel.rgb; }
    case SLOT_SHEEN_COLOR: { (*s).sheen *= texel.rgb; }
    case SLOT_SHEEN_ROUGHNESS: { (*s).sheen_alpha *= texel.a; }
    case SLOT_ANISOTROPY: { (*maps).anisotropy = texel.rgb; (*s).anisotropy *= texel.z; }
    case SLOT_FILM: { (*s).film *= texel.x; }
    case SLOT_FILM_THICKNESS: { (*s).film_thickness = texel.y; }
    case SLOT_BEYOND: { (*s).beyond_share *= texel.a; }
    default: { (*s).beyond *= texel.rgb; }
  }
}

/// Factors alone; what a kernel has no feature for stays zero and is compiled away.
fn load_factors(s: ptr<function, Surface>) {
  let m = (*s).material;
  (*s).base *= materials[m].base_color.rgb;
  (*s).alpha = materials[m].roughness;
  (*s).metallic = materials[m].metallic;
  (*s).emission = materials[m].emissive;
  (*s).specular = materials[m].specular;
  (*s).specular_color = materials[m].specular_color;
  if (TRANSMISSIVE) { (*s).transmission = materials[m].transmission; }
  if (COATED) {
    (*s).coat = materials[m].clearcoat;
    (*s).coat_alpha = materials[m].clearcoat_roughness;
  }
  if (SHEEN) {
    (*s).sheen = materials[m].sheen_color;
    (*s).sheen_alpha = materials[m].sheen_roughness;
  }
  if (ANISOTROPIC) { (*s).anisotropy = materials[m].anisotropy; }
  if (IRIDESCENT) {
    (*s).film = materials[m].iridescence;
    (*s).film_thickness = 1.0;
  }
  if (DIFFUSE_TRANSMISSIVE) {
    (*s).beyond = materials[m].diffuse_transmission_color;
    (*s).beyond_share = materials[m].diffuse_transmission;
  }
}

/// Ior beyond the surface over ior before it, as if vacuum were outside; 0 for a thin wall or an opaque body.
fn material_eta(material: u32, front: bool) -> f32 {
  let through = materials[material].transmission > 0.0 || materials[material].diffuse_transmission > 0.0;
  if (!VOLUMES || materials[material].thickness <= 0.0 || !through) { return 0.0; }
  let ior = greater(materials[material].ior, 1.0);
  return select(1.0 / ior, ior, front);
}

/// All textures of the material, by one call of the long code that reads one.
fn apply_textures(s: ptr<function, Surface>, maps: ptr<function, FrameTexels>, point: TexturePoint) {
  var left = textured_slots((*s).material);
  loop {
    if (left != 0u) {
      let slot = lowest_bit(left);
      let filtered = ((FILTERED_SLOTS >> slot) & 1u) != 0u;
      apply_texel(s, maps, slot, read_texture(slot_texture((*s).material, slot), point, filtered));
    }
    left &= left - 1u;
    continuing { break if left == 0u; }
  }
}

/// Everything but geometry. @returns the texels that turn frames.
fn load_material(s: ptr<function, Surface>, point: TexturePoint, vertex_color: vec3f) -> FrameTexels {
  let m = (*s).material;
  (*s).base = vertex_color;
  load_factors(s);
  let glossy = (materials[m].flags & MATERIAL_SPECULAR_GLOSSINESS) != 0u;
  if (glossy) { (*s).specular = 1.0 - (*s).alpha; }
  var maps = FrameTexels(vec3f(0.5, 0.5, 1.0), vec3f(0.5, 0.5, 1.0), vec3f(1.0, 0.5, 1.0));
  if (TEXTURED) { apply_textures(s, &maps, point); }
  if (glossy) { // the specular texture's A is the glossiness
    (*s).alpha = 1.0 - (*s).specular;
    (*s).specular = 1.0;
    (*s).base *= 1.0 - lesser(max3((*s).specular_color), 1.0);
  }
  (*s).alpha = greater(sqr((*s).alpha), ALPHA_MIN);
  (*s).coat_alpha = greater(sqr((*s).coat_alpha), ALPHA_MIN);
  (*s).sheen_alpha = greater(sqr((*s).sheen_alpha), SHEEN_ALPHA_MIN);
  (*s).film_thickness = mix(materials[m].iridescence_thickness_min, materials[m].iridescence_thickness_max, (*s).film_thickness);
  (*s).eta = material_eta(m, (*s).front);
  return maps;
}
