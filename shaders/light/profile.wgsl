// EXT_lights_ies: luminous intensity over direction, bilinear in the angles of the measured table.
// A header per light holds its x axis, the first value of the table, and its y axis; the table is
// type, number of vertical and horizontal angles, a zero, both lists of angles, and the candela.
//#import scene/bindings
//#import features
//#import common/math

fn profile_value(at: u32) -> f32 {
  return textureLoad(profiles, vec2u(at % PROFILE_ROW, at / PROFILE_ROW), 0).x;
}

fn profile_axis(at: u32) -> vec3f {
  return vec3f(profile_value(at), profile_value(at + 1u), profile_value(at + 2u));
}

/// Which of `count` ascending angles from `first` on lies at or below `angle`, and how far on the way
/// to the next one it is; the way is negative or above 1 outside of the list.
fn find_angle(first: u32, count: u32, angle: f32) -> vec2f {
  var low = 0u;
  var high = max(count, 2u) - 1u;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (profile_value(first + middle) <= angle) { low = middle; } else { high = middle; }
  }
  let a = profile_value(first + low);
  let b = profile_value(first + min(low + 1u, count - 1u));
  return vec2f(f32(low), select((angle - a) / greater(b - a, 1e-20), 0.0, count < 2u));
}

/// (vertical, horizontal) in degrees of a direction with these coordinates along x, y and the aim.
fn profile_angles(kind: u32, d: vec3f) -> vec2f {
  if (kind == PROFILE_TYPE_B) {
    return vec2f(atan2_turns(d.y, d.z) * 360.0, 90.0 - acos_poly(within(d.x, -1.0, 1.0)) * (180.0 * INV_PI));
  }
  let turns = atan2_turns(d.y, d.x);
  return vec2f(acos_poly(within(d.z, -1.0, 1.0)) * (180.0 * INV_PI), select(turns, turns + 1.0, turns < 0.0) * 360.0);
}

/// Candela towards `direction`, a unit vector away from the light; 0 where nothing was measured.
fn profile_intensity(header: u32, aim: vec3f, direction: vec3f) -> f32 {
  let start = u32(profile_value(header + 3u));
  let kind = u32(profile_value(start));
  let verticals = u32(profile_value(start + 1u));
  let horizontals = u32(profile_value(start + 2u));
  let along = vec3f(dot(profile_axis(header), direction), dot(profile_axis(header + 4u), direction), dot(aim, direction));
  let angles = profile_angles(kind, along);
  let v = find_angle(start + PROFILE_TABLE_HEADER, verticals, angles.x);
  var h = find_angle(start + PROFILE_TABLE_HEADER + verticals, horizontals, angles.y);
  let slack = 1e-4; // of the way to the next angle: what acos_poly and atan2_turns may be off at the ends
  let around = kind == PROFILE_TYPE_C; // measured all around, or up to the last plane
  let outside = v.y < -slack || v.y > 1.0 + slack || (!around && (h.y < -slack || h.y > 1.0 + slack));
  if (outside) { return 0.0; }
  let way = within2(vec2f(v.y, h.y), vec2f(0.0), vec2f(1.0));
  let row = start + PROFILE_TABLE_HEADER + verticals + horizontals;
  let near = row + u32(h.x) * verticals;
  let far = row + min(u32(h.x) + 1u, horizontals - 1u) * verticals;
  let i = u32(v.x);
  let j = min(i + 1u, verticals - 1u);
  return mix(
    mix(profile_value(near + i), profile_value(near + j), way.x),
    mix(profile_value(far + i), profile_value(far + j), way.x),
    way.y,
  );
}
