"""Pictures on a grid in colours that can be bought: cross-stitch, beads and bricks.

Of a table of colours those are chosen that come closest to the picture: a facility location problem
on CIEDE2000 (Sharma, Wu and Dalal, 2005), greedily and then by exchanges. Cells get the nearest.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import resources
from itertools import product
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artgen import option
from artgen.errors import InputError, UsageError, did_you_mean
from artgen.making import (
    Made,
    Maker,
    Motif,
    Part,
    hex_colour,
    parse_colour,
    read_regular,
)
from artgen_makers.guide import MARGIN, Guide, guides, levels_of
from artgen_makers.pdf import Align, Sheet
from artgen_plugins.regions import lab_of

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Cells = NDArray[np.int64]

MOST_CELLS = 250_000
FINER = 4
"""Pixels along a cell in which fine lines are looked for."""
SYMBOLS = "ABCDEFGHKLMNPRSTUVWXYZ23456789abdefghkmnqrtuvwxyz+=/%&#@?$*<>"
"""Letters that are told apart: no I, O, J, l and 0, 1."""
LARGEST = 1 << 20
"""Bytes of a table of the user."""
SKEIN = 8000.0
"""Millimetres of floss in a skein."""
GROUPS = 600
"""Mean colours of a picture for which the colours are chosen."""
RULER = 2.8
"""Size of the numbers beside charts, in mm."""
TOP = 22.0
"""Where charts begin on a page, in mm."""


class Colour(NamedTuple):
    """A colour of a table: the number of its maker, its name and ``#rrggbb``."""

    number: str
    name: str
    colour: str


@dataclass(frozen=True)
class GridOptions:
    """Options of all pictures on a grid."""

    columns: int = option(100, "cells along the width", low=2, high=1000)
    colours: int = option(24, "most colours, which are chosen", low=2, high=len(SYMBOLS))
    only: str = option("", "numbers of the colours to choose from, with commas; empty: all")
    dither: bool = option(False, "mix colours in neighbouring cells, for smooth shades")
    crisp: float = option(0.0, "how much lines count that are finer than cells", low=0, high=1)
    confetti: int = option(0, "areas of at most so many cells get a colour beside", low=0, high=99)


class Grid(Maker):
    """A picture in cells; a kind says which table, how large a cell is, and how it looks."""

    Options: ClassVar[type[Any]] = GridOptions
    takes_photos = True
    title: ClassVar[str] = ""
    counted: ClassVar[str] = ""
    steps: ClassVar[Sequence[str]] = ()

    @property
    def table(self) -> str:
        """The name of the table of colours."""
        raise NotImplementedError

    @property
    def pitch(self) -> float:
        """The side of a cell in mm."""
        raise NotImplementedError

    def parts(self, cells: Cells, colours: Sequence[Colour]) -> list[Part]:
        """The parts that are needed, colours first and in their order."""
        raise NotImplementedError

    def symbols(self, cells: Cells, colours: Sequence[Colour]) -> Sequence[int]:
        """The index of the colour of each of the first parts."""
        return range(len(colours))

    def finished(self, cells: Cells, colours: Sequence[Colour]) -> Pixels:
        """The picture of the finished thing."""
        raise NotImplementedError

    def charts(self, guide: Guide, cells: Cells, colours: Sequence[Colour]) -> None:
        """Add the charts to a guide."""
        raise NotImplementedError

    def files(self, cells: Cells, colours: Sequence[Colour], motif: Motif) -> dict[str, bytes]:
        """Files for programs: here the numbers of the colours as a table."""
        rows = ([colours[each].number for each in row] for row in cells)
        return {"chart.csv": motif.table(*rows)}

    def make(self, motif: Motif) -> Made:
        """Choose colours, give each cell one, and draw the charts."""
        columns = self.options.columns
        rows = max(1, round(columns / motif.aspect))
        if columns * rows > MOST_CELLS:
            raise UsageError(
                f"{columns} x {rows} cells are more than the {MOST_CELLS:,} that a chart can have",
                hint="use fewer --columns",
            )
        choices = self.choices()
        cells, colours = assigned(self.wanted(motif, columns, rows), choices, self.options)
        made = Made(
            self.files(cells, colours, motif),
            self.parts(cells, colours),
            self.finished(cells, colours),
        )
        size = f"{columns} x {rows}, {columns * self.pitch:.0f} x {rows * self.pitch:.0f} mm"
        steps = [step.format(size=size, **vars(self.options)) for step in self.steps]
        marks = [SYMBOLS[k] for k in self.symbols(cells, colours)]
        draw = partial(self.charts, cells=cells, colours=colours)
        return guides(motif, self.title, made, steps, draw, marks, self.counted)

    def wanted(self, motif: Motif, columns: int, rows: int) -> Pixels:
        """The colours that cells shall have, uint8 [rows, columns, 3]."""
        picture = motif.picture(columns, rows)
        if not self.options.crisp:
            return picture
        return crisp(picture, motif.picture(FINER * columns, FINER * rows), self.options.crisp)

    def choices(self) -> list[Colour]:
        """The colours to choose from. Raises UsageError for a number that the table lacks."""
        known = {each.number.lower(): each for each in read_table(self.table)}
        wanted = [each.strip().lower() for each in self.options.only.split(",") if each.strip()]
        for number in wanted:
            if number not in known:
                raise UsageError(
                    f"{self.table} has no colour {number!r}", hint=did_you_mean(number, known)
                )
        return [known[number] for number in wanted or known]


