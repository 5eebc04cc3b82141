"""Drawings for pen plotters: lines in millimetres, in one layer per pen.

Every point of the picture belongs to the topmost part there. The part gives the direction of the
lines: along the spine of a stroke, around the middle of a round part, else along the longest axis.
The picture gives their density, so hatches also show what is visible through a part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import UsageError
from artgen.base.waiting import report
from artgen.output.parts.pens import Floats, PenPart, pen_lines, pen_parts
from artgen.output.plotter.inks import choose_pens, mixtures, nearest
from artgen.output.plotter.lines import (
    Segments,
    closed,
    concentric,
    cut,
    kept,
    parallel,
    polylines,
    split,
    straight,
    to_paths,
)
from artgen.output.plotter.page import Fill, Page, named_page
from artgen.output.plotter.route import length, sort_paths
from artgen.output.still import Pixels
from artgen.primitives import Primitive
from artgen.targets import hex_colour, parse_colour
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing

__all__ = ["Fill", "Layer", "Page", "Plot", "named_page", "plot"]

SEEN = 1024
"""Long side of the picture from which a plot is made, in pixels."""
STEP = 0.3
"""Distance of samples of the picture along a line, in millimetres."""
COARSE, FINE = 4, 0.05
"""Distance of the lines on which a part is sampled: at most this multiple of the hatch spacing,
less for thin parts, but at least this many millimetres."""
PALEST = 0.1
"""Smaller amounts of a pen are not drawn."""
LEVELS, EVEN = 16, 0.85
"""Number of levels at which lines end where a part gets paler, and the amount of the pen, relative
to its maximum, below which the first line ends."""
LONGER = 1.15
"""Smallest ratio of length to width at which a part has a direction."""
SLANT = math.pi / 4
"""Direction of straight lines over parts without a direction."""
_OFTEN = 100
"""Parts between two reports of how many are drawn."""
OVERLAP = 0.9
"""Distance of the lines of a solid fill, in widths of the pen."""


@dataclass(frozen=True, eq=False)
class Layer:
    """The paths of one pen, float64 [points, 2] in mm, and its colour ``#rrggbb``."""

    colour: str
    paths: list[Floats]


@dataclass(frozen=True, eq=False)
class Plot:
    """Layers of lines on a page in the orientation of the drawing, lighter pens first."""

    page: Page
    layers: tuple[Layer, ...]


def plot(
    drawing: Drawing,
    primitive: Primitive,
    pixels: Pixels,
    page: Page,
    *,
    transparent: bool = False,
    opaque: Pixels | None = None,
) -> Plot:
    """Plot `drawing`, which is rendered as `pixels` [height, width, 3].

    The background is drawn too, unless `transparent`. Pens are chosen for the picture with it,
    `opaque` [height, width, 3], by default `pixels`. Raises UsageError for a drawing without
    parts, or if nothing would be drawn.
    """
    page = page.turned(drawing.canvas)
    scale, centre = page.scale(drawing.canvas), (page.width / 2, page.height / 2)
    primitive.check_tensors(drawing)
    report("drawing lines for pens")
    inked = pen_lines(primitive, drawing, page.pen_width / scale)
    if inked is not None:
        placed = [[line * scale + centre for line in lines] for _, lines in inked]
        asked = page.pens if isinstance(page.pens, int) else len(page.pens)
        if page.pens is not Page.pens and asked != len(inked):
            words = f"the drawing has pens of its own, {len(inked)}, so pens = {asked} changes none"
            report(words, kind="result")
        if (page.fill, page.spacing) != (Page.fill, Page.spacing):
            report("the drawing is lines already: no part of it is filled", kind="result")
        return _sorted(page, _pens(page, [colour for colour, _ in inked]), placed)
    x, y = drawing.canvas.reach
    corners = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
    whole = PenPart((corners,), colour=hex_colour(drawing.background))
    parts = [whole, *pen_parts(primitive, drawing)]
    first = 0 if not transparent and page.fill != "none" else 1
    pens = _own_pens(parts[first:], page) or choose_pens(pixels if opaque is None else opaque, page)
    plotter = _Plotter(
        [part.placed(scale, centre) for part in parts],
        _Inking(pixels, pens, page, drawing.canvas),
        page,
    )
    for index in range(first, len(parts)):
        plotter.draw(index)
        if index % _OFTEN == 0 < index:
            report("drawing lines for pens", done=index)
    return _sorted(page, pens, plotter.paths)


