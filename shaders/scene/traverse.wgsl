// Traversal of the binary BVH. Among hits within a relative TIE of the nearest the lowest primitive
// wins, so that devices whose last bits differ still choose the same of two coincident surfaces;
// boxes are culled against the widened distance. Surfaces that may let a ray through are solid here;
// transport/straight starts again behind those that do. Back faces of single-sided materials are not there, for any ray (glTF 2.0
// section 3.9.4), except of transmissive ones, whose far wall light must cross.
// A mesh traced in its own space is entered by transforming the ray, whose direction keeps its scale there so
// that distances stay those of the world, and left when the stack is back where it was.
//#import scene/instance
//#import scene/intersect
//#import scene/texture
//#import common/random
//#import features
//#import transport/count

struct Hit {
  t: f32,         // FAR: nothing hit
  triangle: u32,
  u: f32,
  v: f32,
  primitive: u32, // unique in the scene
  instance: u32,  // node index of the Instance it belongs to; NONE: it lies in world space
}

const TIE = 2e-6;

/// Set when a ray of this path met a bound; its light is then worth nothing.
var<private> path_fault: bool;

fn no_hit() -> Hit {
  return Hit(FAR, 0u, 0.0, 0.0, NONE, NONE);
}

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
  if (texture != NONE) { alpha *= read_alpha_filtered(texture, point); }
  return alpha;
}

/// What a traversal looks for: surfaces behind those already passed.
struct Quest {
  ray: Ray,
  sight: Sight,          // of the ray in the world
  passed_t: f32,         // 0: none passed
  passed_primitive: u32, // of the last surface passed
  any: bool,             // a solid hit anywhere ends the search
}

/// Where a traversal is: in an instance, or with NONE in the world.
struct Within {
  instance: u32,
  first_primitive: u32,
  depth: u32, // of the stack when it came in
}

/// Is an entry into the triangle with this id a better hit than `best`?
fn improves(q: Quest, t: f32, primitive: u32, nearest: f32, best: Hit) -> bool {
  let reached = t > 0.0 && t < q.ray.reach && t < nearest * (1.0 + TIE) && primitive != q.ray.skip;
  let behind_passed = t > q.passed_t * (1.0 + TIE) || (t >= q.passed_t * (1.0 - TIE) && primitive > q.passed_primitive);
  let nearer = best.t > t * (1.0 + TIE);
  return reached && behind_passed && (nearer || primitive < best.primitive);
}

/// Where the ray enters the children's boxes, left and right; FAR for a miss.
fn child_entries(node: BvhNode, s: Sight, limit: f32) -> vec2f {
  let left = box_entry(node.left_min, node.left_max, s, limit);
  let right = box_entry(node.right_min, node.right_max, s, limit);
  return vec2f(left, select(FAR, right, node.right_min.x <= node.right_max.x));
}

/// The ray in the space of an instance.
fn sight_inside(placed: Instance, ray: Ray) -> Sight {
  return sight_along(point_to_object(placed, ray.origin), direction_to_object(placed, ray.direction), nodes[placed.root]);
}

/// The closest surface of the quest, see-through ones taken for solid. With `any` the first solid one will do.
fn search(q: Quest) -> Hit {
  var hit = no_hit();
  var nearest = q.ray.reach;
  var stack: array<u32, STACK_DEPTH>;
  var depth = 0u;
  var index = 0u; // of the next node, or with NODE_INSTANCE of an instance
  var sight = q.sight;
  var within = Within(NONE, 0u, 0u);
  var blocked = false;
  for (var visits = 0u; !blocked; visits++) {
    if (visits == NODE_VISITS_MAX) { path_fault = true; break; }
    if (INSTANCED && (index & NODE_INSTANCE) != 0u) {
      let placed = load_instance(index & ~NODE_INSTANCE);
      within = Within(index & ~NODE_INSTANCE, placed.first_primitive, depth);
      sight = sight_inside(placed, q.ray);
      index = placed.root;
    }
    if (COUNT) { node_visits++; }
    let node = nodes[index];
    let entries = child_entries(node, sight, nearest * (1.0 + TIE));
    let counts = vec2u(node.left_count, node.right_count);
    let placed = counts & vec2u(select(0u, NODE_INSTANCE, INSTANCED));
    let to_test = select(vec2u(0u), counts, (entries < vec2f(FAR)) & (placed == vec2u(0u)));
    // Triangles of both children in one loop: costly code nested twice is computed twice by software adapters.
    for (var i = 0u; i < to_test.x + to_test.y; i++) {
      let at = select(node.right_ref + i - to_test.x, node.left_ref + i, i < to_test.x);
      if (COUNT) { triangle_tests++; }
      let triangle = triangles[at];
      let entry = triangle_entry(triangle, sight);
      let primitive = within.first_primitive + triangle.primitive;
      if (improves(q, entry.x, primitive, nearest, hit)) {
        hit = Hit(entry.x, at, entry.y, entry.z, primitive, within.instance);
        nearest = min(nearest, entry.x);
        blocked = blocked || (q.any && (triangle.material & TRIANGLE_SEE_THROUGH) == 0u);
      }
    }
    let go = (entries < vec2f(FAR)) & (counts == placed);
    let refs = vec2u(node.left_ref, node.right_ref) | placed;
    let left_first = go.x && (!go.y || entries.x <= entries.y);
    if (all(go)) {
      if (depth == STACK_DEPTH) { path_fault = true; break; }
      stack[depth] = select(refs.x, refs.y, left_first);
      depth++;
    }
    if (any(go)) {
      index = select(refs.y, refs.x, left_first);
    } else {
      if (INSTANCED && within.instance != NONE && depth == within.depth) {
        within = Within(NONE, 0u, 0u);
        sight = q.sight;
      }
      if (depth == 0u) { break; }
      depth--;
      index = stack[depth];
    }
  }
  return hit;
}
