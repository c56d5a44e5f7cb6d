// Traversal of the wide tree after Ylitie, Karras and Laine, "Efficient Incoherent Ray Traversal on GPUs
// Through Compressed Wide BVHs", HPG 2017: a stack of groups of children, of which those go first whose
// slots lie on the side that the ray comes from. Instances are rows among the nodes; one is left when the
// stack is back where it was. No lane asks another: subgroups are not needed.
//#import scene/quest

/// The second word of a group: a bit per slot to visit, above a bit per slot that has a row.
const FIRST_VISIT = 1u << 24u;
/// The root alone.
const ROOT_GROUP = vec2u(0u, 0x80000000u);

/// Of the slots to visit, those to be preferred along x, y and z.
fn near_slots(s: Sight) -> vec3u {
  let low = vec3u(0x55000000u, 0x33000000u, 0x0f000000u);
  return select(~low & vec3u(0xff000000u), low, s.inverse >= vec3f(0.0));
}

/// The bit of the slot to visit first.
fn first_slot(group: vec2u, near: vec3u) -> u32 {
  let all = group.y & ~(FIRST_VISIT - 1u);
  let z = select(all, all & near.z, (all & near.z) != 0u);
  let y = select(z, z & near.y, (z & near.y) != 0u);
  return select(y, y & near.x, (y & near.x) != 0u);
}

/// Row of the child in a slot.
fn row_of(group: vec2u, slot: u32) -> u32 {
  return group.x + countOneBits(group.y & 0xffu & ((slot >> 24u) - 1u));
}

/// Tests the triangles from `first` on that have a bit. The loop asks at its end: at the head of a loop software adapters go through
/// its body once more than it has turns.
fn test_triangles(found: ptr<function, Found>, q: Quest, space: Space, first: u32, bits: u32) {
  var left = bits;
  loop {
    if (left != 0u) { test_triangle(found, q, space, first + lowest_bit(left)); }
    left &= left - 1u;
    continuing { break if left == 0u; }
  }
}

/// The closest surface of the quest, see-through ones taken for solid. With `any` the first solid one will do.
fn search(q: Quest) -> Hit {
  var found = nothing_found(q.ray.reach);
  var stack: array<vec2u, STACK_DEPTH>;
  var depth = 0u;
  var group = ROOT_GROUP;
  var space = world_space(q);
  var near = near_slots(space.sight);
  for (var visits = 0u; ; visits++) {
    if (visits == NODE_VISITS_MAX || depth == STACK_DEPTH) { path_fault = true; break; }
    let slot = first_slot(group, near);
    let index = row_of(group, slot);
    group.y &= ~slot;
    stack[depth] = group;
    depth += select(0u, 1u, group.y >= FIRST_VISIT);
    var node = load_node(index);
    if (INSTANCED && node.grid == 0u) {
      space = space_inside(q, index, depth);
      near = near_slots(space.sight);
      node = load_node(space.root);
    }
    if (COUNT) { node_visits++; }
    let met = met_children(node, space.sight, found.nearest * (1.0 + TIE));
    test_triangles(&found, q, space, node.triangle_base, met & (FIRST_VISIT - 1u));
    if (found.blocked) { break; }
    group = vec2u(node.child_base, (met & ~(FIRST_VISIT - 1u)) | (node.grid >> 24u));
    if (group.y >= FIRST_VISIT) { continue; }
    if (INSTANCED && space.instance != NONE && depth == space.depth) {
      space = world_space(q);
      near = near_slots(space.sight);
    }
    let over = depth == 0u;
    if (over && !found.again) { break; }
    if (over) { found = nothing_found(found.nearest); }
    depth -= select(1u, 0u, over);
    group = select(stack[depth], ROOT_GROUP, over);
  }
  return found.hit;
}
