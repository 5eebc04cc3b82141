"""Rectangles: upright, at most ten times as long as wide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artgen import Preset, Shape

Floats = NDArray[np.float64]

SLIMMEST = 0.1


class Rectangle(Shape):
    """The centre (x, y) and half the width and height."""

    genes = 4
    gene_names = ("x", "y", "half_width", "half_height")
    defaults = Preset(count=150)

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        """Centre it near (x, y), with random sides."""
        genes[0], genes[1] = x, y
        genes[2], genes[3] = size * (0.2 + 0.8 * rng.random()), size * (0.2 + 0.8 * rng.random())

    @staticmethod
    def valid(genes: Floats) -> bool:
        """Refuse slivers and negative sides."""
        return bool(min(genes[2], genes[3]) > SLIMMEST * max(genes[2], genes[3], 0.0))

    @staticmethod
    def bounds(genes: Floats) -> tuple[float, float]:
        """Return the y of the top and of the bottom."""
        return genes[1] - genes[3], genes[1] + genes[3]

    @staticmethod
    def span(genes: Floats, y: float) -> tuple[float, float]:
        """Return the left and right side."""
        return genes[0] - genes[2], genes[0] + genes[2]

    def svg(self, genes: Floats) -> str:
        """A rectangle."""
        x, y, w, h = genes
        return f'<rect x="{x - w:.6g}" y="{y - h:.6g}" width="{2 * w:.6g}" height="{2 * h:.6g}"/>'
