"""Ellipses: with upright axes, at most ten times as long as wide."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from artgen import Preset, Shape

Floats = NDArray[np.float64]

SLIMMEST = 0.1


class Ellipse(Shape):
    """The centre (x, y) and half the axes."""

    genes = 4
    gene_names = ("x", "y", "radius_x", "radius_y")
    defaults = Preset(count=150)

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        """Centre the ellipse near (x, y), with random axes."""
        genes[0], genes[1] = x, y
        genes[2], genes[3] = size * (0.2 + 0.8 * rng.random()), size * (0.2 + 0.8 * rng.random())

    @staticmethod
    def valid(genes: Floats) -> bool:
        """Refuse slivers and negative axes."""
        return bool(min(genes[2], genes[3]) > SLIMMEST * max(genes[2], genes[3], 0.0))

    @staticmethod
    def bounds(genes: Floats) -> tuple[float, float]:
        """Return the y of the top and of the bottom."""
        return genes[1] - genes[3], genes[1] + genes[3]

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
