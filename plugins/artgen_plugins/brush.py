"""Brush strokes: quadratic Bézier curves that begin round and run out thin."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from artgen import Preset, Shape
from artgen_plugins.bezier import PIECES, Bezier

Floats = NDArray[np.float64]

HEAD, TAIL = 0.12, 0.55
"""The parts of a stroke in which it gets as wide as it is, and in which it runs out."""


class Brush(Bezier):
    """Begin, control point and end (x, y of each), and half the width where it is widest."""

    defaults = Preset(count=400)
    svg = Shape.svg

    @staticmethod
    def outline(genes: Floats, points: Floats) -> None:
        """Go along one side of the stroke and back along the other."""
        for i in range(PIECES + 1):
            t = i / PIECES
            s = 1 - t
            u = s * (genes[2] - genes[0]) + t * (genes[4] - genes[2])
            v = s * (genes[3] - genes[1]) + t * (genes[5] - genes[3])
            x = s * s * genes[0] + 2 * s * t * genes[2] + t * t * genes[4]
            y = s * s * genes[1] + 2 * s * t * genes[3] + t * t * genes[5]
            wide = math.sqrt(min(1.0, (t + 0.03) / HEAD) * min(1.0, (s + 0.04) / TAIL))
            scale = genes[6] * wide / math.sqrt(u * u + v * v)
            points[i, 0], points[i, 1] = x - v * scale, y + u * scale
            j = 2 * PIECES + 1 - i
            points[j, 0], points[j, 1] = x + v * scale, y - u * scale
