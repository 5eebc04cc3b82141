"""Shapes as runs of sample rows, and the area of pixels that runs cover.

A *run* is what a shape covers of one sample row, in columns of pixels. `grid` is (top, pitch, left,
scale, width): sample row r lies at y = top + r·pitch, a point x at column (x − left)·scale, and the
picture has `width` columns. These functions are compiled into the kernels of shapes (see `spans`).
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

__all__ = ["clamp_row", "cover", "make_scratch", "trace_convex", "trace_outline"]

# Inlined as code, so that arrays are not counted as users come and go at every call.
inline = nb.njit(forceinline=True, error_model="numpy")


@inline
def make_scratch(rows, vertices, crossings):
    """Room for the runs of one shape and for what finding them takes.

    The runs' rows, lefts and rights; the outline; where its edges cross each row, which way, and
    how many do. `crossings` is the most per row of an outline that is not convex.
    """
    runs = rows * max(1, crossings // 2)
    return (
        np.empty(runs, np.int64),
        np.empty(runs, np.float64),
        np.empty(runs, np.float64),
        np.empty((vertices, 2), np.float64),
        np.empty(rows * crossings, np.float64),
        np.empty(rows * crossings, np.int64),
        np.empty(rows, np.int64),
    )


@inline
def clamp_row(row, first, last):
    """The whole number at or above `row`, from `first` to `last`; `last` for NaN."""
    return math.ceil(min(max(row, first), last)) if row == row else last


@inline
def trace_convex(points, first, last, grid, scratch):
    """Cut a convex polygon into runs, from sample row `first` to before `last`; their number.

    A row's run goes from its leftmost to its rightmost crossing of an edge.
    """
    top, pitch, origin, scale, width = grid
    rows, lefts, rights = scratch[0], scratch[1], scratch[2]
    count = len(points)
    low, high = points[0, 1], points[0, 1]
    for i in range(1, count):
        low, high = min(low, points[i, 1]), max(high, points[i, 1])
    begin = clamp_row((low - top) / pitch, first, last)
    end = clamp_row((high - top) / pitch, first, last)
    for i in range(end - begin):
        lefts[i], rights[i] = np.inf, -np.inf
    for i in range(count):
        upper, lower = i, (i + 1 if i + 1 < count else 0)
        if points[lower, 1] < points[upper, 1]:
            upper, lower = lower, upper
        xa, ya, xb, yb = points[upper, 0], points[upper, 1], points[lower, 0], points[lower, 1]
        slope = (xb - xa) / (yb - ya)
        start = xa + (top - ya) * slope
        slope *= pitch
        for row in range(
            clamp_row((ya - top) / pitch, begin, end), clamp_row((yb - top) / pitch, begin, end)
        ):
            x = start + row * slope
            lefts[row - begin] = min(lefts[row - begin], x)
            rights[row - begin] = max(rights[row - begin], x)
    runs = 0
    for row in range(begin, end):
        left = max((lefts[row - begin] - origin) * scale, 0.0)
        right = min((rights[row - begin] - origin) * scale, width)
        if right > left:
            rows[runs], lefts[runs], rights[runs] = row, left, right
            runs += 1
    return runs


@inline
def trace_outline(points, first, last, grid, scratch):
    """Cut any closed polygon into runs, as `trace_convex` does: where it winds around a point."""
    top, pitch, origin, scale, width = grid
    rows, lefts, rights = scratch[0], scratch[1], scratch[2]
    crossings, ways, crossed = scratch[4], scratch[5], scratch[6]
    count = len(points)
    low, high = points[0, 1], points[0, 1]
    for i in range(1, count):
        low, high = min(low, points[i, 1]), max(high, points[i, 1])
    begin = clamp_row((low - top) / pitch, first, last)
    end = clamp_row((high - top) / pitch, first, last)
    for i in range(end - begin):
        crossed[i] = 0
    for i in range(count):
        upper, lower, way = i, (i + 1 if i + 1 < count else 0), 1
        if points[lower, 1] < points[upper, 1]:
            upper, lower, way = lower, upper, -1
        xa, ya, xb, yb = points[upper, 0], points[upper, 1], points[lower, 0], points[lower, 1]
        slope = (xb - xa) / (yb - ya)
        start = xa + (top - ya) * slope
        slope *= pitch
        for row in range(
            clamp_row((ya - top) / pitch, begin, end), clamp_row((yb - top) / pitch, begin, end)
        ):
            x = start + row * slope
            # Sorted as they come: a row has few of them.
            base = (row - begin) * count
            k = base + crossed[row - begin]
            while k > base and crossings[k - 1] > x:
                crossings[k], ways[k] = crossings[k - 1], ways[k - 1]
                k -= 1
            crossings[k], ways[k] = x, way
            crossed[row - begin] += 1
    runs = 0
    for row in range(begin, end):
        base = (row - begin) * count
        winding, left = 0, 0.0
        for k in range(base, base + crossed[row - begin]):
            if winding == 0:
                left = max((crossings[k] - origin) * scale, 0.0)
            winding += ways[k]
            if winding == 0:
                right = min((crossings[k] - origin) * scale, width)
                if right > left:
                    rows[runs], lefts[runs], rights[runs] = row, left, right
                    runs += 1
    return runs


@inline
def cover(scratch, run, runs, last, changes):
    """Add the runs from number `run` on that lie before sample row `last` to a row of pixels.

    `changes` [width + 1] is how the covered length differs from that of the pixel before, in sample
    rows. Returns the number of the next run and the first and last pixel that are touched.
    """
    rows, lefts, rights = scratch[0], scratch[1], scratch[2]
    final = len(changes) - 2
    low, high = final, 0
    while run < runs and rows[run] < last:
        left, right = lefts[run], rights[run]
        i, j = int(left), min(int(right), final)
        changes[i] += i + 1 - left
        changes[i + 1] += left - i
        changes[j] -= j + 1 - right
        changes[j + 1] -= right - j
        low, high = min(low, i), max(high, j)
        run += 1
    return run, low, high
