"""Marks and lines between parts as flat parts, and those of one ink joined to few elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from artgen.base.xml import Element
from artgen.output.parts.flat import FlatPart, Floats
from artgen.primitives import Primitive, edge_style
from artgen.raster import edge_lines
from artgen.raster.strokes import corners
from artgen.values.drawing import Drawing

ROUND = 32
"""Corners of a circle as a polygon."""
SAME = 1e-6
"""Largest distance of two points that are one, in canvas units."""


@dataclass(frozen=True, eq=False)
class PlacedMark(FlatPart):
    """A mark with its `stroke`, float64 [6], and the `cap` of its ink."""

    stroke: Floats
    cap: str

    @property
    def dot(self) -> tuple[float, float, float] | None:
        """Return x, y and radius of a mark that is a disc, else None."""
        xa, ya, xb, yb, a, b = self.stroke.tolist()
        if self.cap == "round" and np.hypot(xb - xa, yb - ya) <= abs(a - b) + SAME:
            return (xa, ya, a) if a >= b else (xb, yb, b)
        return None

    def element(self) -> Element | None:
        """Return a ``<circle>`` or a ``<path>``."""
        if not np.isfinite(self.stroke).all():
            return None
        if self.dot:
            place = zip(("cx", "cy", "r"), map(_text, self.dot), strict=True)
            return Element("circle", dict(place))
        return Element("path", {"d": self.data()})

    def data(self) -> str:
        """Return the outline as path data; circles and round ends are arcs."""
        a, b = self.stroke[4:].tolist()
        if self.dot:
            x, y, r = self.dot
            arc = f"A{_text(r)} {_text(r)} 0 1 0 "
            left, right = f"{_text(x - r)} {_text(y)}", f"{_text(x + r)} {_text(y)}"
            return f"M{left}{arc}{right}{arc}{left}Z"
        first, second, third, last = (
            f"{_text(x)} {_text(y)}" for x, y in corners(self.stroke[None], self.cap)[0].tolist()
        )
        if self.cap == "butt":
            return f"M{first}L{second}L{third}L{last}Z"
        ahead = f"A{_text(b)} {_text(b)} 0 {int(b > a)} 0 "
        back = f"A{_text(a)} {_text(a)} 0 {int(a > b)} 0 "
        return f"M{first}L{second}{ahead}{third}L{last}{back}{first}Z"

    def outline(self) -> Floats:
        """Return a polygon whose corners lie on the outline."""
        if not np.isfinite(self.stroke).all():
            return np.empty((0, 2))
        sides: Floats = corners(self.stroke[None], self.cap)[0]
        if self.cap == "butt":
            return sides
        begin, end, radii = self.stroke[:2], self.stroke[2:4], self.stroke[4:]
        if self.dot:
            *middle, radius = self.dot
            turn = 2 * np.pi * np.arange(ROUND) / ROUND
            circle: Floats = np.stack([np.cos(turn), -np.sin(turn)], 1) * radius + middle
            return circle
        ahead = _arc(end, radii[1], sides[1], sides[2])
        return np.concatenate([ahead, _arc(begin, radii[0], sides[3], sides[0])])

    def ends(self) -> list[Floats]:
        """Return arcs of cubic Bézier curves, float64 [curves, 4, 2], which straight lines join.

        Those of a dot are one; marks with straight ends have none.
        """
        if self.cap == "butt" or not np.isfinite(self.stroke).all():
            return []
        if self.dot:
            *middle, radius = self.dot
            return [_curved(np.array(middle), radius, 0.0, 2 * np.pi)]
        sides, (a, b) = corners(self.stroke[None], self.cap)[0], self.stroke[4:]
        begin, end = self.stroke[:2], self.stroke[2:4]
        ahead = _curved(end, b, *_sweep(end, sides[1], sides[2]))
        return [ahead, _curved(begin, a, *_sweep(begin, sides[3], sides[0]))]

    def spine(self) -> Floats | None:
        """Return both ends of a mark that is no dot."""
        return None if self.dot else self.stroke[:4].reshape(2, 2)


def _text(number: float) -> str:
    return f"{number:.7f}"


def _arc(middle: Floats, radius: float, first: Floats, last: Floats) -> Floats:
    """Return points on a circle from `first` to `last`, against the sense of x to y."""
    one, sweep = _sweep(middle, first, last)
    turn = one - np.linspace(0, sweep, max(2, int(ROUND * sweep / (2 * np.pi)) + 1))
    arc: Floats = middle + radius * np.stack([np.cos(turn), np.sin(turn)], 1)
    return arc


def _sweep(middle: Floats, first: Floats, last: Floats) -> tuple[float, float]:
    """Return the angle of `first` around `middle`, and how far `last` is, against x to y."""
    one, other = (np.arctan2(*(point - middle)[::-1]) for point in (first, last))
    return float(one), float((one - other) % (2 * np.pi))


def _curved(middle: Floats, radius: float, one: float, sweep: float) -> Floats:
    """Return an arc as cubic Bézier curves, float64 [curves, 4, 2], of about a right angle."""
    number = max(1, int(np.ceil(sweep / 1.75)))
    turn = one - np.linspace(0, sweep, number + 1)
    on = np.stack([np.cos(turn), np.sin(turn)], 1)
    pull = 4 / 3 * np.tan(sweep / number / 4) * np.stack([on[:, 1], -on[:, 0]], 1)
    curves: Floats = np.stack([on[:-1], on[:-1] + pull[:-1], on[1:] - pull[1:], on[1:]], 1)
    return middle + radius * curves


def edge_parts(primitive: Primitive, drawing: Drawing) -> list[PlacedMark]:
    """Return the lines between the parts of a drawing: none unless its options ask for them."""
    style = edge_style(primitive)
    if style is None:
        return []
    radius, colour = style
    return [
        PlacedMark(np.append(each, [radius, radius]), "round", colour=colour, kind="edge")
        for each in edge_lines(primitive, drawing.tensors, drawing.canvas)
    ]


def chains(strokes: Floats) -> list[Floats]:
    """Join strokes [N, 6] that begin where the one before ends: points [n, 2] of each line."""
    if not len(strokes):
        return []
    gaps = np.abs(strokes[1:, :2] - strokes[:-1, 2:4]).max(1) > SAME
    pieces = np.split(strokes, np.nonzero(gaps)[0] + 1)
    return [np.concatenate([piece[:, :2], piece[-1:, 2:4]]) for piece in pieces]


def merged(parts: Sequence[FlatPart]) -> list[Element]:
    """Return few SVG elements that cover the union of marks of one ink.

    Dots are circles, round strokes of one width a path with that width, and all others one path.
    """
    marks = [part for part in parts if isinstance(part, PlacedMark)]
    circles = [mark.element() for mark in marks if mark.dot]
    strokes = [mark for mark in marks if not mark.dot]
    elements = [circle for circle in circles if circle is not None]
    if not strokes:
        return elements
    rows = np.stack([mark.stroke for mark in strokes])
    width = 2 * float(rows[0, 4])
    if strokes[0].cap == "round" and np.ptp(rows[:, 4:]) <= SAME:
        data = "".join(
            "M" + "L".join(f"{_text(x)} {_text(y)}" for x, y in line.tolist())
            for line in chains(rows)
        )
        look = {"fill": "none", "stroke": "currentColor", "stroke-width": _text(width)}
        ends = {"stroke-linecap": "round", "stroke-linejoin": "round"}
        return [*elements, Element("path", {"d": data, **look, **ends})]
    data = "".join(mark.data() for mark in strokes)
    return [*elements, Element("path", {"d": data})]
