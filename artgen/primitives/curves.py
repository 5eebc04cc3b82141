"""Closed contours of cubic Bézier curves: found among control points, joined, written as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from artgen.svg.curves import bezier_points as bezier_points

Floats = NDArray[np.float64]

MOST_CORNERS = 400
"""Of a longer contour, `main_corners` looks at fewer."""


def join_curves(points: Floats) -> list[Floats]:
    """Split control points [4N, 2] into closed contours, float64 [curves, 4, 2] each.

    A contour goes on while a curve starts where the one before ends. Curves that are one point
    are left out.
    """
    curves = points.reshape(-1, 4, 2)
    curves = curves[(curves != curves[:, :1]).any((1, 2))]
    breaks = np.nonzero((curves[1:, 0] != curves[:-1, 3]).any(1))[0] + 1
    return [each for each in np.split(curves, breaks) if len(each)]


def main_corners(points: Floats, count: int) -> Floats:
    """Return the `count` corners of a closed polygon [N, 2] that matter most, in order.

    See `Shape.main_corners`.
    """
    kept = points[:: math.ceil(len(points) / MOST_CORNERS)]
    while len(kept) > count:
        after, before = np.roll(kept, -1, axis=0) - kept, kept - np.roll(kept, 1, axis=0)
        area = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])
        kept = np.delete(kept, area.argmin(), axis=0)
    while len(kept) < count:
        after = np.roll(kept, -1, axis=0)
        longest = int(np.linalg.norm(after - kept, axis=1).argmax())
        middle = (kept[longest] + after[longest]) / 2
        kept = np.insert(kept, longest + 1, middle, axis=0)
    return kept


def join_rings(rings: Sequence[Floats]) -> Floats:
    """Return closed polygons as one, which lines of no width join; empty without polygons."""
    if not rings:
        return np.empty((0, 2))
    first = rings[0]
    if len(rings) == 1:
        return first
    there_and_back = [np.concatenate([ring, ring[:1], first[:1]]) for ring in rings[1:]]
    return np.concatenate([first, first[:1], *there_and_back])


def path_data(contours: Sequence[Floats]) -> str:
    """Return contours as data of an SVG path, with the commands M, C and Z."""
    text = ""
    for contour in contours:
        x, y = contour[0, 0].tolist()
        text += f"M{x:.6g},{y:.6g}"
        for curve in contour[:, 1:].tolist():
            text += "C" + " ".join(f"{x:.6g},{y:.6g}" for x, y in curve)
        text += "Z"
    return text
