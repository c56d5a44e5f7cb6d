// Hands paths on from queue to queue: `classify` by what their ray met, `compact` by what shading
// left to be traced. Places inside a workgroup are prefix sums, so paths keep their order there; one
// atomic addition per workgroup and queue finds room. No workgroup waits for another.
//#import wavefront/queues

@group(0) @binding(0) var<uniform> frame: Frame;
@group(1) @binding(0) var<storage, read_write> words: array<u32>;
@group(1) @binding(1) var<storage, read_write> control: array<atomic<u32>>;
/// The other control buffer, which says how many wait here: what is dispatched from is not written to.
@group(1) @binding(3) var<uniform> queue_rows: array<vec4u, CONTROL_ROWS>;

/// Invocations per workgroup of the kernels that the queues are for.
override GROUP: u32 = 64u;

/// Running counts of four queues, 16 bits each, in two halves that take turns.
var<workgroup> sums: array<vec2u, 2u * SORT_GROUP>;
var<workgroup> totals: vec2u;
var<workgroup> first: array<u32, 4>;

fn count_of(packed: vec2u, queue: u32) -> u32 {
  return extractBits(select(packed.x, packed.y, queue >= 2u), (queue & 1u) * 16u, 16u);
}

/// Sums over this invocation and those before it in the workgroup.
fn inclusive_sums(lane: u32, mine: vec2u) -> vec2u {
  var sum = mine;
  var half = 0u;
  sums[lane] = mine;
  for (var reach = 1u; reach < SORT_GROUP; reach *= 2u) {
    workgroupBarrier();
    if (lane >= reach) { sum += sums[half + lane - reach]; }
    half = SORT_GROUP - half;
    sums[half + lane] = sum;
  }
  if (lane == SORT_GROUP - 1u) { totals = sum; }
  workgroupBarrier();
  return sum;
}

/// Room for `count` more paths in a queue of the control buffer. @returns the place of the first.
fn make_room(queue: u32, count: u32) -> u32 {
  let at = queue * 4u;
  let start = atomicAdd(&control[at + 3u], count);
  atomicMax(&control[at], (start + count + GROUP - 1u) / GROUP);
  atomicStore(&control[at + 1u], 1u);
  atomicStore(&control[at + 2u], 1u);
  return start;
}

/// Rounds after the first read their own queue.
fn waiting_path(n: u32) -> u32 {
  if (stage.vertex == 0u) { return n; }
  return words[extend_word(stage.parity, n)];
}

fn waiting_paths() -> u32 {
  if (stage.vertex == 0u) { return dispatched_paths(); }
  return queue_rows[stage.queues + QUEUE_EXTEND].w;
}

/// The word that says what becomes of a path.
fn verdict_of(path: u32) -> u32 {
  return words[(ROW_HIT * stage.capacity + path) * 4u + 3u];
}

@compute @workgroup_size(SORT_GROUP)
fn classify(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  let there = id.x < waiting_paths();
  var path = 0u;
  var class_ = CLASS_MISS;
  var mine = vec2u(0u);
  if (there) {
    path = waiting_path(id.x);
    class_ = verdict_of(path) >> 30u;
    let one = 1u << ((class_ & 1u) * 16u);
    mine = select(vec2u(one, 0u), vec2u(0u, one), class_ >= 2u);
  }
  let sum = inclusive_sums(lane, mine);
  if (lane < 4u) {
    let count = count_of(totals, lane);
    if (count > 0u) { first[lane] = make_room(stage.queues + QUEUE_PLAIN + lane, count); }
  }
  workgroupBarrier();
  if (there) { words[class_word(class_, first[class_] + count_of(sum, class_) - 1u)] = path; }
}

@compute @workgroup_size(SORT_GROUP)
fn compact(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  var path = 0u;
  var goes_on = 0u;
  var shadow = 0u;
  if (id.x < waiting_paths()) {
    path = waiting_path(id.x);
    let verdict = verdict_of(path);
    goes_on = verdict & 1u;
    shadow = (verdict >> 1u) & 1u;
  }
  let sum = inclusive_sums(lane, vec2u(goes_on | (shadow << 16u), 0u));
  let next = stage.queues + QUEUES_PER_ROUND;
  if (lane < 2u) {
    let count = count_of(totals, lane);
    if (count > 0u) { first[lane] = make_room(select(next + QUEUE_EXTEND, stage.queues + QUEUE_SHADOW, lane == 1u), count); }
    if (lane == 0u && count > 0u) {
      let sort = (next + QUEUE_SORT) * 4u;
      atomicMax(&control[sort], (first[0] + count + SORT_GROUP - 1u) / SORT_GROUP);
      atomicStore(&control[sort + 1u], 1u);
      atomicStore(&control[sort + 2u], 1u);
    }
  }
  workgroupBarrier();
  if (goes_on != 0u) { words[extend_word(1u - stage.parity, first[0] + count_of(sum, 0u) - 1u)] = path; }
  if (shadow != 0u) { words[shadow_word(first[1] + count_of(sum, 1u) - 1u)] = path; }
}
