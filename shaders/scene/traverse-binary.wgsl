// Traversal of the binary tree, nearer child first. A mesh traced in its own space is entered by
// transforming the ray, whose direction keeps its scale there so that distances stay those of the
// world, and left when the stack is back where it was.
//#import scene/quest

/// Where the ray enters the children's boxes, left and right; FAR for a miss.
fn child_entries(node: BvhNode, s: Sight, limit: f32) -> vec2f {
  let left = box_entry(node.left_min, node.left_max, s, limit);
  let right = box_entry(node.right_min, node.right_max, s, limit);
  return vec2f(left, select(FAR, right, node.right_min.x <= node.right_max.x));
}

/// Tests so many triangles of each child in one loop: costly code nested twice is computed twice by software adapters. It asks at its
/// end: at the head of a loop they go through its body once more than it has turns.
fn test_triangles(found: ptr<function, Found>, q: Quest, space: Space, first: vec2u, number: vec2u) {
  let tests = number.x + number.y;
  var i = 0u;
  loop {
    if (i < tests) { test_triangle(found, q, space, select(first.y + i - number.x, first.x + i, i < number.x)); }
    continuing {
      i++;
      break if i >= tests;
    }
  }
}

/// The closest surface of the quest, see-through ones taken for solid. With `any` the first solid one will do.
fn search(q: Quest) -> Hit {
  var found = nothing_found(q.ray.reach);
  var stack: array<u32, STACK_DEPTH>;
  var depth = 0u;
  var index = 0u; // of the next node, or with NODE_INSTANCE of an instance
  var space = world_space(q);
  for (var visits = 0u; ; visits++) {
    if (visits == NODE_VISITS_MAX || depth == STACK_DEPTH) { path_fault = true; break; }
    if (INSTANCED && (index & NODE_INSTANCE) != 0u) {
      space = space_inside(q, index & ~NODE_INSTANCE, depth);
      index = space.root;
    }
    if (COUNT) { node_visits++; }
    let node = load_node(index);
    let entries = child_entries(node, space.sight, found.nearest * (1.0 + TIE));
    let counts = vec2u(node.left_count, node.right_count);
    let placed = counts & vec2u(select(0u, NODE_INSTANCE, INSTANCED));
    let to_test = select(vec2u(0u), counts, (entries < vec2f(FAR)) & (placed == vec2u(0u)));
    test_triangles(&found, q, space, vec2u(node.left_ref, node.right_ref), to_test);
    if (found.blocked) { break; }
    let go = (entries < vec2f(FAR)) & (counts == placed);
    let refs = vec2u(node.left_ref, node.right_ref) | placed;
    let left_first = go.x && (!go.y || entries.x <= entries.y);
    if (any(go)) {
      index = select(refs.y, refs.x, left_first);
      stack[depth] = select(refs.x, refs.y, left_first);
      depth += select(0u, 1u, all(go));
      continue;
    }
    if (INSTANCED && space.instance != NONE && depth == space.depth) { space = world_space(q); }
    let over = depth == 0u;
    if (over && !found.again) { break; }
    if (over) { found = nothing_found(found.nearest); }
    depth -= select(1u, 0u, over);
    index = select(stack[depth], 0u, over);
  }
  return found.hit;
}
