"""Glyphs: letters of a font, with the outlines and the holes that the font has."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas, Preset, Shape, option
from artgen.errors import InputError, UsageError
from artgen_plugins._fonts import EM, read_font
from artgen_plugins._text_lines import ADVANCE, USUAL, fitting_columns, layout_of, set_in_lines

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST = 500_000
"""The most bytes of a table."""
CURVES = 32
"""The fewest curves that letters are stored with."""
STEEPEST, SMALLEST = 0.6, 0.01
"""The steepest line of writing, and the smallest half em in canvas units."""


class Glyph(Shape):
    """Letters: the middle (x, y), half an em (u, v) along the line of writing, and the letter."""

    @dataclass(frozen=True)
    class Options:
        """Options of `glyph`."""

        text: str = option("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "letters; repeated ones come more often")
        font: str = option("DejaVuSans-Bold", "TTF or OTF file, or a font of matplotlib")
        lines: int = option(
            0, "lines of the text, which is then read in order; 0: placed freely", low=0, high=60
        )
        columns: int = option(
            0, "letters in a line of `lines`; 0: as many as fit", low=0, high=10**7
        )

    defaults = Preset(count=200)
    known_deviations: ClassVar[Mapping[str, str]] = {"mutation": "a part keeps its letter"}
    required = ()  # `random` and `outline` are made for the letters
    genes = 5
    gene_names = ("x", "y", "u", "v", "letter")

    def __init__(self, options: Mapping[str, Any] | None = None, **more: Any) -> None:
        super().__init__(options, **more)
        letters = "".join(self.options.text.split())
        self._outlines = _opened(self.options.font, list(dict.fromkeys(letters)))
        # Those of a drawing fit a picture of some width, which is not stored.
        fits = ADVANCE * self.options.columns / max(1, self.options.lines)
        self._make_functions(max(1.0, fits))

    def _make_functions(self, aspect: float) -> None:
        chosen = self.options
        self._curves, functions = _functions(chosen.text, self._outlines)
        if chosen.lines:
            columns = chosen.columns or 1
            placing = set_in_lines(chosen.text, self._outlines, chosen.lines, columns, aspect)
            functions = {**functions, **placing}
        vars(self).update(functions)

    def resolve_options(self, canvas: Canvas) -> None:
        """Replace the font by the outlines of its letters, so that a drawing needs no file."""
        self.options = replace(self.options, font=self._outlines)
        if self.options.lines:
            aspect = canvas.width / canvas.height
            columns = self.options.columns or fitting_columns(self.options.lines, aspect)
            *_, size = layout_of(self.options.lines, columns, aspect)
            if USUAL * size <= SMALLEST:
                most = math.floor(2 * USUAL * max(1, aspect) / (ADVANCE * SMALLEST) - 1e-9)
                what = f"letters in lines of {columns} would be too small to see"
                raise UsageError(what, hint=f"use at most {most} columns")
            self.options = replace(self.options, columns=columns)
            self._make_functions(aspect)

    @property
    def curves(self) -> int:
        """Those of the letter that has the most."""
        return self._curves

    @staticmethod
    def mutate(genes: Floats, rng: np.random.Generator, step: float) -> None:
        """Change the place or the half em; the letter stays."""
        genes[int(4 * rng.random())] += step * rng.standard_normal()

    @staticmethod
    def valid(genes: Floats) -> bool:
        """Refuse letters that are tiny, or turned so far that they are hard to read."""
        return bool(genes[2] > SMALLEST and abs(genes[3]) <= STEEPEST * genes[2])


@functools.cache
def _functions(text: str, outlines: str) -> tuple[int, dict[str, Callable[..., None]]]:
    """The number of curves, and the functions with what depends on the letters."""
    glyphs = json.loads(outlines)
    order = np.array([list(glyphs).index(letter) for letter in "".join(text.split())])
    table = _table(list(glyphs.values()))
    return table.shape[1] // 4, {
        "random": partial(_random, order=order),
        "outline": partial(_outline, table=table),
    }


def _random(
    genes: Floats, rng: np.random.Generator, x: float, y: float, size: float, order: Ints
) -> None:
    length, angle = size * (0.8 + 0.8 * rng.random()), math.pi / 6 * (2 * rng.random() - 1)
    genes[0], genes[1] = x, y
    genes[2], genes[3] = length * math.cos(angle), length * math.sin(angle)
    # In the middle between two whole numbers, so that rounding keeps the letter.
    genes[4] = order[int(len(order) * rng.random())] + 0.5


def _outline(genes: Floats, points: Floats, table: Floats) -> None:
    x, y, u, v = genes[0], genes[1], genes[2], genes[3]
    letter = min(max(int(genes[4]), 0), len(table) - 1)
    for i in range(len(points)):
        across, up = table[letter, i, 0], table[letter, i, 1]
        points[i, 0] = x + across * u + up * v
        points[i, 1] = y + across * v - up * u


def _table(glyphs: list[list[int]]) -> Floats:
    """The control points of letters, [letters, 4 · curves, 2] in half ems around their middles."""
    longest, rows = max(8 * CURVES, *map(len, glyphs)) // 2, []
    # A power of two, so that texts share their compiled kernels.
    longest = 1 << (longest - 1).bit_length()
    for points in (np.reshape(numbers, (-1, 2)) for numbers in glyphs):
        row = (2 * points - points.max(axis=0) - points.min(axis=0)) / EM
        # Curves that are not needed are one point.
        rows.append(np.pad(row, ((0, longest - len(row)), (0, 0)), "edge"))
    return np.array(rows)


def _opened(font: str, letters: list[str]) -> str:
    """The outlines of letters as text, of the option `font`. Raises InputError."""
    try:
        found = json.loads(font) if font.startswith("{") else read_font(font, letters)
        outlines = {each: np.array(found.get(each, []), int).ravel().tolist() for each in letters}
    except (OSError, OverflowError, RuntimeError, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, RuntimeError):
            # FreeType names lines of its own source.
            reason = "it is not a font"
        hint = "name a TTF or OTF file, or a font of matplotlib such as DejaVuSans"
        raise InputError(f"cannot read the font {font:.80}: {reason}", hint=hint) from None
    wrong = [each for each, numbers in outlines.items() if not numbers or len(numbers) % 8]
    if wrong:
        raise InputError(f"the font {font:.80} has no outline of {wrong[0]!r}")
    if not letters:
        raise InputError("text has no letters", hint="write text=ABC")
    if 8 * len(letters) * max(map(len, outlines.values())) > MOST:
        raise InputError(
            f"text has {len(letters)} letters, too many for their outlines", hint="use fewer"
        )
    return json.dumps(outlines, separators=(",", ":"))
