"""Polygons, and Bézier curves as polygons."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FLAT = 2e-3
"""Largest distance of a flattened curve, relative to the longer side of its contour."""


def bezier_points(controls: Floats, t: Floats) -> Floats:
    """Return the points [T, 2] at `t` [T], from 0 to 1, of a Bézier curve of any degree.

    `controls` [degree + 1, 2] are its control points.
    """
    degree, t = len(controls) - 1, t[:, None]
    points: Floats = sum(
        math.comb(degree, k) * (1 - t) ** (degree - k) * t**k * control
        for k, control in enumerate(controls)
    )
    return points


def flatten(contour: Floats) -> Floats:
    """Return a contour [curves, 4, 2] as a polygon, float64 [corners, 2]."""
    side = np.ptp(contour.reshape(-1, 2), axis=0).max()
    bend = np.linalg.norm(contour[:, 2:] - 2 * contour[:, 1:-1] + contour[:, :-2], axis=2).max(1)
    # The second derivative is at most six times the bend.
    pieces = np.ceil(np.sqrt(6 * bend / (8 * FLAT * side))).astype(np.int64).clip(1)
    first = np.cumsum(pieces) - pieces
    corners = np.empty((int(pieces.sum()), 2))
    for number in np.unique(pieces).tolist():
        alike = pieces == number
        # The points of a curve lie side by side: [4, curves, 1, 2] by [pieces, 1].
        controls = contour[alike].transpose(1, 0, 2)[:, :, None]
        points = bezier_points(controls, np.arange(number) / number)
        corners[first[alike][:, None] + np.arange(number)] = points
    return corners


def signed_area(ring: Floats) -> float:
    """Return the area of a polygon, positive if its corners turn from x to y."""
    x, y = ring.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2


def passages(
    ring: Floats, levels: Floats, compare: Callable[[int], object] = abs
) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Return where the edges of a polygon pass heights `levels` [N], which are sorted.

    For each such passage: the number of the level, x, and 1 where y grows along the edge, else -1;
    the sum on the right of a point is how often the polygon winds around it. Before edges and
    levels are compared, `compare` is told how many pairs there are, and may raise.
    """
    (x, y), (u, v) = ring.T, np.roll(ring, -1, axis=0).T
    first, last = (levels.searchsorted(each(y, v)) for each in (np.minimum, np.maximum))
    crossed = last - first
    compare(int(crossed.sum()))
    edge = np.repeat(np.arange(len(ring)), crossed)
    level = np.arange(len(edge)) + np.repeat(last - np.cumsum(crossed), crossed)
    x, y, u, v = x[edge], y[edge], u[edge], v[edge]
    return level, x + (levels[level] - y) / (v - y) * (u - x), np.where(v > y, 1, -1)


def windings(
    rings: Iterable[Floats], width: int, height: int, compare: Callable[[int], object] = abs
) -> NDArray[np.int32]:
    """Return how often polygons wind around the middle of each pixel, [height, width].

    A polygon may cross itself, and wind around a pixel twice. `compare` is that of `passages`.
    """
    turns = np.zeros((height, width + 1), np.int32)
    for ring in rings:
        row, x, way = passages(ring - 0.5, np.arange(float(height)), compare)
        np.add.at(turns, (row, np.ceil(x).clip(0, width).astype(np.int64)), way)
    return turns.cumsum(1, dtype=np.int32)[:, :width]
