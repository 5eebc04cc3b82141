"""Voronoi cells: every point belongs to the nearest site."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artgen import Partition, Preset

Floats = NDArray[np.float64]


class Voronoi(Partition):
    """The position (x, y) of each site."""

    genes = 2
    defaults = Preset(count=300)

    @staticmethod
    def line(genes: Floats, y: float) -> tuple[float, float]:
        """Return the squared distance (x - x0)² + (y - y0)², without x², which all sites share."""
        return -2 * genes[0], genes[0] * genes[0] + (y - genes[1]) * (y - genes[1])
