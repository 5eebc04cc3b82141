"""A poem that is a picture: text in reading order, whose size and weight are the tone.

Rows run over the picture as its dark and bright masses bend them. Letters are lines of a pen, in
the font that A. V. Hershey drew for plotters (Calligraphy for Computers, 1967); each line
of one is as heavy as the tone at its place asks for, within what can be read. The text begins again
where it ends.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar, NamedTuple

import numpy as np

from artgen import Canvas, Ink, Preset, ink, option
from artgen.errors import InputError, UsageError, read_regular
from artgen.ink import InkOptions
from artgen_plugins._contours import pixels_of
from artgen_plugins.regions import Floats, slopes

SHE_WALKS = """She walks in beauty, like the night
Of cloudless climes and starry skies;
And all that's best of dark and bright
Meet in her aspect and her eyes:
Thus mellow'd to that tender light
Which heaven to gaudy day denies.
One shade the more, one ray the less,
Had half impair'd the nameless grace
Which waves in every raven tress,
Or softly lightens o'er her face;
Where thoughts serenely sweet express
How pure, how dear their dwelling-place.
And on that cheek, and o'er that brow,
So soft, so calm, yet eloquent,
The smiles that win, the tints that glow,
But tell of days in goodness spent,
A mind at peace with all below,
A heart whose love is innocent!"""
"""Lord Byron, 1814."""

CAP, BASE, BLANK = 21.0, 9.0, 11.0
"""Units of the font: the height of a capital, its baseline, the width of a space."""

STROKES, ADVANCE = 9.5, 0.56
"""Usual strokes of a letter, and its width as a share of the distance of rows."""

LOW, HIGH = 0.56, 0.8
"""Heights of capitals, in distances of rows, where it is bright and where it is dark."""

WIDE, NARROW = 1.15, 1.0
"""How far apart letters are where it is bright and where it is dark."""

THIN, THICK = 0.028, 0.13
"""Least and largest radius of the pen, in heights of a capital: beyond it no letter can be read."""

DENSE = 0.64
"""The share of the paper that is covered where it is darkest."""

DEEPER = 1.7
"""The power of the tone by which middle tones are lighter: text alone is gray already."""

OTHERS = {
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{LATIN SMALL LETTER SHARP S}": "ss",
}
"""Signs that the font does not have, and what stands for them."""

LONGEST, LONG = 1 << 20, 60
"""The most bytes of a file of text, and the most letters of a word, which no row breaks."""

STEEP = 0.4
"""How much nearer two rows may come."""


@dataclass(frozen=True)
class PoemOptions(InkOptions):
    """Options of `poem`."""

    text: str = option("", "the text, or a .txt file of it; empty: a poem by Byron")
    capitals: bool = option(False, "all letters are capitals, which cover more evenly")
    bend: float = option(
        0.5, "how far rows bend with the picture; 0: they are straight", low=0, high=1
    )


class Letter(NamedTuple):
    """A letter: its width and its lines [n, 2], in units of the font, the baseline at 0."""

    width: float
    lines: tuple[Floats, ...]

    @property
    def length(self) -> float:
        """The length of all lines."""
        return sum(float(np.hypot(*np.diff(line, axis=0).T).sum()) for line in self.lines)


@cache
def letters() -> dict[str, Letter]:
    """The letters of the font, ASCII."""
    found = {}
    for row in files("artgen_plugins").joinpath("hershey.txt").read_text("ascii").splitlines():
        name, width, lines = row.split(" ", 2)
        points = [[each.split(",") for each in line.split()] for line in lines.split("|")]
        drawn = tuple(np.array(line, np.float64) - (0.0, BASE) for line in points)
        found[name] = Letter(float(width), drawn)
    return found


def words_of(text: str) -> list[str]:
    """The words of a text in letters that the font has; accents are left out, long words divided.

    Raises UsageError where no letter remains.
    """
    plain = text.translate({ord(each): other for each, other in OTHERS.items()})
    apart = unicodedata.normalize("NFKD", plain)
    words = "".join(each for each in apart if each in letters() or each.isspace()).split()
    if not words:
        raise UsageError(
            "the text has no letter that the font has", hint="use letters from A to Z and digits"
        )
    return [word[at : at + LONG] for word in words for at in range(0, len(word), LONG)]


class Poem(Ink):
    """Letters in rows, each drawn by a pen."""

    Options: ClassVar[type[Any]] = PoemOptions
    defaults = Preset(count=160_000, background="#f6f1e7")

    def take_options(self) -> None:
        """Read the text. Raises UsageError, InputError."""
        super().take_options()
        text = self.options.text or SHE_WALKS
        # The recipe of a stranger must not put any file it likes into what is drawn.
        if text.lower().endswith(".txt") and "\n" not in text:
            try:
                text = read_regular(text, f"text {text}", LONGEST).decode()
            except ValueError as error:
                raise InputError(f"cannot read the text {text}: {error}") from None
        self._text = text
        self._words = words_of(text.upper() if self.options.capitals else text)

    def resolve_options(self, canvas: Canvas) -> None:
        """Keep the text itself, so that a drawing needs no file."""
        # What ends like the name of a file shall not be read as one.
        named = self._text.lower().endswith(".txt")
        self.options = replace(self.options, text=self._text + "\n" * named)

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Write row after row, from left to right, until the page is full."""
        # What repeats has no border.
        reach = np.array(sheet.canvas.reach) - 2 * self.options.margin * (self.group is None)
        pitch = float(np.sqrt(4 * reach.prod() / (ADVANCE * max(1, sheet.count / STROKES))))
        rows = max(1, int(2 * reach[1] / pitch))
        pitch = 2 * reach[1] / rows
        page = Page(sheet, float(reach[0]), pitch, self.options.bend)
        marks: list[ink.Marks] = []
        count = number = 0
        for row in range(rows):
            written, number = page.row(pitch * (row + 0.72) - reach[1], self._words, number)
            for letter in written:
                if count + len(letter) > sheet.count:
                    return ink.joined(marks)
                count += len(letter)
                marks.append(letter)
        return ink.joined(marks)


