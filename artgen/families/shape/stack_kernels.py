"""Drawing and evaluating stacks of shapes.

An individual `one` is (kind int64 [N], genes float64 [N, genes], paint float64 [N, 4] (colour and
alpha), box int64 [N, 4] (the rows and columns of pixels that a shape touches: first, before last,
first, before last), errors float64 [height, cells + 1] (of each cell, and of the row)), of which
the first `number` shapes count. Boxes and errors follow from the rest, and so are brought up to
date where it changed alone.

`fixed` is the target float32 [height, width, 4] (the fourth channel is the weight), the
ground float32 [height, width, 3], the grid (see `span_kernels`), the sample rows per pixel,
the `palette` float64 [K, 3], the only colours of shapes unless K is 0, and the functions of the
shapes (see `function_types`).
"""

import numba as nb
import numpy as np

from artgen.compiler.jit import compiled, grid_type, inline, owning
from artgen.families.shape.colour_kernels import best_colour
from artgen.families.shape.function_types import functions_type
from artgen.families.shape.row_kernels import next_row, trace_rows
from artgen.families.shape.span_kernels import make_scratch

fixed_type = nb.types.Tuple(
    (
        *(nb.float32[:, :, ::1], nb.float32[:, :, ::1], grid_type, nb.int64, nb.float64[:, ::1]),
        functions_type,
    )
)

CELL = 8
"""The number of pixels of a row that share one error."""


@owning
def make_room(genes, fixed, rates):
    """Two pictures, which of their pixels are being drawn, what tracing a shape takes, a shape."""
    height, width = fixed[0].shape[:2]
    functions = fixed[5]
    spare = (
        np.empty(1, np.int64),
        np.empty((1, genes)),
        np.empty((1, 4)),
        np.empty((1, 4), np.int64),
        np.empty((1, 1)),
    )
    return (
        np.empty((height, width, 4), np.float32),
        np.empty((height, width, 4), np.float32),
        np.zeros((height, 2), np.int64),
        np.zeros((height, 2), np.int64),
        np.zeros(width + 1),
        make_scratch(height * fixed[3], functions.vertices, functions.crossings),
        spare,
    )


@inline
def clear(area, width):
    """An empty area: from which column to before which, in each row [height, 2]."""
    for y in range(len(area)):
        area[y, 0], area[y, 1] = width, 0


@inline
def mark_all(area, width):
    """The whole picture as an area."""
    for y in range(len(area)):
        area[y, 0], area[y, 1] = 0, width


@inline
def mark(area, box, width):
    """Add the cells that a box touches to an area."""
    left, right = box[2] // CELL * CELL, min((box[3] + CELL - 1) // CELL * CELL, width)
    for y in range(box[0], box[1]):
        area[y, 0], area[y, 1] = min(area[y, 0], left), max(area[y, 1], right)


@compiled
def enclose(one, i, fixed, scratch):
    """Find the box of shape number `i`."""
    box, begin = one[3][i], np.int64(0)
    height, width = fixed[0].shape[:2]
    grid, sample_rows, functions = fixed[2], fixed[3], fixed[5]
    spans = trace_rows(functions, one[0][i], one[1][i], begin, height, sample_rows, grid, scratch)
    left, right = float(width), 0.0
    for span in range(spans):
        left, right = min(left, scratch[1][span]), max(right, scratch[2][span])
    if spans == 0:
        box[0] = box[1] = box[2] = box[3] = 0
    else:
        box[0], box[1] = scratch[0][0] // sample_rows, scratch[0][spans - 1] // sample_rows + 1
        box[2], box[3] = int(left), min(int(right) + 1, width)


@compiled
def lay(one, first, last, picture, area, fixed, room):
    """Lay shapes from `first` to before `last` over a picture [height, width, 4], in an area.

    Its fourth channel becomes what is left to be seen of what was 1.
    """
    kind, genes, paint, box, _ = one
    grid, sample_rows, functions = fixed[2], fixed[3], fixed[5]
    changes, scratch = room[4], room[5]
    top, bottom, left, right = len(area), 0, len(changes), 0
    for y in range(len(area)):
        if area[y, 0] < area[y, 1]:
            top, bottom = min(top, y), y + 1
            left, right = min(left, area[y, 0]), max(right, area[y, 1])
    for i in range(first, last):
        begin, end = max(box[i, 0], top), min(box[i, 1], bottom)
        if begin >= end or box[i, 2] >= right or box[i, 3] <= left:
            continue
        share = paint[i, 3] / sample_rows
        c0, c1, c2 = np.float32(paint[i, 0]), np.float32(paint[i, 1]), np.float32(paint[i, 2])
        spans = trace_rows(functions, kind[i], genes[i], begin, end, sample_rows, grid, scratch)
        span = np.int64(0)
        while span < spans:
            y, span, low, high = next_row(scratch, span, spans, sample_rows, changes)
            covered = 0.0
            begin, end = area[y, 0], min(area[y, 1], high + 1)
            for x in range(low, min(begin, high + 1)):
                covered += changes[x]
            for x in range(max(low, begin), end):
                covered += changes[x]
                b = np.float32(share * covered)
                picture[y, x, 0] += b * (c0 - picture[y, x, 0])
                picture[y, x, 1] += b * (c1 - picture[y, x, 1])
                picture[y, x, 2] += b * (c2 - picture[y, x, 2])
                picture[y, x, 3] -= b * picture[y, x, 3]
            for x in range(low, high + 2):
                changes[x] = 0.0


