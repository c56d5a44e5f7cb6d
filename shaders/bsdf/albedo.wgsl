// Directional albedos from the tables of shaders/bsdf/tables.ts (layer 0: reflection A and B, sheen,
// reflection C; then planes of nodes, refraction in two channels and anisotropy in the other two),
// interpolated by hand, because filter hardware differs between vendors. With these the lobes of a
// material share out all light.
//#import scene/bindings
//#import common/math
//#import bsdf/table_sizes
//#import scene/material

/// Node below a position on an axis of `nodes` nodes, and the way from it to the next.
fn table_axis(position: f32, nodes: u32) -> vec2f {
  let at = within(position, 0.0, 1.0) * f32(nodes - 1u);
  let node = lesser(floor(at), f32(nodes - 2u));
  return vec2f(node, at - node);
}

fn roughness_position(alpha: f32, least: f32) -> f32 {
  let first = sqrt(least);
  return (sqrt(alpha) - first) / (1.0 - first);
}

/// Bilinear over one plane of nodes whose first lies at `origin`.
fn table_plane(origin: vec2u, layer: u32, nodes: vec2u, cosine: f32, roughness: f32) -> vec4f {
  let x = table_axis(sqrt(greater(cosine, 0.0)), nodes.x);
  let y = table_axis(roughness, nodes.y);
  var sum = vec4f(0.0);
  var k = 0u;
  loop {
    let step = vec2u(k & 1u, k >> 1u);
    let weight = select(1.0 - x.y, x.y, step.x == 1u) * select(1.0 - y.y, y.y, step.y == 1u);
    sum += weight * textureLoad(albedo_tables, origin + vec2u(u32(x.x), u32(y.x)) + step, layer, 0);
    continuing {
      k++;
      break if k >= 4u;
    }
  }
  return sum;
}

/// (A, B, C): of what comes from all around GGX reflects F0 A + F90 B with Schlick's Fresnel term, and
/// F0 (A + B - C) + F90 C with dielectric_rise.
fn mirror_albedo(cosine: f32, alpha: f32) -> vec3f {
  return table_plane(vec2u(0u), 0u, vec2u(MIRROR_NODES), cosine, roughness_position(alpha, ALPHA_MIN)).xyw;
}

/// Albedo of Charlie sheen with Ashikhmin's visibility; above 1 where it is narrow and seen at a grazing angle.
fn sheen_albedo(cosine: f32, alpha: f32) -> f32 {
  return table_plane(vec2u(0u), 0u, vec2u(MIRROR_NODES), cosine, roughness_position(alpha, SHEEN_ALPHA_MIN)).z;
}

/// Plane of nodes number `plane` of the layers behind the first.
fn table_behind(plane: u32, nodes: vec2u, cosine: f32, alpha: f32) -> vec4f {
  let cells = vec2u(MIRROR_NODES) / nodes;
  let cell = plane % (cells.x * cells.y);
  let origin = vec2u(cell % cells.x, cell / cells.x) * nodes;
  return table_plane(origin, 1u + plane / (cells.x * cells.y), nodes, cosine, roughness_position(alpha, ALPHA_MIN));
}

/// A rough interface with relative ior `eta`, over the albedo of a mirror as rough: x reflection and
/// refraction together, y the same when only total reflection is reflected. Near an ior of 1 all depends
/// on how its distance from 1 compares with cosine (cosine + width), so nodes go by the logarithm of that.
fn glass_albedo(cosine: f32, alpha: f32, eta: f32) -> vec2f {
  let t = lesser(abs(eta - 1.0) / (eta + 1.0), GLASS_REACH);
  let scale = 0.1 * cosine * (cosine + alpha) + 1e-5;
  let z = table_axis(log2_poly(1.0 + t / scale) / log2_poly(1.0 + GLASS_REACH / scale), GLASS_ETAS);
  let first = u32(z.x) + select(0u, GLASS_ETAS, eta < 1.0);
  var sum = vec2f(0.0);
  var k = 0u;
  loop {
    sum += select(1.0 - z.y, z.y, k == 1u) * table_behind(first + k, vec2u(GLASS_NODES), cosine, alpha).xy;
    continuing {
      k++;
      break if k >= 2u;
    }
  }
  return sum;
}

/// Of a GGX with two widths, the lesser one along y: (A, B, C), and the isotropic width that masks as much
/// along wo. A + B and C are looked up over those of the isotropic width that is most like the two.
fn stretched_albedo(wo: vec3f, widths: vec2f) -> vec4f {
  let sine2 = greater(wo.x * wo.x + wo.y * wo.y, 1e-12);
  let along = within(sqrt((sqr(widths.x * wo.x) + sqr(widths.y * wo.y)) / sine2), widths.y, widths.x);
  let root = sqrt(widths);
  let x = table_axis((root.x - root.y) / greater(1.0 - root.y, 1e-3), STRETCH_WIDTHS);
  let y = table_axis((sqrt(along) - root.y) / greater(root.x - root.y, 1e-3), STRETCH_TURNS);
  var over = vec2f(0.0);
  var k = 0u;
  loop {
    let step = vec2u(k & 1u, k >> 1u);
    let weight = select(1.0 - x.y, x.y, step.x == 1u) * select(1.0 - y.y, y.y, step.y == 1u);
    let plane = (u32(y.x) + step.y) * STRETCH_WIDTHS + u32(x.x) + step.x;
    over += weight * table_behind(plane, vec2u(STRETCH_COSINES, STRETCH_LEAST), wo.z, widths.y).zw;
    continuing {
      k++;
      break if k >= 4u;
    }
  }
  let like = mirror_albedo(wo.z, sqrt(sqr(along) * (1.0 - wo.z * wo.z) + sqr(0.5 * (widths.x + widths.y) * wo.z)));
  let whole = (like.x + like.y) * over.x;
  let rise = lesser(like.z * over.y, whole);
  // Only chances ask for B, and it is nearly C.
  return vec4f(whole - rise, rise, rise, along);
}