class Page:
    """Rows `pitch` apart between -`edge` and `edge`, bent by the tone of a sheet."""

    def __init__(self, sheet: ink.Sheet, edge: float, pitch: float, bend: float) -> None:
        from scipy.ndimage import gaussian_filter

        self.sheet, self.edge, self.pitch = sheet, edge, pitch
        tone = np.minimum(sheet.amounts.sum(axis=0), 1)
        smooth = gaussian_filter(tone, 0.05 * min(tone.shape), mode="nearest")
        across = np.abs(slopes(smooth)[0]).max() / sheet.canvas.pixel
        self.bend = min(0.25, STEEP / max(float(across), 1e-9)) * bend
        self._masses = smooth
        wide = 0.22 * pitch / sheet.canvas.pixel
        local = [gaussian_filter(each, wide, mode="nearest") for each in sheet.amounts]
        self._local = np.stack(local)

    def _at(self, smooth: Floats, x: float, y: float) -> float:
        """The value of a smooth picture at a place; outside, that of the edge."""
        canvas = self.sheet.canvas
        column = int((x + canvas.reach[0]) / canvas.pixel)
        row = int((y + canvas.reach[1]) / canvas.pixel)
        height, width = smooth.shape
        return float(smooth[min(max(row, 0), height - 1), min(max(column, 0), width - 1)])

    def _shares(self, places: Floats) -> Floats:
        """How much of each ink is wanted at places [N, 2]: [N, inks]."""
        canvas = self.sheet.canvas
        cells = (places + canvas.reach)[:, ::-1] / canvas.pixel
        row, column = pixels_of(cells, self._local.shape[1:])
        return self._local[:, row, column].T

    def height(self, base: float, x: float) -> float:
        """Where the row with this baseline is at x."""
        y = base
        for _ in range(6):  # a contraction: rows come nearer by STEEP at most
            y = base - self.bend * self._at(self._masses, x, y)
        return y

    def row(self, base: float, words: list[str], number: int) -> tuple[list[ink.Marks], int]:
        """One row of words from the one with the `number` on; returns also that of the next row."""
        written: list[tuple[str, float, float, float]] = []
        x, end = -self.edge, 0.0
        while True:
            start, fitting = x, len(written)
            for name in words[number % len(words)]:
                y = self.height(base, x)
                middle = np.array([[x, y - 0.35 * self.pitch]])
                dark = min(1.0, float(self._shares(middle).sum()))
                size = self.pitch * (LOW + (HIGH - LOW) * dark)
                written.append((name, x, dark, size))
                x += letters()[name].width * size / CAP * (WIDE + (NARROW - WIDE) * dark)
            if x > self.edge and fitting:
                written, x = written[:fitting], start
                break
            number, end = number + 1, x
            x += BLANK * self.pitch * LOW / CAP
            if end > self.edge:
                break
        # The last letter of the row ends at the edge.
        wider = 2 * self.edge / max(end + self.edge, 1e-9)
        return [
            self._letter(name, wider * (at + self.edge) - self.edge, base, wider, dark, size)
            for name, at, dark, size in written
        ], number

    def _letter(
        self, name: str, x: float, base: float, wider: float, dark: float, size: float
    ) -> ink.Marks:
        """A letter, of which each line is as heavy, and of the ink, as its place asks for."""
        letter = letters()[name]
        scale = size / CAP
        width = letter.width * scale * wider
        y, later = self.height(base, x), self.height(base, x + width)
        room = self.pitch * width * (WIDE + (NARROW - WIDE) * dark)
        heavy = DENSE * room / (2 * max(letter.length * scale, 1e-9))
        slope = (later - y) / max(width, 1e-9)
        lines = []
        for line in letter.lines:
            along, up = line[:, 0] * scale * min(wider, 1.15), line[:, 1] * scale
            points = np.stack([x + along, y + up + slope * along], axis=1)
            shares = self._shares(points)
            wanted = heavy * shares.sum(1).clip(0, 1) ** DEEPER
            radii = wanted.clip(THIN * size, THICK * size)
            if len(points) == 1:
                marks, middle = ink.dots(points[:, 0], points[:, 1], radii), shares
            else:
                marks, middle = ink.polyline(points, radii), shares[1:] + shares[:-1]
            lines.append(ink.Marks(marks.strokes, middle.argmax(1)))
        return ink.joined(lines)
