"""Gradients of drawn shapes (see `paint`)."""

import numba as nb
import numpy as np

from artgen.compiler.jit import grid_type, inline, options, owning
from artgen.families.shape.function_types import call_valid, functions_type
from artgen.families.shape.row_kernels import next_row, trace_rows
from artgen.families.shape.span_kernels import make_scratch

MARGIN = 2
"""A step of the genes extends a shape by fewer pixels than this."""

PIECES = 4
"""Pieces of a change that would make a shape invalid, applied gene by gene."""

matrix, picture_type = nb.float64[:, ::1], nb.float32[:, :, ::1]


@owning
def longer(tape, needed):
    """Return the tape with room for `needed` numbers and more."""
    if needed <= len(tape):
        return tape
    copy = np.empty(2 * needed, np.float32)
    # Assigning all at once would have numba compile the text of an error, which takes seconds.
    for at in range(len(tape)):
        copy[at] = tape[at]
    return copy


@inline
def covered_sum(functions, kind, genes, sums, top, bottom, left, right, grid, sample_rows, scratch):
    """The sum of what a shape covers, in a box of pixels, of what `sums` are running totals of.

    The box reaches from row `top` and column `left` to before `bottom` and `right`; `sums` holds
    what is left of each place in each of its rows.
    """
    spans = trace_rows(functions, kind, genes, top, bottom, sample_rows, grid, scratch)
    rows, lefts, rights = scratch[0], scratch[1], scratch[2]
    total, last = 0.0, right - left - 1
    for span in range(spans):
        row = rows[span] // sample_rows - top
        begin = min(max(lefts[span], left), right) - left
        end = min(max(rights[span], left), right) - left
        i, j = min(int(begin), last), min(int(end), last)
        total += sums[row, j] + (end - j) * (sums[row, j + 1] - sums[row, j])
        total -= sums[row, i] + (begin - i) * (sums[row, i + 1] - sums[row, i])
    return total / sample_rows


