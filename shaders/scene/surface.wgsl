// From a hit to everything the BSDF needs: position, normals, tangents.
//#import scene/traverse
//#import scene/vertex
//#import scene/material
//#import scene/offset

/// Tangent, and the bitangent's sign, at a hit; `normal` is the interpolated one on the material's front side.
fn surface_tangent(hit: Hit, bary: vec3f, normal: vec3f, mirrored: bool) -> vec4f {
  let c = corners_of(hit.triangle);
  let words = vec3u(tangent_of(c.x), tangent_of(c.y), tangent_of(c.z));
  let across = basis_around(normal)[0];
  if (words.x == NONE) { return vec4f(across, 1.0); } // a mesh without texture coordinates has no direction of its own
  let first = unpack_tangent(words.x);
  let blend = bary.x * first.xyz + bary.y * unpack_tangent(words.y).xyz + bary.z * unpack_tangent(words.z).xyz;
  let sum = direction_to_world(hit.instance, blend);
  // The vertices of a mirrored mesh in world space carry the turned sign already.
  let sign = select(first.w, -first.w, INSTANCED && hit.instance != NONE && mirrored);
  return vec4f(normalize_or(sum - normal * dot(normal, sum), across), sign);
}

/// `texel` of a normal map, in a frame with these columns.
fn mapped_normal(frame: mat3x3f, texel: vec3f, scale: f32) -> vec3f {
  return normalize_or(frame * ((texel * 2.0 - 1.0) * vec3f(scale, scale, 1.0)), frame[2]);
}

/// Bends `n` towards `wo` until the viewer is above its horizon; a shading normal must not turn away.
fn facing_normal(n: vec3f, wo: vec3f) -> vec3f {
  let cosine = dot(n, wo);
  if (cosine >= 0.01) { return n; }
  return normalize(n + wo * (0.011 - cosine));
}

/// Unit geometric normal of the material's front side.
fn outward_normal(triangle: Triangle, instance: u32, fallback: vec3f) -> vec3f {
  let n = normal_to_world(instance, triangle_cross(triangle));
  let size = max3(abs(n)); // scaled first: squares of tiny triangles' areas vanish
  let outward = normalize_or(n / greater(size, 1e-37), fallback);
  return select(outward, -outward, (triangle.material & TRIANGLE_MIRRORED) != 0u);
}

/// Does the material turn with the tangent? As the compiler asks before it makes tangents.
fn follows_tangent(m: u32, anisotropy: f32) -> bool {
  return (TEXTURED_NORMAL && materials[m].normal_texture != NONE)
    || (COATED && TEXTURED_EXTENSIONS && materials[m].clearcoat_normal_texture != NONE) || (ANISOTROPIC && anisotropy > 0.0);
}

/// Normal maps and anisotropy. `frame` is tangent, bitangent and normal of the material's front side.
fn turn_frames(s: ptr<function, Surface>, frame: mat3x3f, maps: FrameTexels, wo: vec3f) {
  let m = (*s).material;
  let side = select(-1.0, 1.0, (*s).front);
  (*s).normal = facing_normal(mapped_normal(frame, maps.normal, materials[m].normal_scale) * side, wo);
  if (COATED) {
    (*s).coat_normal = facing_normal(mapped_normal(frame, maps.coat_normal, materials[m].clearcoat_normal_scale) * side, wo);
  }
  if (ANISOTROPIC) {
    let along = normalize_or(vec3f(maps.anisotropy.xy * 2.0 - 1.0, 0.0), vec3f(1.0, 0.0, 0.0)).xy;
    let turn = materials[m].anisotropy_direction;
    let direction = frame[0] * (along.x * turn.x - along.y * turn.y) + frame[1] * (along.x * turn.y + along.y * turn.x);
    let n = (*s).normal;
    (*s).tangent = normalize_or(direction - n * dot(n, direction), basis_around(n)[0]);
  }
}

/// Where textures are read; of a scene without any, nowhere.
fn texture_point(c: vec3u, bary: vec3f, jitter: vec2f) -> TexturePoint {
  if (!TEXTURED) { return TexturePoint(vec2f(0.0), vec2f(0.0), jitter); }
  return TexturePoint(uv0_at(c, bary), uv1_at(c, bary), jitter);
}

fn load_surface(hit: Hit, direction: vec3f, jitter: vec2f) -> Surface {
  // Each row is loaded once: software adapters load word by word and lane by lane.
  let triangle = load_triangle(hit.triangle);
  let c = corners_of(hit.triangle);
  let bary = vec3f(1.0 - hit.u - hit.v, hit.u, hit.v);
  let outward = outward_normal(triangle, hit.instance, -direction);
  let smooth_outward = normalize_or(normal_to_world(hit.instance, normal_at(c, bary)), outward);

  var s: Surface;
  s.material = triangle.material & TRIANGLE_MATERIAL;
  s.triangle = hit.triangle;
  s.primitive = hit.primitive;
  let blur = hit_blur(triangle, hit.instance, point_to_world(hit.instance, triangle_point(triangle, vec2f(hit.u, hit.v))));
  s.position = point_to_world(hit.instance, triangle_point(triangle, inner_weights(hit, blur)));
  s.front = dot(outward, direction) < 0.0;
  let maps = load_material(&s, texture_point(c, bary, jitter), color_at(c, bary));
  s.step_off = surface_step(blur, hit.t, s.eta > 0.0);
  let side = select(-1.0, 1.0, s.front);
  s.geometric = outward * side;
  s.smooth_normal = facing_normal(smooth_outward * side, -direction);
  s.normal = s.smooth_normal;
  s.coat_normal = s.smooth_normal;
  if (follows_tangent(s.material, s.anisotropy)) {
    let tangent = surface_tangent(hit, bary, smooth_outward, is_mirrored(hit.instance, triangle.material));
    let frame = mat3x3f(tangent.xyz, cross(smooth_outward, tangent.xyz) * tangent.w, smooth_outward);
    turn_frames(&s, frame, maps, -direction);
  }
  return s;
}

/// A point off the surface on the side of `direction`.
fn leave_surface(s: Surface, direction: vec3f) -> vec3f {
  return s.position + s.geometric * select(-s.step_off, s.step_off, dot(s.geometric, direction) >= 0.0);
}
