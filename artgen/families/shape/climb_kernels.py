"""Searching shapes.

A candidate is scored from the sums of `layer_kernels` in time that grows with its rows alone: its
best colour, and its best alpha where that is SEARCHED, follow in closed form. So do they for each
colour of a `palette` [K, 3], of which a shape gets the best; where K is 0, any colour will do.

Numbers for other functions are written `np.int64(0)`: for each literal, numba would compile the
function again.
"""

import math
from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from artgen.compiler.jit import generator_type, grid_type, inline, options
from artgen.compiler.vectors import lanes, loader, spreader
from artgen.families.shape.colour_kernels import NOTHING, best_colour
from artgen.families.shape.function_types import (
    call_mutate,
    call_random,
    call_trace,
    call_valid,
    functions_type,
)
from artgen.families.shape.row_kernels import next_row, trace_rows
from artgen.families.shape.span_kernels import make_scratch

if TYPE_CHECKING:
    from artgen.raster.bound import SEARCHED

numbers, plane, planes = nb.float64[::1], nb.float32[:, ::1], nb.float32[:, :, ::1]
PLANES = 16 if SEARCHED else 8  # of `layer_kernels`
place, spread = loader(PLANES), spreader(PLANES)


@nb.njit((numbers, nb.float64, nb.float64, nb.float64[:, ::1]), **options)
def colour_of(s, low, high, palette):
    """`best_colour` of the nine sums `s`."""
    return best_colour(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], low, high, palette)


@inline
def up_to(sums, row, column):
    """The sums of a row up to a column, interpolated inside of its pixel."""
    whole = int(column)
    here = place(sums, row, whole)
    return here + spread(np.float32(column - whole)) * (place(sums, row, whole + 1) - here)


@inline
def score(trace, tables, kind, genes, sums, grid, low, high, palette, scratch):
    """By how much the shape changes the squared error, with its best colour and alpha."""
    spans = call_trace(trace, kind, genes, tables, np.int64(0), sums.shape[0], grid, scratch[8])
    rows, lefts, rights = scratch[0], scratch[1], scratch[2]
    total = spread(np.float32(0))
    for span in range(spans):
        total += up_to(sums, rows[span], rights[span]) - up_to(sums, rows[span], lefts[span])
    s0, s1, s2, s3, s4 = lanes(total)[:5]
    change = 0.0
    if SEARCHED:
        s5, s6, s7, s8 = lanes(total)[5:9]
        if s6 > 0:
            change = best_colour(s0, s1, s2, s3, s4, s5, s6, s7, s8, low, high, palette)[0]
    elif len(palette) > 0:
        change = NOTHING
        for k in range(len(palette)):
            c0, c1, c2 = palette[k, 0], palette[k, 1], palette[k, 2]
            trial = s3 * (c0 * c0 + c1 * c1 + c2 * c2) - 2 * (c0 * s0 + c1 * s1 + c2 * s2)
            change = min(change, s4 + trial)
    elif s3 > 0:
        c0 = min(max(float(s0) / s3, 0.0), 1.0)
        c1 = min(max(float(s1) / s3, 0.0), 1.0)
        c2 = min(max(float(s2) / s3, 0.0), 1.0)
        change = s4 + s3 * (c0 * c0 + c1 * c1 + c2 * c2) - 2 * (c0 * s0 + c1 * s1 + c2 * s2)
    return change


@inline
def replace(old, new):
    """``old[:] = new``, which takes seconds to compile."""
    for i in range(len(old)):
        old[i] = new[i]


