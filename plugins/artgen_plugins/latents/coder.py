"""The range coder and its context model, in whole numbers: the same latents on every processor.

An asymmetric numeral system (Duda 2013) with 32-bit words, a state of 64 bits and probabilities of
24 bits, as the library `constriction` has it. It is a stack: what is encoded last is decoded first.

The probability of a latent is that of an interval of a Laplace distribution, whose mean and scale
follow from decoded latents by a network of one hidden layer; weights have 6 bits behind the point.
Its sums are exact, and the distributions are tables of whole numbers.
"""

from __future__ import annotations

from decimal import Context, Decimal
from functools import lru_cache
from math import isqrt
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from artgen_plugins.latents.kernels import ENTRY, INNER, OFFSETS
from artgen_plugins.latents.layout import (
    HIDDEN,
    LARGEST,
    LEAST,
    MAGNITUDES,
    MOST,
    NEIGHBOURS,
    SIDE,
    TOP,
)

PRECISION = 24
OCTAVE = 8
"""Scales per octave."""

SCALES = OCTAVE * (MOST - LEAST) + 1
FINE = 16
"""Parts of a latent in which means are counted."""

_REACH = FINE * (2 * LARGEST + 2)
_HALF = (2**PRECISION - 2 * LARGEST - 2) // 2
_exact, _inner = nb.njit(**ENTRY), nb.njit(**INNER)


def ratios() -> list[int]:
    """By what a probability falls over 1/16, for each scale, in units of 2⁻³²."""
    context, two = Context(prec=40), Decimal(2)
    found = []
    for index in range(SCALES):
        log2 = Decimal(index) / OCTAVE + LEAST
        scale = context.exp(context.multiply(log2, context.ln(two)))
        ratio = context.exp(context.divide(Decimal(-1), scale * FINE))
        found.append(int(ratio * 2**32))
    return found


@lru_cache(maxsize=1)
def tails() -> NDArray[np.int64]:
    """The probability of a distance of more than t/16, one side, for each scale [scales, t].

    Each entry is the one before it times a constant, in whole numbers.
    """
    table = np.zeros((SCALES, _REACH), np.int64)
    value, factor = np.full(SCALES, _HALF << 7, np.int64), np.array(ratios())
    for t in range(_REACH):
        table[:, t] = value >> 7
        value = value * factor >> 32
    return table


