// Functions that decide where a path goes, built from +, -, *, / and sqrt alone: the built-in
// trigonometry may be off by 2^-11 and differs between drivers. Their error bounds are measured in
// tests/gpu/math.test.ts.

const PI = 3.14159265358979;
const INV_PI = 0.318309886183791;
const FAR = 3.0e38;

/// The kernel runs on a processor: some built-in functions are long there.
override SOFTWARE: bool = false;

// The lesser and the greater of two, and bounds, of floats; of what is no number the second. The built-in ones must tell numbers from what
// is none on either side, which takes SwiftShader fifty instructions per component; GPUs have one for it.
fn lesser(a: f32, b: f32) -> f32 {
  if (SOFTWARE) { return select(b, a, a < b); }
  return min(a, b);
}
fn lesser3(a: vec3f, b: vec3f) -> vec3f {
  if (SOFTWARE) { return select(b, a, a < b); }
  return min(a, b);
}
fn lesser4(a: vec4f, b: vec4f) -> vec4f {
  if (SOFTWARE) { return select(b, a, a < b); }
  return min(a, b);
}
fn greater(a: f32, b: f32) -> f32 {
  if (SOFTWARE) { return select(b, a, a > b); }
  return max(a, b);
}
fn greater3(a: vec3f, b: vec3f) -> vec3f {
  if (SOFTWARE) { return select(b, a, a > b); }
  return max(a, b);
}
fn greater4(a: vec4f, b: vec4f) -> vec4f {
  if (SOFTWARE) { return select(b, a, a > b); }
  return max(a, b);
}
fn within(x: f32, low: f32, high: f32) -> f32 {
  return lesser(greater(x, low), high);
}
fn within2(x: vec2f, low: vec2f, high: vec2f) -> vec2f {
  return vec2f(within(x.x, low.x, high.x), within(x.y, low.y, high.y));
}
fn within3(x: vec3f, low: vec3f, high: vec3f) -> vec3f {
  return lesser3(greater3(x, low), high);
}

/// (cos, sin) of `turns` full turns, turns in [-1, 2].
fn cos_sin_turns(turns: f32) -> vec2f {
  let quadrant = floor(turns * 4.0 + 0.5);
  let r = turns - quadrant * 0.25;
  let r2 = r * r;
  let s = r * fma(r2, fma(r2, fma(r2, -75.39374542236328, 81.59236145019531), -41.3416633605957), 6.2831854820251465);
  let c = fma(r2, fma(r2, fma(r2, fma(r2, 59.2028923034668, -85.44229888916016), 64.9393081665039), -19.739208221435547), 1.0);
  switch (i32(quadrant) & 3) {
    case 0: { return vec2f(c, s); }
    case 1: { return vec2f(-s, c); }
    case 2: { return vec2f(-c, -s); }
    default: { return vec2f(s, -c); }
  }
}

/// acos(x) in radians, x in [-1, 1] (Abramowitz & Stegun 4.4.46, coefficients refitted).
fn acos_poly(x: f32) -> f32 {
  let a = lesser(abs(x), 1.0);
  var p = fma(a, -0.0012534427888380325, 0.006638569291681051);
  p = fma(a, p, -0.01704503409564495);
  p = fma(a, p, 0.030862705782055855);
  p = fma(a, p, -0.050164174288511276);
  p = fma(a, p, 0.08897730708122253);
  p = fma(a, p, -0.21459870040416718);
  p = fma(a, p, 1.570796251296997);
  let r = sqrt(1.0 - a) * p;
  return select(r, PI - r, x < 0.0);
}

