"""The parts of a drawing as a plotter sees them: outlines, and the spines of strokes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.errors import UsageError
from artgen.generic import GenericFunction
from artgen.output.parts import flat_parts
from artgen.primitives import Primitive

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


def frame(canvas: Canvas) -> PenPart:
    """Return the whole canvas as a part, in canvas units."""
    x, y = canvas.reach
    return PenPart((np.array([[-x, -y], [x, -y], [x, y], [-x, y]]),))


@GenericFunction
def pen_parts(primitive: Primitive, drawing: Drawing) -> list[PenPart]:
    """List the parts that a pen draws, from the lowest to the highest, in canvas units.

    By default these are the flat parts. Raises UsageError where there are none.
    """
    if flat_parts.dispatch(type(primitive)) is flat_parts.dispatch(object):
        raise UsageError(
            f"{drawing.primitive} is a {primitive.family}: it has no parts that a pen could draw",
            hint="only shapes, cells and splats have them; use -o FILE.png",
        )
    return [
        PenPart(tuple(rings), part.spine())
        for part in flat_parts(primitive, drawing)
        if (rings := part.rings())
    ]


def parts_of(drawing: Drawing, primitive: Primitive) -> list[PenPart]:
    """List the parts of a drawing as `pen_parts` does, after a check.

    Raises InputError where the drawing's tensors are not those of `primitive`.
    """
    primitive.check_tensors(drawing)
    return pen_parts(primitive, drawing)


def signed_area(ring: Floats) -> float:
    """Return the area of a polygon, positive if its corners turn from x to y."""
    x, y = ring.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2


def principal_axis(part: PenPart) -> tuple[float, float, Floats]:
    """Return the angle of the longest axis, the ratio of length to width, and the middle [2]."""
    points = np.concatenate([_along(ring) for ring in part.rings])
    values, vectors = np.linalg.eigh(np.cov(points.T))
    longest = vectors[:, 1]
    ratio = float(np.sqrt(values[1] / max(values[0], 1e-12)))
    return float(np.arctan2(longest[1], longest[0])), ratio, points.mean(0)


def _along(ring: Floats, count: int = 64) -> Floats:
    """Return points at equal distances along a ring."""
    closed = np.concatenate([ring, ring[:1]])
    reach = np.concatenate([[0.0], np.hypot(*np.diff(closed, axis=0).T).cumsum()])
    places = np.linspace(0, reach[-1], count, endpoint=False)
    return np.stack([np.interp(places, reach, column) for column in closed.T], 1)


def stroke_width(part: PenPart) -> float:
    """Return the mean width of a part with a spine."""
    assert part.spine is not None
    reach = float(np.hypot(*np.diff(part.spine, axis=0).T).sum())
    return sum(abs(signed_area(ring)) for ring in part.rings) / max(reach, 1e-9)


def thickness(part: PenPart) -> float:
    """Return the approximate thickness of a part: twice its area divided by its perimeter."""
    reach = sum(np.hypot(*(ring - np.roll(ring, 1, axis=0)).T).sum() for ring in part.rings)
    return 2 * sum(abs(signed_area(ring)) for ring in part.rings) / max(float(reach), 1e-9)
