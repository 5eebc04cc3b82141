"""The tiles of a picture: a function of its size and of the options alone.

A pass has a grid of cells that cover the picture. The cells of every second pass are centred on the
corners of the others, so that what was a seam is then in the middle of a cell. The tiles of one
colour, of four, do not touch one another, so they can be fitted at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import NamedTuple

from artgen.values.canvas import Canvas

COLOURS = 4
"""As many as there are parities of row and column."""


class Box(NamedTuple):
    """Some pixels of a picture: `right` and `bottom` are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def rectangle(self) -> tuple[int, int, int, int]:
        """Left, top, width and height."""
        return self.left, self.top, self.right - self.left, self.bottom - self.top

    @property
    def area(self) -> int:
        """In pixels."""
        _, _, width, height = self.rectangle
        return width * height


@dataclass(frozen=True)
class Tile:
    """A cell, whose parts the tile owns, and the `window` that the parts are fitted to."""

    core: Box
    window: Box
    colour: int

    @property
    def free(self) -> Box:
        """The core, and of the window beside it what is of tiles of lower colours.

        Only corners are left out, of those colours that lie beside the core in one direction.
        """
        core, window = self.core, self.window
        left, right = (window.left, window.right) if self.colour % 2 else (core.left, core.right)
        top, bottom = (window.top, window.bottom) if self.colour > 1 else (core.top, core.bottom)
        return Box(left, top, right, bottom)

    @property
    def joined(self) -> Box:
        """Halfway from the core to the window: tiles of a joint pass move the parts in here.

        So parts near a border are moved from both sides.
        """
        edges = zip(self.core, self.window, strict=True)
        return Box(*((inner + outer) // 2 for inner, outer in edges))


def make_grid(canvas: Canvas, side: int, margin: int, *, shifted: bool = False) -> list[Tile]:
    """The tiles of a pass in rows, with cells of about `side` pixels; `shifted` of the others.

    The margin is at most three eighths of `side`.
    """
    # A cell that lies between two of one colour has three quarters of the side or more.
    margin = min(margin, 3 * side // 8)

    def around(low: int, high: int, size: int) -> tuple[int, int]:
        return max(0, low - margin), min(size, high + margin)

    columns = _cells(canvas.width, side, shifted)
    rows = _cells(canvas.height, side, shifted)
    tiles = []
    for (row, (top, bottom)), (column, (left, right)) in product(
        enumerate(rows), enumerate(columns)
    ):
        first, last = around(left, right, canvas.width)
        highest, lowest = around(top, bottom, canvas.height)
        window = Box(first, highest, last, lowest)
        tiles.append(Tile(Box(left, top, right, bottom), window, row % 2 * 2 + column % 2))
    return tiles


def _cells(length: int, side: int, shifted: bool) -> list[tuple[int, int]]:
    number = max(1, round(length / side))
    edges = [index * length // number for index in range(number + 1)]
    if shifted:
        edges = [0, *((low + high) // 2 for low, high in pairwise(edges)), length]
    return list(pairwise(edges))