def _pens(page: Page, inks: Sequence[str]) -> Sequence[str]:
    """Return the pens of the page if it names one for each of several inks; else the inks."""
    named = () if isinstance(page.pens, int) else page.pens
    return named if len(named) == len(inks) and named is not Page.pens else inks


def _own_pens(parts: Sequence[PenPart], page: Page) -> tuple[str, ...]:
    """Return the colours of the parts, if each can have a pen of its own.

    None are left over for hatches, which mix pens, and for solid parts that show others through.
    """
    mixed = page.fill == "solid" and any(part.alpha < 1 for part in parts)
    if mixed or page.fill == "hatch" or not isinstance(page.pens, int):
        return ()
    colours = dict.fromkeys(part.colour for part in parts if part.colour != page.paper)
    known = tuple(colour for colour in colours if colour is not None)
    return known if len(known) == len(colours) <= page.pens else ()


def _sorted(page: Page, pens: Sequence[str], paths: Sequence[list[Floats]]) -> Plot:
    """Plot the paths of the pens, lighter ones first. Raises UsageError if there are none."""
    order = sorted(range(len(pens)), key=lambda k: -sum(parse_colour(pens[k])))
    layers = [Layer(pens[k], sort_paths(paths[k], page.pen_width)) for k in order if paths[k]]
    if not layers:
        raise UsageError(
            "there is nothing to draw: the drawing hardly differs from the paper",
            hint="use other --pens or another --paper",
        )
    return Plot(page, tuple(layers))


class _Inking:
    """Samples of the picture on the page, as colours and as amounts of the pens."""

    def __init__(self, pixels: Pixels, pens: tuple[str, ...], page: Page, canvas: Canvas) -> None:
        self.pens = pens
        self.planes = [*mixtures(pixels, pens, page.paper), *np.moveaxis(pixels / 255, 2, 0)]
        half = page.scale(canvas) * np.array(canvas.reach)
        self.corner = np.array([page.width, page.height]) / 2 - half
        self.pixel = 2 * half / pixels.shape[1::-1]

    def amounts(self, places: Floats, pen: int) -> Floats:
        """Interpolate the amount of a pen at places [M, 2], [M] in 0..1."""
        from scipy.ndimage import map_coordinates

        column, row = ((places - self.corner) / self.pixel - 0.5).T
        amounts: Floats = map_coordinates(self.planes[pen], [row, column], order=1, mode="nearest")
        return amounts

    def colour(self, places: Floats) -> Floats:
        """Return the mean colour of places [M, 2], [3]."""
        return np.array([self.amounts(places, len(self.pens) + k).mean() for k in range(3)])


