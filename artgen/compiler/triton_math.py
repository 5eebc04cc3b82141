"""The functions that generated Triton kernels are written in, elementwise and float32.

Triton itself has abs, exp, log, sin, cos, sqrt, erf and floor on every backend and in its
interpreter, and the printer calls them; the rest is composed of those here. Errors in the
interpreter against float64, tested over the ranges given; a GPU's own exp and division round a
little more:

=========  ====================  =====================
function   range                 error
=========  ====================  =====================
expm1      [-80, 80]             5e-7 relative
log1p      [-0.99, 1e6]          5e-7 relative
tan        away from poles       2e-6 relative
tanh       all                   5e-7 relative
sigmoid    all                   3e-7 relative
atan       all                   3e-7 absolute
atan2      all                   5e-7 absolute
power      base > 0, |y ln x|<20 3e-6 relative
=========  ====================  =====================

NaN stays NaN.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def select(condition, a, b):
    return tl.where(condition, a, b)


@triton.jit
def trunc(x):
    return tl.where(x < 0, -tl.floor(-x), tl.floor(x))


@triton.jit
def sign(x):
    return tl.where(x > 0, 1.0, tl.where(x < 0, -1.0, x))


@triton.jit
def minimum(a, b):
    return tl.minimum(a, b, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def maximum(a, b):
    return tl.maximum(a, b, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def expm1(x):
    # Kahan: log(u) carries the same rounding error as u - 1, so their quotient does not.
    u = tl.exp(x)
    y = tl.where(tl.abs(x) < 0.5, (u - 1) * x / tl.log(u), u - 1)
    return tl.where(u == 1, x, y)


@triton.jit
def log1p(x):
    u = 1 + x
    y = tl.where(tl.abs(x) < 0.5, tl.log(u) * x / (u - 1), tl.log(u))
    return tl.where(u == 1, x, y)


@triton.jit
def tan(x):
    return tl.sin(x) / tl.cos(x)


@triton.jit
def tanh(x):
    t = expm1(-2 * tl.abs(x))
    y = -t / (2 + t)
    return tl.where(x < 0, -y, y)


@triton.jit
def sigmoid(x):
    return 1 / (1 + tl.exp(-x))


@triton.jit
def _atan_reduced(a):
    # The polynomial of `vector_math`, for arguments up to 1.
    s = a * a
    p = 0.004058993213587166
    p = p * s - 0.020703220689439424
    p = p * s + 0.049850392592250437
    p = p * s - 0.08073998284567213
    p = p * s + 0.108884851100204
    p = p * s - 0.1426087802535104
    p = p * s + 0.19998924276019397
    p = p * s - 0.3333332560140337
    return a + a * s * p


@triton.jit
def atan(x):
    size = tl.abs(x)
    steep = size > 1
    y = _atan_reduced(tl.where(steep, 1 / size, size))
    y = tl.where(steep, 1.5707963267948966 - y, y)
    return tl.where(x < 0, -y, y)


@triton.jit
def atan2(y, x):
    across, up = tl.abs(x), tl.abs(y)
    steep = up > across
    long = tl.where(steep, up, across)
    short = tl.where(steep, across, up)
    angle = _atan_reduced(short / tl.where(long == 0, 1.0, long))
    angle = tl.where(steep, 1.5707963267948966 - angle, angle)
    angle = tl.where(x < 0, 3.141592653589793 - angle, angle)
    return tl.where(y < 0, -angle, angle)


@triton.jit
def power(x, y):
    positive = tl.exp(y * tl.log(tl.abs(x)))
    whole = tl.floor(y) == y
    odd = tl.floor(y * 0.5) * 2 != y
    signed = tl.where(odd, -positive, positive)
    value = tl.where(x < 0, tl.where(whole, signed, float("nan")), positive)
    value = tl.where(x == 0, tl.where(y > 0, 0.0, value), value)
    return tl.where(y == 0, 1.0, value)
