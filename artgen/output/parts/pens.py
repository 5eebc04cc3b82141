"""The parts of a drawing as a pen sees them: outlines, spines of strokes, and finished lines.

A file of flat parts is refused where there are none, with a word of those for pens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from artgen.base.errors import UsageError
from artgen.base.generic import generic
from artgen.output.parts.flat import FlatPart, flat_parts
from artgen.output.parts.flat import Floats as Floats
from artgen.primitives import Primitive
from artgen.svg.curves import signed_area
from artgen.targets import hex_colour
from artgen.values.drawing import Drawing

_SAMPLES = 64
"""Points of a ring that stand for it."""


@dataclass(frozen=True, eq=False)
class PenPart:
    """Outline and spine of a part, in any unit of length.

    `rings` are closed polygons, float64 [corners, 2], filled where their common winding number is
    not zero. `spine` is the middle line of a stroke, float64 [points, 2], or None. `colour` is
    ``#rrggbb``, or None for a part without a colour of its own; `alpha` its opacity.
    """

    rings: tuple[Floats, ...]
    spine: Floats | None = None
    colour: str | None = None
    alpha: float = 1.0

    def placed(self, scale: float, centre: tuple[float, float]) -> PenPart:
        """Scale the part and move its origin to `centre`."""
        rings = tuple(ring * scale + centre for ring in self.rings)
        spine = None if self.spine is None else self.spine * scale + centre
        return replace(self, rings=rings, spine=spine)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The bounding box: smallest x and y, largest x and y."""
        points = np.concatenate(self.rings)
        (left, top), (right, bottom) = points.min(0), points.max(0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def area(self) -> float:
        """The areas of all rings together."""
        return sum(abs(signed_area(ring)) for ring in self.rings)

    @property
    def thickness(self) -> float:
        """The approximate thickness: twice the area divided by the perimeter."""
        reach = sum(np.hypot(*(ring - np.roll(ring, 1, axis=0)).T).sum() for ring in self.rings)
        return 2 * self.area / max(float(reach), 1e-9)

    @property
    def stroke_width(self) -> float:
        """The mean width of a part with a spine."""
        assert self.spine is not None
        reach = float(np.hypot(*np.diff(self.spine, axis=0).T).sum())
        return self.area / max(reach, 1e-9)

    def principal_axis(self) -> tuple[float, float, Floats]:
        """Return the angle of the longest axis, its ratio to the width, and the middle [2]."""
        points = np.concatenate([_along(ring) for ring in self.rings])
        values, vectors = np.linalg.eigh(np.cov(points.T))
        longest = vectors[:, 1]
        ratio = float(np.sqrt(values[1] / max(values[0], 1e-12)))
        return float(np.arctan2(longest[1], longest[0])), ratio, points.mean(0)


def _along(ring: Floats) -> Floats:
    """Return points at equal distances along a ring."""
    closed = np.concatenate([ring, ring[:1]])
    reach = np.concatenate([[0.0], np.hypot(*np.diff(closed, axis=0).T).cumsum()])
    places = np.linspace(0, reach[-1], _SAMPLES, endpoint=False)
    return np.stack([np.interp(places, reach, column) for column in closed.T], 1)


@generic("export")
def pen_parts(primitive: Primitive, drawing: Drawing) -> list[PenPart]:
    """List the parts that a pen draws, from the lowest to the highest, in canvas units.

    By default these are the flat parts. Raises UsageError where there are none.
    """
    if not flat_parts.is_answered(type(primitive)):
        raise UsageError(
            f"{drawing.primitive} is a {primitive.family}: it has no parts that a pen could draw",
            hint="shapes, cells, meshes, ink, tilings and splats have them",
        )
    return [
        PenPart(tuple(rings), part.spine(), hex_colour(part.colour), part.alpha)
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


def parts_for(drawing: Drawing, primitive: Primitive, what: str) -> Sequence[FlatPart]:
    """List the parts of a drawing from the lowest to the highest, for a file of the format `what`.

    Raises UsageError where the family has no flat parts, InputError where the tensors are not those
    of `primitive`, PluginError where a plugin does not say what its parts are.
    """
    check_flat(primitive, drawing.primitive, what)
    primitive.check_tensors(drawing)
    return flat_parts(primitive, drawing)


def check_flat(primitive: Primitive, name: str, what: str) -> None:
    """Raise UsageError where a primitive called `name` has no flat parts for `what`."""
    kind = type(primitive)
    if not flat_parts.is_answered(kind):
        lines = what in ("SVG", "PDF") and pen_parts.is_answered(kind)
        raise UsageError(
            f"{name} is a {primitive.family} and cannot be written as {what}, "
            "which is for shapes: triangle, circle, bezier and others",
            hint="use -o FILE.png" + (", or artgen render --page A4 for lines" if lines else ""),
        )


@generic("export")
def overprinted(primitive: Primitive) -> int:
    """Return how many inks multiply what is below them. By default none does."""
    return 0


@generic("export")
def most_opaque(primitive: Primitive, alpha: float) -> float:
    """Return the largest opacity of parts by the engine's `alpha`; 0 asks for none. Default: 1."""
    return 1.0


def check_opaque(alphas: Iterable[float]) -> None:
    """Raise UsageError where parts of these opacities are transparent, which EPS cannot hold."""
    if any(alpha < 1 for alpha in alphas):
        hint = "use -o FILE.pdf, or fit with opaque parts: --set engine.alpha=1.0"
        raise UsageError("EPS cannot hold transparent parts", hint=hint)


def check_inks(inks: int, what: str) -> None:
    """Raise UsageError where more than one ink is overprinted in PDF or EPS."""
    if inks > 1:
        pixels = ", or artgen make poster FILE.art for a PDF of pixels" if what == "PDF" else ""
        hint = f"use -o FILE.svg{pixels}"
        raise UsageError(f"{what} cannot multiply inks", hint=hint)
