"""A page: paper in millimetres, its margin, the pens, and how they fill what they draw."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from artgen.canvas import Canvas
from artgen.errors import UsageError, did_you_mean

__all__ = ["PAPERS", "Fill", "Page", "named_page"]

Fill = Literal["none", "hatch", "solid"]

PAPERS: dict[str, tuple[float, float]] = {
    "A2": (420.0, 594.0),
    "A3": (297.0, 420.0),
    "A4": (210.0, 297.0),
    "A5": (148.0, 210.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "tabloid": (279.4, 431.8),
}
"""Width and height of paper that has a name, in millimetres; ISO 216 and ANSI/ASME Y14.1."""

SMALLEST, LARGEST = 10.0, 5000.0
"""The sides of a page, in millimetres."""
FINEST = 0.05
"""The least distance of hatches and width of a pen, in millimetres."""
MOST_PENS = 16


@dataclass(frozen=True)
class Page:
    """Paper and pens. Lengths are in millimetres, colours ``#rrggbb``.

    `turns` is whether the page lies on its side for a drawing that is wider than high. `pens` are
    their colours, or how many colours to choose for the drawing. `fill` is ``none`` (outlines),
    ``hatch`` (lines, the closer the darker, at least `spacing` apart) or ``solid`` (the pens as
    they are, without gaps). Raises UsageError for what is no page.
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
                    f"a page cannot have a {name} of {side:g} mm",
                    hint=f"use {SMALLEST:g} to {LARGEST:g} mm",
                )
        if not 0 <= self.margin < min(self.width, self.height) / 2:
            raise UsageError(
                f"a margin of {self.margin:g} mm leaves nothing of a page of "
                f"{self.width:g}x{self.height:g} mm",
                hint="use a smaller margin",
            )
        for what, length in (("spacing", self.spacing), ("pen width", self.pen_width)):
            if not FINEST <= length <= SMALLEST:
                raise UsageError(
                    f"a {what} of {length:g} mm cannot be drawn",
                    hint=f"use {FINEST:g} to {SMALLEST:g} mm",
                )
        count = self.pens if isinstance(self.pens, int) else len(self.pens)
        if not 1 <= count <= MOST_PENS:
            raise UsageError(f"{count} pens cannot be used", hint=f"use 1 to {MOST_PENS}")

    def turned(self, canvas: Canvas) -> Page:
        """The page as it lies for this canvas: on its side where that is wider than high."""
        if self.turns and (canvas.width > canvas.height) != (self.width > self.height):
            return replace(self, width=self.height, height=self.width)
        return self

    def scale(self, canvas: Canvas) -> float:
        """Millimetres per canvas unit, so that the canvas fills the page within its margin."""
        half_width, half_height = canvas.reach
        return min(
            (self.width / 2 - self.margin) / half_width,
            (self.height / 2 - self.margin) / half_height,
        )


def named_page(text: str) -> Page:
    """The page that a user means by `text`: ``A4``, ``letter``, ``300x200mm``.

    Paper with a name turns as the drawing needs it, one of given sides does not. Raises UsageError.
    """
    names = {name.lower(): sides for name, sides in PAPERS.items()}
    if text.lower() in names:
        width, height = names[text.lower()]
        return Page(width, height)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)(?:mm)?", text)
    if found is None:
        known = did_you_mean(text, PAPERS)
        raise UsageError(f"{text!r} is no page", hint=f"{known}; or a size such as 300x200mm")
    return Page(float(found[1]), float(found[2]), turns=False)
