"""Quadratic Bézier curves, stroked with any width."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from artgen import Preset, Shape
from artgen_plugins.line import Line

Floats = NDArray[np.float64]

PIECES = 12
"""Straight pieces per curve."""


class Bezier(Shape):
    """Begin, control point and end (x, y of each), and half the width of the stroke."""

    genes, vertices = 7, 2 * (PIECES + 1)
    gene_names = ("x1", "y1", "x2", "y2", "x3", "y3", "half_width")
    defaults = Preset(count=150)

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        """Start at (x, y), then two points, each within `size` of the previous one; thin."""
        genes[0], genes[1] = x, y
        for i in range(2, 6):
            genes[i] = genes[i - 2] + size * (2 * rng.random() - 1)
        genes[6] = size * (0.02 + 0.1 * rng.random())

    mutate = staticmethod(Line.mutate)

    @staticmethod
    def valid(genes: Floats) -> bool:
        """Refuse curves that turn back, are wider than long, very thin, or of negative width."""
        ax, ay = genes[2] - genes[0], genes[3] - genes[1]
        bx, by = genes[4] - genes[2], genes[5] - genes[3]
        length = math.hypot(ax, ay) + math.hypot(bx, by)
        return bool(ax * bx + ay * by > 0 and length > 4 * genes[6] > 0.02 * length)

    @staticmethod
    def outline(genes: Floats, points: Floats) -> None:
        """Go along one side of the curve and back along the other."""
        for i in range(PIECES + 1):
            t = i / PIECES
            s = 1 - t
            # The tangent is the derivative, halved.
            u = s * (genes[2] - genes[0]) + t * (genes[4] - genes[2])
            v = s * (genes[3] - genes[1]) + t * (genes[5] - genes[3])
            x = s * s * genes[0] + 2 * s * t * genes[2] + t * t * genes[4]
            y = s * s * genes[1] + 2 * s * t * genes[3] + t * t * genes[5]
            scale = genes[6] / math.sqrt(u * u + v * v)
            points[i, 0], points[i, 1] = x - v * scale, y + u * scale
            j = 2 * PIECES + 1 - i
            points[j, 0], points[j, 1] = x + v * scale, y - u * scale

    def svg(self, genes: Floats) -> str:
        """A stroked path."""
        xa, ya, xb, yb, xc, yc, half = genes
        path = f"M{xa:.6g},{ya:.6g}Q{xb:.6g},{yb:.6g} {xc:.6g},{yc:.6g}"
        stroke = f'stroke="currentColor" stroke-width="{2 * half:.6g}"'
        return f'<path d="{path}" fill="none" {stroke}/>'

    def spine(self, genes: Floats) -> Floats:
        """The curve itself."""
        t = np.linspace(0, 1, 2 * PIECES + 1)[:, None]
        a, b, c = genes[:6].reshape(3, 2)
        return (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
