// Camera rays: perspective or orthographic, through a pinhole or a thin lens. A pixel is a box;
// points of the plane in focus are where the pinhole sees them, whatever the lens.
//#import scene/intersect
//#import common/random

/// The unit disk with equal areas; centre and edges of the square keep their place (Shirley & Chiu 1997).
fn sample_disk(u: vec2f) -> vec2f {
  let at = 2.0 * u - 1.0;
  let wide = abs(at.x) > abs(at.y);
  let radius = select(at.y, at.x, wide);
  if (radius == 0.0) { return vec2f(0.0); }
  let eighths = select(at.x, at.y, wide) / radius * 0.125;
  return radius * cos_sin_turns(select(0.25 - eighths, eighths, wide));
}

fn camera_ray(pixel: vec2u, key: PathKey) -> Ray {
  let at = (vec2f(pixel) + sample_unit(key, PAIR_PIXEL)) / vec2f(f32(frame.width), f32(frame.height));
  let across = frame.right * (2.0 * at.x - 1.0) + frame.up * (1.0 - 2.0 * at.y);
  let parallel = (frame.flags & FRAME_ORTHOGRAPHIC) != 0u;
  var origin = frame.eye + select(vec3f(0.0), across, parallel);
  var direction = frame.forward + select(across, vec3f(0.0), parallel);
  if (frame.lens_radius > 0.0) {
    let lens = sample_disk(sample_unit(key, PAIR_LENS)) * frame.lens_radius;
    let shift = normalize(frame.right) * lens.x + normalize(frame.up) * lens.y;
    origin += shift;
    direction -= shift / frame.focus_distance;
  }
  return Ray(origin, FAR, normalize(direction), NONE);
}
