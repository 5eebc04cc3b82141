"""Straight strokes of any width, at least twice as long as wide."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from artgen import Preset, Shape

Floats = NDArray[np.float64]


class Line(Shape):
    """The two ends (x, y), and half the width."""

    genes, vertices, convex = 5, 4, True
    gene_names = ("x1", "y1", "x2", "y2", "half_width")
    defaults = Preset(count=150)

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        """Draw a thin line from (x, y) to a point within `size`."""
        genes[0], genes[1] = x, y
        genes[2], genes[3] = x + size * (2 * rng.random() - 1), y + size * (2 * rng.random() - 1)
        genes[4] = size * (0.02 + 0.1 * rng.random())

    @staticmethod
    def mutate(genes: Floats, rng: np.random.Generator, step: float) -> None:
        """Move a point, or change the width, which comes last and is the smaller number."""
        i = 2 * int((len(genes) + 1) / 2 * rng.random())
        if i == len(genes) - 1:
            genes[i] += 0.2 * step * rng.standard_normal()
        else:
            genes[i] += step * rng.standard_normal()
            genes[i + 1] += step * rng.standard_normal()

    @staticmethod
    def valid(genes: Floats) -> bool:
        """Accept lines longer than wide; refuse hairs and negative widths."""
        length = math.hypot(genes[2] - genes[0], genes[3] - genes[1])
        return bool(length > 4 * genes[4] > 0.02 * length)

    @staticmethod
    def outline(genes: Floats, points: Floats) -> None:
        """Write the corners of the stroke."""
        xa, ya, xb, yb = genes[0], genes[1], genes[2], genes[3]
        scale = genes[4] / math.hypot(xb - xa, yb - ya)
        p, q = (ya - yb) * scale, (xb - xa) * scale
        points[0, 0], points[0, 1] = xa + p, ya + q
        points[1, 0], points[1, 1] = xb + p, yb + q
        points[2, 0], points[2, 1] = xb - p, yb - q
        points[3, 0], points[3, 1] = xa - p, ya - q

    def svg(self, genes: Floats) -> str:
        """Return a stroked line."""
        xa, ya, xb, yb, half = genes
        ends = f'x1="{xa:.6g}" y1="{ya:.6g}" x2="{xb:.6g}" y2="{yb:.6g}"'
        return f'<line {ends} stroke="currentColor" stroke-width="{2 * half:.6g}"/>'

    def spine(self, genes: Floats) -> Floats:
        """Return the two ends."""
        return genes[:4].reshape(2, 2)
