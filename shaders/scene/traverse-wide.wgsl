// Traversal of the wide tree after Ylitie, Karras and Laine, "Efficient Incoherent Ray Traversal on GPUs
// Through Compressed Wide BVHs", HPG 2017: a stack of groups of children, of which a group is taken in the
// order of its slots turned to the ray's octant. Instances are rows among the nodes; one is left when the
// stack is back where it was. No lane asks another: subgroups are not needed.
//#import scene/quest

/// Bits of a group's second word: children to visit, the nearest in the highest, above a bit per slot that has a row.
const GROUP_FIRST = 24u;
const GROUP_VISITS = 0xff000000u;

fn bytes(word: u32) -> vec4u {
  return (vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu);
}

/// What turns slots to places in a group: towards the side that the ray comes from first.
fn octant(s: Sight) -> u32 {
  let turns = select(vec3u(0u), vec3u(1u, 2u, 4u), s.inverse >= vec3f(0.0));
  return turns.x | turns.y | turns.z;
}

/// Boxes of four children against the ray: `start` and `step` are of the grid, in distances along it.
struct Grid {
  near: vec3f,
  far: vec3f,
  step: vec3f,
  limit: f32,
  turn: u32,
}

/// Bits of the children that the ray meets: their places in a group, and triangles below.
fn met_children(g: Grid, x: vec2u, y: vec2u, z: vec2u, meta_word: u32) -> u32 {
  let enter_x = vec4f(bytes(x.x)) * g.step.x + g.near.x;
  let enter_y = vec4f(bytes(y.x)) * g.step.y + g.near.y;
  let enter_z = vec4f(bytes(z.x)) * g.step.z + g.near.z;
  let leave_x = vec4f(bytes(x.y)) * g.step.x + g.far.x;
  let leave_y = vec4f(bytes(y.y)) * g.step.y + g.far.y;
  let leave_z = vec4f(bytes(z.y)) * g.step.z + g.far.z;
  let enter = max(max(enter_x, enter_y), max(enter_z, vec4f(0.0)));
  let leave = min(min(leave_x, leave_y), min(leave_z, vec4f(g.limit)));
  let child = bytes(meta_word);
  // Of a child with a row, 24 + slot: the turn moves its slot.
  let turn = select(vec4u(0u), vec4u(g.turn), (child & vec4u(0x18u)) == vec4u(0x18u));
  let met = select(vec4u(0u), (child >> vec4u(5u)) << ((child ^ turn) & vec4u(31u)), enter <= leave);
  return met.x | met.y | met.z | met.w;
}

/// Bits of the children of a node that the ray meets not beyond `limit`.
fn visit(node: WideNode, s: Sight, turn: u32, limit: f32) -> u32 {
  let start = (node.origin - s.origin) * s.inverse;
  let step = grid_step(node.grid) * s.inverse;
  let g = Grid(start - s.slack, start + s.slack, step, limit, turn);
  let back = s.inverse < vec3f(0.0);
  let near_x = select(node.low_x, node.high_x, back.x);
  let near_y = select(node.low_y, node.high_y, back.y);
  let near_z = select(node.low_z, node.high_z, back.z);
  let far_x = select(node.high_x, node.low_x, back.x);
  let far_y = select(node.high_y, node.low_y, back.y);
  let far_z = select(node.high_z, node.low_z, back.z);
  return met_children(g, vec2u(near_x.x, far_x.x), vec2u(near_y.x, far_y.x), vec2u(near_z.x, far_z.x), node.meta_low)
    | met_children(g, vec2u(near_x.y, far_x.y), vec2u(near_y.y, far_y.y), vec2u(near_z.y, far_z.y), node.meta_high);
}

/// Row of the first child to visit of a group, which is told by the highest of its visits.
fn first_child(group: vec2u, place: u32, turn: u32) -> u32 {
  let slot = (place - GROUP_FIRST) ^ turn;
  return group.x + countOneBits(group.y & ((1u << slot) - 1u));
}

/// The closest surface of the quest, see-through ones taken for solid. With `any` the first solid one will do.
fn search(q: Quest) -> Hit {
  var found = Found(no_hit(), q.ray.reach, false, false);
  var stack: array<vec2u, STACK_DEPTH>;
  var depth = 0u;
  var group = vec2u(0u, 0x80000000u); // the root alone
  var sight = q.sight;
  var turn = octant(sight);
  var within = Within(NONE, 0u, 0u);
  for (var visits = 0u; !found.blocked; visits++) {
    if (visits == NODE_VISITS_MAX) { path_fault = true; break; }
    let place = firstLeadingBit(group.y);
    var index = first_child(group, place, turn);
    group.y &= ~(1u << place);
    if (group.y >= 1u << GROUP_FIRST) {
      if (depth == STACK_DEPTH) { path_fault = true; break; }
      stack[depth] = group;
      depth++;
    }
    if (INSTANCED && nodes[index].grid == 0u) {
      let placed = load_instance(index);
      within = Within(index, placed.first_primitive, depth);
      sight = sight_inside(placed, q.ray);
      turn = octant(sight);
      index = placed.root;
    }
    if (COUNT) { node_visits++; }
    let node = nodes[index];
    let met = visit(node, sight, turn, found.nearest * (1.0 + TIE));
    for (var tests = met & ~GROUP_VISITS; tests != 0u; tests &= tests - 1u) {
      test_triangle(&found, q, sight, within, node.triangle_base + firstTrailingBit(tests));
    }
    group = vec2u(node.child_base, (met & GROUP_VISITS) | (node.grid >> GROUP_FIRST));
    if (group.y >= 1u << GROUP_FIRST) { continue; }
    if (INSTANCED && within.instance != NONE && depth == within.depth) {
      within = Within(NONE, 0u, 0u);
      sight = q.sight;
      turn = octant(sight);
    }
    if (depth == 0u && !found.again) { break; }
    group = vec2u(0u, 0x80000000u);
    if (depth > 0u) {
      depth--;
      group = stack[depth];
    } else {
      found = Found(no_hit(), found.nearest, false, false);
    }
  }
  return found.hit;
}
