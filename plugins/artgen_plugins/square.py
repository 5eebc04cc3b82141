"""Upright squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artgen import Preset, Shape
from artgen_plugins.rectangle import Rectangle

Floats = NDArray[np.float64]


class Square(Shape):
    """The centre (x, y) and half a side."""

    genes = 3
    gene_names = ("x", "y", "half_side")
    defaults = Preset(count=150)

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        """Centre it near (x, y)."""
        genes[0], genes[1], genes[2] = x, y, size * (0.2 + 0.8 * rng.random())

    @staticmethod
    def valid(genes: Floats) -> bool:
        """Refuse negative sizes."""
        return bool(genes[2] > 0)

    @staticmethod
    def bounds(genes: Floats) -> tuple[float, float]:
        """Return the y of the top and of the bottom."""
        return genes[1] - genes[2], genes[1] + genes[2]

    span = staticmethod(Rectangle.span)

    def svg(self, genes: Floats) -> str:
        """A rectangle."""
        x, y, r = genes
        return f'<rect x="{x - r:.6g}" y="{y - r:.6g}" width="{2 * r:.6g}" height="{2 * r:.6g}"/>'