class _Plotter:
    """The parts on the page, lowest first, and the paths that each pen has drawn."""

    def __init__(self, parts: Sequence[PenPart], picture: _Inking, page: Page) -> None:
        self.parts, self.picture, self.page = parts, picture, page
        self.boxes = np.array([part.box for part in parts])
        self.axes = [part.principal_axis() for part in parts]
        self.paths: list[list[Floats]] = [[] for _ in picture.pens]

    def draw(self, index: int) -> None:
        """Draw the visible region of a part."""
        part, page = self.parts[index], self.page
        places = self._places(index)
        if not len(places):
            return
        if page.fill == "hatch":
            for pen in range(len(self.picture.pens)):
                self._hatch(index, pen, places)
            return
        amounts = [self.picture.amounts(places, pen).mean() for pen in range(len(self.paths))]
        chosen: int | None = int(np.argmax(amounts))
        if page.fill == "solid":
            chosen = nearest(self.picture.colour(places), self.picture.pens, page.paper)
        elif part.colour in self.picture.pens:
            chosen = self.picture.pens.index(part.colour)
        if chosen is None:
            return
        outline = closed(part.rings)
        if page.fill == "none" and part.spine is not None:
            outline = polylines([(0, part.spine)])
        self._add(chosen, cut(outline, [self.parts[0].rings], self._above(index)))
        if page.fill == "solid":
            self._add(chosen, self._seen(index, self._straight(index, 0, OVERLAP * page.pen_width)))

    def _places(self, index: int) -> Floats:
        """Return sample places [M, 2] in the visible region of a part."""
        part = self.parts[index]
        spacing = min(COARSE * self.page.spacing, max(part.thickness, FINE))
        lines = self._straight(index, 0, spacing)
        if part.spine is not None:
            lines = polylines([(0, part.spine)])
        pieces = split(self._seen(index, lines), max(spacing, STEP))
        return (pieces.begin + pieces.end) / 2

    def _hatch(self, index: int, pen: int, places: Floats) -> None:
        """Draw hatches with one pen, with the spacing that the darkest places need."""
        part, page = self.parts[index], self.page
        most = float(np.quantile(self.picture.amounts(places, pen), 0.9))
        if most < PALEST:
            return
        spacing = page.spacing / most
        shift = pen / len(self.paths)
        if part.spine is not None:
            width = part.stroke_width
            lines = parallel(part.spine, width, round(width / spacing), shift)
        elif index > 0 and self._is_round(index):
            lines = concentric(part.rings, self.axes[index][2], part.thickness, spacing, shift)
        else:
            lines = self._straight(index, pen, spacing)
        seen = split(self._seen(index, lines), STEP)
        share = self.picture.amounts((seen.begin + seen.end) / 2, pen) / most
        self._add(pen, kept(seen, share > EVEN * _thresholds(seen.line)))

    def _straight(self, index: int, pen: int, spacing: float) -> Segments:
        """Return parallel lines over a part; each pen has its own direction."""
        angle = SLANT if self._is_round(index) else self.axes[index][0]
        angle += math.pi * pen / len(self.paths)
        return straight(self.parts[index].rings, angle, spacing, self.parts[0].rings)

    def _is_round(self, index: int) -> bool:
        """Return whether a part has no direction: it is about as long as wide, or the canvas."""
        return index == 0 or self.axes[index][1] < LONGER

    def _seen(self, index: int, lines: Segments) -> Segments:
        """Cut lines to the visible region of a part."""
        return cut(lines, [self.parts[0].rings, self.parts[index].rings], self._above(index))

    def _above(self, index: int) -> list[tuple[Floats, ...]]:
        """Return the outlines of higher parts whose boxes overlap the box of this one."""
        left, top, right, bottom = self.boxes[index]
        others = self.boxes[index + 1 :]
        near = (others[:, 0] < right) & (others[:, 2] > left)
        near &= (others[:, 1] < bottom) & (others[:, 3] > top)
        return [self.parts[index + 1 + place].rings for place in np.flatnonzero(near).tolist()]

    def _add(self, pen: int, segments: Segments) -> None:
        """Add paths of a pen, without those that are not longer than it is wide."""
        self.paths[pen] += [p for p in to_paths(segments) if length([p]) > self.page.pen_width]


def _thresholds(numbers: NDArray[np.int64]) -> Floats:
    """Return the share of the pen from which each line is drawn, in 0..1 and evenly spread, [M]."""
    # Van der Corput's sequence: the four bits of the numbers in reverse.
    spread = np.array([int(f"{number:04b}"[::-1], 2) for number in range(LEVELS)])
    return np.asarray((spread[numbers % LEVELS] + 0.5) / LEVELS, np.float64)
