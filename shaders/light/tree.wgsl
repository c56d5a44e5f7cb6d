// The light tree: which light with a place is asked, and how likely that was (Conty Estevez and
// Kulla 2018; pbrt-v4 section 12.6.3). Importances are bounds: a light that can reach the receiver
// never has probability 0. Only +, -, *, / and sqrt. Twin: tests/reference/light-tree.ts.
//#import scene/bindings
//#import features
//#import common/math

/// Who receives light: a point, and the geometric normal on the lit side or the zero vector where
/// light may come from both sides.
struct Receiver {
  position: vec3f,
  normal: vec3f,
}

struct LightPick {
  light: u32,
  probability: f32,
}

/// Largest f32 below 1.
const BELOW_ONE = 0.99999994;
/// Rounding of cosines near the edge of a cone; also the least importance of light just inside it.
const CONE_SLACK = 1e-4;

/// cos(max(a - b, 0)).
fn cos_beyond(sin_a: f32, cos_a: f32, sin_b: f32, cos_b: f32) -> f32 {
  return select(cos_a * cos_b + sin_a * sin_b, 1.0, cos_a > cos_b);
}

/// sin(max(a - b, 0)).
fn sin_beyond(sin_a: f32, cos_a: f32, sin_b: f32, cos_b: f32) -> f32 {
  return select(sin_a * cos_b - cos_a * sin_b, 0.0, cos_a > cos_b);
}

fn sine_of(cosine: f32) -> f32 {
  return sqrt(greater(1.0 - cosine * cosine, 0.0));
}

fn light_node_texel(node: u32, texel: u32) -> vec4u {
  let at = vec2u((node % LIGHT_NODES_PER_ROW) * LIGHT_NODE_TEXELS + texel, node / LIGHT_NODES_PER_ROW);
  return textureLoad(light_nodes, at, 0);
}

/// An upper bound, up to a constant, of what the lights below a node bring to the receiver.
fn light_importance(node: u32, to: Receiver) -> f32 {
  let sphere = bitcast<vec4f>(light_node_texel(node, 0u));
  let cone = bitcast<vec4f>(light_node_texel(node, 1u));
  let rest = light_node_texel(node, 2u);
  let cos_normals = bitcast<f32>(rest.x);
  let away = to.position - sphere.xyz;
  let d2 = dot(away, away);
  let strength = cone.w / greater(greater(d2, sphere.w), 1e-20);
  if (d2 <= sphere.w) { return strength; }
  let w = away / sqrt(greater(d2, 1e-30));
  var cos_w = dot(cone.xyz, w);
  if ((rest.w & LIGHT_NODE_TWO_SIDED) != 0u) { cos_w = abs(cos_w); }
  let sin_w = sine_of(cos_w);
  // The sphere's half angle as seen from the receiver.
  let sin_b = sqrt(lesser(sphere.w / d2, 1.0));
  let cos_b = sqrt(greater(1.0 - sphere.w / d2, 0.0));
  let sin_o = sine_of(cos_normals);
  let cos_x = cos_beyond(sin_w, cos_w, sin_o, cos_normals);
  let sin_x = sin_beyond(sin_w, cos_w, sin_o, cos_normals);
  let cos_p = cos_beyond(sin_x, cos_x, sin_b, cos_b);
  if (cos_p < bitcast<f32>(rest.y) - CONE_SLACK) { return 0.0; }
  var importance = strength * greater(cos_p, CONE_SLACK);
  if (any(to.normal != vec3f(0.0))) {
    let cos_i = -dot(to.normal, w);
    importance *= greater(cos_beyond(sine_of(cos_i), cos_i, sin_b, cos_b), 0.0);
  }
  return importance;
}

/// Walks from the root to one leaf: along `trail` where `known`, else by `chance` in [0, 1), which is
/// stretched anew at each level; `fresh` bits fill in what stretching used up.
fn walk_light_tree(to: Receiver, known: bool, trail: u32, chance: f32, fresh: u32) -> LightPick {
  if (!LIGHT_TREE) { return LightPick(0u, 1.0); }
  var u = chance;
  var bits = fresh;
  var grain = 5.9604644775390625e-8 / frame.tree_share; // step between the values that u can have
  var probability = 1.0;
  var node = 0u;
  var link = light_node_texel(node, 2u);
  var level = 0u;
  loop { // which asks at its end, see scene/texture
    if ((link.w & LIGHT_NODE_LEAF) != 0u) { break; }
    let left = light_importance(link.z, to);
    let right = light_importance(link.z + 1u, to);
    var to_left = 0.5; // where neither can bring anything
    if (left + right > 0.0) { to_left = left / (left + right); }
    let go_right = select(u >= to_left, ((trail >> level) & 1u) != 0u, known);
    let taken = select(to_left, 1.0 - to_left, go_right);
    probability *= taken;
    u = lesser(select(u, u - to_left, go_right) / greater(taken, 1e-30), BELOW_ONE);
    grain /= greater(taken, 1e-30);
    if (grain > 1e-4) {
      u = lesser(u + grain * f32(bits >> 8u) * 5.9604644775390625e-8, BELOW_ONE);
      bits = bits * 0x915f77f5u + 0x9e3779b9u;
      grain = 5.9604644775390625e-8;
    }
    node = link.z + select(0u, 1u, go_right);
    link = light_node_texel(node, 2u);
    level++;
    continuing { break if level >= LIGHT_TREE_DEPTH_MAX || (link.w & LIGHT_NODE_LEAF) != 0u; }
  }
  return LightPick(link.z, probability);
}
