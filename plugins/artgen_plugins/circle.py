"""Circles."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from artgen_plugins.square import Square

Floats = NDArray[np.float64]


class Circle(Square):
    """The centre (x, y) and the radius."""

    gene_names = ("x", "y", "radius")

    @staticmethod
    def span(genes: Floats, y: float) -> tuple[float, float]:
        """Return the left and right end at `y`, by Pythagoras."""
        half = math.sqrt(max(0.0, genes[2] ** 2 - (y - genes[1]) ** 2))
        return genes[0] - half, genes[0] + half

    def svg(self, genes: Floats) -> str:
        """A circle."""
        return f'<circle cx="{genes[0]:.6g}" cy="{genes[1]:.6g}" r="{genes[2]:.6g}"/>'