@nb.njit(
    (
        *(functions_type, nb.int64[::1], matrix, matrix, nb.float64[::1], picture_type),
        picture_type,
        *(grid_type, nb.int64, grid_type, nb.int64, nb.float64, nb.int64, nb.int64, matrix),
    ),
    **options,
)
def over_backward(
    functions, kind, genes, colour, alpha, picture, light, fine, sample_rows, grid, rows, step,
    first, last, gradients,
):  # fmt: skip
    """Fill `gradients` [N, genes + 4] with those by genes, colour (3) and alpha of N shapes.

    They are drawn as by `over_kernels`, with the grid `fine` of `sample_rows`. The rows of pixels
    from `first` to before `last` count. Of these `picture` [3, last - first, width] holds
    what the shapes are drawn over and `light` the derivative of the loss by the result; both are
    changed. Derivatives by genes are differences over `step` either way, on a grid of `rows`.
    """
    sizes = functions.genes
    count, number = genes.shape
    height, width = last - first, picture.shape[2]
    tint, strength = colour.astype(np.float32), alpha.astype(np.float32)
    scratch = make_scratch(
        (height + 2) * max(sample_rows, rows), functions.vertices, functions.crossings
    )
    changes = np.zeros(width + 1)
    # Where a shape may reach when it is moved: rows and columns, the last ones excluded.
    boxes = np.zeros((count, 4), np.int64)
    # From and to which column a shape covers each row, and where the tape has the shares that it
    # covers and then the colours, by channel, that it covers.
    places = np.zeros((count, height, 3), np.int64)
    tape, used = np.empty(4 * height * width, np.float32), 0
    for i in range(count):
        # From the rows next to these it may move into them.
        spans = trace_rows(
            functions, kind[i], genes[i], first - 1, last + 1, sample_rows, fine, scratch
        )
        if spans == 0:
            continue
        left, right = width, 0
        span = np.int64(0)
        while span < spans:
            row, span, low, high = next_row(scratch, span, spans, sample_rows, changes)
            y = row - first
            left, right = min(left, low), max(right, high + 1)
            size = high + 1 - low if 0 <= y < height else 0
            tape = longer(tape, used + 4 * size)
            covered = 0.0
            for x in range(size):
                covered += changes[low + x]
                tape[used + x] = covered / sample_rows
            changes[low : high + 2] = 0
            if size == 0:
                continue
            for c in range(3):
                below = used + (c + 1) * size
                for x in range(size):
                    u = picture[c, y, low + x]
                    tape[below + x] = u
                    share = strength[i] * tape[used + x]
                    picture[c, y, low + x] = u + share * (tint[i, c] - u)
            places[i, y, 0], places[i, y, 1], places[i, y, 2] = low, size, used
            used += 4 * size
        boxes[i, 0] = max(scratch[0][0] // sample_rows - 1, first)
        boxes[i, 1] = min(scratch[0][spans - 1] // sample_rows + 2, last)
        boxes[i, 2], boxes[i, 3] = max(left - MARGIN, 0), min(right + MARGIN, width)

    sums = np.empty((height, width + 1))
    trial = np.empty(number)
    for i in range(count - 1, -1, -1):
        top, bottom, left, right = boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3]
        if right == 0:
            continue
        g0 = g1 = g2 = g3 = 0.0
        for row in range(bottom - top):
            y = top + row - first
            low, size, used = places[i, y, 0], places[i, y, 1], places[i, y, 2]
            for c in range(3):
                below = used + (c + 1) * size
                for x in range(size):
                    picture[c, y, low + x] = tape[below + x]
            total = 0.0
            sums[row, 0] = 0
            for x in range(left, right):
                # The derivative by the share of alpha that the pixel gets.
                total += (
                    light[0, y, x] * (tint[i, 0] - picture[0, y, x])
                    + light[1, y, x] * (tint[i, 1] - picture[1, y, x])
                    + light[2, y, x] * (tint[i, 2] - picture[2, y, x])
                )
                sums[row, x + 1 - left] = total
            for x in range(size):
                share, at = tape[used + x], low + x - left
                passed = np.float32(1) - strength[i] * share
                l0, l1, l2 = light[0, y, low + x], light[1, y, low + x], light[2, y, low + x]
                g0 += share * l0
                g1 += share * l1
                g2 += share * l2
                g3 += share * (sums[row, at + 1] - sums[row, at])
                light[0, y, low + x] = passed * l0
                light[1, y, low + x] = passed * l1
                light[2, y, low + x] = passed * l2
        gradients[i, number] = alpha[i] * g0
        gradients[i, number + 1] = alpha[i] * g1
        gradients[i, number + 2] = alpha[i] * g2
        gradients[i, number + 3] = g3
        for j in range(genes.shape[1]):
            trial[j] = genes[i, j]
        for j in range(sizes[kind[i]]):
            for move in (-step, step):
                trial[j] = genes[i, j] + move
                gradients[i, j] += (alpha[i] / (2 * move)) * covered_sum(
                    functions, kind[i], trial, sums, top, bottom, left, right, grid, rows, scratch
                )
            trial[j] = genes[i, j]


@nb.njit((functions_type, nb.int64[::1], matrix, matrix), **options)
def keep_valid(functions, kind, before, genes):
    """Take back what makes shapes not valid that were so `before`; both are [N, genes].

    In small pieces and gene by gene, so that a shape slides along the limit it has come to.
    """
    valid, tables = functions.valid, functions.tables
    for i in range(len(kind)):
        if call_valid(valid, kind[i], genes[i], tables):
            continue
        if not call_valid(valid, kind[i], before[i], tables):
            continue
        wanted = genes[i].copy()
        for j in range(len(wanted)):
            genes[i, j] = before[i, j]
        for piece in range(PIECES):
            for j in range(len(wanted)):
                now = genes[i, j]
                genes[i, j] += (wanted[j] - now) / (PIECES - piece)
                if not call_valid(valid, kind[i], genes[i], tables):
                    genes[i, j] = now
