"""Rectangles at any angle, at most ten times as long as wide."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from artgen import Preset, Shape

Floats = NDArray[np.float64]

SLIMMEST = 0.1


class RotatedRectangle(Shape):
    """The centre (x, y), the middle of one side relative to it, and half the other side.

    A vector instead of an angle: every gene is a length, and nothing has to be a sine.
    """

    genes, vertices, convex = 5, 4, True
    gene_names = ("x", "y", "axis_x", "axis_y", "half_width")
    defaults = Preset(count=150)

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        """Centre it near (x, y), at a random angle."""
        genes[0], genes[1] = x, y
        genes[2], genes[3] = size * (2 * rng.random() - 1), size * (2 * rng.random() - 1)
        genes[4] = size * (0.2 + 0.8 * rng.random())

    @staticmethod
    def valid(genes: Floats) -> bool:
        """Refuse slivers and negative sides."""
        length = math.hypot(genes[2], genes[3])
        return bool(min(length, genes[4]) > SLIMMEST * max(length, genes[4], 0.0))

    @staticmethod
    def outline(genes: Floats, points: Floats) -> None:
        """Write the corners in order."""
        x, y, u, v = genes[0], genes[1], genes[2], genes[3]
        scale = genes[4] / math.hypot(u, v)
        p, q = -v * scale, u * scale
        points[0, 0], points[0, 1] = x + u + p, y + v + q
        points[1, 0], points[1, 1] = x - u + p, y - v + q
        points[2, 0], points[2, 1] = x - u - p, y - v - q
        points[3, 0], points[3, 1] = x + u - p, y + v - q
