// What a traversal looks for and what it found, whichever tree it walks. Among hits within a relative TIE of
// the nearest the lowest primitive wins, so that devices whose last bits differ still choose the same of two
// coincident surfaces; boxes are culled against the widened distance. The choice does not depend on the order
// in which triangles are met. Surfaces that may let a ray through are solid here; transport/straight starts
// again behind those that do. Back faces of single-sided materials are not there, for any ray (glTF 2.0
// section 3.9.4), except of transmissive ones, whose far wall light must cross.
//#import scene/instance
//#import scene/intersect
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

/// What a traversal looks for: surfaces behind those already passed.
struct Quest {
  ray: Ray,
  sight: Sight,          // of the ray in the world
  passed_t: f32,         // 0: none passed
  passed_primitive: u32, // of the last surface passed
  any: bool,             // a solid hit anywhere ends the search
}

/// Where a traversal is: in an instance, or in the world.
struct Space {
  sight: Sight,
  instance: u32, // NONE: the world
  root: u32,
  first_primitive: u32,
  depth: u32,    // of the stack when it came in
}

struct Found {
  hit: Hit,
  nearest: f32,   // least distance of any hit; the ray's reach before there is one
  again: bool,    // a hit was given up for one that is there no more: the search must start over, knowing `nearest`
  blocked: bool,  // nothing else matters
}

/// The ray in the space of an instance.
fn sight_inside(placed: Instance, ray: Ray) -> Sight {
  return sight_along(point_to_object(placed, ray.origin), direction_to_object(placed, ray.direction), placed.root);
}

fn world_space(q: Quest) -> Space {
  return Space(q.sight, NONE, 0u, 0u, 0u);
}

fn space_inside(q: Quest, instance: u32, depth: u32) -> Space {
  let placed = load_instance(instance);
  return Space(sight_inside(placed, q.ray), instance, placed.root, placed.first_primitive, depth);
}

fn nothing_found(nearest: f32) -> Found {
  return Found(no_hit(), nearest, false, false);
}

/// Is an entry into the triangle with this id a hit, no farther than those that matter?
fn counts(q: Quest, t: f32, primitive: u32, nearest: f32) -> bool {
  let reached = t > 0.0 && t < q.ray.reach && t < nearest * (1.0 + TIE) && primitive != q.ray.skip;
  let behind_passed = t > q.passed_t * (1.0 + TIE) || (t >= q.passed_t * (1.0 - TIE) && primitive > q.passed_primitive);
  return reached && behind_passed;
}

/// Tests the triangle at this place and keeps it if it is the better hit. Selections, no branches: software adapters pay for
/// every value that a branch may have changed.
fn test_triangle(found: ptr<function, Found>, q: Quest, space: Space, at: u32) {
  if (COUNT) { triangle_tests++; }
  let triangle = load_triangle(at);
  let entry = triangle_entry(triangle, space.sight);
  let primitive = space.first_primitive + triangle.primitive;
  let nearest = (*found).nearest;
  let counted = counts(q, entry.x, primitive, nearest);
  let kept = (*found).hit;
  let evicts = kept.t >= entry.x * (1.0 + TIE);
  // The nearest was given up for `kept`, a lower primitive, which now is too far: it may be the one after all.
  (*found).again = (*found).again || (counted && evicts && kept.t < FAR && nearest < entry.x * (1.0 + TIE));
  (*found).nearest = select(nearest, lesser(nearest, entry.x), counted);
  let better = counted && (evicts || primitive < kept.primitive);
  (*found).hit.t = select(kept.t, entry.x, better);
  (*found).hit.triangle = select(kept.triangle, at, better);
  (*found).hit.u = select(kept.u, entry.y, better);
  (*found).hit.v = select(kept.v, entry.z, better);
  (*found).hit.primitive = select(kept.primitive, primitive, better);
  (*found).hit.instance = select(kept.instance, space.instance, better);
  (*found).blocked = select((*found).blocked, q.any && (triangle.material & TRIANGLE_SEE_THROUGH) == 0u, better);
}
