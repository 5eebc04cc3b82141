"""Ellipses: with upright axes, at most ten times as long as wide."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from artgen_plugins.rectangle import Rectangle

Floats = NDArray[np.float64]


class Ellipse(Rectangle):
    """The centre (x, y) and half the axes."""

    gene_names = ("x", "y", "radius_x", "radius_y")

    @staticmethod
    def span(genes: Floats, y: float) -> tuple[float, float]:
        """Return the left and right end at `y`: those of a circle, stretched."""
        t = (y - genes[1]) / genes[3]
        half = genes[2] * math.sqrt(max(0.0, 1 - t * t))
        return genes[0] - half, genes[0] + half

    def svg(self, genes: Floats) -> str:
        """An ellipse."""
        x, y, a, b = genes
        return f'<ellipse cx="{x:.6g}" cy="{y:.6g}" rx="{a:.6g}" ry="{b:.6g}"/>'
