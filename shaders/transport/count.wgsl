// What the counting kernel counts: exact on any adapter, so a gate that noise cannot blur.

/// The slot's light is (node visits, triangle tests, shading calls) of the path instead of radiance.
override COUNT: bool = false;

var<private> node_visits: u32;
var<private> triangle_tests: u32;
var<private> shading_calls: u32;
