// Where rays start, and how close two surfaces lie to be one. A hit's point is rounded to the grid of f32,
// which is 0.008 wide at a coordinate of 100,000: by the bounds of that rounding a ray starts off the
// surface, and away from the edges, where a neighbour at an angle might otherwise lie behind it.
//#import scene/traverse
//#import features

/// Rounding of a coordinate, in shares of it: four units, of which a point of a triangle takes two, its
/// step off one, and the test of a ray against its neighbour the rest.
const COORDINATE_ERROR = 4.8e-7;
/// Distance along the normal to where a ray meets a neighbour in the same plane, in shares of its size.
const EXTENT_ERROR = 9.6e-7;
/// Two hits this close along a ray, in shares of its length, may be one place; above TIE.
const CONTACT_ERROR = 5e-6;

/// What rounding may do to a triangle around a hit, after pbrt-v4 section 6.8.
struct Blur {
  step: f32,   // off the surface along its normal, world units
  inwards: f32, // off its edges, in shares of the triangle
}

/// `position` is the hit in the world, in this triangle of this instance.
fn hit_blur(triangle: Triangle, instance: u32, position: vec3f) -> Blur {
  let extent = max3(greater3(abs(triangle.v1 - triangle.v0), abs(triangle.v2 - triangle.v0)));
  var reach = greater3(greater3(abs(triangle.v0), abs(triangle.v1)), abs(triangle.v2));
  if (INSTANCED && instance != NONE) {
    let placed = load_instance(instance);
    let p = abs(position);
    reach += abs(placed.translation) + abs(placed.x_axis) * p.x + abs(placed.y_axis) * p.y + abs(placed.z_axis) * p.z;
  }
  let n = triangle_cross(triangle);
  let unit_normal = n / greater(max3(abs(n)), 1e-37); // about unit: squares of tiny triangles' areas vanish
  let off = COORDINATE_ERROR * dot(abs(unit_normal), reach) + EXTENT_ERROR * extent * sqrt(dot(unit_normal, unit_normal));
  let outward = normal_to_world(instance, unit_normal);
  return Blur(
    off / sqrt(greater(dot(outward, outward), 1e-30)),
    lesser(2.0 * COORDINATE_ERROR * max3(reach) / greater(extent, 1e-37), 0.5),
  );
}

/// How far a ray starts off the surface. Between media it reaches as far as other interfaces lie on this one.
fn surface_step(blur: Blur, distance: f32, volume: bool) -> f32 {
  return select(blur.step, greater(2.0 * blur.step, CONTACT_ERROR * distance), VOLUMES && volume);
}

/// A point off a triangle's edges: towards its centre.
fn inner_weights(hit: Hit, blur: Blur) -> vec2f {
  return mix(vec2f(hit.u, hit.v), vec2f(1.0 / 3.0), blur.inwards);
}