def crisp(picture: Pixels, fine: Pixels, much: float) -> Pixels:
    """Return the colours of cells [rows, columns, 3], in which fine lines count more than by area.

    `fine` is FINER times as large. Of its darkest and lightest quarter in a cell, that counts which
    differs more from the cells around.
    """
    from scipy.ndimage import gaussian_filter

    rows, columns = picture.shape[:2]
    parts = (
        fine.reshape(rows, FINER, columns, FINER, 3).swapaxes(1, 2).reshape(rows, columns, -1, 3)
    )
    order = parts.mean(3).argsort(2, kind="stable")[..., None]
    sorted_parts = np.take_along_axis(parts, order, 2).astype(np.float64)
    quarter = FINER * FINER // 4
    dark, light = sorted_parts[:, :, :quarter].mean(2), sorted_parts[:, :, -quarter:].mean(2)
    around = gaussian_filter(picture.mean(2), 1.5)[..., None]
    darker = around - dark.mean(2, keepdims=True) > light.mean(2, keepdims=True) - around
    line = np.where(darker, dark, light)
    return np.asarray(np.rint(picture + much * (line - picture)).clip(0, 255).astype(np.uint8))


def read_rows(path: str, what: str, example: str) -> list[tuple[int, list[str]]]:
    """Return the rows of a CSV file of the user, with their numbers from 1. Raises InputError.

    There are no blanks around cells, and no rows of blanks.
    """
    data = read_regular(path, f"{what} {path}", LARGEST, empty=True)
    try:
        rows = list(csv.reader(data.decode("utf-8-sig").splitlines()))
    except (ValueError, csv.Error) as error:
        raise InputError(
            f"cannot read the {what} {path}: {error}",
            hint=f"give a file of lines such as {example}",
        ) from None
    stripped = ([cell.strip() for cell in row] for row in rows)
    return [(number, row) for number, row in enumerate(stripped, 1) if any(row)]


def read_table(name: str) -> list[Colour]:
    """Return a table of colours in `colours/NAME.csv`."""
    text = resources.files(__package__).joinpath(f"colours/{name}.csv").read_text("utf-8")
    return [Colour(*row) for row in list(csv.reader(io.StringIO(text)))[1:]]


def in_lab(colours: Sequence[str]) -> Floats:
    """Return colours ``#rrggbb`` as CIELAB, [N, 3]."""
    return lab_of(np.array([parse_colour(each) for each in colours]).T)


def in_words(colour: Floats) -> str:
    """Return what a colour, sRGB-encoded [3], is called: the name of the brick nearest to it."""
    table = read_table("bricks")
    colours = [colour, *(np.array(parse_colour(each.colour)) for each in table)]
    lab = lab_of(np.stack(colours, 1))
    return table[int(differences(lab[:1], lab[1:]).argmin())].name


