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

/// The closest surface of the quest, see-through ones taken for solid. With `any` the first solid one will do.
fn search(q: Quest) -> Hit {
  var found = Found(no_hit(), q.ray.reach, false, false);
  var stack: array<u32, STACK_DEPTH>;
  var depth = 0u;
  var index = 0u; // of the next node, or with NODE_INSTANCE of an instance
  var sight = q.sight;
  var within = Within(NONE, 0u, 0u);
  for (var visits = 0u; !found.blocked; visits++) {
    if (visits == NODE_VISITS_MAX) { path_fault = true; break; }
    if (INSTANCED && (index & NODE_INSTANCE) != 0u) {
      let placed = load_instance(index & ~NODE_INSTANCE);
      within = Within(index & ~NODE_INSTANCE, placed.first_primitive, depth);
      sight = sight_inside(placed, q.ray);
      index = placed.root;
    }
    if (COUNT) { node_visits++; }
    let node = nodes[index];
    let entries = child_entries(node, sight, found.nearest * (1.0 + TIE));
    let counts = vec2u(node.left_count, node.right_count);
    let placed = counts & vec2u(select(0u, NODE_INSTANCE, INSTANCED));
    let to_test = select(vec2u(0u), counts, (entries < vec2f(FAR)) & (placed == vec2u(0u)));
    // Triangles of both children in one loop: costly code nested twice is computed twice by software adapters.
    for (var i = 0u; i < to_test.x + to_test.y; i++) {
      test_triangle(&found, q, sight, within, select(node.right_ref + i - to_test.x, node.left_ref + i, i < to_test.x));
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
      continue;
    }
    if (INSTANCED && within.instance != NONE && depth == within.depth) {
      within = Within(NONE, 0u, 0u);
      sight = q.sight;
    }
    if (depth == 0u && !found.again) { break; }
    index = 0u;
    if (depth > 0u) {
      depth--;
      index = stack[depth];
    } else {
      found = Found(no_hit(), found.nearest, false, false);
    }
  }
  return found.hit;
}
