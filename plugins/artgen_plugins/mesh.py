"""A mesh of triangles: low-poly, or shaded smoothly between its vertices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from artgen import Mesh, Preset, option
from artgen.primitives import EdgeOptions


@dataclass(frozen=True)
class LowPolyOptions(EdgeOptions):
    """Options of `mesh`."""

    shading: Literal["flat", "smooth"] = option(
        "flat", "flat: one colour per triangle; smooth: one per vertex, blended between them"
    )


class LowPoly(Mesh):
    """Triangles between moving vertices, each of one colour or blended between its corners."""

    Options = LowPolyOptions
    defaults = Preset(count=500)

    @property
    def colours_per_vertex(self) -> int:
        """Flat: one for the triangle to the left of the vertex, one for that to its right."""
        return 1 if self.options.shading == "smooth" else 2

    @property
    def palettes(self) -> bool:
        """True where the picture has no colours between those of the vertices."""
        return bool(self.options.shading == "flat")

    @property
    def can_be_transparent(self) -> bool:
        """True where a triangle can be left out: it has a colour of its own."""
        return self.palettes

    def corner_colours(
        self, xy: NDArray[np.float64], triangles: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the colours of the vertices, or three times the colour of the triangle.

        Every triangle lies directly to the left or directly to the right of its middle corner from
        top to bottom, and no other triangle does. So two colours per vertex are one per triangle.
        Of vertices at the same height, the one on the left counts as higher.
        """
        if self.options.shading == "smooth":
            return triangles
        height = np.empty(len(xy), np.int64)
        height[np.lexsort(xy.T)] = np.arange(len(xy))
        order = np.argsort(height[triangles], axis=1)
        top, middle, bottom = np.take_along_axis(triangles, order, axis=1).T
        side, down = xy[middle] - xy[top], xy[bottom] - xy[top]
        # The longest side passes the middle corner on its right where the triangle lies there.
        right = down[:, 0] * side[:, 1] - down[:, 1] * side[:, 0] > 0
        return np.repeat((2 * middle + right)[:, None], 3, axis=1)
