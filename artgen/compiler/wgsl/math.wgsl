// The functions of `vector_math`, to their precision: WGSL promises little of its own sin, cos, exp,
// log, and nothing of NaN and infinity.

var<private> nan_bits: u32 = 0x7fc00000u;
var<private> infinity_bits: u32 = 0x7f800000u;
fn nan() -> f32 { return bitcast<f32>(nan_bits); }
fn infinity() -> f32 { return bitcast<f32>(infinity_bits); }

fn expm1_reduced(f: f32) -> f32 {
  var p = 1.0 / 5040.0;
  p = p * f + 1.0 / 720.0;
  p = p * f + 1.0 / 120.0;
  p = p * f + 1.0 / 24.0;
  p = p * f + 1.0 / 6.0;
  p = p * f + 0.5;
  return f + f * f * p;
}
fn exp_of(x: f32) -> f32 {
  let y = clamp(x, -87.0, 88.0);
  let n = floor(y * 1.4426950408889634 + 0.5);
  let f = (y - n * 0.693359375) + n * 2.12194440e-4;
  return (1.0 + expm1_reduced(f)) * bitcast<f32>((i32(n) + 127) << 23u);
}
fn expm1_of(x: f32) -> f32 {
  if (abs(x) < 0.34) { return expm1_reduced(x); }
  return exp_of(x) - 1.0;
}

fn log1p_reduced(f: f32) -> f32 {
  var p = 0.07337727437089454;
  p = p * f - 0.11659326395284442;
  p = p * f + 0.11632314403201854;
  p = p * f - 0.12396783064534403;
  p = p * f + 0.14251467596157116;
  p = p * f - 0.16669147477923488;
  p = p * f + 0.20000673604133057;
  p = p * f - 0.2499998126947371;
  p = p * f + 0.3333333143360395;
  return f + (f * f * f * p - 0.5 * f * f);
}
fn log_of(x: f32) -> f32 {
  if (x <= 0.0) { return select(nan(), -infinity(), x == 0.0); }
  let bits = bitcast<i32>(x);
  // The mantissa between sqrt(1/2) and sqrt(2), the exponent to go with it.
  let exponent = (bits - 0x3F3504F3) >> 23u;
  let f = bitcast<f32>(bits - (exponent << 23u)) - 1.0;
  let y = log1p_reduced(f) + f32(exponent) * 0.6931471805599453;
  return select(y, x, bits >= 0x7f800000);
}
fn log1p_of(x: f32) -> f32 {
  if (abs(x) < 0.29) { return log1p_reduced(x); }
  return log_of(1.0 + x);
}

fn sine_reduced(r: f32) -> f32 {
  let s = r * r;
  var p = -0.0001958158693470876;
  p = p * s + 0.008332718994963916;
  p = p * s - 0.1666666451372175;
  return r + r * s * p;
}
fn cosine_reduced(r: f32) -> f32 {
  let s = r * r;
  var p = 2.4558815689032748e-05;
  p = p * s - 0.001388840694666107;
  p = p * s + 0.041666666519061236;
  return 1.0 - 0.5 * s + s * s * p;
}
// pi / 2 in three parts, the first two short enough that n times them is exact.
fn turned_back(x: f32, n: f32) -> f32 {
  return ((x - n * 1.5703125) - n * 4.837512969970703e-4) - n * 7.549789948768648e-8;
}
fn quarter_turns(x: f32) -> f32 { return floor(x * 0.6366197723675814 + 0.5); }
fn wave(r: f32, quarter: i32) -> f32 {
  let y = select(cosine_reduced(r), sine_reduced(r), (quarter & 1) == 0);
  return select(-y, y, (quarter & 2) == 0);
}
fn sin_of(x: f32) -> f32 {
  let n = quarter_turns(x);
  return wave(turned_back(x, n), i32(n));
}
fn cos_of(x: f32) -> f32 {
  let n = quarter_turns(x);
  return wave(turned_back(x, n), i32(n) + 1);
}
fn tan_of(x: f32) -> f32 { return sin_of(x) / cos_of(x); }

fn tanh_of(x: f32) -> f32 {
  if (abs(x) < 0.55) {
    let s = x * x;
    var p = 0.017183703310601678;
    p = p * s - 0.05310578408876729;
    p = p * s + 0.13328114815987074;
    p = p * s - 0.3333328349450549;
    return x + x * s * p;
  }
  let t = exp_of(-2.0 * abs(x));
  let large = (1.0 - t) / (1.0 + t);
  return select(large, -large, x < 0.0);
}
fn sigmoid_of(x: f32) -> f32 { return 1.0 / (1.0 + exp_of(-x)); }

fn atan_reduced(a: f32) -> f32 {
  let s = a * a;
  var p = 0.004058993213587166;
  p = p * s - 0.020703220689439424;
  p = p * s + 0.049850392592250437;
  p = p * s - 0.08073998284567213;
  p = p * s + 0.108884851100204;
  p = p * s - 0.1426087802535104;
  p = p * s + 0.19998924276019397;
  p = p * s - 0.3333332560140337;
  return a + a * s * p;
}
fn atan_of(x: f32) -> f32 { return atan2_of(x, 1.0); }
fn atan2_of(y: f32, x: f32) -> f32 {
  let across = abs(x);
  let up = abs(y);
  let steep = up > across;
  let long = max(up, across);
  var angle = atan_reduced(min(up, across) / select(long, 1.0, long == 0.0));
  angle = select(angle, 1.5707963267948966 - angle, steep);
  angle = select(angle, 3.141592653589793 - angle, x < 0.0);
  return select(angle, -angle, y < 0.0);
}

fn erf_of(x: f32) -> f32 {
  let size = abs(x);
  let s = x * x;
  if (size < 1.0) {
    var p = 7.889349187138739e-05;
    p = p * s - 0.0008020915571076842;
    p = p * s + 0.005189544571789495;
    p = p * s - 0.02685445008973064;
    p = p * s + 0.1128360033497427;
    p = p * s - 0.3761262715550868;
    p = p * s + 1.1283791659205513;
    return x * p;
  }
  let t = 1.0 / (1.0 + 0.3275911 * size);
  var q = -0.18022499096737463;
  q = q * t + 0.9832215966893526;
  q = q * t - 1.1271480846643658;
  q = q * t + 1.1015107294324191;
  q = q * t - 0.23245708076873295;
  q = q * t + 0.27961260970151525;
  q = q * t + 0.1755263176595611;
  let large = 1.0 - t * q * exp_of(-s);
  return select(large, -large, x < 0.0);
}

fn power_of(x: f32, y: f32) -> f32 {
  if (y == 0.0) { return 1.0; }
  if (x == 0.0 && y > 0.0) { return 0.0; }
  let positive = exp_of(y * log_of(abs(x)));
  if (x >= 0.0) { return positive; }
  if (floor(y) != y) { return nan(); }
  return select(-positive, positive, floor(y * 0.5) * 2.0 == y);
}
