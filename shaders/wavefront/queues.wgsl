// Where the numbers of waiting paths lie: five queues of one word per path at the front of the state. Two for
// rays to extend, of which each round reads one and writes the other, one for shadow rays, and two
// that the four classes share, growing towards each other from both ends.
//#import layout
//#import wavefront/layout

@group(1) @binding(2) var<uniform> stage: Stage;

fn dispatched_paths() -> u32 {
  return min((frame.pixels << frame.samples_log2) - stage.first, stage.capacity);
}

fn extend_word(parity: u32, n: u32) -> u32 {
  return parity * stage.capacity + n;
}

fn class_word(class_: u32, n: u32) -> u32 {
  let shared_queue = select(2u, 3u, class_ == CLASS_LAYERED || class_ == CLASS_CLEAR);
  let place = select(n, stage.capacity - 1u - n, class_ >= CLASS_CLEAR);
  return shared_queue * stage.capacity + place;
}

fn shadow_word(n: u32) -> u32 {
  return 4u * stage.capacity + n;
}