/// atan2(y, x) in turns, in [-0.5, 0.5]; 0 for (0, 0).
fn atan2_turns(y: f32, x: f32) -> f32 {
  let ax = abs(x);
  let ay = abs(y);
  let a = lesser(ax, ay) / greater(greater(ax, ay), 1e-30);
  let a2 = a * a;
  var p = fma(a2, -0.0007470271666534245, 0.003860149532556534);
  p = fma(a2, p, -0.00946794357150793);
  p = fma(a2, p, 0.015779385343194008);
  p = fma(a2, p, -0.022312819957733154);
  p = fma(a2, p, 0.03178282827138901);
  p = fma(a2, p, -0.05304951220750809);
  p = fma(a2, p, 0.15915492177009583);
  p = p * a;
  p = select(p, 0.25 - p, ay > ax);
  p = select(p, 0.5 - p, x < 0.0);
  return select(p, -p, y < 0.0);
}

/// 2^x, x clamped to [-126, 126].
fn exp2_poly(x: f32) -> f32 {
  let clamped = within(x, -126.0, 126.0);
  let whole = floor(clamped);
  let f = clamped - whole;
  var p = fma(f, 0.00021702249068766832, 0.0012439689598977566);
  p = fma(f, p, 0.009678840637207031);
  p = fma(f, p, 0.055483341217041016);
  p = fma(f, p, 0.24022983014583588);
  p = fma(f, p, 0.6931470036506653);
  p = fma(f, p, 1.0);
  return p * bitcast<f32>(u32(i32(whole) + 127) << 23u);
}

fn exp_poly(x: vec3f) -> vec3f {
  let y = x * 1.4426950408889634;
  return vec3f(exp2_poly(y.x), exp2_poly(y.y), exp2_poly(y.z));
}

/// log2(x) for positive normal x.
fn log2_poly(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  // The mantissa is taken in [sqrt(1/2), sqrt(2)), so that log2 near 1 keeps its relative precision.
  let exponent = (i32(bits) - 0x3f3504f3) >> 23u;
  let m = bitcast<f32>(bits - (u32(exponent) << 23u)) - 1.0;
  var p = fma(m, 0.1258353739976883, -0.20726893842220306);
  p = fma(m, p, 0.21571584045886993);
  p = fma(m, p, -0.23894494771957397);
  p = fma(m, p, 0.28791624307632446);
  p = fma(m, p, -0.3607036769390106);
  p = fma(m, p, 0.48091062903404236);
  p = fma(m, p, -0.7213473320007324);
  p = fma(m, p, 1.4426950216293335);
  return fma(m, p, f32(exponent));
}

/// sRGB (IEC 61966-2-1) to linear, channel by channel, x in [0, 1].
fn srgb_to_linear(x: vec3f) -> vec3f {
  var p = fma(x, vec3f(-0.12352131307125092), vec3f(0.4170933663845062));
  p = fma(x, p, vec3f(-0.6305057406425476));
  p = fma(x, p, vec3f(0.8101323246955872));
  p = fma(x, p, vec3f(0.49075499176979065));
  p = fma(x, p, vec3f(0.035080306231975555));
  p = fma(x, p, vec3f(0.0008572006481699646));
  return select(p, x * (1.0 / 12.92), x <= vec3f(0.04045));
}

fn luminance(c: vec3f) -> f32 {
  return dot(c, vec3f(0.2126, 0.7152, 0.0722));
}

fn max3(v: vec3f) -> f32 {
  return greater(v.x, greater(v.y, v.z));
}

fn sqr(x: f32) -> f32 {
  return x * x;
}

/// Place of the lowest bit of a word below 2^24, not 0; the exponent of its float, which is exact.
fn lowest_bit(word: u32) -> u32 {
  return (bitcast<u32>(f32(bitcast<i32>(word & (~word + 1u)))) >> 23u) - 127u;
}

/// High and low word of a 64-bit product.
fn multiply_wide(a: u32, b: u32) -> vec2u {
  let al = a & 0xffffu;
  let ah = a >> 16u;
  let bl = b & 0xffffu;
  let bh = b >> 16u;
  let middle = ah * bl + ((al * bl) >> 16u);
  let low_middle = al * bh + (middle & 0xffffu);
  return vec2u(ah * bh + (middle >> 16u) + (low_middle >> 16u), a * b);
}
