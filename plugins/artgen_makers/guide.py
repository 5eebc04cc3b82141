"""Guides on paper: a first page with the thing and its parts, templates at 1:1, rows of tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import product, zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artgen.making import Made, Motif, Part, parse_colour
from artgen_makers.pdf import Document, Sheet, picture_stream, text_width

Mark = str | int
"""A symbol, or a number, that stands on the colour of a part."""
PAPERS = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
"""Widths and heights in mm."""
ONE = 186.0, 245.0
"""Width and height in mm of a template that takes one page of either paper."""
MARGIN, OVERLAP = 12.0, 8.0
"""Blank border of a page, and how much of a template two sheets share, in mm."""
LARGEST = 800
"""Longer side of the picture in pixels."""
_LEAST, _SIDE, _ROW = 66.0, 92.0, 5.4
"""Least and usual height of the picture, and height of a row of the list, in mm."""
_GRAY = "#555555"
_LENGTHS = 28.0
"""Width of the column of lengths, in mm."""


class Guide:
    """A document on one paper: `width` x `height` mm of each page are free."""

    def __init__(self, motif: Motif, title: str, paper: str) -> None:
        self.motif, self.title = motif, title
        self.paper = PAPERS[paper]
        self.width, self.height = (side - 2 * MARGIN for side in self.paper)
        self.document = Document(f"{motif.name}: {title}", motif.recipe)

    def page(self, heading: str, *, wide: bool = False) -> Sheet:
        """Begin a page with a heading; what is free begins at `MARGIN` + 10 mm."""
        sheet = self.document.page(*self.paper[:: -1 if wide else 1])
        sheet.text(MARGIN, MARGIN + 4, heading, 5, bold=True)
        return sheet

    def cover(
        self, made: Made, shown: bytes, steps: Sequence[str], marks: Sequence[Mark], counted: str
    ) -> None:
        """Add the page with the picture, the steps and the parts; long lists take more pages.

        The picture is `shown` as by `picture_stream`.
        """
        sheet = self.page(f"{self.motif.name}: {self.title}")
        high, wide = made.picture.shape[:2]
        lines = [wrapped(step, self.width - 8, 3.6) for step in steps]
        free = self.height - 32 - 5 * sum(map(len, lines)) - _ROW * len(made.parts)
        # A list that would just not fit beside the picture takes some of its height.
        scale = min(self.width / wide, (free if _LEAST < free < _SIDE else _SIDE) / high)
        sheet.place(self.document.share(shown), MARGIN, MARGIN + 10, wide * scale, high * scale)
        y = MARGIN + 18 + high * scale
        for number, step in enumerate(lines, 1):
            for line in step:
                sheet.text(MARGIN + 8, y, line, 3.6)
                y += 5
            sheet.text(MARGIN, y - 5 * len(step), f"{number}.", 3.6)
        y += 4
        sheet.text(MARGIN, y, "What you need", 4.2, bold=True)
        right = MARGIN + self.width
        heads = [(right, "length in m")] * any(part.length for part in made.parts)
        column = right - _LENGTHS * len(heads)
        told = f"number (of {made.parts[0].what}: {counted})" if counted else "number"
        heads += [(column, told)] * any(part.number for part in made.parts)
        for x, head in heads:
            sheet.text(x, y, head, 2.8, align="right", colour=_GRAY)
        for part, mark in zip_longest(made.parts, marks, fillvalue=""):
            y += _ROW
            if y > self.paper[1] - MARGIN - 8:
                sheet, y = self.page("What you need"), MARGIN + 18
                for x, head in heads:
                    sheet.text(x, MARGIN + 12, head, 2.8, align="right", colour=_GRAY)
            assert isinstance(part, Part)
            self._part(sheet, y, part, mark, column)

    def _part(self, sheet: Sheet, y: float, part: Part, mark: Mark, column: float) -> None:
        if part.colour:
            sheet.box(MARGIN, y - 3.6, 8, 4.4, fill=part.colour)
            dark = sum(parse_colour(part.colour)) < 1.4
            ink = "#ffffff" if dark else "#000000"
            sheet.text(MARGIN + 4, y - 0.2, str(mark), 3.4, align="middle", bold=True, colour=ink)
        sheet.text(MARGIN + 11, y, f"{part.what} {part.name}".strip(), 3.6)
        if part.number:
            sheet.text(column, y, f"{part.number:,}", 3.6, align="right")
        if part.length:
            # A short piece has two digits: 0.0 would say that none is needed.
            metres = part.length / 1000
            told = f"{metres:,.1f}" if metres >= 0.995 else f"{metres:.2g}"
            sheet.text(MARGIN + self.width, y, told, 3.6, align="right")

    def listed(self, heading: str, rows: Iterable[tuple[str, str, str]]) -> None:
        """Add rows of a colour, a text at the left and one at the right."""
        y = math.inf
        for colour, left, right in rows:
            if y > self.paper[1] - MARGIN - 8:
                sheet, y = self.page(heading), MARGIN + 16
            sheet.box(MARGIN, y - 3.6, 8, 4.4, fill=colour)
            sheet.text(MARGIN + 11, y, left, 3.6)
            sheet.text(MARGIN + self.width, y, right, 3.6, align="right")
            y += 6

    def tiled(self, heading: str, template: Sheet) -> None:
        """Add a template at 1:1, over as few sheets as it takes, with crosses to join them.

        Sheets lie or stand. Each label is whole on one, or on that beside, and over the crosses.
        """
        name = self.document.form(template)
        ways = [_sheets(template, *self.paper[::way]) for way in (1, -1)]
        free, columns, rows = min(ways, key=lambda way: way[1] * way[2])
        lies = free == ways[1][0]
        for row in range(rows):
            for column in range(columns):
                place = f": row {row + 1} of {rows}, column {column + 1} of {columns}"
                sheet = self.page(heading + place * (rows * columns > 1), wide=lies)
                top = MARGIN + 10
                wide, high = free[0] + OVERLAP, free[1] + OVERLAP
                sheet.write(f"q {MARGIN} {top} {wide:.3f} {high:.3f} re W n")
                sheet.place(name, MARGIN - column * free[0], top - row * free[1])
                sheet.write("Q")
                for end in product((0, 1), repeat=2):
                    if 0 <= column + 2 * end[0] - 1 < columns or 0 <= row + 2 * end[1] - 1 < rows:
                        x, y = np.array([MARGIN, top]) + OVERLAP / 2 + np.array(end) * free
                        sheet.line([(x - 4, y), (x + 4, y)], 0.15, _GRAY)
                        sheet.line([(x, y - 4), (x, y + 4)], 0.15, _GRAY)
                # What is long moves on the sheet that is nearer; around the template is margin.
                around = MARGIN - 4
                for u, v, text, size, style in template.labels:
                    x, y, half = u - column * free[0], v - row * free[1], text_width(text, size) / 2
                    least = half - around * (column == 0)
                    inside = min(max(x, least), wide - half + around * (column == columns - 1))
                    shown = abs(x - inside) <= max(0.0, half - OVERLAP / 2)
                    ends = 0.75 * size - around * (row == 0), high + around * (row == rows - 1)
                    if shown and ends[0] <= y <= ends[1]:
                        at = MARGIN + inside, top + y
                        sheet.text(*at, text, size, align="middle", halo=0.12 * size, **style)
                self.checked(sheet, "; lay crosses of sheets on each other" * (rows * columns > 1))

    def checked(self, sheet: Sheet, more: str = "") -> None:
        """Draw the line at the foot of a page that says whether it is at 1:1."""
        end = sheet.height - MARGIN + 1.5
        sheet.line([(MARGIN, end), (MARGIN + 50, end)], 0.4)
        told = f"this line is 50 mm long: print at 100 %{more}"
        sheet.text(MARGIN + 53, end + 1, told, 2.8, colour=_GRAY)

    def encode(self) -> bytes:
        """The file, with the origin and a number on every page."""
        pages = self.document.pages
        for number, sheet in enumerate(pages, 1):
            y = sheet.height - 5
            [line, *_] = wrapped(self.motif.origin, self.width - 20, 2.8)
            sheet.text(MARGIN, y, line, 2.8, colour=_GRAY)
            count = f"{number} / {len(pages)}"
            sheet.text(sheet.width - MARGIN, y, count, 2.8, align="right", colour=_GRAY)
        return self.document.encode()


def _sheets(template: Sheet, wide: float, high: float) -> tuple[tuple[float, float], int, int]:
    """Return how much of a template each sheet of this size shows anew, the columns, the rows."""
    free = wide - 2 * MARGIN - OVERLAP, high - 2 * MARGIN - 10 - OVERLAP
    columns, rows = (
        max(1, math.ceil((side - OVERLAP) / step))
        for side, step in zip((template.width, template.height), free, strict=True)
    )
    return free, columns, rows


def outlined(
    size: tuple[float, float], lines: Sequence[Any], holes: Sequence[tuple[float, float, float]]
) -> Sheet:
    """Return the template of a sheet that is cut: its edge, lines, and x, y and width of holes."""
    sheet = Sheet(*size)
    sheet.box(0, 0, *size, edge=0.25)
    for x, y, across in holes:
        sheet.dot(x, y, across / 2, "#999999")
    for line in lines:
        sheet.line(line, 0.25)
    return sheet


def guides(
    motif: Motif,
    title: str,
    made: Made,
    steps: Sequence[str],
    draw: Callable[[Guide], None],
    marks: Sequence[Mark] = (),
    counted: str = "",
) -> Made:
    """Return what was made with a guide on each paper, whose pages after the first `draw` adds.

    `marks` are symbols of the first parts, shown on their colours; `counted` is what the number of
    these is of, where it is not of themselves.
    """
    # Once for both papers: it takes longer than all that is written.
    files, shown = dict(made.files), picture_stream(_smaller(made.picture))
    for paper in PAPERS:
        guide = Guide(motif, title, paper)
        guide.cover(made, shown, steps, marks, counted)
        draw(guide)
        files[f"guide-{paper}.pdf"] = guide.encode()
    return Made(files, made.parts, made.picture, made.notes)


def _smaller(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture = Image.fromarray(pixels)
    picture.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def levels_of(shown: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return colours of 0 to 1, clamped to these, as the levels of a picture."""
    return np.asarray(np.rint(255 * shown.clip(0, 1)).astype(np.uint8))


def wrapped(text: str, width: float, size: float) -> list[str]:
    """Return the lines of a text that are no wider than `width` mm."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
