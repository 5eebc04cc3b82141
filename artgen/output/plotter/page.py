"""The page of a plot: paper in millimetres, margin, pens and fill."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from artgen.base.errors import UsageError, did_you_mean
from artgen.values.canvas import Canvas
from artgen.values.frame import PAPERS, paper_sides

Fill = Literal["none", "hatch", "solid"]

SMALLEST, LARGEST = 10.0, 5000.0
"""Limits of the sides of a page, in millimetres."""
FINEST = 0.05
"""Smallest spacing of hatches and width of a pen, in millimetres."""
MOST_PENS = 16


@dataclass(frozen=True)
class Page:
    """Paper and pens. Lengths are in millimetres, colours ``#rrggbb``.

    `turns` rotates the page to the orientation of the drawing. `pens` are colours, or the number of
    colours to choose for the drawing. `fill` is ``none`` (outlines), ``hatch`` (lines, denser where
    darker, at least `spacing` apart) or ``solid`` (no gaps). Raises UsageError for lengths and
    numbers out of range.
    """

    width: float = PAPERS["A4"][0]
    height: float = PAPERS["A4"][1]
    turns: bool = True
    margin: float = 15.0
    pens: int | tuple[str, ...] = ("#000000",)
    pen_width: float = 0.3
    fill: Fill = "hatch"
    spacing: float = 0.5
    paper: str = "#ffffff"

    def __post_init__(self) -> None:
        for name, side in (("width", self.width), ("height", self.height)):
            if not SMALLEST <= side <= LARGEST:
                raise UsageError(
                    f"the {name} of a page must be {SMALLEST:g} to {LARGEST:g} mm, got {side:g}",
                    hint="use the size of the paper in the plotter, such as A4 or 300x200mm",
                )
        if not 0 <= self.margin < min(self.width, self.height) / 2:
            raise UsageError(
                f"a margin of {self.margin:g} mm leaves no space on a page of "
                f"{self.width:g}x{self.height:g} mm",
                hint="use a smaller margin",
            )
        for what, length in (("spacing", self.spacing), ("pen width", self.pen_width)):
            if not FINEST <= length <= SMALLEST:
                raise UsageError(
                    f"{what} must be {FINEST:g} to {SMALLEST:g} mm, got {length:g}",
                    hint="use about the width of a line of the pen, such as 0.5",
                )
        count = self.pens if isinstance(self.pens, int) else len(self.pens)
        if not 1 <= count <= MOST_PENS:
            raise UsageError(
                f"the number of pens must be 1 to {MOST_PENS}, got {count}",
                hint="use fewer pens",
            )

    def turned(self, canvas: Canvas) -> Page:
        """Return the page in the orientation of the canvas, if it `turns`."""
        if self.turns and (canvas.width > canvas.height) != (self.width > self.height):
            return replace(self, width=self.height, height=self.width)
        return self

    def scale(self, canvas: Canvas) -> float:
        """Return millimetres per canvas unit that fit the canvas into the margins."""
        sides = zip((self.width, self.height), canvas.reach, strict=True)
        return min((side / 2 - self.margin) / half for side, half in sides)


def named_page(text: str, **more: Any) -> Page:
    """Parse a page: ``A4``, ``letter``, ``300x200mm``, ``30x20cm``. Raises UsageError.

    Named paper turns to the orientation of the drawing, a page of given size does not. `more` are
    other fields: small paper is none with the usual margin.
    """
    if paper := paper_sides(text):
        return Page(*paper, **more)
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)x([0-9]+(?:\.[0-9]+)?)(mm|cm|in)?", text)
    if found is None:
        known = did_you_mean(text, PAPERS)
        raise UsageError(f"unknown page {text!r}", hint=f"{known} (or a size such as 300x200mm)")
    unit = {"cm": 10.0, "in": 25.4}.get(found[3], 1.0)
    return Page(unit * float(found[1]), unit * float(found[2]), turns=False, **more)
