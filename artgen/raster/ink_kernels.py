"""The share of every pixel that the marks of each ink cover: the union of their spans along rows.

A mark is a convex polygon with four corners and, at round ends, two discs: the convex hull.
"""

import math

import numba as nb
import numpy as np

from artgen.compiler.jit import grid_type, inline, options

ROWS = 16
"""Rows of pixels whose marks are looked for together."""


@inline
def span_of(quad, discs, y):
    """Return the left and right end of a mark at height `y`; left is larger where there is none."""
    left, right = math.inf, -math.inf
    for i in range(2):
        rise, radius = y - discs[i, 1], discs[i, 2]
        if abs(rise) < radius:
            half = math.sqrt(radius * radius - rise * rise)
            left, right = min(left, discs[i, 0] - half), max(right, discs[i, 0] + half)
    for i in range(4):
        xa, ya, xb, yb = quad[i, 0], quad[i, 1], quad[i - 1, 0], quad[i - 1, 1]
        if (ya <= y) != (yb <= y):
            x = xa + (y - ya) / (yb - ya) * (xb - xa)
            left, right = min(left, x), max(right, x)
    return left, right


@inline
def add_span(line, left, right, weight):
    """Add to every pixel of a row the share that lies between two places, in pixels."""
    begin, end = int(left), int(right)
    if begin == end:
        line[begin] += weight * np.float32(right - left)
        return
    line[begin] += weight * np.float32(begin + 1 - left)
    for column in range(begin + 1, end):
        line[column] += weight
    if end < len(line):
        line[end] += weight * np.float32(right - end)


@inline
def sort_by_pixel(lefts, spans, begins, order):
    """Write the order of the first `spans` left ends, in pixels: a bucket sort, then by insertion.

    `begins` has a place for each pixel and two more.
    """
    begins[:] = 0
    for i in range(spans):
        begins[int(lefts[i]) + 1] += 1
    for pixel in range(1, len(begins)):
        begins[pixel] += begins[pixel - 1]
    for i in range(spans):
        pixel = int(lefts[i])
        order[begins[pixel]] = i
        begins[pixel] += 1
    for later in range(1, spans):
        k, i = later, order[later]
        while k > 0 and lefts[order[k - 1]] > lefts[i]:
            order[k] = order[k - 1]
            k -= 1
        order[k] = i


@inline
def touching(heights, marks, upper, lower, found):
    """Write those marks that lie between two heights to `found`, and return their number."""
    number = 0
    for i in marks:
        if heights[i, 0] <= lower and heights[i, 1] >= upper:
            found[number] = i
            number += 1
    return number


@nb.njit(
    nb.void(
        *(nb.float64[:, :, ::1], nb.float64[:, :, ::1], nb.float64[:, ::1], nb.int64[::1]),
        *(nb.float32[:, :, ::1], grid_type, nb.int64, nb.int64, nb.int64),
    ),
    **options,
)
def cover(quads, discs, heights, starts, picture, grid, sample_rows, first, last):
    """Write the coverage of the inks, [inks, height, width], in the rows from `first` to `last`.

    `quads` [N, 4, 2], `discs` [N, 2, 3] (x, y and radius) and `heights` [N, 2], the lowest and the
    highest y, are sorted by ink; those of ink k begin at ``starts[k]``.
    """
    top, pitch, edge, scale, width = grid
    across = (sample_rows - 1) * pitch
    around, near = np.empty(len(quads), np.int64), np.empty(len(quads), np.int64)
    lefts, rights = np.empty(len(quads)), np.empty(len(quads))
    begins, order = np.empty(picture.shape[2] + 2, np.int64), np.empty(len(quads), np.int64)
    for k in range(len(starts) - 1):
        some = 0
        for row in range(first, last):
            upper = top + (row * sample_rows) * pitch
            if (row - first) % ROWS == 0:
                # Each row would look at all marks, of which few are near.
                lowest = top + (min(row + ROWS, last) - 1) * sample_rows * pitch + across
                some = touching(heights, range(starts[k], starts[k + 1]), upper, lowest, around)
            number = touching(heights, around[:some], upper, upper + across, near)
            line = picture[k, row]
            line[:] = 0
            for sample in range(sample_rows):
                y, spans = upper + sample * pitch, 0
                for i in near[:number]:
                    if heights[i, 0] <= y <= heights[i, 1]:
                        left, right = span_of(quads[i], discs[i], y)
                        left = max(0.0, (left - edge) * scale)
                        right = min(width, (right - edge) * scale)
                        if left < right:
                            lefts[spans], rights[spans] = left, right
                            spans += 1
                sort_by_pixel(lefts, spans, begins, order)
                done = 0.0
                for i in order[:spans]:
                    left, right = max(done, lefts[i]), rights[i]
                    if left < right:
                        add_span(line, left, right, np.float32(1 / sample_rows))
                        done = right
            for column in range(len(line)):
                line[column] = min(line[column], np.float32(1))
