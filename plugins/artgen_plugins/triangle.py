"""Triangles without corners sharper than 15 degrees."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from artgen import Preset, Shape
from artgen_plugins.polygon import Polygon

Floats = NDArray[np.float64]

SHARPEST = math.sin(math.radians(15))


class Triangle(Shape):
    """Three corners: x and y of each."""

    genes, vertices, convex = 6, 3, True
    gene_names = ("x1", "y1", "x2", "y2", "x3", "y3")
    defaults = Preset(count=150)

    mutate = staticmethod(Polygon.mutate)
    outline = staticmethod(Polygon.outline)

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        """Place one corner at (x, y) and the others within `size` of it."""
        genes[0], genes[1] = x, y
        for i in range(2, 6):
            genes[i] = genes[i % 2] + size * (2 * rng.random() - 1)

    def from_outline(self, points: Floats) -> Floats:
        """The three main corners of the contour."""
        return self.main_corners(points, 3).ravel()

    @staticmethod
    def valid(genes: Floats) -> bool:
        """Refuse sharp angles: the sine of each is the cross product of its unit sides."""
        for i in range(0, 6, 2):
            j, k = (i + 2) % 6, (i + 4) % 6
            ax, ay = genes[j] - genes[i], genes[j + 1] - genes[i + 1]
            bx, by = genes[k] - genes[i], genes[k + 1] - genes[i + 1]
            lengths = math.sqrt((ax * ax + ay * ay) * (bx * bx + by * by))
            if abs(ax * by - ay * bx) < SHARPEST * lengths:
                return False
        return True