@inline
def fill(picture, area, ground, share):
    """Paint an area with `share` of the ground."""
    for y in range(len(area)):
        for x in range(area[y, 0], area[y, 1]):
            for channel in range(3):
                picture[y, x, channel] = share * ground[y, x, channel]
            picture[y, x, 3] = 1.0


@compiled
def evaluate_one(one, number, fixed, rates, room):
    """Bring the errors in the marked area, of whole cells, up to date; the sum of all."""
    target, ground = fixed[0], fixed[1]
    picture, area, errors = room[0], room[2], one[4]
    fill(picture, area, ground, np.float32(1))
    lay(one, np.int64(0), number, picture, area, fixed, room)
    total = 0.0
    for y in range(len(area)):
        for first in range(area[y, 0], area[y, 1], CELL):
            wrong = np.float32(0)
            for x in range(first, min(first + CELL, area[y, 1])):
                e0 = picture[y, x, 0] - target[y, x, 0]
                e1 = picture[y, x, 1] - target[y, x, 1]
                e2 = picture[y, x, 2] - target[y, x, 2]
                wrong += target[y, x, 3] * (e0 * e0 + e1 * e1 + e2 * e2)
            errors[y, first // CELL] = wrong
        if area[y, 0] < area[y, 1]:
            error = 0.0
            for cell in range(errors.shape[1] - 1):
                error += errors[y, cell]
            errors[y, errors.shape[1] - 1] = error
        total += errors[y, errors.shape[1] - 1]
    return total


@compiled
def refit(one, number, i, fixed, rates, room):
    """Give shape number `i` its best colour, and the best alpha, where it is.

    See `best_colour` for the sums.
    """
    kind, genes, paint, box, _ = one
    target, ground, grid, sample_rows, palette, functions = fixed
    below, above, area, changes, scratch = room[0], room[1], room[3], room[4], room[5]
    clear(area, target.shape[1])
    for y in range(box[i, 0], box[i, 1]):
        area[y, 0], area[y, 1] = box[i, 2], box[i, 3]
    fill(below, area, ground, np.float32(1))
    lay(one, np.int64(0), i, below, area, fixed, room)
    fill(above, area, ground, np.float32(0))
    lay(one, i + 1, number, above, area, fixed, room)
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = 0.0
    begin, end = box[i, 0], box[i, 1]
    spans = trace_rows(functions, kind[i], genes[i], begin, end, sample_rows, grid, scratch)
    span = np.int64(0)
    while span < spans:
        y, span, begin, end = next_row(scratch, span, spans, sample_rows, changes)
        covered = 0.0
        for x in range(begin, end + 1):
            covered += changes[x]
            t = above[y, x, 3]
            b = t * np.float32(covered / sample_rows)
            u0, u1, u2 = below[y, x, 0], below[y, x, 1], below[y, x, 2]
            e0 = target[y, x, 0] - above[y, x, 0] - t * u0
            e1 = target[y, x, 1] - above[y, x, 1] - t * u1
            e2 = target[y, x, 2] - above[y, x, 2] - t * u2
            wb = target[y, x, 3] * b
            wbb = wb * b
            s0 += wb * e0
            s1 += wb * e1
            s2 += wb * e2
            s3 += wbb * u0
            s4 += wbb * u1
            s5 += wbb * u2
            s6 += wbb
            s7 += wb * (e0 * u0 + e1 * u1 + e2 * u2)
            s8 += wbb * (u0 * u0 + u1 * u1 + u2 * u2)
        for x in range(begin, end + 2):
            changes[x] = 0.0
    if s6 > 0:
        found = best_colour(s0, s1, s2, s3, s4, s5, s6, s7, s8, rates.low, rates.high, palette)
        paint[i, 3] = np.float32(found[1])
        paint[i, 0] = np.float32(found[2])
        paint[i, 1] = np.float32(found[3])
        paint[i, 2] = np.float32(found[4])
