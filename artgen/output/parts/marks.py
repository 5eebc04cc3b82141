"""Marks and lines between parts as flat parts, and those of one ink joined to few elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

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
FLAT, SHARP = 0.1, 1.0
"""Angles in radians below which a line has one corner on each side, and above which it ends."""
ROOM = 0.8
"""The most that two strokes may overlap, beside the length of the shorter."""


@dataclass(frozen=True, eq=False)
class PlacedMark(FlatPart):
    """Strokes [N, 6], each of which goes on where the one before ends, and their `cap`.

    Several are round, and are one outline; see `connected`.
    """

    strokes: Floats
    cap: str

    @property
    def dot(self) -> tuple[float, float, float] | None:
        """Return x, y and radius of a mark that is a disc, else None."""
        if len(self.strokes) > 1:
            return None
        xa, ya, xb, yb, a, b = self.strokes[0].tolist()
        if self.cap == "round" and np.hypot(xb - xa, yb - ya) <= abs(a - b) + SAME:
            return (xa, ya, a) if a >= b else (xb, yb, b)
        return None

    def element(self) -> Element | None:
        """Return a ``<circle>`` or a ``<path>``."""
        if not np.isfinite(self.strokes).all():
            return None
        if self.dot:
            place = zip(("cx", "cy", "r"), map(_text, self.dot), strict=True)
            return Element("circle", dict(place))
        return Element("path", {"d": self.data()})

    def data(self) -> str:
        """Return the outline as path data; circles and round ends are arcs."""
        if self.dot:
            x, y, r = self.dot
            arc = f"A{_text(r)} {_text(r)} 0 1 0 "
            left, right = f"{_text(x - r)} {_text(y)}", f"{_text(x + r)} {_text(y)}"
            return f"M{left}{arc}{right}{arc}{left}Z"
        if self.cap == "butt":
            return "M" + "L".join(map(_place, corners(self.strokes, self.cap)[0])) + "Z"
        text = f"M{_place(corners(self.strokes, self.cap)[0, 0])}"
        for bend in self._bends():
            text += f"L{_place(bend.first)}"
            if bend.radius is not None:
                radius = _text(bend.radius)
                text += f"A{radius} {radius} 0 {int(bend.wide)} 0 {_place(bend.last)}"
        return f"{text}Z"

    def outline(self) -> Floats:
        """Return a polygon whose corners lie on the outline."""
        if not np.isfinite(self.strokes).all():
            return np.empty((0, 2))
        if self.cap == "butt":
            sides: Floats = corners(self.strokes, self.cap)[0]
            return sides
        if self.dot:
            *middle, radius = self.dot
            turn = 2 * np.pi * np.arange(ROUND) / ROUND
            return np.stack([np.cos(turn), -np.sin(turn)], 1) * radius + middle
        return np.concatenate([bend.points() for bend in self._bends()])

    def curves(self) -> list[Floats]:
        """Return the outline of a round mark, which straight lines join, float64 [1 + 3 k, 2] each.

        It is a corner, with two control points and the end of each of `k` cubic Bézier curves that
        begin there. Marks with straight ends have none.
        """
        if self.cap == "butt" or not np.isfinite(self.strokes).all():
            return []
        if self.dot:
            *middle, radius = self.dot
            return [_curved(np.array(middle), radius, 0.0, 2 * np.pi)]
        return [bend.curves() for bend in self._bends()]

    def spine(self) -> Floats | None:
        """Return the ends of strokes, one after the other, of a mark that is no dot."""
        if self.dot:
            return None
        return np.concatenate([self.strokes[:, :2], self.strokes[-1:, 2:4]])

    def _bends(self) -> list[_Bend]:
        """The corners and arcs of the outline of a round mark, against the sense of x to y."""
        sides, first, last = corners(self.strokes, self.cap), self.strokes[0], self.strokes[-1]
        middles, radii = self.strokes[1:, :2], self.strokes[1:, 4]
        out = _joints(middles, radii, sides[:-1, 1], sides[1:, 0])
        home = _joints(middles, radii, sides[1:, 3], sides[:-1, 2])
        ahead = _Bend(sides[-1, 1], sides[-1, 2], last[2:4], last[5], wide=last[5] > last[4])
        back = _Bend(sides[0, 3], sides[0, 0], first[:2], first[4], wide=first[4] > first[5])
        return [*chain(*out), ahead, *chain(*reversed(home)), back]


@dataclass(frozen=True, eq=False)
class _Bend:
    """An arc between two points [2] against the sense of x to y; a corner has no radius.

    It is `wide` if it is more than half of the circle.
    """

    first: Floats
    last: Floats
    middle: Floats
    radius: float | None = None
    wide: bool = False

    def points(self) -> Floats:
        """Return points on it, from first to last."""
        if self.radius is None:
            return self.first[None]
        one, sweep = _sweep(self.middle, self.first, self.last)
        turn = one - np.linspace(0, sweep, max(2, int(ROUND * sweep / (2 * np.pi)) + 1))
        return self.middle + self.radius * np.stack([np.cos(turn), np.sin(turn)], 1)

    def curves(self) -> Floats:
        """Return it as `PlacedMark.curves` does."""
        if self.radius is None:
            return self.first[None]
        return _curved(self.middle, self.radius, *_sweep(self.middle, self.first, self.last))


def _joints(middles: Floats, radii: Floats, first: Floats, last: Floats) -> list[list[_Bend]]:
    """Return how one side goes on from `first` [N, 2] to `last` around `middles`, at each joint."""
    found = []
    gaps = _turns(middles, first, last).tolist()
    for middle, radius, one, other, gap in zip(
        middles, radii.tolist(), first, last, gaps, strict=True
    ):
        if abs(gap) < FLAT:
            half = (one + other) / 2
            found.append([_Bend(half, half, middle)])
        elif gap < 0:
            # Within both strokes, so that the line may go back.
            found.append([_Bend(each, each, middle) for each in (one, other)])
        else:
            found.append([_Bend(one, other, middle, radius)])
    return found


def _turns(middles: Floats, first: Floats, last: Floats) -> Floats:
    """Return the angles [N] of `last` around `middles` after `first`, against the sense of x to y.

    They are above 0 where strokes leave a gap, and below where they overlap.
    """
    one, other = (np.arctan2(*(points - middles).T[::-1]) for points in (first, last))
    turns: Floats = (one - other + np.pi) % (2 * np.pi) - np.pi
    return turns


def _text(number: float) -> str:
    return f"{number:.7f}"


def _place(point: Floats) -> str:
    x, y = point.tolist()
    return f"{_text(x)} {_text(y)}"


def _sweep(middle: Floats, first: Floats, last: Floats) -> tuple[float, float]:
    """Return the angle of `first` around `middle`, and how far `last` is, against x to y."""
    one, other = (np.arctan2(*(point - middle)[::-1]) for point in (first, last))
    return float(one), float((one - other) % (2 * np.pi))


def _curved(middle: Floats, radius: float, one: float, sweep: float) -> Floats:
    """Return an arc as a point, then three of each cubic Bézier curve of about a right angle."""
    number = max(1, int(np.ceil(sweep / 1.75)))
    turn = one - np.linspace(0, sweep, number + 1)
    on = np.stack([np.cos(turn), np.sin(turn)], 1)
    pull = 4 / 3 * np.tan(sweep / number / 4) * np.stack([on[:, 1], -on[:, 0]], 1)
    curves = np.stack([on[:-1] + pull[:-1], on[1:] - pull[1:], on[1:]], 1).reshape(-1, 2)
    points: Floats = middle + radius * np.concatenate([on[:1], curves])
    return points


def edge_parts(primitive: Primitive, drawing: Drawing) -> list[PlacedMark]:
    """Return the lines between the parts of a drawing: none unless its options ask for them."""
    style = edge_style(primitive)
    if style is None:
        return []
    radius, colour = style
    return [
        PlacedMark(np.array([[*each, radius, radius]]), "round", colour=colour, kind="edge")
        for each in edge_lines(primitive, drawing.tensors, drawing.canvas)
    ]


def chains(strokes: Floats) -> list[Floats]:
    """Join strokes [N, 6] that begin where the one before ends: points [n, 2] of each line."""
    if not len(strokes):
        return []
    gaps = np.abs(strokes[1:, :2] - strokes[:-1, 2:4]).max(1) > SAME
    pieces = np.split(strokes, np.nonzero(gaps)[0] + 1)
    return [np.concatenate([piece[:, :2], piece[-1:, 2:4]]) for piece in pieces]


def connected(parts: Sequence[FlatPart]) -> list[FlatPart]:
    """Return the parts with one mark for round strokes of one look that go on in one another."""
    looks = [(*part.colour, part.alpha, part.union) for part in parts]
    rows = np.array([_single(part) for part in parts]).reshape(-1, 6)
    alike = np.array([one == other for one, other in pairwise(looks)], bool)
    starts = [0, *(np.flatnonzero(~(_go_on(rows) & alike)) + 1).tolist()]
    pieces = [parts[start:end] for start, end in pairwise([*starts, len(parts)])]
    found = list[FlatPart]()
    for start, (first, *more) in zip(starts, filter(None, pieces), strict=False):
        if more and isinstance(first, PlacedMark):
            first = replace(first, strokes=rows[start : start + 1 + len(more)])
        found.append(first)
    return found


def _single(part: FlatPart) -> Floats:
    """Return the stroke [6] of a round mark that is no dot, else NaN."""
    if isinstance(part, PlacedMark) and part.cap == "round" and not part.dot:
        stroke: Floats = part.strokes[0]
        return stroke
    return np.full(6, np.nan)


def _go_on(strokes: Floats) -> NDArray[np.bool_]:
    """Return whether the outlines of strokes [N, 6] and of the next ones may be joined: [N - 1].

    One ends where and as wide as the next begins. The turn is not sharp, and what lies within both
    is short: the joined outline winds around all that it covers.
    """
    one, other = strokes[:-1], strokes[1:]
    near = np.abs(other[:, [0, 1, 4]] - one[:, [2, 3, 5]]).max(1) <= SAME
    sides, middles = corners(strokes, "round"), other[:, :2]
    out = _turns(middles, sides[:-1, 1], sides[1:, 0])
    turns = np.stack([out, _turns(middles, sides[1:, 3], sides[:-1, 2])])
    reach = np.hypot(*(strokes[:, 2:4] - strokes[:, :2]).T)
    within = other[:, 4] * np.sin(-turns.min(0).clip(-SHARP, 0))
    short = within <= ROOM * np.minimum(reach[:-1], reach[1:])
    found: NDArray[np.bool_] = near & (np.abs(turns).max(0) <= SHARP) & short
    return found


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
    rows = np.concatenate([mark.strokes for mark in strokes])
    width = 2 * float(rows[0, 4])
    if strokes[0].cap == "round" and np.ptp(rows[:, 4:]) <= SAME:
        data = "".join(
            "M" + "L".join(f"{_text(x)} {_text(y)}" for x, y in line.tolist())
            for line in chains(rows)
        )
        look = {"fill": "none", "stroke": "currentColor", "stroke-width": _text(width)}
        ends = {"stroke-linecap": "round", "stroke-linejoin": "round"}
        return [*elements, Element("path", {"d": data, **look, **ends})]
    data = "".join(mark.data() for mark in connected(strokes) if isinstance(mark, PlacedMark))
    return [*elements, Element("path", {"d": data})]
