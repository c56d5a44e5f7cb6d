// KHR_materials_iridescence: reflectance of a thin film over a base, after Belcour & Barla, "A
// Practical Extension to Microfacet Theory for the Modeling of Varying Iridescence" (2017), with
// the simplifications of the extension: real iors, Schlick's Fresnel terms, no polarisation. The
// optical path is taken inside the film (its cosine), as in the paper.
//#import common/math
//#import bsdf/ggx

/// Gaussian fits of the CIE XYZ matching functions in frequency, to linear sRGB. `path` in metres,
/// `turns` of phase shift per channel.
fn film_sensitivity(path: f32, turns: vec3f) -> vec3f {
  let phase = 2.0 * PI * path;
  let p2 = phase * phase;
  let wave = path * vec4f(1.6810e6, 1.7953e6, 2.2084e6, 2.2399e6) + turns.xyzx;
  let folded = wave - floor(wave);
  let width = exp_poly(-p2 * vec3f(4.3278e9, 9.3046e9, 6.6121e9));
  let second = exp_poly(vec3f(-p2 * 4.5282e9)).x;
  // Amplitudes val * sqrt(2 pi var) / 1.0685e-7 of the extension, worked out.
  var xyz = vec3f(0.84659, 1.00022, 1.00112) * vec3f(cos_sin_turns(folded.x).x, cos_sin_turns(folded.y).x, cos_sin_turns(folded.z).x) * width;
  xyz.x += 0.15387 * cos_sin_turns(folded.w).x * second;
  let to_rgb = mat3x3f(
    vec3f(3.2404542, -0.9692660, 0.0556434),
    vec3f(-1.5371385, 1.8760108, -0.2040259),
    vec3f(-0.4985314, 0.0415560, 1.0572252),
  );
  return to_rgb * xyz;
}

/// Reflectance in [0, 1] at `cosine` outside; `f0` of the bare base, `thickness` in nanometres.
fn film_reflectance(f0: vec3f, cosine: f32, film_ior: f32, thickness: f32) -> vec3f {
  // A film thinner than light can see takes the ior of the air.
  let thin = within(thickness / 0.03, 0.0, 1.0);
  let ior = mix(1.0, greater(film_ior, 1.0), thin * thin * (3.0 - 2.0 * thin));
  let inside = sqrt(greater(1.0 - (1.0 - cosine * cosine) / (ior * ior), 0.0));
  let top0 = sqr((ior - 1.0) / (ior + 1.0));
  let r12 = top0 + (1.0 - top0) * schlick(cosine);
  let t121 = 1.0 - r12;
  let root = sqrt(within3(f0 + 0.0001, vec3f(0.0), vec3f(0.9999)));
  let base_ior = (vec3f(1.0) + root) / (vec3f(1.0) - root);
  let ratio = (base_ior - ior) / (base_ior + ior);
  let base0 = ratio * ratio;
  let r23 = base0 + (vec3f(1.0) - base0) * schlick(inside);
  // Reflection where the ior falls turns the phase by half: inside the film at its top, and at a thinner base.
  let turns = vec3f(0.5) + select(vec3f(0.0), vec3f(0.5), base_ior < vec3f(ior));
  let r123 = within3(r12 * r23, vec3f(1e-5), vec3f(0.9999));
  let rs = t121 * t121 * r23 / (vec3f(1.0) - r123);
  let path = 2.0 * ior * thickness * inside * 1e-9;
  var sum = vec3f(r12) + rs;
  var amplitude = rs - t121;
  var m = 1;
  loop {
    amplitude *= sqrt(r123);
    sum += 2.0 * amplitude * film_sensitivity(f32(m) * path, f32(m) * turns);
    continuing {
      m++;
      break if m > 2;
    }
  }
  return within3(sum, vec3f(0.0), vec3f(1.0));
}

/// F0 and F90 of a Schlick term that takes the value `f` at `cosine`.
struct SchlickPair {
  f0: vec3f,
  f90: vec3f,
}

fn schlick_through(f: vec3f, cosine: f32) -> SchlickPair {
  let s = schlick(cosine);
  let above = f >= vec3f(s);
  return SchlickPair(
    select(vec3f(0.0), (f - s) / greater(1.0 - s, 1e-4), above),
    select(f / greater(s, 1e-4), vec3f(1.0), above),
  );
}
