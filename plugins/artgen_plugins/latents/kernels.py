"""What a step of `latents` computes, forward and backward in one pass over each row.

A row of a grid is a block of numbers that stays in the processor's cache; so the network of the
context model and that of the picture are never written to memory. Gradients are those that
automatic differentiation gives, which tests compare with. Grids are padded by `TOP` rows above and
`SIDE` columns left and right of zeros, so that every number has all its neighbours.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from artgen_plugins.latents.layout import (
    FEATURES,
    HIDDEN,
    INPUTS,
    LEAST,
    MOST,
    NEIGHBOURS,
    SIDE,
    TOP,
    UNITS,
)

OFFSETS = ((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, -2), (-1, 2))
"""Rows and columns from a latent to the neighbours that a decoder knows before it."""

_HALF = np.float32(0.5)
_LN2, _LOG2E = np.float32(0.6931472), np.float32(1.442695)
_fast: Any = nb.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")


@_fast
def _exp2(value: Any) -> Any:
    """2 to the power of a value up to 0 and more than -126, by a polynomial that vectorises."""
    value = max(value, np.float32(-120))
    whole = np.floor(value)
    r = value - whole
    p = np.float32(1.3333558e-3) * r + np.float32(9.6181291e-3)
    p = (p * r + np.float32(5.5504109e-2)) * r + np.float32(2.4022651e-1)
    p = (p * r + _LN2) * r + np.float32(1)
    return p * np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)


@_fast
def _log2(value: Any) -> Any:
    """The logarithm of a positive number, by a series of the mantissa."""
    bits = np.float32(value + np.float32(1e-30)).view(np.int32)
    exponent = np.float32((bits >> np.int32(23)) - np.int32(127))
    mantissa = np.int32((bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000)).view(np.float32)
    # Between 1/√2 and √2 the series of the area tangent needs few terms.
    large = mantissa > np.float32(1.4142135)
    mantissa = mantissa * (_HALF if large else np.float32(1))
    exponent += np.float32(1) if large else np.float32(0)
    t = (mantissa - np.float32(1)) / (mantissa + np.float32(1))
    u = t * t
    series = np.float32(1) + u * (np.float32(1 / 3) + u * (np.float32(0.2) + u * np.float32(1 / 7)))
    return exponent + np.float32(2.8853901) * t * series


@_fast
def magnitudes(q: Any, m: Any) -> None:
    """√(1 + |q|) − 1 of all latents."""
    for y in range(q.shape[0]):
        for x in range(q.shape[1]):
            m[y, x] = np.sqrt(np.float32(1) + abs(q[y, x])) - np.float32(1)


@_fast
def add_magnitude_gradients(q: Any, dm: Any, dq: Any) -> None:
    """Add to `dq` what `dm`, the gradient in the magnitudes, means for the latents."""
    for y in range(q.shape[0]):
        for x in range(q.shape[1]):
            v = q[y, x]
            slope = _HALF / np.sqrt(np.float32(1) + abs(v))
            dq[y, x] += dm[y, x] * (slope if v > 0 else -slope if v < 0 else np.float32(0))


@_fast
def rate(
    q: Any,
    m: Any,
    parent: Any,
    first: Any,
    second: Any,
    extra: Any,
    w: Any,
    b: Any,
    v: Any,
    c: Any,
    u: Any,
    dq: Any,
    dm: Any,
    dparent: Any,
    dfirst: Any,
    dsecond: Any,
    gw: Any,
    gb: Any,
    gv: Any,
    gu: Any,
) -> Any:
    """Nats of the latents `q` of a padded grid; adds the gradients.

    `extra` says which of `parent`, `first` and `second`, the magnitudes of other grids, there are.
    Returns nats and the gradient in c.
    """
    height, width = q.shape[0] - TOP, q.shape[1] - 2 * SIDE
    inp, dinp = np.zeros((INPUTS, width), np.float32), np.zeros((INPUTS, width), np.float32)
    hid = np.zeros((HIDDEN, width), np.float32)
    mean, dmean = np.zeros(width, np.float32), np.zeros(width, np.float32)
    scale, dscale = np.zeros(width, np.float32), np.zeros(width, np.float32)
    total, gc = 0.0, 0.0
    for row in range(height):
        y = row + TOP
        for i in range(NEIGHBOURS):
            dy, dx = OFFSETS[i]
            source, target = m[y + dy], inp[i]
            for x in range(width):
                target[x] = source[x + SIDE + dx]
        if extra[0]:
            source, target = parent[row // 2 + TOP], inp[NEIGHBOURS]
            for x in range(width):
                target[x] = source[x // 2 + SIDE]
        if extra[1]:
            source, target = first[y], inp[NEIGHBOURS + 1]
            for x in range(width):
                target[x] = source[x + SIDE]
        if extra[2]:
            source, target = second[y], inp[NEIGHBOURS + 2]
            for x in range(width):
                target[x] = source[x + SIDE]
        for x in range(width):
            scale[x] = c
            mean[x] = 0
        for j in range(HIDDEN):
            for x in range(width):
                acc = b[j]
                for i in range(INPUTS):
                    acc += w[j, i] * inp[i, x]
                hid[j, x] = max(acc, np.float32(0))
        for x in range(width):
            acc = np.float32(0)
            for j in range(HIDDEN):
                acc += v[j] * hid[j, x]
            scale[x] += acc
        for i in range(NEIGHBOURS):
            dy, dx = OFFSETS[i]
            source = q[y + dy]
            for x in range(width):
                mean[x] += u[i] * source[x + SIDE + dx]
        here, dhere = q[y], dq[y]
        nats = np.float32(0)
        for x in range(width):
            s = min(max(scale[x], np.float32(LEAST)), np.float32(MOST))
            d = here[x + SIDE] - mean[x]
            a, inverse = abs(d), _exp2(-s)
            # Beyond the middle of the distribution the interval lies on one side of it.
            beyond = a >= _HALF
            near = _exp2(-_LOG2E * inverse * (np.float32(1) if beyond else _HALF - a))
            far = _exp2(-_LOG2E * inverse * (_HALF + a))
            sides = np.float32(1) - (near if beyond else _HALF * (near + far))
            r = (a - _HALF) * inverse
            nats += (r + _LN2 if beyond else np.float32(0)) - _LN2 * _log2(sides)
            slope = inverse * (np.float32(1) if beyond else _HALF * (near - far) / sides)
            grown = (
                inverse * near
                if beyond
                else inverse * _HALF * (near * (_HALF - a) + far * (_HALF + a))
            )
            dd = slope if d > 0 else -slope
            dhere[x + SIDE] += dd
            dmean[x] = -dd
            dscale[x] = _LN2 * (grown / sides - (r if beyond else np.float32(0)))
            if s != scale[x]:
                dscale[x] = 0
        total += nats
        summed = np.float32(0)
        for x in range(width):
            summed += dscale[x]
        gc += summed
        for i in range(NEIGHBOURS):
            dy, dx = OFFSETS[i]
            source, target = q[y + dy], dq[y + dy]
            acc = np.float32(0)
            for x in range(width):
                acc += dmean[x] * source[x + SIDE + dx]
            gu[i] += acc
            for x in range(width):
                target[x + SIDE + dx] += u[i] * dmean[x]
        for j in range(HIDDEN):
            acc, bias = np.float32(0), np.float32(0)
            for x in range(width):
                acc += hid[j, x] * dscale[x]
            gv[j] += acc
            for x in range(width):
                hid[j, x] = v[j] * dscale[x] if hid[j, x] > 0 else np.float32(0)
                bias += hid[j, x]
            gb[j] += bias
            for i in range(INPUTS):
                acc = np.float32(0)
                for x in range(width):
                    acc += hid[j, x] * inp[i, x]
                gw[j, i] += acc
        for i in range(INPUTS):
            for x in range(width):
                acc = np.float32(0)
                for j in range(HIDDEN):
                    acc += w[j, i] * hid[j, x]
                dinp[i, x] = acc
        for i in range(NEIGHBOURS):
            dy, dx = OFFSETS[i]
            target, source = dm[y + dy], dinp[i]
            for x in range(width):
                target[x + SIDE + dx] += source[x]
        if extra[0]:
            target, source = dparent[row // 2 + TOP], dinp[NEIGHBOURS]
            for x in range(width):
                target[x // 2 + SIDE] += source[x]
        if extra[1]:
            target, source = dfirst[y], dinp[NEIGHBOURS + 1]
            for x in range(width):
                target[x + SIDE] += source[x]
        if extra[2]:
            target, source = dsecond[y], dinp[NEIGHBOURS + 2]
            for x in range(width):
                target[x + SIDE] += source[x]
    return total, gc


@_fast
def _taps_of(y: int, taps: Any) -> Any:
    """The first of four rows that an upsampled row is made of, and their weights."""
    if y % 2:
        return y // 2 - 1, taps[0], taps[1], taps[2], taps[3]
    return y // 2 - 2, taps[3], taps[2], taps[1], taps[0]


@_fast
def upsample(small: Any, taps: Any, large: Any) -> None:
    """Fill `large` [k, h, w] with `small` [k, ⌈h/2⌉, ⌈w/2⌉], interpolated by four taps."""
    height, width = large.shape[1:]
    rows, columns = small.shape[1:]
    line = np.empty(columns + 4, np.float32)
    for k in range(large.shape[0]):
        for y in range(height):
            first, a, b, c, d = _taps_of(y, taps)
            ra = small[k, min(max(first, 0), rows - 1)]
            rb = small[k, min(max(first + 1, 0), rows - 1)]
            rc = small[k, min(max(first + 2, 0), rows - 1)]
            rd = small[k, min(max(first + 3, 0), rows - 1)]
            for x in range(columns):
                line[x + 2] = a * ra[x] + b * rb[x] + c * rc[x] + d * rd[x]
            line[0] = line[1] = line[2]
            line[columns + 2] = line[columns + 3] = line[columns + 1]
            out = large[k, y]
            for x in range(width // 2):
                out[2 * x] = (
                    taps[3] * line[x]
                    + taps[2] * line[x + 1]
                    + taps[1] * line[x + 2]
                    + taps[0] * line[x + 3]
                )
                out[2 * x + 1] = (
                    taps[0] * line[x + 1]
                    + taps[1] * line[x + 2]
                    + taps[2] * line[x + 3]
                    + taps[3] * line[x + 4]
                )
            if width % 2:
                x = width // 2
                out[2 * x] = (
                    taps[3] * line[x]
                    + taps[2] * line[x + 1]
                    + taps[1] * line[x + 2]
                    + taps[0] * line[x + 3]
                )


@_fast
def upsample_gradients(small: Any, taps: Any, dlarge: Any, dsmall: Any, dtaps: Any) -> None:
    """Add the gradients of `upsample` to `dsmall` and `dtaps`."""
    height, width = dlarge.shape[1:]
    rows, columns = small.shape[1:]
    line, dline = np.empty(columns + 4, np.float32), np.empty(columns + 4, np.float32)
    even, odd = np.zeros(columns, np.float32), np.zeros(columns, np.float32)
    g = np.zeros(4, np.float64)
    for k in range(dlarge.shape[0]):
        for y in range(height):
            first, a, b, c, d = _taps_of(y, taps)
            ia, ib = min(max(first, 0), rows - 1), min(max(first + 1, 0), rows - 1)
            ic, id = min(max(first + 2, 0), rows - 1), min(max(first + 3, 0), rows - 1)
            ra, rb, rc, rd = small[k, ia], small[k, ib], small[k, ic], small[k, id]
            for x in range(columns):
                line[x + 2] = a * ra[x] + b * rb[x] + c * rc[x] + d * rd[x]
            line[0] = line[1] = line[2]
            line[columns + 2] = line[columns + 3] = line[columns + 1]
            incoming = dlarge[k, y]
            for x in range(columns):
                even[x] = incoming[2 * x]
            for x in range(width // 2):
                odd[x] = incoming[2 * x + 1]
            for x in range(columns + 4):
                dline[x] = 0
            g0, g1, g2, g3 = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            for x in range(columns):
                e, o = even[x], odd[x]
                g0 += e * line[x + 3] + o * line[x + 1]
                g1 += e * line[x + 2] + o * line[x + 2]
                g2 += e * line[x + 1] + o * line[x + 3]
                g3 += e * line[x] + o * line[x + 4]
            for x in range(columns):
                dline[x] += taps[3] * even[x]
            for x in range(columns):
                dline[x + 1] += taps[2] * even[x] + taps[0] * odd[x]
            for x in range(columns):
                dline[x + 2] += taps[1] * (even[x] + odd[x])
            for x in range(columns):
                dline[x + 3] += taps[0] * even[x] + taps[2] * odd[x]
            for x in range(columns):
                dline[x + 4] += taps[3] * odd[x]
            dline[2] += dline[0] + dline[1]
            dline[columns + 1] += dline[columns + 2] + dline[columns + 3]
            va, vb, vc, vd = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            for x in range(columns):
                t = dline[x + 2]
                va += t * ra[x]
                vb += t * rb[x]
                vc += t * rc[x]
                vd += t * rd[x]
            if y % 2:
                g[0] += g0 + va
                g[1] += g1 + vb
                g[2] += g2 + vc
                g[3] += g3 + vd
            else:
                g[0] += g0 + vd
                g[1] += g1 + vc
                g[2] += g2 + vb
                g[3] += g3 + va
            for x in range(columns):
                dsmall[k, ia, x] += a * dline[x + 2]
            for x in range(columns):
                dsmall[k, ib, x] += b * dline[x + 2]
            for x in range(columns):
                dsmall[k, ic, x] += c * dline[x + 2]
            for x in range(columns):
                dsmall[k, id, x] += d * dline[x + 2]
    for i in range(4):
        dtaps[i] += g[i]


@_fast
def mix(grid: Any, weights: Any, features: Any) -> None:
    """Add latents, the padded `grid` [n, …] times `weights` [k, n], to `features` [k, h, w]."""
    for k in range(features.shape[0]):
        for y in range(features.shape[1]):
            out = features[k, y]
            for n in range(grid.shape[0]):
                w, source = weights[k, n], grid[n, y + TOP]
                for x in range(len(out)):
                    out[x] += w * source[x + SIDE]


@_fast
def mix_gradients(grid: Any, weights: Any, dfeatures: Any, dgrid: Any, dweights: Any) -> None:
    """Add the gradients of `mix` to `dgrid` and `dweights`."""
    for n in range(grid.shape[0]):
        for y in range(dfeatures.shape[1]):
            source, target = grid[n, y + TOP], dgrid[n, y + TOP]
            for k in range(dfeatures.shape[0]):
                w, incoming = weights[k, n], dfeatures[k, y]
                acc = np.float32(0)
                for x in range(len(incoming)):
                    target[x + SIDE] += w * incoming[x]
                    acc += source[x + SIDE] * incoming[x]
                dweights[k, n] += acc


@_fast
def picture(f: Any, a: Any, bias: Any, w: Any, c: Any, v: Any, rgb: Any) -> None:
    """The colours `rgb` [3, h, w] of features `f` [k, h, w]: a·f + bias + v·relu(w·f + c)."""
    width = f.shape[2]
    hid, features = np.empty((UNITS, width), np.float32), np.empty((FEATURES, width), np.float32)
    for y in range(f.shape[1]):
        features[:] = f[:, y]
        for j in range(UNITS):
            for x in range(width):
                acc = c[j]
                for k in range(FEATURES):
                    acc += w[j, k] * features[k, x]
                hid[j, x] = max(acc, np.float32(0))
        for i in range(3):
            for x in range(width):
                acc = bias[i]
                for k in range(FEATURES):
                    acc += a[i, k] * features[k, x]
                for j in range(UNITS):
                    acc += v[i, j] * hid[j, x]
                rgb[i, y, x] = acc


@_fast
def picture_gradients(
    f: Any,
    a: Any,
    bias: Any,
    w: Any,
    c: Any,
    v: Any,
    target: Any,
    weight: Any,
    df: Any,
    da: Any,
    dbias: Any,
    dw: Any,
    dc: Any,
    dv: Any,
) -> float:
    """The sum of weighted squared errors of `picture`; sets `df` and adds the other gradients."""
    width = f.shape[2]
    hid, features = np.empty((UNITS, width), np.float32), np.empty((FEATURES, width), np.float32)
    error, dfeatures = np.empty((3, width), np.float32), np.empty((FEATURES, width), np.float32)
    total = 0.0
    for y in range(f.shape[1]):
        features[:] = f[:, y]
        for j in range(UNITS):
            for x in range(width):
                acc = c[j]
                for k in range(FEATURES):
                    acc += w[j, k] * features[k, x]
                hid[j, x] = max(acc, np.float32(0))
        for i in range(3):
            goal = target[i, y]
            squares, linear = np.float32(0), np.float32(0)
            for x in range(width):
                acc = bias[i]
                for k in range(FEATURES):
                    acc += a[i, k] * features[k, x]
                for j in range(UNITS):
                    acc += v[i, j] * hid[j, x]
                gap = acc - goal[x]
                slope = weight[y, x] * gap
                squares += slope * gap
                linear += slope
                error[i, x] = slope + slope
            total += squares
            dbias[i] += 2 * linear
            for k in range(FEATURES):
                acc = np.float32(0)
                for x in range(width):
                    acc += error[i, x] * features[k, x]
                da[i, k] += acc
            for j in range(UNITS):
                acc = np.float32(0)
                for x in range(width):
                    acc += error[i, x] * hid[j, x]
                dv[i, j] += acc
        for j in range(UNITS):
            linear = np.float32(0)
            for x in range(width):
                acc = v[0, j] * error[0, x] + v[1, j] * error[1, x] + v[2, j] * error[2, x]
                hid[j, x] = acc if hid[j, x] > 0 else np.float32(0)
                linear += hid[j, x]
            dc[j] += linear
            for k in range(FEATURES):
                acc = np.float32(0)
                for x in range(width):
                    acc += hid[j, x] * features[k, x]
                dw[j, k] += acc
        for k in range(FEATURES):
            for x in range(width):
                acc = a[0, k] * error[0, x] + a[1, k] * error[1, x] + a[2, k] * error[2, x]
                for j in range(UNITS):
                    acc += w[j, k] * hid[j, x]
                dfeatures[k, x] = acc
        df[:, y] = dfeatures
    return total


@_fast
def _softly(value: Any, sharpness: Any, factor: Any) -> Any:
    """Round softly, by a curve z/√(1 + z²) between whole numbers, and the slope."""
    floor = np.floor(value)
    z = (value - floor - _HALF) * sharpness
    inverse = np.float32(1) / np.sqrt(np.float32(1) + z * z)
    return floor + _HALF + factor * z * inverse, factor * sharpness * inverse * inverse * inverse


@_fast
def soften(y: Any, noise: Any, sharpness: Any, amount: Any, q: Any, slope: Any) -> None:
    """Round latents `y` [n, h, w] softly, add noise, and round softly again: padded `q`, `slope`."""
    half = _HALF * sharpness
    factor = _HALF * np.sqrt(np.float32(1) + half * half) / half
    for n in range(y.shape[0]):
        for row in range(y.shape[1]):
            out, line, random = q[n, row + TOP], y[n, row], noise[n, row]
            slopes = slope[n, row]
            for x in range(len(line)):
                value, first = _softly(line[x], sharpness, factor)
                value += amount * (random[x] - _HALF)
                out[x + SIDE], second = _softly(value, sharpness, factor)
                slopes[x] = first * second
