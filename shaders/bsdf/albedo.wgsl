// Directional albedos from the tables of shaders/bsdf/tables.ts (layer 0: reflection A, reflection B,
// sheen; then refraction, nine relative iors to a layer), interpolated by hand, because filter
// hardware differs between vendors. With these the lobes of a material share out all light.
//#import scene/bindings
//#import common/math
//#import bsdf/table_sizes
//#import scene/material

/// Node below a position on an axis of `nodes` nodes, and the way from it to the next.
fn table_axis(position: f32, nodes: u32) -> vec2f {
  let at = clamp(position, 0.0, 1.0) * f32(nodes - 1u);
  let node = min(floor(at), f32(nodes - 2u));
  return vec2f(node, at - node);
}

fn roughness_position(alpha: f32, least: f32) -> f32 {
  let first = sqrt(least);
  return (sqrt(alpha) - first) / (1.0 - first);
}

/// Bilinear over one square of nodes whose first lies at `origin`.
fn table_plane(origin: vec2u, layer: u32, nodes: u32, cosine: f32, roughness: f32) -> vec4f {
  let x = table_axis(sqrt(max(cosine, 0.0)), nodes);
  let y = table_axis(roughness, nodes);
  var sum = vec4f(0.0);
  for (var k = 0u; k < 4u; k++) {
    let step = vec2u(k & 1u, k >> 1u);
    let weight = select(1.0 - x.y, x.y, step.x == 1u) * select(1.0 - y.y, y.y, step.y == 1u);
    sum += weight * textureLoad(albedo_tables, origin + vec2u(u32(x.x), u32(y.x)) + step, layer, 0);
  }
  return sum;
}

/// (A, B): with Schlick's Fresnel term GGX reflects F0 A + F90 B of what comes from all around.
fn mirror_albedo(cosine: f32, alpha: f32) -> vec2f {
  return table_plane(vec2u(0u), 0u, MIRROR_NODES, cosine, roughness_position(alpha, ALPHA_MIN)).xy;
}

/// Albedo of Charlie sheen with Ashikhmin's visibility; above 1 where it is narrow and seen at a grazing angle.
fn sheen_albedo(cosine: f32, alpha: f32) -> f32 {
  return table_plane(vec2u(0u), 0u, MIRROR_NODES, cosine, roughness_position(alpha, SHEEN_ALPHA_MIN)).z;
}

/// A rough interface with relative ior `eta`: x reflection and refraction together, y the same when
/// only total reflection is reflected, z the reflection alone (eta < 1).
fn glass_albedo(cosine: f32, alpha: f32, eta: f32) -> vec3f {
  let t = (eta - 1.0) / (eta + 1.0);
  let w = sqrt(min(abs(t) / GLASS_REACH, 1.0));
  let z = table_axis(0.5 + 0.5 * select(w, -w, t < 0.0), GLASS_ETAS);
  var sum = vec4f(0.0);
  for (var k = 0u; k < 2u; k++) {
    let plane = u32(z.x) + k;
    let cell = plane % 9u;
    let origin = vec2u(cell % 3u, cell / 3u) * GLASS_NODES;
    let value = table_plane(origin, 1u + plane / 9u, GLASS_NODES, cosine, roughness_position(alpha, ALPHA_MIN));
    sum += select(1.0 - z.y, z.y, k == 1u) * value;
  }
  return sum.xyz;
}
