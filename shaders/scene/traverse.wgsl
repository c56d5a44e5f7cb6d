// Traversal of the binary BVH. Among hits within a relative TIE of the nearest the lowest primitive
// wins, so that devices whose last bits differ still choose the same of two coincident surfaces;
// boxes are culled against the widened distance. Alpha is decided per primitive, pixel and sample,
// never by visiting order. Back faces of single-sided materials are not there, for any ray (glTF 2.0
// section 3.9.4), except of transmissive ones, whose far wall light must cross.
//#import scene/intersect
//#import scene/texture
//#import common/random

struct Hit {
  t: f32,         // FAR: nothing hit
  triangle: u32,
  u: f32,
  v: f32,
  primitive: u32,
}

const TIE = 2e-6;

/// Does the scene have any alpha at all? Without, the kernel is compiled without reading it.
override SEE_THROUGH: bool = true;

/// Set when a ray of this path met a bound; its light is then worth nothing.
var<private> path_fault: bool;

fn alpha_at(triangle: u32, material: u32, u: f32, v: f32) -> f32 {
  let c = corners[triangle].corners;
  let w = 1.0 - u - v;
  let point = TexturePoint(
    w * vertices[c.x].uv0 + u * vertices[c.y].uv0 + v * vertices[c.z].uv0,
    w * vertices[c.x].uv1 + u * vertices[c.y].uv1 + v * vertices[c.z].uv1,
    vec2f(0.0),
  );
  let corner_alpha = vec3f(f32(vertices[c.x].color >> 24u), f32(vertices[c.y].color >> 24u), f32(vertices[c.z].color >> 24u)) * (1.0 / 255.0);
  var alpha = materials[material].base_color.a * dot(vec3f(w, u, v), corner_alpha);
  let texture = materials[material].base_color_texture;
  for (var once = texture != NONE; once; once = false) { alpha *= read_alpha_filtered(texture, point); }
  return alpha;
}

/// Is a see-through surface there for this path? Decided by primitive, pixel and sample.
fn alpha_counts(triangle: u32, primitive: u32, material: u32, uv: vec2f, key: PathKey) -> bool {
  let alpha = alpha_at(triangle, material, uv.x, uv.y);
  let random = unit(hash_pair(primitive, hash_pair(key.pixel, key.sample)));
  let mask = (materials[material].flags & MATERIAL_ALPHA_MASK) != 0u;
  return select((random < alpha), (alpha >= materials[material].alpha_cutoff), mask);
}

/// Tests triangles [first, first + count) and improves `hit`. @returns the new nearest distance.
fn visit_leaf(first: u32, count: u32, ray: Ray, key: PathKey, nearest_before: f32, hit: ptr<function, Hit>) -> f32 {
  var nearest = nearest_before;
  for (var i = first; i < first + count; i++) {
    let triangle = triangles[i];
    let entry = triangle_entry(triangle.v0, triangle.e1, triangle.e2, triangle.material, ray);
    var counts = entry.x > 0.0 && entry.x < nearest * (1.0 + TIE) && entry.x < ray.reach && i != ray.skip;
    if (SEE_THROUGH) {
      // A loop of at most one turn instead of `if`: a software adapter computes both sides of an
      // `if` for every lane, but leaves out a loop that no lane enters.
      for (var ask = counts && (triangle.material & TRIANGLE_SEE_THROUGH) != 0u; ask; ask = false) {
        counts = alpha_counts(i, triangle.primitive, triangle.material & TRIANGLE_MATERIAL, entry.yz, key);
      }
    }
    if (counts) {
      let rivals = (*hit).t <= entry.x * (1.0 + TIE);
      if (!rivals || triangle.primitive < (*hit).primitive) {
        *hit = Hit(entry.x, i, entry.y, entry.z, triangle.primitive);
      }
      nearest = min(nearest, entry.x);
    }
  }
  return nearest;
}

/// The closest hit, or with `any` some hit.
fn trace_ray(ray: Ray, key: PathKey, any: bool) -> Hit {
  var hit = Hit(FAR, 0u, 0.0, 0.0, NONE);
  var nearest = ray.reach;
  let inverse = inverse_direction(ray.direction);
  var stack: array<u32, STACK_DEPTH>;
  var depth = 0u;
  var index = 0u;
  var visits = 0u;
  loop {
    visits++;
    if (visits > NODE_VISITS_MAX) { path_fault = true; break; }
    let node = nodes[index];
    let limit = nearest * (1.0 + TIE);
    let left = box_entry(node.left_min, node.left_max, ray.origin, inverse, limit);
    let right_there = node.right_min.x <= node.right_max.x;
    let right = select(FAR, box_entry(node.right_min, node.right_max, ray.origin, inverse, limit), right_there);
    index = NONE;
    for (var k = 0u; k < 2u; k++) {
      let take_right = (right < left) != (k == 1u);
      let entry = select(left, right, take_right);
      if (entry >= FAR || entry > nearest * (1.0 + TIE)) { continue; }
      let child = select(node.left_ref, node.right_ref, take_right);
      let count = select(node.left_count, node.right_count, take_right);
      if (count > 0u) {
        nearest = visit_leaf(child, count, ray, key, nearest, &hit);
      } else if (index == NONE) {
        index = child;
      } else if (depth < STACK_DEPTH) {
        stack[depth] = child;
        depth++;
      } else {
        path_fault = true;
      }
    }
    if (any && hit.t < FAR) { break; }
    if (index == NONE) {
      if (depth == 0u) { break; }
      depth--;
      index = stack[depth];
    }
  }
  return hit;
}
