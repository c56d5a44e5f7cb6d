// The volumes a path is inside, for nested dielectrics (Schmidt & Budge, "Simple Nested Dielectrics
// in Ray Traced Images", 2002, which KHR_materials_volume points at). The rule:
//  - A closed mesh of a material with a thickness is a medium; a path carries the list of those it
//    is inside. The one with the highest Material.priority is there, of equal ones the last entered.
//  - An interface that leaves the medium that is there unchanged is not there, nor is one between two
//    media of equal ior: paths and shadow rays go through it straight. Else it refracts by the ratio
//    of the two media, air being 1.
//  - Interfaces that lie on each other count as one, from the first medium to the last.
//  - A back face of a medium that is not in the list means that the path has been inside all along:
//    its ray started in there, or the mesh is open.
//  - Light is absorbed by the medium that is there, up to a surface and not on the way to infinity.
// Four media fit; entering a fifth forgets the one of lowest priority.
//#import transport/spectrum
//#import features

/// Media in falling order of priority, 16 bits each, the lowest bits first: material + 1, 0 for none.
alias Media = vec2u;

fn is_volume(material: u32) -> bool {
  return VOLUMES && material < 0xffffu && materials[material].thickness > 0.0
    && (materials[material].transmission > 0.0 || materials[material].diffuse_transmission > 0.0);
}

fn unpack_media(m: Media) -> vec4u {
  return vec4u(m.x & 0xffffu, m.x >> 16u, m.y & 0xffffu, m.y >> 16u);
}

fn pack_media(w: vec4u) -> Media {
  return Media(w.x | (w.y << 16u), w.z | (w.w << 16u));
}

/// Material + 1 of the medium that is there; 0 in air.
fn present_medium(m: Media) -> u32 {
  return m.x & 0xffffu;
}

/// Priority plus 1; 0 for none.
fn media_rank(medium: u32) -> u32 {
  if (medium == 0u) { return 0u; }
  return min(materials[medium - 1u].priority, 0xfffffffdu) + 1u;
}

/// `newest`: before those of equal priority; else behind them.
fn enter_medium(m: Media, medium: u32, newest: bool) -> Media {
  let w = unpack_media(m);
  let rank = media_rank(medium) + select(0u, 1u, newest);
  if (media_rank(w.x) < rank) { return pack_media(vec4u(medium, w.xyz)); }
  if (media_rank(w.y) < rank) { return pack_media(vec4u(w.x, medium, w.yz)); }
  if (media_rank(w.z) < rank) { return pack_media(vec4u(w.xy, medium, w.z)); }
  return pack_media(select(w, vec4u(w.xyz, medium), media_rank(w.w) < rank));
}

fn holds_medium(m: Media, medium: u32) -> bool {
  return any(unpack_media(m) == vec4u(medium));
}

fn leave_medium(m: Media, medium: u32) -> Media {
  let w = unpack_media(m);
  if (w.x == medium) { return pack_media(vec4u(w.yzw, 0u)); }
  if (w.y == medium) { return pack_media(vec4u(w.x, w.zw, 0u)); }
  if (w.z == medium) { return pack_media(vec4u(w.xy, w.w, 0u)); }
  return pack_media(select(w, vec4u(w.xyz, 0u), w.w == medium));
}

fn medium_ior(medium: u32, wavelength: f32) -> f32 {
  if (medium == 0u) { return 1.0; }
  return ior_at(medium - 1u, wavelength);
}

/// Does light not notice the change from one list to the other? The face of a volume of ior 1 in air
/// stays a face: its material's base colour and Schlick's grazing reflection are there.
fn is_hidden(before: Media, after: Media) -> bool {
  let near = present_medium(before);
  let far = present_medium(after);
  if (near == far) { return true; }
  if (near == 0u || far == 0u) { return false; }
  return materials[near - 1u].ior == materials[far - 1u].ior && materials[near - 1u].dispersion == materials[far - 1u].dispersion;
}

fn disperses(medium: u32) -> bool {
  return medium != 0u && materials[max(medium, 1u) - 1u].dispersion > 0.0;
}

/// Beer-Lambert: what is left of light after a way through the medium that is there.
fn absorption(m: Media, distance: f32) -> vec3f {
  let medium = present_medium(m);
  if (!VOLUMES || medium == 0u || distance >= FAR) { return vec3f(1.0); }
  return exp_poly(-materials[medium - 1u].attenuation * distance);
}
