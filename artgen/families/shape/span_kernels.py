"""Shapes as spans of sample rows, and the area of pixels that spans cover.

A *span* is the part of a sample row that a shape covers, in columns of pixels. `grid` is (top,
pitch, left, scale, width): sample row r lies at y = top + r·pitch, a point x at column
(x − left)·scale, and the picture has `width` columns. These functions are compiled into the kernels
of shapes (see `spans`).
"""

from __future__ import annotations

import math

import numpy as np
from numba.np.numpy_support import carray

from artgen.compiler.jit import inline, owning
from artgen.compiler.tables import pointer

FLAT, MOST_PIECES = 0.25, 2000
"""How far the straight pieces of a curve are off, in sample rows that are pixels, and how many
there are at most. Of finer rows each piece crosses as many."""


@owning
def make_scratch(rows, vertices, crossings):
    """Room for the spans of one shape and for what finding them takes.

    The spans' rows, lefts and rights; the outline's corners and their rows; where its edges cross
    each row, which way, and how many do. `crossings` is the most per row of an outline that is not
    convex. The last array says where the others are: see `open_scratch`.
    """
    spans = rows * max(1, crossings // 2)
    arrays = (
        np.empty(spans, np.int64),
        np.empty(spans, np.float64),
        np.empty(spans, np.float64),
        np.empty((vertices, 2), np.float64),
        np.empty(vertices, np.int64),
        np.empty(rows * crossings, np.float64),
        np.empty(rows * crossings, np.int64),
        np.empty(rows, np.int64),
    )
    places = np.empty(12, np.int64)
    places[0], places[1] = arrays[0].ctypes.data, arrays[1].ctypes.data
    places[2], places[3] = arrays[2].ctypes.data, arrays[3].ctypes.data
    places[4], places[5] = arrays[4].ctypes.data, arrays[5].ctypes.data
    places[6], places[7] = arrays[6].ctypes.data, arrays[7].ctypes.data
    places[8], places[9], places[10], places[11] = spans, vertices, rows * crossings, rows
    return (*arrays, places)


@owning
def open_scratch(address):
    """The arrays of a scratch by the address of the last one; the caller keeps them."""
    places = carray(address, (12,), np.int64)
    spans, vertices, crossings, rows = places[8], places[9], places[10], places[11]
    return (
        carray(pointer(places[0]), (spans,), np.int64),
        carray(pointer(places[1]), (spans,), np.float64),
        carray(pointer(places[2]), (spans,), np.float64),
        carray(pointer(places[3]), (vertices, 2), np.float64),
        carray(pointer(places[4]), (vertices,), np.int64),
        carray(pointer(places[5]), (crossings,), np.float64),
        carray(pointer(places[6]), (crossings,), np.int64),
        carray(pointer(places[7]), (rows,), np.int64),
    )


@inline
def clamp_row(row, first, last):
    """The whole number at or above `row`, from `first` to `last`; `last` for NaN."""
    return math.ceil(min(max(row, first), last)) if row == row else last


@inline
def on_curves(points):
    """Replace the inner control points of every curve by points that are on it."""
    for i in range(0, len(points), 4):
        for k in range(2):
            a, b, c, d = points[i, k], points[i + 1, k], points[i + 2, k], points[i + 3, k]
            points[i + 1, k] = (8 * a + 12 * b + 6 * c + d) / 27
            points[i + 2, k] = (a + 6 * b + 12 * c + 8 * d) / 27


@inline
def place_corners(points, first, last, grid, places):
    """The first sample row at or below each corner, from `first` to `last`; their range."""
    begin, end = last, first
    for i in range(len(points)):
        place = clamp_row((points[i, 1] - grid[0]) / grid[1], first, last)
        places[i] = place
        begin, end = min(begin, place), max(end, place)
    return begin, end


@inline
def trace_convex(points, first, last, grid, scratch):
    """Cut a convex polygon into spans, from sample row `first` to before `last`; their number.

    A row's span lies between its two crossings of an edge.
    """
    top, pitch, origin, scale, width = grid
    rows, lefts, rights, places = scratch[0], scratch[1], scratch[2], scratch[4]
    begin, end = place_corners(points, first, last, grid, places)
    j = len(points) - 1
    for i in range(len(points)):
        # A row crosses one edge on the way down and one on the way up.
        upper, lower, crossings = (i, j, lefts) if places[i] < places[j] else (j, i, rights)
        j = i
        if places[upper] == places[lower]:
            continue
        x, y = points[upper, 0], points[upper, 1]
        slope = (points[lower, 0] - x) / (points[lower, 1] - y)
        x += (top - y) * slope
        slope *= pitch
        for row in range(places[upper], places[lower]):
            crossings[row - begin] = x + row * slope
    spans = 0
    for at in range(end - begin):
        one, other = lefts[at], rights[at]
        left = max((min(one, other) - origin) * scale, 0.0)
        right = min((max(one, other) - origin) * scale, width)
        if right > left:
            rows[spans], lefts[spans], rights[spans] = begin + at, left, right
            spans += 1
    return spans


@inline
def sort_crossings(crossings, ways, first, number, stride):
    """Sort the crossings of one row, which are a stride apart, and their ways with them."""
    for later in range(1, number):
        k = first + later * stride
        crossing, way = crossings[k], ways[k]
        while k >= first + stride and crossings[k - stride] > crossing:
            crossings[k], ways[k] = crossings[k - stride], ways[k - stride]
            k -= stride
        crossings[k], ways[k] = crossing, way


@inline
def cross(upper_x, upper_y, lower_x, lower_y, rows, way, begin, grid, scratch):
    """Note where an edge crosses the sample rows from `rows[0]` to before `rows[1]`, and which way.

    `begin` is the first row that is noted.
    """
    crossings, ways, crossed = scratch[5], scratch[6], scratch[7]
    stride = len(crossed)
    slope = (lower_x - upper_x) / (lower_y - upper_y)
    x = upper_x + (grid[0] - upper_y) * slope
    slope *= grid[1]
    for row in range(rows[0], rows[1]):
        crossing = x + row * slope
        # As they come: those of all rows that come first lie together, then the second ones,
        # and so on, as more than two are rare.
        k = row - begin + crossed[row - begin] * stride
        # Rounding may add crossings to a curve that touches a row.
        if k < len(crossings):
            crossings[k], ways[k] = crossing, way
            crossed[row - begin] += 1


@inline
def join_crossings(begin, end, grid, scratch):
    """Cut rows into spans, where the crossings wind around a point; return their number."""
    origin, scale, width = grid[2], grid[3], grid[4]
    rows, lefts, rights = scratch[0], scratch[1], scratch[2]
    crossings, ways, crossed = scratch[5], scratch[6], scratch[7]
    stride = len(crossed)
    spans = 0
    for row in range(begin, end):
        i = row - begin
        if crossed[i] == 2:
            # What comes in goes out again, whichever of them that is.
            one, other = crossings[i], crossings[i + stride]
            start = max((min(one, other) - origin) * scale, 0.0)
            stop = min((max(one, other) - origin) * scale, width)
            if stop > start:
                rows[spans], lefts[spans], rights[spans] = row, start, stop
                spans += 1
            continue
        sort_crossings(crossings, ways, i, crossed[i], stride)
        winding, left = 0, crossings[i]
        for number in range(crossed[i]):
            k = i + number * stride
            if winding == 0:
                left = crossings[k]
            winding += ways[k]
            if winding == 0:
                start = max((left - origin) * scale, 0.0)
                stop = min((crossings[k] - origin) * scale, width)
                if stop > start:
                    rows[spans], lefts[spans], rights[spans] = row, start, stop
                    spans += 1
    return spans


@inline
def trace_outline(points, first, last, grid, scratch):
    """Cut any closed polygon into spans, as `trace_convex` does: where it winds around a point."""
    places, crossed = scratch[4], scratch[7]
    begin, end = place_corners(points, first, last, grid, places)
    for i in range(end - begin):
        crossed[i] = 0
    j = len(points) - 1
    for i in range(len(points)):
        upper, lower, way = (i, j, 1) if places[i] < places[j] else (j, i, -1)
        j = i
        if places[upper] == places[lower]:
            continue
        cross(
            *(points[upper, 0], points[upper, 1], points[lower, 0], points[lower, 1]),
            *((places[upper], places[lower]), way, begin, grid, scratch),
        )
    return join_crossings(begin, end, grid, scratch)


@inline
def trace_curves(points, first, last, grid, scratch):
    """Cut closed contours of cubic Bézier curves into spans, as `trace_outline` does.

    Rows 4i to 4i + 3 of `points` are the control points of curve i. Curves become straight pieces.
    """
    top, pitch, scale, crossed = grid[0], grid[1], grid[3], scratch[7]
    inverse, tolerance = 1 / pitch, FLAT * pitch * min(pitch * scale, 1.0)
    # A curve lies between its control points.
    low = high = points[0, 1]
    for i in range(len(points)):
        low, high = min(low, points[i, 1]), max(high, points[i, 1])
    begin = clamp_row((low - top) * inverse, first, last)
    end = clamp_row((high - top) * inverse, first, last)
    for i in range(end - begin):
        crossed[i] = 0
    x, y, place = np.nan, np.nan, begin
    for i in range(0, len(points), 4):
        xa, ya, xd, yd = points[i, 0], points[i, 1], points[i + 3, 0], points[i + 3, 1]
        if x != xa or y != ya:
            x, y, place = xa, ya, clamp_row((ya - top) * inverse, begin, end)
        final = clamp_row((yd - top) * inverse, begin, end)
        # The coefficients of the polynomial a + ct + bt² + et³.
        cx, cy = 3 * (points[i + 1, 0] - xa), 3 * (points[i + 1, 1] - ya)
        bx, by = 3 * points[i + 2, 0] - 3 * xa - 2 * cx, 3 * points[i + 2, 1] - 3 * ya - 2 * cy
        ex, ey = xd - xa - cx - bx, yd - ya - cy - by
        # Half of the second derivative at both ends, between which it is linear.
        fx, fy = bx + 3 * ex, by + 3 * ey
        square = math.sqrt(max(bx * bx + by * by, fx * fx + fy * fy)) / (4 * tolerance)
        pieces = 1 + int(math.sqrt(square)) if square < MOST_PIECES**2 else MOST_PIECES
        step = 1 / pieces
        # Inner corners lie as far outside of the curve as keeps its area.
        out = step / (6 * max(pieces - 1, 1))
        ox, oy, gx, gy = xa - out * bx, ya - out * by, cx - 3 * out * ex, cy - 3 * out * ey
        for k in range(1, pieces + 1):
            u, v, after = xd, yd, final
            if k < pieces:
                t = k * step
                u, v = ox + t * (gx + t * (bx + t * ex)), oy + t * (gy + t * (by + t * ey))
                after = clamp_row((v - top) * inverse, begin, end)
            if place < after:
                cross(x, y, u, v, (place, after), -1, begin, grid, scratch)
            elif after < place:
                cross(u, v, x, y, (after, place), 1, begin, grid, scratch)
            x, y, place = u, v, after
    return join_crossings(begin, end, grid, scratch)


@inline
def cover(scratch, span, spans, last, changes):
    """Add the spans from number `span` on that lie before sample row `last` to a row of pixels.

    `changes` [width + 1] is how the covered length differs from that of the pixel before, in sample
    rows. Returns the number of the next span and the first and last pixel that are touched.
    """
    rows, lefts, rights = scratch[0], scratch[1], scratch[2]
    final = len(changes) - 2
    low, high = final, 0
    while span < spans and rows[span] < last:
        left, right = lefts[span], rights[span]
        i, j = int(left), min(int(right), final)
        changes[i] += i + 1 - left
        changes[i + 1] += left - i
        changes[j] -= j + 1 - right
        changes[j + 1] -= right - j
        low, high = min(low, i), max(high, j)
        span += 1
    return span, low, high
