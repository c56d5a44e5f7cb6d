// Orthonormal frames and packed directions.
//#import common/math

/// Columns: tangent, bitangent, normal. Duff et al., "Building an Orthonormal Basis, Revisited", JCGT 6(1), 2017.
fn basis_around(n: vec3f) -> mat3x3f {
  let s = select(-1.0, 1.0, n.z >= 0.0);
  let a = -1.0 / (s + n.z);
  let b = n.x * n.y * a;
  return mat3x3f(vec3f(1.0 + s * n.x * n.x * a, s * b, -s * n.x), vec3f(b, s + n.y * n.y * a, -n.y), n);
}

fn to_local(frame: mat3x3f, v: vec3f) -> vec3f {
  return vec3f(dot(v, frame[0]), dot(v, frame[1]), dot(v, frame[2]));
}

/// `fallback` when v has no direction.
fn normalize_or(v: vec3f, fallback: vec3f) -> vec3f {
  let l2 = dot(v, v);
  if (l2 < 1e-30) { return fallback; }
  return v / sqrt(l2);
}

fn octahedral(x: f32, y: f32) -> vec3f {
  let z = 1.0 - abs(x) - abs(y);
  let fold = greater(-z, 0.0);
  return normalize_or(vec3f(x - select(-fold, fold, x >= 0.0), y - select(-fold, fold, y >= 0.0), z), vec3f(0.0, 0.0, 1.0));
}

/// Vertex.normal.
fn unpack_normal(word: u32) -> vec3f {
  return octahedral(f32(extractBits(bitcast<i32>(word), 0u, 16u)) / 32767.0, f32(extractBits(bitcast<i32>(word), 16u, 16u)) / 32767.0);
}

/// Vertex.tangent: xyz and the bitangent's sign; not for NONE.
fn unpack_tangent(word: u32) -> vec4f {
  let direction = octahedral(f32(extractBits(bitcast<i32>(word), 0u, 16u)) / 32767.0, f32(extractBits(bitcast<i32>(word), 16u, 15u)) / 16383.0);
  return vec4f(direction, select(1.0, -1.0, (word >> 31u) == 1u));
}
