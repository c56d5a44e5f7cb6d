// From a hit to everything the BSDF needs: position, normals, material values.
//#import scene/traverse
//#import common/frame
//#import bsdf/thin

struct Surface {
  position: vec3f,
  material: u32,
  geometric: vec3f,   // unit, on the side the ray came from
  front: bool,        // the ray came from the outside of the surface
  smooth_normal: vec3f, // interpolated, same side; the clearcoat's normal
  alpha: f32,         // GGX width
  normal: vec3f,      // with the normal map, same side
  metallic: f32,
  base: vec3f,
  transmission: f32,
  emission: vec3f,
  triangle: u32,
  primitive: u32,     // its id, unique in the scene: what a ray from here skips
  eta: f32,           // ior beyond the surface over ior before it, 0: thin wall; make_lobes takes it from here
  passed: bool,       // the ray was already offered its straight way through (thin_pass): no thin lobe
}

fn unpack_color(word: u32) -> vec3f {
  return vec3f(f32(word & 255u), f32((word >> 8u) & 255u), f32((word >> 16u) & 255u)) * (1.0 / 255.0);
}

/// Tangent and bitangent from texture coordinates, for meshes without tangents.
fn tangent_from_uv(hit: Hit, a: vec2f, b: vec2f, c: vec2f, normal: vec3f) -> vec4f {
  let d1 = b - a;
  let d2 = c - a;
  let determinant = d1.x * d2.y - d1.y * d2.x;
  let e1 = triangles[hit.triangle].v1 - triangles[hit.triangle].v0;
  let e2 = triangles[hit.triangle].v2 - triangles[hit.triangle].v0;
  let raw = direction_to_world(hit.instance, (e1 * d2.y - e2 * d1.y) * select(-1.0, 1.0, determinant >= 0.0));
  let flat_tangent = raw - normal * dot(normal, raw);
  // v runs downwards in glTF images, the bitangent follows +v all the same.
  return vec4f(normalize_or(flat_tangent, basis_around(normal)[0]), select(-1.0, 1.0, determinant >= 0.0));
}

/// `normal` is the interpolated one on the material's front side.
fn mapped_normal(s: u32, hit: Hit, bary: vec3f, point: TexturePoint, normal: vec3f, mirrored: bool) -> vec3f {
  let texture = materials[s].normal_texture;
  let texel = read_texture(texture, point).xyz * 2.0 - 1.0;
  let c = corners[hit.triangle].corners;
  let words = vec3u(vertices[c.x].tangent, vertices[c.y].tangent, vertices[c.z].tangent);
  var tangent: vec4f;
  if (words.x == NONE) {
    let second = (texture_uses[texture].flags & TEXTURE_UV1) != 0u;
    let uv_a = select(vertices[c.x].uv0, vertices[c.x].uv1, second);
    let uv_b = select(vertices[c.y].uv0, vertices[c.y].uv1, second);
    let uv_c = select(vertices[c.z].uv0, vertices[c.z].uv1, second);
    tangent = tangent_from_uv(hit, uv_a, uv_b, uv_c, normal);
    tangent.w *= select(1.0, -1.0, mirrored);
  } else {
    let first = unpack_tangent(words.x);
    let blend = bary.x * first.xyz + bary.y * unpack_tangent(words.y).xyz + bary.z * unpack_tangent(words.z).xyz;
    let sum = direction_to_world(hit.instance, blend);
    // The vertices of a mirrored mesh in world space carry the turned sign already.
    let sign = select(first.w, -first.w, INSTANCED && hit.instance != NONE && mirrored);
    tangent = vec4f(normalize_or(sum - normal * dot(normal, sum), basis_around(normal)[0]), sign);
  }
  let bitangent = cross(normal, tangent.xyz) * tangent.w;
  let scale = materials[s].normal_scale;
  return normalize_or(tangent.xyz * (texel.x * scale) + bitangent * (texel.y * scale) + normal * texel.z, normal);
}

/// Bends `n` towards `wo` until the viewer is above its horizon; a shading normal must not turn away.
fn facing_normal(n: vec3f, wo: vec3f) -> vec3f {
  let cosine = dot(n, wo);
  if (cosine >= 0.01) { return n; }
  return normalize(n + wo * (0.011 - cosine));
}