@lru_cache(maxsize=1)
def magnitude_table() -> NDArray[np.int64]:
    """√(1 + n) − 1 in parts of 64, for n from 0 to the largest latent."""
    return np.array([(isqrt(4 * 4096 * (1 + n)) + 1) // 2 - 64 for n in range(LARGEST + 1)])


@lru_cache(maxsize=1)
def root_table() -> NDArray[np.int64]:
    """These with the signs of the latents; those below 0 count from the end."""
    known = magnitude_table()
    return np.concatenate([known, -known[:0:-1]])


@_inner
def _below(value: int, mean: int, row: Any) -> Any:
    """How many of 2²⁴ come before a latent, for a mean in parts of 16."""
    if value <= -LARGEST:
        return 0
    if value > LARGEST:
        return 1 << PRECISION
    t = FINE * value - mean - FINE // 2
    share = row[min(-t, _REACH - 1)] if t < 0 else 2 * _HALF - row[min(t, _REACH - 1)]
    return share + value + LARGEST


def by_sign(model: tuple[Any, ...]) -> tuple[Any, ...]:
    """The weights of `layout.model_of`, of inputs with a sign in two tables: above 0, and below.

    What is 0 can then be left out.
    """
    seen, *rest = model
    sized, signed = np.delete(seen[:, :MAGNITUDES], NEIGHBOURS, 1).T, seen[:, MAGNITUDES:].T
    own = (sized + signed, sized - signed, seen[:, NEIGHBOURS][None])
    return *(np.ascontiguousarray(table) for table in own), *rest


@_inner
def _see(units: Any, root: int, above: Any, below: Any, i: int) -> None:
    """Add what input i means for the hidden units."""
    if root > 0:
        for j in range(HIDDEN):
            units[j] += above[i, j] * root
    else:
        for j in range(HIDDEN):
            units[j] -= below[i, j] * root


@_inner
def _predict(
    q: Any, r: Any, others: Any, extra: Any, model: Any, y: int, x: int, units: Any
) -> Any:
    """The mean, in parts of 16, and the number of the scale of the latent at padded (y, x)."""
    above, below, over, level, scale, spread, mean, centre = model
    middle, total = 0, spread << 12
    for j in range(HIDDEN):
        units[j] = level[j] << 6
    # Most are 0, and a call takes as long as what it does.
    for i in range(NEIGHBOURS):
        dy, dx = OFFSETS[i]
        root = r[y + dy, x + dx]
        if root:
            middle += mean[i] * q[y + dy, x + dx] << 12
            _see(units, root, above, below, i)
    if extra[0]:
        root = others[0][(y - TOP) // 2 + TOP, (x - SIDE) // 2 + SIDE]
        if root:
            _see(units, abs(root), over, over, 0)
    if extra[1]:
        root = others[1][y, x]
        if root:
            _see(units, root, above, below, NEIGHBOURS)
    if extra[2]:
        root = others[2][y, x]
        if root:
            _see(units, root, above, below, NEIGHBOURS + 1)
    for j in range(HIDDEN):
        unit = max(units[j], 0)
        total += scale[j] * unit
        middle += centre[j] * unit
    index = (total - (LEAST << 18) + (1 << 14)) >> 15
    # A mean beyond all latents would only cost bits.
    middle = min(max((middle + (1 << 13)) >> 14, -FINE * LARGEST), FINE * LARGEST)
    return middle, min(max(index, 0), SCALES - 1)


@_exact
def measure_grid(
    q: Any, r: Any, others: Any, extra: Any, model: Any, table: Any, starts: Any, sizes: Any
) -> None:
    """Fill in where the intervals of the latents of a padded grid begin, and their sizes.

    The arguments up to `model` are those of `kernels.rate`, in whole numbers, and `by_sign`.
    """
    n, units = 0, np.zeros(HIDDEN, np.int64)
    for y in range(TOP, q.shape[0]):
        for x in range(SIDE, q.shape[1] - SIDE):
            centre, index = _predict(q, r, others, extra, model, y, x, units)
            starts[n] = _below(q[y, x], centre, table[index])
            sizes[n] = _below(q[y, x] + 1, centre, table[index]) - starts[n]
            n += 1


@_exact
def decode_grid(
    q: Any, r: Any, others: Any, extra: Any, model: Any, table: Any, known: Any, coded: Any
) -> None:
    """Fill a padded grid and its roots, all of which are `known`, from `coded` words."""
    words, head = coded
    units = np.zeros(HIDDEN, np.int64)
    for y in range(TOP, q.shape[0]):
        for x in range(SIDE, q.shape[1] - SIDE):
            centre, index = _predict(q, r, others, extra, model, y, x, units)
            value = _next(words, head, centre, table[index])
            q[y, x], r[y, x] = value, known[value]


@_inner
def _next(words: Any, head: Any, centre: int, row: Any) -> int:
    """Decode a latent: the one whose interval holds the last bits of the state."""
    place = np.int64(head[0] & np.uint64((1 << PRECISION) - 1))
    value = min(max((centre + FINE // 2) // FINE, -LARGEST), LARGEST)
    while place < _below(value, centre, row):
        value -= 1
    while place >= _below(value + 1, centre, row):
        value += 1
    start = _below(value, centre, row)
    _take(words, head, start, _below(value + 1, centre, row) - start)
    return value


@_inner
def _take(words: Any, head: Any, start: int, size: int) -> None:
    """Remove a symbol of this interval from the state; `head` is that, and how many words wait."""
    place = head[0] & np.uint64((1 << PRECISION) - 1)
    state = (head[0] >> np.uint64(PRECISION)) * np.uint64(size) + (place - np.uint64(start))
    if state < np.uint64(1 << 32) and head[1] > np.uint64(0):
        head[1] -= np.uint64(1)
        state = (state << np.uint64(32)) | np.uint64(words[head[1]])
    head[0] = state


@_exact
def decode_numbers(words: Any, head: Any, row: Any, shift: int, out: Any) -> None:
    """Fill `out` with whole numbers, of which the last `shift` bits are as likely as any other."""
    for i in range(len(out)):
        value, low = _next(words, head, np.int64(0), row), np.int64(0)
        if shift:
            size = 1 << (PRECISION - shift)
            low = np.int64(head[0] & np.uint64((1 << PRECISION) - 1)) // size
            _take(words, head, low * size, size)
        out[i] = (value << shift) + low


@_exact
def measure_numbers(values: Any, row: Any, shift: int, starts: Any, sizes: Any) -> int:
    """Fill in the intervals that `decode_numbers` reads, and return how many there are."""
    n = 0
    for value in values:
        high = value >> shift
        starts[n] = _below(high, np.int64(0), row)
        sizes[n] = _below(high + 1, np.int64(0), row) - starts[n]
        n += 1
        if shift:
            size = 1 << (PRECISION - shift)
            starts[n], sizes[n] = (value - (high << shift)) * size, size
            n += 1
    return n


@_exact
def encode(starts: Any, sizes: Any) -> Any:
    """The words of symbols with these intervals, uint32; the first is decoded first."""
    words, n, state = np.empty(len(starts) + 2, np.uint32), 0, np.uint64(0)
    for i in range(len(starts) - 1, -1, -1):
        size = np.uint64(sizes[i])
        if state >> np.uint64(64 - PRECISION) >= size:
            words[n] = state & np.uint64(0xFFFFFFFF)
            n += 1
            state >>= np.uint64(32)
        place = state % size + np.uint64(starts[i])
        state = ((state // size) << np.uint64(PRECISION)) | place
    while state > np.uint64(0):
        words[n] = state & np.uint64(0xFFFFFFFF)
        n += 1
        state >>= np.uint64(32)
    return words[:n]


def head_of(words: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """The state with which decoding begins, and how many words wait after it."""
    state, waiting = 0, len(words)
    while state < 2**32 and waiting:
        waiting -= 1
        state = state << 32 | int(words[waiting])
    return np.array([state, waiting], np.uint64)
