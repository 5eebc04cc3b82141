"""float32 functions that LLVM turns into vector instructions: no branches, no table, no call.

The C library's exp or sin is called once per number; these are polynomials after a range reduction
(Cody and Waite 1980), fitted by reweighted least squares, so that eight or sixteen pixels are
computed at once. Errors against float64, tested over the ranges given:

=========  ====================  =====================
function   range                 error
=========  ====================  =====================
exp        [-87, 88]             2e-7 relative
expm1      [-20, 88]             3e-7 relative
log        positive              3e-7 (relative + absolute)
log1p      [-0.99, 1e6]          4e-7 (relative + absolute)
sin, cos   [-3000, 3000]         3e-7 absolute
tan        away from poles       2e-6 relative
tanh       all                   3e-7 relative
sigmoid    above -86             3e-7 relative
atan       all                   3e-7 absolute
atan2      all                   5e-7 absolute
erf        all                   3e-7 absolute
power      base > 0, |y ln x|<20 3e-6 relative
=========  ====================  =====================

NaN stays NaN. exp saturates at its range's ends.

Other languages have the same functions, made of this code by `elementary`.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from artgen.compiler.jit import internal

FASTMATH = {"nsz", "arcp", "contract", "afn", "reassoc"}
"""No `nnan` and no `ninf`: what is not finite must be seen, not assumed away."""

f32 = np.float32
inline = nb.njit(forceinline=True, fastmath=FASTMATH, error_model="numpy", **internal)


@intrinsic
def _bits_to_float(typing, bits):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def _float_to_bits(typing, value):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), generate


@intrinsic
def fused(typing, a, b, c):
    """a·b + c with one rounding, which fast maths must not rearrange."""

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return types.float32(types.float32, types.float32, types.float32), generate


@intrinsic
def select(typing, condition, a, b):
    """`a` where `condition`, else `b`: both are computed, nothing branches."""

    def generate(context, builder, signature, arguments):
        return builder.select(*arguments)

    return types.float32(types.boolean, types.float32, types.float32), generate


@inline
def minimum(a, b):
    return select((b < a) | (b != b), b, a)


@inline
def maximum(a, b):
    return select((b > a) | (b != b), b, a)


@inline
def floor(x):
    return np.floor(x)


@inline
def trunc(x):
    return np.trunc(x)


@inline
def sign(x):
    return select(x > f32(0), f32(1), select(x < f32(0), f32(-1), x))


@inline
def _expm1_reduced(f):
    p = f32(1 / 5040)
    p = p * f + f32(1 / 720)
    p = p * f + f32(1 / 120)
    p = p * f + f32(1 / 24)
    p = p * f + f32(1 / 6)
    p = p * f + f32(0.5)
    return f + f * f * p


@inline
def exp(x):
    # One after the other, these are two instructions.
    x = select(x < f32(-87), f32(-87), x)
    x = select(x > f32(88), f32(88), x)
    n = np.floor(x * f32(1.4426950408889634) + f32(0.5))
    f = fused(n, f32(2.12194440e-4), fused(n, f32(-0.693359375), x))
    scale = _bits_to_float((nb.int32(n) + nb.int32(127)) << nb.int32(23))
    return (f32(1) + _expm1_reduced(f)) * scale


@inline
def expm1(x):
    return select(abs(x) < f32(0.34), _expm1_reduced(x), exp(x) - f32(1))


@inline
def _log1p_reduced(f):
    p = f32(0.07337727437089454)
    p = p * f + f32(-0.11659326395284442)
    p = p * f + f32(0.11632314403201854)
    p = p * f + f32(-0.12396783064534403)
    p = p * f + f32(0.14251467596157116)
    p = p * f + f32(-0.16669147477923488)
    p = p * f + f32(0.20000673604133057)
    p = p * f + f32(-0.2499998126947371)
    p = p * f + f32(0.3333333143360395)
    return f + (f * f * f * p - f32(0.5) * f * f)


@inline
def log(x):
    bits = _float_to_bits(x)
    # The mantissa between sqrt(1/2) and sqrt(2), the exponent to go with it.
    shifted = bits - nb.int32(0x3F3504F3)
    exponent = shifted >> nb.int32(23)
    f = _bits_to_float(bits - (exponent << nb.int32(23))) - f32(1)
    y = _log1p_reduced(f) + f32(exponent) * f32(0.6931471805599453)
    y = select(x == f32(0), f32(-np.inf), y)
    y = select(x < f32(0), f32(np.nan), y)
    return select((x == f32(np.inf)) | (x != x), x, y)


@inline
def log1p(x):
    # Near 0 the series itself; beyond that, rounding 1 + x does not matter.
    return select(abs(x) < f32(0.29), _log1p_reduced(x), log(f32(1) + x))


@inline
def _sine_reduced(r):
    s = r * r
    p = f32(-0.0001958158693470876)
    p = p * s + f32(0.008332718994963916)
    p = p * s + f32(-0.1666666451372175)
    return r + r * s * p


@inline
def _cosine_reduced(r):
    s = r * r
    p = f32(2.4558815689032748e-05)
    p = p * s + f32(-0.001388840694666107)
    p = p * s + f32(0.041666666519061236)
    return f32(1) - f32(0.5) * s + s * s * p


@inline
def _quarter_turns(x):
    return np.floor(x * f32(0.6366197723675814) + f32(0.5))


@inline
def _turned_back(x, n):
    # pi / 2 in three parts, the first two short enough that n times them is exact.
    r = fused(n, f32(-1.5703125), x)
    r = fused(n, f32(-4.837512969970703e-4), r)
    return fused(n, f32(-7.549789948768648e-8), r)


@inline
def sin(x):
    n = _quarter_turns(x)
    r = _turned_back(x, n)
    q = nb.int32(n)
    y = select((q & nb.int32(1)) == nb.int32(0), _sine_reduced(r), _cosine_reduced(r))
    return select((q & nb.int32(2)) == nb.int32(0), y, -y)


@inline
def cos(x):
    n = _quarter_turns(x)
    r = _turned_back(x, n)
    q = nb.int32(n) + nb.int32(1)
    y = select((q & nb.int32(1)) == nb.int32(0), _sine_reduced(r), _cosine_reduced(r))
    return select((q & nb.int32(2)) == nb.int32(0), y, -y)


@inline
def tan(x):
    n = _quarter_turns(x)
    r = _turned_back(x, n)
    s, c = _sine_reduced(r), _cosine_reduced(r)
    even = (nb.int32(n) & nb.int32(1)) == nb.int32(0)
    return select(even, s, -c) / select(even, c, s)


@inline
def tanh(x):
    s = x * x
    p = f32(0.017183703310601678)
    p = p * s + f32(-0.05310578408876729)
    p = p * s + f32(0.13328114815987074)
    p = p * s + f32(-0.3333328349450549)
    small = x + x * s * p
    t = exp(f32(-2) * abs(x))
    large = (f32(1) - t) / (f32(1) + t)
    return select(abs(x) < f32(0.55), small, select(x < f32(0), -large, large))


@inline
def sigmoid(x):
    return f32(1) / (f32(1) + exp(-x))


@inline
def _atan_reduced(a):
    s = a * a
    p = f32(0.004058993213587166)
    p = p * s + f32(-0.020703220689439424)
    p = p * s + f32(0.049850392592250437)
    p = p * s + f32(-0.08073998284567213)
    p = p * s + f32(0.108884851100204)
    p = p * s + f32(-0.1426087802535104)
    p = p * s + f32(0.19998924276019397)
    p = p * s + f32(-0.3333332560140337)
    return a + a * s * p


@inline
def atan(x):
    size = abs(x)
    steep = size > f32(1)
    y = _atan_reduced(select(steep, f32(1) / size, size))
    y = select(steep, f32(1.5707963267948966) - y, y)
    return select(x < f32(0), -y, y)


@inline
def atan2(y, x):
    across, up = abs(x), abs(y)
    steep = up > across
    long = select(steep, up, across)
    short = select(steep, across, up)
    angle = _atan_reduced(short / select(long == f32(0), f32(1), long))
    angle = select(steep, f32(1.5707963267948966) - angle, angle)
    angle = select(x < f32(0), f32(3.141592653589793) - angle, angle)
    return select(y < f32(0), -angle, angle)


@inline
def erf(x):
    # Small arguments by their series in x², large ones as Abramowitz and Stegun 7.1.26 do.
    size = abs(x)
    s = x * x
    p = f32(7.889349187138739e-05)
    p = p * s + f32(-0.0008020915571076842)
    p = p * s + f32(0.005189544571789495)
    p = p * s + f32(-0.02685445008973064)
    p = p * s + f32(0.1128360033497427)
    p = p * s + f32(-0.3761262715550868)
    p = p * s + f32(1.1283791659205513)
    t = f32(1) / (f32(1) + f32(0.3275911) * size)
    q = f32(-0.18022499096737463)
    q = q * t + f32(0.9832215966893526)
    q = q * t + f32(-1.1271480846643658)
    q = q * t + f32(1.1015107294324191)
    q = q * t + f32(-0.23245708076873295)
    q = q * t + f32(0.27961260970151525)
    q = q * t + f32(0.1755263176595611)
    large = f32(1) - t * q * exp(-s)
    large = select(x < f32(0), -large, large)
    return select(size < f32(1), x * p, large)


@inline
def power(x, y):
    positive = exp(y * log(abs(x)))
    whole = np.floor(y) == y
    odd = (np.floor(y * f32(0.5)) * f32(2)) != y
    signed = select(odd, -positive, positive)
    value = select(x < f32(0), select(whole, signed, f32(np.nan)), positive)
    value = select((x == f32(0)) & (y > f32(0)), f32(0), value)
    return select(y == f32(0), f32(1), value)