@inline
def cell_at(places, value):
    """The number of the first cell whose running total is above `value`."""
    # By halves; numpy.searchsorted takes seconds to compile.
    columns = places.shape[1]
    low, high = 0, places.size - 1
    while low < high:
        middle = (low + high) // 2
        if places[middle // columns, middle % columns] > value:
            high = middle
        else:
            low = middle + 1
    return low


@nb.njit(
    (
        functions_type,
        generator_type,
        planes,
        grid_type,
        *[nb.float64] * 2,
        *[nb.float64[:, ::1]] * 2,
        nb.int64,
        *[nb.float64] * 4,
        nb.int64,
        nb.float64,
        nb.int64,
        numbers,
    ),
    **options,
)
def search(
    functions, rng, sums, grid, low, high, palette, places, candidates, small, large, step, least,
    patience, shrink, kind, genes,
):  # fmt: skip
    """Climb from the best of random candidates, or from `genes` where there are to be none.

    Candidates appear in the cells of `places` [rows, columns] in proportion to these numbers'
    running total, and reach from `small` to `large`. A climb changes the shape by about `step`,
    shrunk by a factor at every failure, not below `least`, and ends after `patience` failures in a
    row. Writes into `genes`; returns the score, the kind and the number of evaluations.
    """
    trace, chances, tables = functions.trace, functions.chances, functions.tables
    height = sums.shape[0]
    rows, columns = places.shape
    total = places[rows - 1, columns - 1]
    scratch = make_scratch(height, functions.vertices, functions.crossings)
    trial = genes.copy()
    best, chosen, size = NOTHING, kind, step
    tries = failures = 0
    if candidates == 0:
        best = score(trace, tables, kind, genes, sums, grid, low, high, palette, scratch)
    while tries < candidates or failures < patience:
        if tries < candidates:
            dice = rng.random()
            kind = np.int64(0)
            while kind < len(chances) - 1 and dice >= chances[kind]:
                kind += 1
            cell = cell_at(places, rng.random() * total)
            x = (cell % columns + rng.random()) / columns * grid[4] / grid[3] + grid[2]
            y = ((cell // columns + rng.random()) / rows * height - 0.5) * grid[1] + grid[0]
            size = small * math.exp(rng.random() * math.log(large / small))
            trial[:] = 0
            call_random(functions.random, kind, trial, tables, rng, x, y, size)
        else:
            kind = chosen
            replace(trial, genes)
            call_mutate(functions.mutate, kind, trial, tables, rng, step)
        tries += 1
        change = NOTHING
        if call_valid(functions.valid, kind, trial, tables):
            change = score(trace, tables, kind, trial, sums, grid, low, high, palette, scratch)
        if change < best:
            best, chosen, failures = change, kind, 0
            replace(genes, trial)
            step = size / 2 if tries <= candidates else step * 1.3
        elif tries > candidates:
            failures += 1
            step = max(step * shrink, least)
    return best, chosen, tries


@nb.njit(
    (
        *(functions_type, nb.int64, numbers, planes, plane, planes, planes, plane),
        *(grid_type, nb.int64, numbers),
    ),
    **options,
)
def measure(functions, kind, genes, target, weight, below, above, through, grid, sample_rows, sums):
    """Fill `sums` [9] for `best_colour`, with the coverage that the shape is drawn with."""
    height, width = weight.shape
    scratch = make_scratch(height * sample_rows, functions.vertices, functions.crossings)
    changes = np.zeros(width + 1)
    spans = trace_rows(functions, kind, genes, np.int64(0), height, sample_rows, grid, scratch)
    sums[:] = 0
    span = np.int64(0)
    while span < spans:
        y, span, begin, end = next_row(scratch, span, spans, sample_rows, changes)
        covered = 0.0
        for x in range(begin, end + 1):
            covered += changes[x]
            t = through[y, x]
            b = t * covered / sample_rows
            w = weight[y, x]
            for c in range(3):
                u = below[c, y, x]
                e = target[c, y, x] - above[c, y, x] - t * u
                sums[c] += w * b * e
                sums[3 + c] += w * b * b * u
                sums[7] += w * b * e * u
                sums[8] += w * b * b * u * u
            sums[6] += w * b * b
        changes[begin : end + 2] = 0


@nb.njit(
    (functions_type, nb.int64, numbers, numbers, nb.float64, planes, plane, grid_type, nb.int64),
    **options,
)
def slip_under(functions, kind, genes, colour, alpha, above, through, grid, sample_rows):
    """Add a shape to the bottom of what is above: above += through·b·colour, through ·= 1 − b."""
    height, width = through.shape
    scratch = make_scratch(height * sample_rows, functions.vertices, functions.crossings)
    changes = np.zeros(width + 1)
    spans = trace_rows(functions, kind, genes, np.int64(0), height, sample_rows, grid, scratch)
    span = np.int64(0)
    while span < spans:
        y, span, begin, end = next_row(scratch, span, spans, sample_rows, changes)
        covered = 0.0
        for x in range(begin, end + 1):
            covered += changes[x]
            b = alpha * covered / sample_rows
            for c in range(3):
                above[c, y, x] += through[y, x] * b * colour[c]
            through[y, x] *= 1 - b
        changes[begin : end + 2] = 0


@nb.njit((functions_type, nb.int64, numbers, grid_type, nb.int64), **options)
def rows_of(functions, kind, genes, grid, height):
    """The first of the grid's `height` rows that the shape touches, and the one after the last."""
    scratch = make_scratch(height, functions.vertices, functions.crossings)
    spans = trace_rows(functions, kind, genes, np.int64(0), height, np.int64(1), grid, scratch)
    if spans == 0:
        return 0, 0
    return scratch[0][0], scratch[0][spans - 1] + 1