def assigned(
    picture: Pixels, table: Sequence[Colour], options: GridOptions
) -> tuple[Cells, list[Colour]]:
    """Return the index of the colour of each cell, [rows, columns], and the colours by frequency.

    `picture` holds the colours that cells should have, uint8 [rows, columns, 3].
    """
    from skimage.color import rgb2lab

    lab = rgb2lab(picture)
    sold = in_lab([each.colour for each in table])
    groups, weight = grouped(lab.reshape(-1, 3))
    apart = differences(groups, sold)
    chosen = choose(apart**2, weight, min(options.colours, len(table)))
    if options.dither:
        cells = _dithered(lab, sold[chosen])
    else:
        cells = np.stack([differences(row, sold[chosen]).argmin(1) for row in lab])
    cells = without_confetti(cells, sold[chosen], options.confetti)
    counts = np.bincount(cells.ravel(), minlength=len(chosen))
    order = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    places = np.empty(len(chosen), np.int64)
    places[order] = np.arange(len(order))
    return places[cells], [table[chosen[k]] for k in order]


def differences(first: Floats, second: Floats) -> Floats:
    """Return CIEDE2000 between Lab colours [N, 3] and [M, 3]: [N, M]."""
    from skimage import color

    apart: Any = color.deltaE_ciede2000
    # Blocks, since it takes some twenty times the memory of its result.
    blocks = np.array_split(first, 1 + len(first) * len(second) // 500_000)
    return np.concatenate([apart(block[:, None], second[None]) for block in blocks])


def choose(cost: Floats, weight: Floats, count: int) -> list[int]:
    """Return `count` columns of `cost` [groups, colours] with the least sum of least costs.

    Greedy, then each column is exchanged for a better one until none is.
    """
    chosen: list[int] = []
    best = np.full(len(cost), np.inf)
    for _ in range(count):
        chosen.append(int((weight @ np.minimum(best[:, None], cost)).argmin()))
        best = np.minimum(best, cost[:, chosen[-1]])
    for _ in range(20):
        before = list(chosen)
        for place in range(len(chosen)):
            others = chosen[:place] + chosen[place + 1 :]
            left = cost[:, others].min(1, initial=np.inf)
            chosen[place] = int((weight @ np.minimum(left[:, None], cost)).argmin())
        if chosen == before:
            break
    return list(dict.fromkeys(chosen))


def without_confetti(cells: Cells, lab: Floats, most: int) -> Cells:
    """Give areas of at most `most` cells the nearest colour that touches them."""
    from scipy.ndimage import binary_dilation, find_objects, label

    for _ in range(4 if most else 0):
        changed = False
        for colour in range(len(lab)):
            areas, _ = label(cells == colour, np.ones((3, 3)))
            sizes = np.bincount(areas.ravel())
            for number, box in enumerate(find_objects(areas), 1):
                if box is None or sizes[number] > most:
                    continue
                wide = tuple(slice(max(0, each.start - 1), each.stop + 1) for each in box)
                area = areas[wide] == number
                beside = np.unique(cells[wide][binary_dilation(area) & ~area])
                if len(beside):
                    near = np.linalg.norm(lab[beside] - lab[colour], axis=1).argmin()
                    cells[wide][area] = beside[near]
                    changed = True
        if not changed:
            break
    return cells


def tally(lab: Floats, step: float) -> tuple[Cells, Cells, Cells]:
    """Return the colours [N, axes] in whole steps: those that occur, sorted; which each is; counts.

    Each is one number meanwhile: NumPy sorts these many times as fast as rows.
    """
    cells = np.rint(lab / step).astype(np.int64)
    low = cells.min(0)
    sides = tuple(np.ptp(cells, axis=0) + 1)
    numbers = np.ravel_multi_index(tuple((cells - low).T), sides)
    found, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    return np.stack(np.unravel_index(found, sides), 1) + low, inverse, counts


def grouped(lab: Floats) -> tuple[Floats, Floats]:
    """Return mean colours of a picture, [groups, 3], and how many cells each stands for."""
    step = 4.0
    while len((tallied := tally(lab, step))[0]) > GROUPS:
        step *= 1.3
    found, inverse, counts = tallied
    sums = [np.bincount(inverse, axis, len(found)) for axis in lab.T]
    # A few cells in a colour of their own are seen too: an eye, a lamp.
    return np.stack(sums, 1) / counts[:, None], counts.astype(np.float64) ** 0.75


def _dithered(lab: Floats, colours: Floats) -> Cells:
    """Diffuse the error of each cell (Floyd and Steinberg, 1976), in rows that turn."""
    rest = np.pad(lab, ((0, 1), (1, 1), (0, 0)))
    cells = np.zeros(lab.shape[:2], np.int64)
    for row in range(len(lab)):
        ahead = 1 if row % 2 == 0 else -1
        for column in range(lab.shape[1])[::ahead]:
            wanted = rest[row, column + 1]
            cells[row, column] = best = int(((colours - wanted) ** 2).sum(1).argmin())
            # All of the error would travel far into areas that no colour comes close to.
            error = 0.75 * (wanted - colours[best])
            rest[row, column + 1 + ahead] += error * 7 / 16
            for shift, share in ((-ahead, 3), (0, 5), (ahead, 1)):
                rest[row + 1, column + 1 + shift] += error * share / 16
    return cells


def chart(
    guide: Guide,
    cells: Cells,
    colours: Sequence[Colour],
    cell: float,
    pages: tuple[int, int],
    overlap: int,
    over: Any = None,
    first: tuple[int, int] = (0, 0),
) -> None:
    """Add a chart of cells `cell` mm wide, `pages` columns and rows on a page, some on two.

    Cells that an earlier page has are pale. `over` draws on a page, in cells from its first one.
    `first` is how many columns and rows of the picture are before these cells.
    """
    tints = [_tint(each.colour, 0.55) for each in colours]
    high, wide = cells.shape
    starts = [
        range(0, max(1, side - overlap), each - overlap)
        for side, each in zip((wide, high), pages, strict=True)
    ]
    for top in starts[1]:
        for left in starts[0]:
            part = cells[top : top + pages[1], left : left + pages[0]]
            right, bottom = left + part.shape[1], top + part.shape[0]
            across, down = first[0] + left, first[1] + top
            place = f"columns {across + 1} to {first[0] + right}"
            sheet = guide.page(f"Chart: {place}, rows {down + 1} to {first[1] + bottom}")
            x0, y0 = MARGIN + 8, TOP + 4
            _cells(sheet, part, tints, (x0, y0, cell), (left > 0, top > 0), overlap)
            _rulers(sheet, part, (x0, y0, cell), (across, down))
            if over is not None:
                over(sheet, (x0, y0, cell), (left, top, right, bottom))


def _cells(
    sheet: Sheet,
    part: Cells,
    tints: Sequence[str],
    place: tuple[float, float, float],
    later: tuple[bool, bool],
    overlap: int,
) -> None:
    x0, y0, cell = place
    size = 0.78 * cell
    for (row, column), colour in np.ndenumerate(part):
        x, y = x0 + column * cell, y0 + row * cell
        tint, mark = tints[int(colour)], SYMBOLS[int(colour)]
        pale = (later[0] and column < overlap) or (later[1] and row < overlap)
        if not pale:
            sheet.box(x, y, cell, cell, fill=tint, edge=0)
        sheet.text(
            x + cell / 2, y + cell / 2 + 0.36 * size, mark, size, align="middle",
            colour="#999999" if pale else "#000000",
        )  # fmt: skip


def _rulers(
    sheet: Sheet, part: Cells, place: tuple[float, float, float], first: tuple[int, int]
) -> None:
    """Draw the lines between cells, every tenth one thick; the cells before these have numbers."""
    x0, y0, cell = place
    rows, columns = part.shape
    for across, count, length in ((True, columns, rows), (False, rows, columns)):
        for k in range(count + 1):
            number = first[0 if across else 1] + k
            tenth = number % 10 == 0
            at, end = k * cell, length * cell
            line = [(x0 + at, y0), (x0 + at, y0 + end)]
            line = line if across else [(x0, y0 + at), (x0 + end, y0 + at)]
            sheet.line(line, 0.35 if tenth else 0.08, "#000000" if tenth else "#666666")
            # So has the first, unless the next one has.
            if k < count and (number % 10 == 9 or (k == 0 and number % 10 < 8)):
                x, y = (at + cell / 2, -1.2) if across else (-1.2, at + cell / 2 + 0.9)
                align: Align = "middle" if across else "right"
                sheet.text(x0 + x, y0 + y, str(number + 1), RULER, align=align)


def _tint(colour: str, share: float) -> str:
    levels = [1 - share + share * level for level in parse_colour(colour)]
    return "#{:02x}{:02x}{:02x}".format(*(round(255 * level) for level in levels))


def laid(
    cells: Cells, colours: Sequence[Colour], ground: str, cover: Floats, shade: Floats
) -> Pixels:
    """Lay the same small picture in each cell: `cover` and `shade` [side, side] of its colour."""
    levels = np.array([parse_colour(each.colour) for each in colours])[cells]
    side = len(cover)
    large = levels.repeat(side, 0).repeat(side, 1)
    tiled = [np.tile(each, cells.shape)[..., None] for each in (cover, shade)]
    shown = tiled[0] * (large * tiled[1]).clip(0, 1) + (1 - tiled[0]) * parse_colour(ground)
    return levels_of(shown)


def side_of(cells: Cells) -> tuple[int, Floats, Floats]:
    """Return the pixels along a cell of a picture of about 1,600, and x and y in it, -1 to 1."""
    side = int(np.clip(1600 // max(cells.shape), 3, 16))
    axis = (2 * np.arange(side) + 1) / side - 1
    across, down = np.meshgrid(axis, axis)
    return side, across, down


@dataclass(frozen=True)
class StitchOptions(GridOptions):
    """Options of cross-stitch."""

    count: float = option(14.0, "stitches per inch of the fabric", low=3, high=60)
    strands: int = option(2, "strands of floss in the needle, of six", low=1, high=6)
    fabric: str = option("#f6f1e6", "colour of the fabric")
    border: float = option(50.0, "fabric around the picture in mm", low=0, high=500)


class CrossStitch(Grid):
    """Cross-stitch in the colours of DMC's floss."""

    Options: ClassVar[type[Any]] = StitchOptions
    title = "cross-stitch"
    counted = "crosses"
    steps = (
        "Find the middle of the fabric and of the chart, and begin there. The picture has {size}.",
        "Each symbol is a cross in the colour beside it, in {strands} strands. All upper "
        "diagonals run the same way.",
        "The sheets share three rows and columns, which are pale on the later one.",
    )
    table = "dmc"
    cell: ClassVar[float] = 2.8

    @cached_property
    def fabric(self) -> str:
        """The colour of the fabric."""
        return hex_colour(parse_colour(self.options.fabric))

    @property
    def pitch(self) -> float:
        """Stitches per inch as mm."""
        return 25.4 / float(self.options.count)

    def parts(self, cells: Cells, colours: Sequence[Colour]) -> list[Part]:
        """Crosses, and metres of floss, a fifth more than they take, by colour."""
        counts = np.bincount(cells.ravel())
        # A cross has two diagonals in front and two sides behind.
        cross = (2 * 2**0.5 + 2) * self.pitch * 1.2 * self.options.strands / 6
        floss = []
        for c, n in zip(colours, counts, strict=True):
            length = round(float(n) * cross, 1)
            skeins = math.ceil(length / SKEIN)
            name = f"DMC {c.number} {c.name}, {skeins} skein{'s' * (skeins > 1)} of 8 m"
            floss.append(Part("floss", name, c.colour, int(n), length))
        high, wide = (side * self.pitch + 2 * self.options.border for side in cells.shape)
        name = f"{self.options.count:g} count, {wide:.0f} x {high:.0f} mm"
        return [*floss, Part("fabric", name, self.fabric, 1)]

    def finished(self, cells: Cells, colours: Sequence[Colour]) -> Pixels:
        """Crosses whose upper diagonal is lighter."""
        _, x, y = side_of(cells)
        lower, upper = (np.clip(2.6 - 3.4 * abs(each), 0, 1) for each in (x - y, x + y))
        cover = np.maximum(lower, upper)
        shade = np.where(upper >= 0.5, 1.06 - 0.2 * abs(x + y), 0.86 - 0.1 * abs(x - y))
        return laid(cells, colours, self.fabric, cover, shade)

    def charts(self, guide: Guide, cells: Cells, colours: Sequence[Colour]) -> None:
        """As many stitches on a page as fit."""
        fit = int((guide.width - 8) / self.cell), int((guide.height - 18) / self.cell)
        chart(guide, cells, colours, self.cell, fit, 3)

    def files(self, cells: Cells, colours: Sequence[Colour], motif: Motif) -> dict[str, bytes]:
        """The table, and the chart as Open Cross Stitch, which programs for stitchers read."""
        from html import escape

        rows, columns = cells.shape
        palette = "".join(
            f'<palette_item index="{k}" number="DMC {c.number}" name="{escape(c.name)}" '
            f'color="{c.colour[1:].upper()}" strands="{self.options.strands}"/>\n'
            for k, c in enumerate([Colour("cloth", "cloth", self.fabric), *colours])
        ).replace("DMC cloth", "cloth")
        stitches = "".join(
            f'<stitch x="{x}" y="{y}" palindex="{k + 1}"/>\n' for (y, x), k in np.ndenumerate(cells)
        )
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<chart>\n'
            f'<properties oxsversion="1.0" software="artgen" chartwidth="{columns}" '
            f'chartheight="{rows}" charttitle="{escape(motif.name)}" '
            f'instructions="{escape(motif.origin)}" stitchesperinch="{self.options.count:g}" '
            f'stitchesperinch_y="{self.options.count:g}" palettecount="{len(colours)}"/>\n'
            f"<palette>\n{palette}</palette>\n<fullstitches>\n{stitches}</fullstitches>\n"
            "<backstitches/>\n</chart>\n"
        )
        return super().files(cells, colours, motif) | {"chart.oxs": text.encode()}


@dataclass(frozen=True)
class BeadOptions(GridOptions):
    """Options of fused beads.

    Square boards for beads of 5 mm have 29 pegs along a side; that those of 2.6 mm do is assumed.
    """

    columns: int = option(58, "beads along the width", low=2, high=1000)
    brand: str = option("hama", "whose colours: hama or perler")
    bead: float = option(5.0, "diameter of a bead in mm: 5 or 2.6", low=2.6, high=5)
    board: int = option(29, "pegs along a side of a board", low=5, high=60)
    crisp: float = option(0.7, "how much lines count that are finer than beads", low=0, high=1)


class Beads(Grid):
    """Beads on boards of pegs, which are fused by an iron."""

    Options: ClassVar[type[Any]] = BeadOptions
    title = "beads"
    steps = (
        "The picture has {size}. Lay the boards side by side, or fill one after the other.",
        "The chart of a board is at 1:1, printed at 100 %: lay it under a clear board.",
        "Put a bead of the colour of each symbol on each peg.",
        "Iron through baking paper until the beads hold together, and let them cool under a book.",
    )

    @cached_property
    def table(self) -> str:
        """The brand in one of the two sizes that are sold."""
        chosen = self.options
        if chosen.brand not in ("hama", "perler") or chosen.bead not in (5, 2.6):
            raise UsageError(
                f"there is no table of {chosen.bead:g} mm beads of {chosen.brand!r}",
                hint="use --brand hama or perler, and --bead 5mm or 2.6mm",
            )
        # Beads of Hama come in the same colours in both sizes.
        small = chosen.brand == "perler" and chosen.bead != 5
        return f"{chosen.brand}-mini" if small else chosen.brand

    @property
    def pitch(self) -> float:
        """The diameter of a bead."""
        return float(self.options.bead)

    def parts(self, cells: Cells, colours: Sequence[Colour]) -> list[Part]:
        """Beads by colour, and boards."""
        counts = np.bincount(cells.ravel())
        beads = [
            Part("bead", f"{self.options.brand.title()} {c.number} {c.name}", c.colour, int(n))
            for c, n in zip(colours, counts, strict=True)
        ]
        boards = int(np.prod([-(-side // self.options.board) for side in cells.shape]))
        name = f"{self.options.board} x {self.options.board} pegs, {self.pitch:g} mm"
        return [*beads, Part("board", name, "", boards)]

    def finished(self, cells: Cells, colours: Sequence[Colour]) -> Pixels:
        """Rings that touch, with a little light from above."""
        _, x, y = side_of(cells)
        away = np.hypot(x, y)
        cover = np.clip(8 * (1.08 - away), 0, 1) * np.clip(8 * (away - 0.26), 0, 1)
        return laid(cells, colours, "#e9e6e0", cover, 1.02 - 0.12 * (x + y) * away)

    def charts(self, guide: Guide, cells: Cells, colours: Sequence[Colour]) -> None:
        """A board on each page, at 1:1; a part of one where it is larger than the paper."""
        room = int((guide.width - 8) / self.pitch), int((guide.height - 18) / self.pitch)
        board = self.options.board
        for top, left in product(*(range(0, side, board) for side in cells.shape)):
            part = cells[top : top + board, left : left + board]
            chart(guide, part, colours, self.pitch, room, 0, first=(left, top))
