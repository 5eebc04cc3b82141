"""Spans of symmetric shapes; compiled into the kernels of shapes (see `spans`)."""

from __future__ import annotations

import numpy as np

from artgen.compiler.jit import inline


@inline
def turn(points, matrix):
    """Multiply corners [corners, 2] by a matrix [2, 3], whose last column is added."""
    for i in range(len(points)):
        x, y = points[i, 0], points[i, 1]
        points[i, 0] = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
        points[i, 1] = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]


@inline
def misses(points, grid):
    """Whether corners lie beyond one side of the canvas, left or right."""
    low = high = points[0, 0]
    for i in range(len(points)):
        low, high = min(low, points[i, 0]), max(high, points[i, 0])
    return high < grid[2] or low > grid[2] + grid[4] / grid[3]


@inline
def behind(number, scratch):
    """The scratch behind its first spans."""
    return (
        scratch[0][number:],
        scratch[1][number:],
        scratch[2][number:],
        scratch[3],
        scratch[4],
        scratch[5],
        scratch[6],
        scratch[7],
    )


@inline
def copied(number, scratch):
    """The first spans in the scratch: rows, lefts and rights."""
    return scratch[0][:number].copy(), scratch[1][:number].copy(), scratch[2][:number].copy()


@inline
def flipped(spans, grid):
    """The mirror images of spans at the vertical axis; those of a row from left to right."""
    rows, lefts, rights = spans
    width, axis = grid[4], -2 * grid[2] * grid[3]
    images = np.empty_like(lefts), np.empty_like(rights)
    first = 0
    while first < len(rows):
        last = first
        while last < len(rows) and rows[last] == rows[first]:
            last += 1
        for i in range(first, last):
            k = first + last - 1 - i
            images[0][k], images[1][k] = max(axis - rights[i], 0.0), min(axis - lefts[i], width)
        first = last
    return rows, images[0], images[1]


@inline
def united(one, other, scratch):
    """Write the union of two lists of spans into the scratch; return the number of its spans.

    Rows, and the spans of a row from left to right, are in order before and after. Spans that
    overlap become one, so that an area is covered once.
    """
    rows, lefts, rights = scratch[0], scratch[1], scratch[2]
    number, i, j = 0, 0, 0
    while i < len(one[0]) or j < len(other[0]):
        if j == len(other[0]):
            own = True
        elif i == len(one[0]):
            own = False
        elif one[0][i] != other[0][j]:
            own = one[0][i] < other[0][j]
        else:
            own = one[1][i] <= other[1][j]
        if own:
            row, left, right = one[0][i], one[1][i], one[2][i]
            i += 1
        else:
            row, left, right = other[0][j], other[1][j], other[2][j]
            j += 1
        if number > 0 and rows[number - 1] == row and left <= rights[number - 1]:
            rights[number - 1] = max(rights[number - 1], right)
        elif right > left:
            rows[number], lefts[number], rights[number] = row, left, right
            number += 1
    return number
