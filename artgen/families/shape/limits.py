"""Limits of shapes: how long, narrow and sharp they may be. Kernels compile this function too."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def within(
    points: NDArray[np.float64],
    smallest: float,
    largest: float,
    narrowest: float,
    thinnest: float,
    sharpest: float,
) -> bool:
    """Return whether the corners [N, 2] of a shape keep to the limits.

    Of all rectangles around them with a side along an edge, that of the least width counts. Its
    length is from `smallest` to `largest`, and at most `narrowest` times its width, which is at
    least `thinnest`. No corner has an angle whose cosine is above `sharpest`.
    """
    length, width = 0.0, math.inf
    first_x = first_y = last_x = last_y = 0.0
    j = len(points) - 1
    for i in range(len(points)):
        along_x, along_y = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1]
        j = i
        norm = math.hypot(along_x, along_y)
        if norm == 0:
            continue
        along_x, along_y = along_x / norm, along_y / norm
        if last_x == last_y == 0:
            first_x, first_y = along_x, along_y
        elif -(last_x * along_x + last_y * along_y) > sharpest:
            return False
        last_x, last_y = along_x, along_y
        left = low = math.inf
        right = high = -math.inf
        for k in range(len(points)):
            u = points[k, 0] * along_x + points[k, 1] * along_y
            v = points[k, 1] * along_x - points[k, 0] * along_y
            left, right = min(left, u), max(right, u)
            low, high = min(low, v), max(high, v)
        if min(right - left, high - low) < width:
            width = min(right - left, high - low)
            length = max(right - left, high - low)
    if -(last_x * first_x + last_y * first_y) > sharpest or width < thinnest:
        return False
    return smallest <= length <= largest and length <= narrowest * width