/// Unit geometric normal of the material's front side.
fn outward_normal(hit: Hit, fallback: vec3f) -> vec3f {
  let n = normal_to_world(hit.instance, triangle_cross(hit.triangle));
  let size = max3(abs(n)); // scaled first: squares of tiny triangles' areas vanish
  let outward = normalize_or(n / max(size, 1e-37), fallback);
  return select(outward, -outward, (triangles[hit.triangle].material & TRIANGLE_MIRRORED) != 0u);
}

fn load_surface(hit: Hit, direction: vec3f, jitter: vec2f) -> Surface {
  let triangle = triangles[hit.triangle];
  let corner = corners[hit.triangle];
  let a = vertices[corner.corners.x];
  let b = vertices[corner.corners.y];
  let c = vertices[corner.corners.z];
  let bary = vec3f(1.0 - hit.u - hit.v, hit.u, hit.v);
  let mirrored = is_mirrored(hit.instance, triangle.material);
  let outward = outward_normal(hit, -direction);
  let point = TexturePoint(
    bary.x * a.uv0 + bary.y * b.uv0 + bary.z * c.uv0,
    bary.x * a.uv1 + bary.y * b.uv1 + bary.z * c.uv1,
    jitter,
  );
  let blend = bary.x * unpack_normal(a.normal) + bary.y * unpack_normal(b.normal) + bary.z * unpack_normal(c.normal);
  let smooth_outward = normalize_or(normal_to_world(hit.instance, blend), outward);

  var s: Surface;
  s.material = triangle.material & TRIANGLE_MATERIAL;
  s.triangle = hit.triangle;
  s.primitive = hit.primitive;
  s.position = point_to_world(hit.instance, triangle_point(hit.triangle, vec2f(hit.u, hit.v)));
  s.front = dot(outward, direction) < 0.0;
  var shading = smooth_outward;
  if (materials[s.material].normal_texture != NONE) {
    shading = mapped_normal(s.material, hit, bary, point, smooth_outward, mirrored);
  }
  let side = select(-1.0, 1.0, s.front);
  s.geometric = outward * side;
  s.smooth_normal = facing_normal(smooth_outward * side, -direction);
  s.normal = facing_normal(shading * side, -direction);
  let vertex_color = bary.x * unpack_color(a.color) + bary.y * unpack_color(b.color) + bary.z * unpack_color(c.color);
  load_material(&s, point, vertex_color);
  return s;
}

/// Ior beyond the surface over ior before it, as if vacuum were outside; 0 for a thin wall or an opaque body.
fn material_eta(material: u32, front: bool) -> f32 {
  let through = materials[material].transmission > 0.0 || materials[material].diffuse_transmission > 0.0;
  if (!VOLUMES || materials[material].thickness <= 0.0 || !through) { return 0.0; }
  let ior = max(materials[material].ior, 1.0);
  return select(1.0 / ior, ior, front);
}

fn load_material(s: ptr<function, Surface>, point: TexturePoint, vertex_color: vec3f) {
  let m = materials[(*s).material];
  (*s).base = m.base_color.rgb * vertex_color;
  if (m.base_color_texture != NONE) { (*s).base *= read_texture(m.base_color_texture, point).rgb; }
  var rough_metal = vec2f(m.roughness, m.metallic);
  if (m.metal_rough_texture != NONE) { rough_metal *= read_texture(m.metal_rough_texture, point).yz; }
  (*s).alpha = max(rough_metal.x * rough_metal.x, ALPHA_MIN);
  (*s).metallic = rough_metal.y;
  (*s).transmission = m.transmission;
  if (m.transmission_texture != NONE) { (*s).transmission *= read_texture(m.transmission_texture, point).x; }
  (*s).eta = material_eta((*s).material, (*s).front);
  (*s).emission = m.emissive;
  if (m.emissive_texture != NONE) { (*s).emission *= read_texture(m.emissive_texture, point).rgb; }
}

/// A point off the surface on the side of `direction`, by more than the tie distance.
fn leave_surface(s: Surface, distance: f32, direction: vec3f) -> vec3f {
  let reach = max(distance, max3(abs(s.position)));
  let side = select(-1.0, 1.0, dot(s.geometric, direction) >= 0.0);
  return s.position + s.geometric * (side * reach * 5e-6);
}
