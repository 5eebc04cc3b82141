// What footprints and fields may ask for, to the precision of the kernels that fitted them: shading
// languages promise little of their own functions, and some lack the function.

float select(bool condition, float a, float b) { return condition ? a : b; }

float exp_of(float x) { return exp(clamp(x, -87.0, 88.0)); }

float expm1_of(float x) {
  if (abs(x) > 0.5) return exp_of(x) - 1.0;
  return x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0 + x * (1.0 / 720.0 + x / 5040.0))))));
}

float log1p_of(float x) {
  float y = 1.0 + x;
  return y == 1.0 ? x : log(y) * (x / (y - 1.0));
}

// Sine and cosine after Cody and Waite (1980): x less a multiple of pi, taken away in three parts.
float reduced(float x, float n) { return ((x - n * 3.140625) - n * 9.6750259e-4) - n * 1.5099580e-7; }
float sine(float r) {
  float s = r * r;
  return r + r * s * (-0.16666660 + s * (8.3330786e-3 + s * (-1.9810691e-4 + s * 2.6083160e-6)));
}
float sin_of(float x) {
  float n = floor(x * 0.31830989 + 0.5), value = sine(reduced(x, n));
  return fract(n * 0.5) == 0.0 ? value : -value;
}
float cos_of(float x) {
  float n = floor(x * 0.31830989), value = sine(reduced(x, n + 0.5));
  return fract(n * 0.5) == 0.0 ? -value : value;
}
float tan_of(float x) { return sin_of(x) / cos_of(x); }

float tanh_of(float x) {
  float e = exp(-2.0 * min(abs(x), 10.0));
  float s = x * x;
  float near = x * (1.0 + s * (-0.33333333 + s * (0.13333333 - s * 0.053968254)));
  return abs(x) < 0.2 ? near : sign(x) * (1.0 - e) / (1.0 + e);
}
float sigmoid_of(float x) { return 1.0 / (1.0 + exp_of(-x)); }
float atan_of(float x) { return atan(x); }
float atan2_of(float y, float x) { return x == 0.0 && y == 0.0 ? 0.0 : atan(y, x); }

// Abramowitz and Stegun (1964), 7.1.26.
float erf_of(float x) {
  float t = 1.0 / (1.0 + 0.3275911 * abs(x));
  float p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return abs(x) < 1e-4 ? x * 1.1283792 : sign(x) * (1.0 - p * exp_of(-x * x));
}

float power_of(float x, float y) {
  if (y == 0.0) return 1.0;
  if (x == 0.0 && y > 0.0) return 0.0;
  float positive = exp_of(y * log(abs(x)));
  if (x > 0.0) return positive;
  return floor(y) != y ? uintBitsToFloat(0x7fc00000u) : fract(y * 0.5) == 0.0 ? positive : -positive;
}

#define FOUR(f) vec4 f(vec4 a) { return vec4(f(a.x), f(a.y), f(a.z), f(a.w)); }
#define FOUR_PAIRS(f) vec4 f(vec4 a, vec4 b) { return vec4(f(a.x, b.x), f(a.y, b.y), f(a.z, b.z), f(a.w, b.w)); }
FOUR(exp_of) FOUR(expm1_of) FOUR(log1p_of) FOUR(sin_of) FOUR(cos_of) FOUR(tan_of) FOUR(tanh_of)
FOUR(sigmoid_of) FOUR(atan_of) FOUR(erf_of) FOUR_PAIRS(atan2_of) FOUR_PAIRS(power_of)
