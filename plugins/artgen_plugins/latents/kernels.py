"""What a step of `latents` computes, forward and backward in one pass over each row.

A row of a grid is a block of numbers that stays in the processor's cache; so the layers of the
context model and of the picture are never written to memory. Gradients are those that automatic
differentiation gives, which tests compare with. Grids are padded by `TOP` rows above and `SIDE`
columns left and right of zeros, so that every number has all its neighbours.
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
    MAGNITUDES,
    MOST,
    NEIGHBOURS,
    SIDE,
    TOP,
    UNITS,
)

OFFSETS = ((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, -2), (-1, 2))
"""Rows and columns from a latent to the neighbours that a decoder knows before it."""

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_LN2, _LOG2E = np.float32(0.6931472), np.float32(1.442695)
ENTRY: Any = {"cache": True, "nogil": True, "no_cfunc_wrapper": True}
# For functions that kernels alone call. Whole numbers for them are written `np.int64(0)`: numba
# compiles a function again for a literal.
INNER: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_fast: Any = nb.njit(fastmath=True, error_model="numpy", **ENTRY)
_inner: Any = nb.njit(fastmath=True, error_model="numpy", **INNER)


@_inner
def _exp2(value: Any) -> Any:
    """2 to the power of a value up to 0, by a polynomial that vectorises."""
    value = max(value, np.float32(-120))
    whole = np.floor(value)
    r = value - whole
    p = np.float32(1.3333558e-3) * r + np.float32(9.6181291e-3)
    p = (p * r + np.float32(5.5504109e-2)) * r + np.float32(2.4022651e-1)
    p = (p * r + _LN2) * r + _ONE
    return p * np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)


@_inner
def _log2(value: Any) -> Any:
    """The logarithm of a positive number, by a series of the mantissa."""
    bits = np.float32(value + np.float32(1e-30)).view(np.int32)
    exponent = np.float32((bits >> np.int32(23)) - np.int32(127))
    mantissa = np.int32((bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000)).view(np.float32)
    # Between 1/√2 and √2 the series of the area tangent needs few terms.
    large = mantissa > np.float32(1.4142135)
    mantissa *= _HALF if large else _ONE
    exponent += _ONE if large else _ZERO
    t = (mantissa - _ONE) / (mantissa + _ONE)
    u = t * t
    series = _ONE + u * (np.float32(1 / 3) + u * (np.float32(0.2) + u * np.float32(1 / 7)))
    return exponent + np.float32(2.8853901) * t * series


@_fast
def roots(q: Any, r: Any) -> None:
    """√(1 + |q|) − 1 of all latents, with their signs."""
    for y in range(q.shape[0]):
        for x in range(q.shape[1]):
            r[y, x] = _sign(q[y, x]) * (np.sqrt(_ONE + abs(q[y, x])) - _ONE)


@_fast
def add_root_gradients(q: Any, dr: Any, dq: Any) -> None:
    """Add to `dq` what `dr`, the gradient in the roots, means for the latents."""
    for y in range(q.shape[0]):
        for x in range(q.shape[1]):
            dq[y, x] += dr[y, x] * _HALF / np.sqrt(_ONE + abs(q[y, x]))


@_inner
def _read(source: Any, column: int, target: Any) -> None:
    """Copy a row from a column on: an assignment to a slice takes seconds to compile."""
    for x in range(len(target)):
        target[x] = source[x + column]


@_inner
def _add(source: Any, column: int, target: Any) -> None:
    """Add a row to another from a column on."""
    for x in range(len(source)):
        target[x + column] += source[x]


@_inner
def _read_both(source: Any, column: int, magnitude: Any, signed: Any) -> None:
    """Copy a row of roots from a column on, without and with their signs."""
    for x in range(len(signed)):
        value = source[x + column]
        magnitude[x], signed[x] = abs(value), value


@_inner
def _add_both(magnitude: Any, signed: Any, roots: Any, column: int, target: Any) -> None:
    """Add the gradients in both to a row from a column on."""
    for x in range(len(signed)):
        target[x + column] += signed[x] + _sign(roots[x]) * magnitude[x]


@_inner
def _sign(value: Any) -> Any:
    """1 or -1, by the bit of the sign, since loops with branches are ten times as slow."""
    bits = np.float32(value).view(np.int32) & np.int32(-(2**31))
    return np.int32(bits | np.int32(0x3F800000)).view(np.float32)


@_inner
def _read_twice(source: Any, column: int, target: Any) -> None:
    """Fill a row with the magnitudes of roots from a column on, each twice."""
    for x in range(len(target) // 2):
        target[2 * x] = target[2 * x + 1] = abs(source[x + column])
    if len(target) % 2:
        target[-1] = abs(source[len(target) // 2 + column])


@_inner
def _add_twice(source: Any, roots: Any, column: int, target: Any) -> None:
    """Add the gradients in magnitudes to roots from a column on, two to each."""
    for x in range(len(source) // 2):
        both = source[2 * x] + source[2 * x + 1]
        target[x + column] += _sign(roots[x + column]) * both
    if len(source) % 2:
        last = len(source) // 2 + column
        target[last] += _sign(roots[last]) * source[-1]


@_inner
def _dot(a: Any, b: Any) -> Any:
    total = _ZERO
    for x in range(len(a)):
        total += a[x] * b[x]
    return total


@_inner
def _four_dots(a: Any, first: int, b: Any) -> Any:
    """Dots of four rows of `a` with `b`, which is read once for all of them."""
    p, q, r, s = a[first], a[first + 1], a[first + 2], a[first + 3]
    u, v, w, z = _ZERO, _ZERO, _ZERO, _ZERO
    for x in range(len(b)):
        value = b[x]
        u += p[x] * value
        v += q[x] * value
        w += r[x] * value
        z += s[x] * value
    return u, v, w, z


@_fast
def rate(
    q: Any,
    r: Any,
    others: Any,
    extra: Any,
    model: Any,
    dq: Any,
    dr: Any,
    dothers: Any,
    found: Any,
    every: int,
    turn: int,
) -> Any:
    """Nats of the latents `q` of a padded grid with roots `r`; adds the gradients.

    `others` are the roots of the grid above and of two other channels, as far as `extra` says that
    there are such. `model` holds the weights that `layout.model_of` returns, of which `found` gets
    the gradients, but for `spread`, whose gradient is returned too. Those of the layers are of the
    rows `turn`, `turn + every` and so on, times `every`: there are thousands for each weight.
    """
    seen, level, scale, spread, mean, centre = model
    height, width = q.shape[0] - TOP, q.shape[1] - 2 * SIDE
    inputs = np.zeros((INPUTS, width), np.float32)
    dinputs = np.zeros((INPUTS, width), np.float32)
    hidden = np.zeros((HIDDEN, width), np.float32)
    middle = np.zeros(width, np.float32)
    dmiddle = np.zeros(width, np.float32)
    log2 = np.zeros(width, np.float32)
    dlog2 = np.zeros(width, np.float32)
    total, dspread = np.float64(0), np.float64(0)
    factor = np.float32(every)
    for row in range(height):
        y, learns = row + TOP, row % every == turn
        for i in range(NEIGHBOURS):
            above, column = r[y + OFFSETS[i][0]], SIDE + OFFSETS[i][1]
            _read_both(above, column, inputs[i], inputs[MAGNITUDES + i])
        if extra[0]:
            _read_twice(others[0][row // 2 + TOP], SIDE, inputs[NEIGHBOURS])
        for n in range(2):
            if extra[n + 1]:
                i = NEIGHBOURS + n
                _read_both(others[n + 1][y], np.int64(SIDE), inputs[i + 1], inputs[MAGNITUDES + i])
        for j in range(HIDDEN):
            for x in range(width):
                acc = level[j]
                for i in range(INPUTS):
                    acc += seen[j, i] * inputs[i, x]
                hidden[j, x] = max(acc, _ZERO)
        for x in range(width):
            acc, at = spread, _ZERO
            for j in range(HIDDEN):
                acc += scale[j] * hidden[j, x]
                at += centre[j] * hidden[j, x]
            log2[x], middle[x] = acc, at
        for i in range(NEIGHBOURS):
            source, column = q[y + OFFSETS[i][0]], SIDE + OFFSETS[i][1]
            for x in range(width):
                middle[x] += mean[i] * source[x + column]
        here, dhere, nats, summed = q[y], dq[y], _ZERO, _ZERO
        for x in range(width):
            s = min(max(log2[x], np.float32(LEAST)), np.float32(MOST))
            d, inverse = here[x + SIDE] - middle[x], _exp2(-s)
            a = abs(d)
            # Beyond the middle of the distribution the interval lies on one side of it.
            beyond = a >= _HALF
            near = _exp2(-_LOG2E * inverse * (_ONE if beyond else _HALF - a))
            far = _exp2(-_LOG2E * inverse * (_HALF + a))
            share = _ONE - (near if beyond else _HALF * (near + far))
            past = (a - _HALF) * inverse
            nats += (past + _LN2 if beyond else _ZERO) - _LN2 * _log2(share)
            slope = _ONE if beyond else _HALF * (near - far) / share
            wider = near if beyond else _HALF * (near * (_HALF - a) + far * (_HALF + a))
            dmiddle[x] = -inverse * slope if d > 0 else inverse * slope
            dhere[x + SIDE] -= dmiddle[x]
            dlog2[x] = _LN2 * (inverse * wider / share - (past if beyond else _ZERO))
            if s != log2[x]:
                dlog2[x] = 0
            summed += dlog2[x]
        total += nats
        dspread += summed
        for i in range(NEIGHBOURS):
            column = SIDE + OFFSETS[i][1]
            source, target = q[y + OFFSETS[i][0]], dq[y + OFFSETS[i][0]]
            acc = _ZERO
            for x in range(width):
                acc += dmiddle[x] * source[x + column]
                target[x + column] += mean[i] * dmiddle[x]
            found[3][i] += acc
        for j in range(HIDDEN):
            if learns:
                found[2][j] += factor * _dot(hidden[j], dlog2)
                found[4][j] += factor * _dot(hidden[j], dmiddle)
            acc = _ZERO
            for x in range(width):
                change = scale[j] * dlog2[x] + centre[j] * dmiddle[x]
                hidden[j, x] = change if hidden[j, x] > 0 else _ZERO
                acc += hidden[j, x]
            found[1][j] += acc
        for j in range(0, HIDDEN if learns else 0, 4):
            for i in range(INPUTS):
                dots = _four_dots(hidden, j, inputs[i])
                for n in range(4):
                    found[0][j + n, i] += factor * dots[n]
        for i in range(INPUTS):
            for x in range(width):
                acc = _ZERO
                for j in range(HIDDEN):
                    acc += seen[j, i] * hidden[j, x]
                dinputs[i, x] = acc
        for i in range(NEIGHBOURS):
            k, column = MAGNITUDES + i, SIDE + OFFSETS[i][1]
            _add_both(dinputs[i], dinputs[k], inputs[k], column, dr[y + OFFSETS[i][0]])
        if extra[0]:
            parent = row // 2 + TOP
            _add_twice(dinputs[NEIGHBOURS], others[0][parent], SIDE, dothers[0][parent])
        for n in range(2):
            if extra[n + 1]:
                i, k = NEIGHBOURS + n + 1, MAGNITUDES + NEIGHBOURS + n
                _add_both(dinputs[i], dinputs[k], inputs[k], np.int64(SIDE), dothers[n + 1][y])
    return total, dspread


@_inner
def _between(small: Any, y: int, taps: Any, line: Any) -> Any:
    """Fill `line` with the row y of rows between those of `small`, its ends repeated twice.

    Returns the numbers of the four rows that it is made of, and the weight of each.
    """
    rows, columns = small.shape
    first, order = (y // 2 - 1, (0, 1, 2, 3)) if y % 2 else (y // 2 - 2, (3, 2, 1, 0))
    at = (
        min(max(first, 0), rows - 1),
        min(max(first + 1, 0), rows - 1),
        min(max(first + 2, 0), rows - 1),
        min(max(first + 3, 0), rows - 1),
    )
    a, b, c, d = taps[order[0]], taps[order[1]], taps[order[2]], taps[order[3]]
    ra, rb, rc, rd = small[at[0]], small[at[1]], small[at[2]], small[at[3]]
    for x in range(columns):
        line[x + 2] = a * ra[x] + b * rb[x] + c * rc[x] + d * rd[x]
    line[0] = line[1] = line[2]
    line[columns + 2] = line[columns + 3] = line[columns + 1]
    return at, order


@_fast
def upsample(small: Any, taps: Any, large: Any) -> None:
    """Fill `large` [k, h, w] with `small` [k, ⌈h/2⌉, ⌈w/2⌉], interpolated by four taps.

    An odd pixel lies a quarter behind a small one, an even pixel a quarter before it.
    """
    width = large.shape[2]
    line = np.empty(small.shape[2] + 4, np.float32)
    a, b, c, d = taps
    for k in range(large.shape[0]):
        for y in range(large.shape[1]):
            _between(small[k], y, taps, line)
            out = large[k, y]
            for x in range((width + 1) // 2):
                out[2 * x] = d * line[x] + c * line[x + 1] + b * line[x + 2] + a * line[x + 3]
            for x in range(width // 2):
                odd = a * line[x + 1] + b * line[x + 2] + c * line[x + 3] + d * line[x + 4]
                out[2 * x + 1] = odd


@_fast
def upsample_gradients(
    small: Any, taps: Any, dlarge: Any, dsmall: Any, dtaps: Any, every: int, turn: int
) -> None:
    """Add the gradients of `upsample` to `dsmall` and, of rows as in `rate`, to `dtaps`."""
    width, columns = dlarge.shape[2], small.shape[2]
    line, dline = np.empty(columns + 4, np.float32), np.empty(columns + 4, np.float32)
    even, odd = np.zeros(columns, np.float32), np.zeros(columns, np.float32)
    gradient = np.zeros(4, np.float64)
    for k in range(dlarge.shape[0]):
        for y in range(dlarge.shape[1]):
            at, order = _between(small[k], y, taps, line)
            incoming, learns = dlarge[k, y], y // 2 % every == turn
            for x in range(columns):
                even[x] = incoming[2 * x]
            for x in range(width // 2):
                odd[x] = incoming[2 * x + 1]
            dline[:] = 0
            for i in range(4):
                if learns:
                    gradient[i] += _dot(even, line[3 - i : columns + 3 - i])
                    gradient[i] += _dot(odd, line[i + 1 : columns + i + 1])
                for x in range(columns):
                    dline[x + 3 - i] += taps[i] * even[x]
                for x in range(columns):
                    dline[x + i + 1] += taps[i] * odd[x]
            dline[2] += dline[0] + dline[1]
            dline[columns + 1] += dline[columns + 2] + dline[columns + 3]
            middle = dline[2 : columns + 2]
            for i in range(4):
                if learns:
                    gradient[order[i]] += _dot(middle, small[k, at[i]])
                factor, target = taps[order[i]], dsmall[k, at[i]]
                for x in range(columns):
                    target[x] += factor * middle[x]
    for i in range(4):
        dtaps[i] += every * gradient[i]


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
                acc = _ZERO
                for x in range(len(incoming)):
                    target[x + SIDE] += w * incoming[x]
                    acc += source[x + SIDE] * incoming[x]
                dweights[k, n] += acc


@_inner
def _colour(features: Any, weights: Any, hidden: Any, rgb: Any) -> None:
    """Fill the hidden units and the colours [3, w] of a row of features."""
    colour, ground, unit, threshold, bend = weights
    for j in range(UNITS):
        for x in range(rgb.shape[1]):
            acc = threshold[j]
            for k in range(FEATURES):
                acc += unit[j, k] * features[k, x]
            hidden[j, x] = max(acc, _ZERO)
    for i in range(3):
        for x in range(rgb.shape[1]):
            acc = ground[i]
            for k in range(FEATURES):
                acc += colour[i, k] * features[k, x]
            for j in range(UNITS):
                acc += bend[i, j] * hidden[j, x]
            rgb[i, x] = acc


@_fast
def picture(made: Any, weights: Any, rgb: Any) -> None:
    """The colours `rgb` [3, h, w] of features `made` [k, h, w].

    They are colour·f + ground + bend·relu(unit·f + threshold).
    """
    features, hidden, colours = _buffers(made.shape[2])
    for y in range(made.shape[1]):
        for k in range(FEATURES):
            _read(made[k, y], np.int64(0), features[k])
        _colour(features, weights, hidden, colours)
        for i in range(3):
            _read(colours[i], np.int64(0), rgb[i, y])


@_inner
def _buffers(width: int) -> Any:
    return (
        np.empty((FEATURES, width), np.float32),
        np.empty((UNITS, width), np.float32),
        np.empty((3, width), np.float32),
    )


@_fast
def picture_gradients(
    made: Any,
    weights: Any,
    target: Any,
    importance: Any,
    dmade: Any,
    found: Any,
    every: int,
    turn: int,
) -> float:
    """The sum of weighted squared errors of `picture`; sets `dmade`, adds to those in `found`.

    The latter are, but for `ground` and `threshold`, of rows as in `rate`.
    """
    features, hidden, error = _buffers(made.shape[2])
    colour, _, unit, _, bend = weights
    total, width, factor = np.float64(0), made.shape[2], np.float32(every)
    for y in range(made.shape[1]):
        learns = y % every == turn
        for k in range(FEATURES):
            _read(made[k, y], np.int64(0), features[k])
        _colour(features, weights, hidden, error)
        for i in range(3):
            goal, squares, linear = target[i, y], _ZERO, _ZERO
            for x in range(width):
                gap = error[i, x] - goal[x]
                slope = importance[y, x] * gap
                squares += slope * gap
                linear += slope
                error[i, x] = slope + slope
            total += squares
            found[1][i] += 2 * linear
            for k in range(FEATURES if learns else 0):
                found[0][i, k] += factor * _dot(error[i], features[k])
            for j in range(0, UNITS if learns else 0, 4):
                dots = _four_dots(hidden, j, error[i])
                for n in range(4):
                    found[4][i, j + n] += factor * dots[n]
        for j in range(UNITS):
            linear = _ZERO
            for x in range(width):
                acc = bend[0, j] * error[0, x] + bend[1, j] * error[1, x] + bend[2, j] * error[2, x]
                hidden[j, x] = acc if hidden[j, x] > 0 else _ZERO
                linear += hidden[j, x]
            found[3][j] += linear
        for j in range(0, UNITS if learns else 0, 4):
            for k in range(FEATURES):
                dots = _four_dots(hidden, j, features[k])
                for n in range(4):
                    found[2][j + n, k] += factor * dots[n]
        for k in range(FEATURES):
            for x in range(width):
                acc = _ZERO
                for i in range(3):
                    acc += colour[i, k] * error[i, x]
                for j in range(UNITS):
                    acc += unit[j, k] * hidden[j, x]
                features[k, x] = acc
        for k in range(FEATURES):
            _read(features[k], np.int64(0), dmade[k, y])
    return total


@_inner
def _softly(value: Any, sharpness: Any, factor: Any) -> Any:
    """Round softly, by a curve z/√(1 + z²) between whole numbers, and the slope."""
    floor = np.floor(value)
    z = (value - floor - _HALF) * sharpness
    inverse = _ONE / np.sqrt(_ONE + z * z)
    return floor + _HALF + factor * z * inverse, factor * sharpness * inverse * inverse * inverse


@_inner
def _uniform(number: Any) -> Any:
    """A random number from -1/2 to 1/2: the hash lowbias32 of a number (Wellons 2018)."""
    x = np.uint32(number)
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D))
    x = np.uint32((x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B))
    x = np.uint32(x ^ (x >> np.uint32(16)))
    return np.float32(np.int32(x)) * np.float32(2.0**-32)


@_fast
def soften(y: Any, seed: int, sharpness: Any, amount: Any, q: Any, slope: Any) -> None:
    """Round latents `y` [n, h, w] softly, add noise, round softly again: padded `q`, `slope`."""
    half = _HALF * sharpness
    factor = _HALF * np.sqrt(_ONE + half * half) / half
    for n in range(y.shape[0]):
        for row in range(y.shape[1]):
            line, first_number = y[n, row], seed + (n * y.shape[1] + row) * y.shape[2]
            out, slopes = q[n, row + TOP], slope[n, row]
            for x in range(len(line)):
                value, first = _softly(line[x], sharpness, factor)
                value += amount * _uniform(first_number + x)
                out[x + SIDE], second = _softly(value, sharpness, factor)
                slopes[x] = first * second
