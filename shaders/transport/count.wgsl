// What the counting kernel counts: exact on any adapter, so a gate that noise cannot blur.

/// The slot carries counts of the path instead of what it saw (PathSlot).
override COUNT: bool = false;

var<private> node_visits: u32;
var<private> triangle_tests: u32;
var<private> shading_calls: u32;
var<private> texel_reads: u32;
