"""Ellipses at any angle, at most ten times as long as wide."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from artgen import Preset, Shape
from artgen_plugins.rotated_rectangle import RotatedRectangle

Floats = NDArray[np.float64]


class RotatedEllipse(Shape):
    """The centre (x, y), the end (u, v) of one half axis relative to it, half the other axis b.

    With a² = u² + v² its points are those with dᵀS⁻¹d ≤ 1, where S has the elements
    Sxx = u² + (bv/a)², Sxy = uv(1 − (b/a)²) and Syy = v² + (bu/a)², and the determinant (ab)².
    """

    genes = 5
    gene_names = ("x", "y", "axis_x", "axis_y", "half_width")
    defaults = Preset(count=150)

    random = staticmethod(RotatedRectangle.random)
    valid = staticmethod(RotatedRectangle.valid)

    @staticmethod
    def bounds(genes: Floats) -> tuple[float, float]:
        """Return the y of the top and of the bottom: √Syy from the centre."""
        u, v, b = genes[2], genes[3], genes[4]
        half = math.sqrt(v * v + b * b * u * u / (u * u + v * v))
        return genes[1] - half, genes[1] + half

    @staticmethod
    def span(genes: Floats, y: float) -> tuple[float, float]:
        """Return the ends at `y`: Sxy/Syy·dy ± ab·√((1 − dy²/Syy)/Syy) from the centre."""
        u, v, b = genes[2], genes[3], genes[4]
        aa, bb, dy = u * u + v * v, b * b, y - genes[1]
        syy = v * v + bb * u * u / aa
        middle = genes[0] + dy * u * v * (1 - bb / aa) / syy
        half = math.sqrt(aa * bb * max(0.0, 1 - dy * dy / syy) / syy)
        return middle - half, middle + half

    def svg(self, genes: Floats) -> str:
        """An ellipse, rotated about its centre."""
        x, y, u, v, b = genes
        turn = f"rotate({math.degrees(math.atan2(v, u)):.6g} {x:.6g} {y:.6g})"
        radii = f'rx="{math.hypot(u, v):.6g}" ry="{b:.6g}"'
        return f'<ellipse cx="{x:.6g}" cy="{y:.6g}" {radii} transform="{turn}"/>'
