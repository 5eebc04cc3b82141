"""A sheet of swatches to print and to draw in with each pen: its photo is for --pens-from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from artgen import option
from artgen.errors import UsageError
from artgen.making import Made, Maker, Motif, named_page
from artgen_makers.calibration import (
    APART,
    BLOCK,
    CELL,
    FIELDS,
    FIRST,
    FROM,
    LINES,
    MARKS,
    PATCH,
    SLACK,
    TO,
    Floats,
)
from artgen_makers.letters import font_file
from artgen_makers.motion import read_profile
from artgen_makers.pdf import Document, Pixels, Sheet
from artgen_makers.plotter import Plotter

PALE = "#c8c8c8"
NAME = 26.0, 19.0
"""Where the line for the name of a pen begins, in mm of its field."""
RULER = 39.0, 170.0
"""Where the line begins that is 50 mm long, in mm of the block."""
CLOSE = 0.6
"""Distance of the lines that fill a patch, in widths of the pen."""


@dataclass(frozen=True)
class SwatchOptions:
    """Options of the sheet; lengths are millimetres."""

    pens: int = option(4, "number of pens", low=1, high=len(FIELDS))
    page: str = option("A4", "paper: A5 or larger, or 200x280mm")
    pen_width: float = option(0.3, "about how wide a line is", low=0.05, high=2.5)
    profile: str = option("grbl-servo", "machine: a name, or a TOML file")


class Swatches(Maker):
    """A sheet with marks, and the files by which a machine draws in it."""

    Options: ClassVar[type[Any]] = SwatchOptions
    takes_photos = True
    needs_file = False

    def make(self, motif: Motif) -> Made:
        """Lay out the sheet; of a motif nothing is used but its origin."""
        o = self.options
        page = named_page(o.page)
        wide, high = page.width, page.height
        corner = np.array([(wide - BLOCK[0]) / 2, (high - BLOCK[1]) / 2])
        if corner.min() < 5:
            raise UsageError(
                f"paper of {wide:g} x {high:g} mm is too small for the swatches",
                hint=f"use A5 or larger: {BLOCK[0] + 10:g} x {BLOCK[1] + 10:g} mm",
            )
        bed = read_profile(o.profile).bed
        if any(side > reach for side, reach in zip(sorted((wide, high)), sorted(bed), strict=True)):
            raise UsageError(
                f"paper of {wide:g} x {high:g} mm is larger than the machine, which reaches "
                f"{bed[0]:g} x {bed[1]:g} mm",
                hint="use --page A5, or another --profile",
            )
        # Pens have no colour before they are measured: grays tell them apart in the picture.
        grays = [f"#{40 + 12 * k:02x}{40 + 12 * k:02x}{40 + 12 * k:02x}" for k in range(o.pens)]
        lines = [
            (gray, [path + corner for path in drawn_by_a_pen(k, o.pen_width)])
            for k, gray in enumerate(grays)
        ]
        settings = {"profile": o.profile, "page": o.page, "pen_width": o.pen_width}
        plotter = Plotter({**settings, "pens": ",".join(grays), "margin": 5.0})
        sheet = Sheet(wide, high)
        printed(sheet, corner, o.pens)
        document = Document("swatches of pens", motif.recipe)
        document.pages.append(sheet)
        steps = (
            f"Print sheet.pdf at 100 % on paper of {wide:g} x {high:g} mm: its line is 50 mm long.",
            f"Send the file of each pen. What is drawn may lie {SLACK:g} mm beside its place. By "
            f"hand: fill the patch, and draw {LINES} lines along the ticks.",
            "Lay the sheet flat in daylight without shadows, and take a photo from above in which "
            "all four marks are seen, as large as it can be, without filters.",
            "artgen make plotter FILE --pens-from photo.jpg takes the colours and the width.",
        )
        dress = partial(seen, corner=corner, pens=o.pens, long=max(wide, high))
        made = plotter.written(motif, plotter.page(), lines, "a sheet for pens", steps, dress)
        return replace(made, files={**made.files, "sheet.pdf": document.encode()})


def drawn_by_a_pen(field: int, width: float) -> list[Floats]:
    """Return lines [N, 2] in mm of the block: the patch, filled both ways, and the lines beside."""
    x, y, wide, high = np.add(PATCH, (*FIELDS[field], 0, 0))
    inset, step = width / 2, CLOSE * width
    x, y, wide, high = x + inset, y + inset, wide - width, high - width
    paths = []
    for across in (False, True):
        length = wide if across else high
        places = np.linspace(0, length, max(2, int(np.ceil(length / step)) + 1))
        ends = np.array([0.0, high if across else wide])
        both = np.stack(
            [np.stack(np.broadcast_arrays(place, ends[:: (-1) ** k]), 1)
             for k, place in enumerate(places)]
        ).reshape(-1, 2)  # fmt: skip
        paths.append((both if across else both[:, ::-1]) + (x, y))
    left, top = FIELDS[field]
    for k in range(LINES):
        paths.append(np.array([[left + FROM, top + k * APART], [left + TO, top + k * APART]]))
    return paths


def boxes() -> list[tuple[float, float, float, float, int]]:
    """Return the squares of the marks: corner, sides in mm of the block, and level, 0 or 255."""
    squares = ((3.5, 0), (2.5, 255), (1.5, 0))
    return [
        (x - half * CELL, y - half * CELL, 2 * half * CELL, 2 * half * CELL, level)
        for x, y in MARKS
        for half, level in squares
    ]


def printed(sheet: Sheet, corner: Floats, pens: int) -> None:
    """Print marks, numbers, and pale lines where hands may draw."""
    left, top = corner
    for x, y, wide, high, level in boxes():
        sheet.box(left + x, top + y, wide, high, fill="#ffffff" if level else "#000000", edge=0)
    sheet.dot(left + FIRST[0], top + FIRST[1], FIRST[2])
    for x, y, text, size in texts(pens):
        sheet.text(left + x, top + y, text, size, bold=size > 4)
    for x, y in FIELDS[:pens]:
        x, y = x + left, y + top
        u, v, wide, high = PATCH
        # What is measured lies well inside, so pale lines do not count.
        outline = [(0, 0), (wide, 0), (wide, high), (0, high), (0, 0)]
        sheet.line([(x + u + a, y + v + b) for a, b in outline], 0.1, PALE)
        for k in range(LINES):
            for begin in (FROM - 3, TO + 1):
                at = y + k * APART
                sheet.line([(x + begin, at), (x + begin + 2, at)], 0.1, PALE)
        sheet.line([(x + NAME[0], y + NAME[1]), (x + TO, y + NAME[1])], 0.1, PALE)
    x, y = left + RULER[0], top + RULER[1]
    sheet.line([(x, y), (x + 50, y)], 0.3)


def texts(pens: int) -> list[tuple[float, float, str, float]]:
    """Return what is written: where a text begins, in mm of the block, and its size."""
    found = [
        (38.0, 9.0, "Swatches of pens", 4.2),
        (38.0, 14.0, "fill each patch, and draw the six lines beside it", 3.0),
        (RULER[0], RULER[1] + 5, "this line is 50 mm long: print at 100 %", 2.8),
    ]
    for number, (x, y) in enumerate(FIELDS[:pens], 1):
        found += [(x, y + 9, str(number), 6.0), (x, y + NAME[1], f"name of pen {number}:", 2.8)]
    return found


def seen(picture: Pixels, corner: Floats, pens: int, long: float) -> Pixels:
    """Return the picture of what is drawn with what `printed` prints but for pale lines.

    `long` is the longer side of the paper in mm.
    """
    from PIL import Image, ImageDraw, ImageFont

    image, scale = Image.fromarray(picture), max(picture.shape) / long
    pen = ImageDraw.Draw(image)
    for x, y, wide, high, level in boxes():
        ends = (np.array([x, y, x + wide, y + high]) + np.tile(corner, 2)) * scale
        pen.rectangle(ends.round().tolist(), fill=(level,) * 3)
    pen.circle((np.add(corner, FIRST[:2]) * scale).tolist(), FIRST[2] * scale, fill="#000000")
    for x, y, text, size in texts(pens):
        face = ImageFont.truetype(str(font_file("DejaVuSans")), round(0.85 * size * scale))
        pen.text((np.add(corner, (x, y)) * scale).tolist(), text, "#000000", face, anchor="ls")
    x, y = np.add(corner, RULER) * scale
    pen.line((x, y, x + 50 * scale, y), "#000000", max(1, round(0.3 * scale)))
    return np.asarray(image)
