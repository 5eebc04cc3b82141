"""Mosaics of plates with studs: cells of one colour become larger plates with staggered seams.

From the upper left on, each cell that is free gets the largest plate that fits; among equal ones
that whose ends meet the fewest seams of the row above, so that layers hold together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from artgen import option
from artgen.errors import UsageError
from artgen.making import Motif, Part
from artgen_makers.grids import (
    Cells,
    Colour,
    Grid,
    GridOptions,
    Pixels,
    chart,
    laid,
    read_rows,
    read_table,
    side_of,
)
from artgen_makers.guide import Guide
from artgen_makers.pdf import Sheet

STUD = 8.0
"""Distance of studs in mm."""
SECTION = 16
"""Studs along a side of the section that a page shows."""
SIZES = ("2x4", "2x3", "2x2", "1x8", "1x6", "1x4", "1x3", "1x2", "1x1")


class Plate(NamedTuple):
    """A plate of a colour: its first row and column, and its rows and columns in studs."""

    colour: int
    row: int
    column: int
    rows: int
    columns: int

    @property
    def size(self) -> str:
        """Its name, such as ``1x4``."""
        return "{}x{}".format(*sorted((self.rows, self.columns)))


@dataclass(frozen=True)
class BrickOptions(GridOptions):
    """Options of mosaics of plates."""

    columns: int = option(48, "studs along the width", low=2, high=1000)
    colours: int = option(16, "most colours, which are chosen", low=2, high=39)
    crisp: float = option(0.7, "how much lines count that are finer than studs", low=0, high=1)
    only: str = option("", "LDraw's numbers of the colours to choose from, as 0,15; empty: all")
    plates: str = option(",".join(SIZES), "sizes of plates to use, with 1x1")
    stock: str = option("", "a table of what is there: size,colour,number in each line")


class Bricks(Grid):
    """A mosaic of plates with studs."""

    Options: ClassVar[type[Any]] = BrickOptions
    title = "bricks"
    steps = (
        "The picture has {size}. Sort the plates by colour.",
        "Each sheet is a section of 16 x 16 studs at 1:1. Begin at the upper left.",
        "Thick lines are the edges of plates. Press them on a base plate, row by row.",
    )
    table = "bricks"
    pitch = STUD

    def choices(self) -> list[Colour]:
        """Those of the table, or of the stock where there is one."""
        known, stock = super().choices(), self.stock()
        found = [each for each in known if not stock or any(each.number == c for _, c in stock)]
        if not found:
            raise UsageError(
                "the stock has none of the colours", hint="leave out --only or --stock"
            )
        return found

    def stock(self) -> dict[tuple[str, str], int]:
        """The number of plates by size and colour; empty where any number is there.

        Raises InputError for a file that cannot be read, and UsageError for what it says.
        """
        if not self.options.stock:
            return {}
        rows = read_rows(self.options.stock, "stock", "1x4,15,200")
        known = {
            name.lower(): c.number for c in read_table(self.table) for name in (c.number, c.name)
        }
        found = Counter[tuple[str, str]]()
        for number, row in rows:
            size, colour, count = [*(cell.lower() for cell in row), "", "", ""][:3]
            if number == 1 and size == "size":
                continue
            if size not in SIZES or colour not in known or not count.isdecimal() or len(count) > 9:
                raise UsageError(
                    f"{self.options.stock}, line {number}: {','.join(row)!r} is no size, colour "
                    "and number",
                    hint="write 1x4,15,200 or 1x4,White,200",
                )
            found[size, known[colour]] += int(count)
        # What is there none of is left out: its colour could be chosen.
        found = +found
        if not found:
            raise UsageError(f"the stock {self.options.stock} is empty", hint="leave it out")
        return found

    def laid_out(self, cells: Cells, colours: Sequence[Colour]) -> list[Plate]:
        """Return the plates that cover the cells. Raises UsageError where there are too few."""
        key = cells.tobytes(), tuple(colours)
        if self._laid is None or self._laid[0] != key:
            self._laid = key, self._lay(cells, colours)
        return self._laid[1]

    _laid: tuple[Any, list[Plate]] | None = None

    def _lay(self, cells: Cells, colours: Sequence[Colour]) -> list[Plate]:
        wanted = [each.strip() for each in self.options.plates.split(",")]
        for each in wanted:
            if each not in SIZES:
                raise UsageError(f"there is no plate {each!r}", hint=f"use {', '.join(SIZES)}")
        if "1x1" not in wanted:
            raise UsageError("without 1x1 no picture can be covered", hint="add 1x1 to --plates")
        stock = self.stock()
        left = Counter(stock)
        sizes = [tuple(map(int, each.split("x"))) for each in SIZES if each in wanted]
        shapes = sorted({*sizes, *((b, a) for a, b in sizes)}, key=lambda s: (-s[0] * s[1], s))
        # Where a plate lies, no colour is left to cover.
        rest = cells.copy()
        # Whether a seam runs left of a cell, with room for the right end.
        seams = np.zeros((cells.shape[0], cells.shape[1] + 1), bool)
        plates, missing = [], Counter[str]()
        for row, column in np.ndindex(cells.shape):
            if (colour := int(rest[row, column])) < 0:
                continue
            best: tuple[float, Plate] | None = None
            for rows, columns in shapes:
                if best is not None and rows * columns < -best[0]:
                    break
                part = rest[row : row + rows, column : column + columns]
                if part.shape != (rows, columns) or (part != colour).any():
                    continue
                plate = Plate(colour, row, column, rows, columns)
                if stock and not left[plate.size, colours[colour].number]:
                    continue
                above = seams[row - 1, [column, column + columns]].sum() if row else 0
                score = -rows * columns + 0.1 * float(above)
                if best is None or score < best[0]:
                    best = score, plate
            if best is None:
                missing[colours[colour].name] += 1
                continue
            plate = best[1]
            left[plate.size, colours[colour].number] -= 1
            rows, columns = plate.rows, plate.columns
            rest[row : row + rows, column : column + columns] = -1
            seams[row : row + rows, [column, column + columns]] = True
            plates.append(plate)
        if missing:
            told = ", ".join(f"{count} in {name}" for name, count in missing.most_common(5))
            raise UsageError(
                f"the stock is too small: cells left over are {told}",
                hint="use fewer --columns, more --colours or a larger stock",
            )
        return plates

    def parts(self, cells: Cells, colours: Sequence[Colour]) -> list[Part]:
        """Plates by colour and size."""
        counts = Counter((each.colour, each.size) for each in self.laid_out(cells, colours))
        return [
            Part(f"plate {size}", colours[k].name, colours[k].colour, counts[k, size])
            for k in range(len(colours))
            for size in SIZES
            if counts[k, size]
        ]

    def symbols(self, cells: Cells, colours: Sequence[Colour]) -> list[int]:
        """The colour of each part, for its symbol."""
        names = [each.name for each in colours]
        return [names.index(part.name) for part in self.parts(cells, colours)]

    def finished(self, cells: Cells, colours: Sequence[Colour]) -> Pixels:
        """Studs with light from above on plates with dark seams."""
        side, x, y = side_of(cells)
        away = np.hypot(x, y)
        stud = np.clip(10 * (0.62 - away), 0, 1)
        rim = np.exp(-(((away - 0.62) / 0.12) ** 2)) * -(x + y)
        shade = 0.95 + 0.06 * stud + 0.22 * rim
        picture = laid(cells, colours, "#000000", np.ones_like(shade), shade).astype(np.float64)
        for plate in self.laid_out(cells, colours):
            top, left = plate.row * side, plate.column * side
            bottom, right = top + plate.rows * side - 1, left + plate.columns * side - 1
            picture[top : bottom + 1, right] *= 0.72
            picture[bottom, left:right] *= 0.72
            picture[top, left:right] = picture[top, left:right] * 0.9 + 25
        return np.asarray(np.rint(picture.clip(0, 255)).astype(np.uint8))

    def charts(self, guide: Guide, cells: Cells, colours: Sequence[Colour]) -> None:
        """A section of 16 x 16 studs on each page, at 1:1, with the edges of plates."""
        plates = np.array([plate[1:] for plate in self.laid_out(cells, colours)])
        low, high = plates[:, 1::-1], plates[:, 1::-1] + plates[:, :1:-1]

        def edges(
            sheet: Sheet, place: tuple[float, float, float], shown: tuple[int, int, int, int]
        ) -> None:
            x0, y0, cell = place
            first, end = np.maximum(low, shown[:2]), np.minimum(high, shown[2:])
            seen, sides = first - shown[:2], end - first
            for k in np.flatnonzero((sides > 0).all(1)):
                (a, c), (across, down) = seen[k].tolist(), sides[k].tolist()
                sheet.box(x0 + a * cell, y0 + c * cell, across * cell, down * cell, edge=0.7)

        chart(guide, cells, colours, STUD, (SECTION, SECTION), 0, edges)

    def files(self, cells: Cells, colours: Sequence[Colour], motif: Motif) -> dict[str, bytes]:
        """The table of colours, and the place of each plate."""
        rows = [
            [p.size, *colours[p.colour][:2], p.row + 1, p.column + 1, p.rows, p.columns]
            for p in self.laid_out(cells, colours)
        ]
        head = ["size", "colour", "name", "row", "column", "rows", "columns"]
        placed = motif.table(head, *rows)
        return super().files(cells, colours, motif) | {"plates.csv": placed}
