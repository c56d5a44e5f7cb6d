// One ray, with all that lets it go straight on: cut-out and blended surfaces, smooth thin panes, and
// interfaces hidden inside a medium of higher priority. Path rays and shadow rays see the same
// chances, so both estimators of light see the same scene. Whether a surface lets go is drawn from
// (primitive, pixel, sample, ray), never from the order of visits: a path that meets one surface
// twice decides twice. The traversal takes such surfaces for solid and starts again behind them.
//#import scene/surface
//#import bsdf/thin
//#import transport/media

/// Surfaces one ray may pass; the next one is taken for solid.
const LAYERS_MAX = 256u;
/// What a pass draws for.
const DRAW_ALPHA = 0u;
const DRAW_PANE = 1u;

/// Which ray of which path, and the texels that it reads.
struct RayKey {
  path: PathKey,
  ray: u32,      // vertex number and whether it is a shadow ray
  jitter: vec2f,
}

/// What a ray met, and what it went through on the way.
struct Crossing {
  hit: Hit,
  tint: vec3f,   // of the panes passed, and of one that was not
  before: Media, // on the near side of the surface met
  after: Media,  // on its far side
  passes: u32,   // signature of all that was passed, of a shadow ray only when nothing stopped it; 0: nothing
  since: f32,    // distance at which the medium that is there began
}

/// [0, 1) for one decision of a ray at a primitive, stratified over the samples of a pixel.
fn pass_draw(primitive: u32, key: RayKey, which: u32) -> f32 {
  return unit(sample_bits(key.path, hash_pair(primitive, key.ray * 2u + which)).x);
}

/// Does a cut-out or blended surface stop this ray?
fn alpha_stops(hit: Hit, material: u32, key: RayKey) -> bool {
  let alpha = alpha_at(hit.triangle, material, hit.u, hit.v);
  let mask = (materials[material].flags & MATERIAL_ALPHA_MASK) != 0u;
  if (mask) { return alpha >= materials[material].alpha_cutoff; }
  return pass_draw(hit.primitive, key, DRAW_ALPHA) < alpha;
}

fn is_see_through(material: u32) -> bool {
  return SEE_THROUGH && (materials[material].flags & (MATERIAL_ALPHA_MASK | MATERIAL_ALPHA_BLEND)) != 0u;
}

/// Share of light that goes straight through a pane, per channel.
fn pane_share(hit: Hit, material: u32, direction: vec3f, jitter: vec2f) -> vec3f {
  let c = corners_of(hit.triangle);
  let bary = vec3f(1.0 - hit.u - hit.v, hit.u, hit.v);
  let normal = normalize_or(normal_to_world(hit.instance, normal_at(c, bary)), direction);
  let share = thin_pass(material, texture_point(c, bary, jitter), color_at(c, bary), dot(normal, direction));
  return within3(share, vec3f(0.0), vec3f(1.0));
}

/// How far behind a hit another interface lies on it: as far as leave_surface steps off, along the ray.
fn contact_depth(hit: Hit, ray: Ray, cosine: f32) -> f32 {
  let blur = hit_blur(load_triangle(hit.triangle), hit.instance, ray.origin + ray.direction * hit.t);
  return surface_step(blur, hit.t, true) / greater(abs(cosine), 0.05);
}

fn cross_interface(met: ptr<function, Crossing>, medium: u32, front: bool) {
  if (front) {
    (*met).after = enter_medium((*met).after, medium, true);
  } else if (holds_medium((*met).after, medium)) {
    (*met).after = leave_medium((*met).after, medium);
  } else {
    (*met).before = enter_medium((*met).before, medium, false);
  }
}

/// Goes through the surface at `hit`, or not. What a pane does not let go scatters by its other lobes, that much brighter.
fn passes_surface(met: ptr<function, Crossing>, hit: Hit, material: u32, direction: vec3f, key: RayKey) -> bool {
  if (is_see_through(material) && !alpha_stops(hit, material, key)) { return true; }
  if (!lets_straight_through(material)) { return false; }
  let share = pane_share(hit, material, direction, key.jitter);
  // A pane that shines must be met as well, however clear it is.
  let chance = max3(share) * select(1.0, 0.5, max3(materials[material].emissive) > 0.0);
  let goes = pass_draw(hit.primitive, key, DRAW_PANE) < chance;
  if (goes) { (*met).tint *= share / chance; } else { (*met).tint /= 1.0 - chance; }
  return goes;
}

fn follow_ray(ray: Ray, key: RayKey, media: Media, any: bool) -> Crossing {
  var q = Quest(ray, sight_along(ray.origin, ray.direction, 0u), 0.0, 0u, any);
  var met = Crossing(no_hit(), vec3f(1.0), media, media, 0u, 0.0);
  var hit = no_hit();
  for (var layer = 0u; layer < LAYERS_MAX; layer++) {
    hit = search(q);
    let word = triangles[hit.triangle].material;
    let material = word & TRIANGLE_MATERIAL;
    let soft = hit.t < FAR && (word & TRIANGLE_SEE_THROUGH) != 0u;
    var passed = false;
    if ((SEE_THROUGH || TRANSMISSIVE) && soft && met.hit.t >= FAR) { passed = passes_surface(&met, hit, material, ray.direction, key); }
    if (VOLUMES && !passed && soft && is_volume(material)) {
      let cosine = dot(outward_normal(load_triangle(hit.triangle), hit.instance, -ray.direction), ray.direction);
      cross_interface(&met, material + 1u, cosine < 0.0);
      // What lies on it belongs to it.
      if (met.hit.t >= FAR) {
        met.hit = hit;
        q.ray.reach = lesser(ray.reach, hit.t + contact_depth(hit, ray, cosine));
      }
      passed = true;
    } else if (VOLUMES && !passed && met.hit.t < FAR) {
      // A solid surface that lies on it is met in its place.
      if (hit.t < FAR && !soft) { break; }
      if (!is_hidden(met.before, met.after)) { return met; }
      met.tint *= absorption(met.before, met.hit.t - met.since);
      met.since = met.hit.t;
      met.before = met.after;
      met.hit = no_hit();
      q.ray.reach = ray.reach;
      continue;
    }
    if (!passed) { break; }
    met.passes = fold_signature(met.passes, hit.primitive);
    q.passed_t = hit.t;
    q.passed_primitive = hit.primitive;
  }
  met.hit = hit;
  met.after = met.before;
  return met;
}

/// The closest surface that stops the ray, or with `any` some such surface.
fn trace_ray(ray: Ray, key: RayKey, media: Media, any: bool) -> Crossing {
  var met = follow_ray(ray, key, media, any);
  // Which of the surfaces that stop a shadow ray is found first, and so what was passed before, is the tree's affair.
  met.passes = select(met.passes, 0u, any && met.hit.t < FAR);
  return met;
}
