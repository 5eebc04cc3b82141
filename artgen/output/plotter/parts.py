"""The parts of a drawing as a plotter sees them: outlines, and the spines of strokes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artgen.output.parts.pens import PenPart, pen_parts
from artgen.primitives import Primitive
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing

Floats = NDArray[np.float64]


def frame(canvas: Canvas) -> PenPart:
    """Return the whole canvas as a part, in canvas units."""
    x, y = canvas.reach
    return PenPart((np.array([[-x, -y], [x, -y], [x, y], [-x, y]]),))


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
