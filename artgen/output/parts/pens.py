"""The parts of a drawing as a pen sees them: outlines, spines of strokes, and finished lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import UsageError
from artgen.base.generic import generic
from artgen.output.parts.flat import flat_parts
from artgen.primitives import Primitive
from artgen.values.drawing import Drawing

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PenPart:
    """Outline and spine of a part, in any unit of length.

    `rings` are closed polygons, float64 [corners, 2], filled where their common winding number is
    not zero. `spine` is the middle line of a stroke, float64 [points, 2], or None.
    """

    rings: tuple[Floats, ...]
    spine: Floats | None = None

    def placed(self, scale: float, centre: tuple[float, float]) -> PenPart:
        """Scale the part and move its origin to `centre`."""
        rings = tuple(ring * scale + centre for ring in self.rings)
        return PenPart(rings, None if self.spine is None else self.spine * scale + centre)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The bounding box: smallest x and y, largest x and y."""
        points = np.concatenate(self.rings)
        (left, top), (right, bottom) = points.min(0), points.max(0)
        return float(left), float(top), float(right), float(bottom)


@generic("export")
def pen_parts(primitive: Primitive, drawing: Drawing) -> list[PenPart]:
    """List the parts that a pen draws, from the lowest to the highest, in canvas units.

    By default these are the flat parts. Raises UsageError where there are none.
    """
    if not flat_parts.is_answered(type(primitive)):
        raise UsageError(
            f"{drawing.primitive} is a {primitive.family}: it has no parts that a pen could draw",
            hint="only shapes, cells and splats have them; use -o FILE.png",
        )
    return [
        PenPart(tuple(rings), part.spine())
        for part in flat_parts(primitive, drawing)
        if (rings := part.rings())
    ]


@generic("export")
def pen_lines(
    primitive: Primitive, drawing: Drawing, width: float
) -> list[tuple[str, list[Floats]]] | None:
    """Return the lines [points, 2] that draw each ink with a pen of `width`, in canvas units.

    They are listed with the colour of the ink, ``#rrggbb``. By default it is None: lines are found
    by hatching the parts.
    """
    return None
