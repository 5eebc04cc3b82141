"""Circles."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from artgen import Preset, Shape

Floats = NDArray[np.float64]


class Circle(Shape):
    """The centre (x, y) and the radius."""

    genes = 3
    gene_names = ("x", "y", "radius")
    defaults = Preset(count=150)

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        """Centre the circle near (x, y)."""
        genes[0], genes[1], genes[2] = x, y, size * (0.2 + 0.8 * rng.random())

    @staticmethod
    def valid(genes: Floats) -> bool:
        """Refuse negative radii."""
        return bool(genes[2] > 0)

    @staticmethod
    def bounds(genes: Floats) -> tuple[float, float]:
        """Return the y of the top and of the bottom."""
        return genes[1] - genes[2], genes[1] + genes[2]

    @staticmethod
    def span(genes: Floats, y: float) -> tuple[float, float]:
        """Return the left and right end at `y`, by Pythagoras."""
        half = math.sqrt(max(0.0, genes[2] ** 2 - (y - genes[1]) ** 2))
        return genes[0] - half, genes[0] + half

    def svg(self, genes: Floats) -> str:
        """A circle."""
        return f'<circle cx="{genes[0]:.6g}" cy="{genes[1]:.6g}" r="{genes[2]:.6g}"/>'
