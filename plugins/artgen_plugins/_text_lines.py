"""Text in lines: a letter follows from its place, so that the text is read in order."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from artgen_plugins._fonts import EM

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ADVANCE, BASELINE = 0.62, 0.22
"""The width of a letter's place and the height of the baseline, as shares of a line's height."""
SMALLEST, USUAL, LARGEST = 0.3, 0.42, 0.5
"""Half an em, as a share of a line's height."""


def fitting_columns(lines: int, aspect: float) -> int:
    """Return how many letters fit in a line of a picture with this ratio of width to height."""
    return max(1, round(lines * aspect / ADVANCE))


def layout_of(lines: int, columns: int, aspect: float) -> tuple[float, float, float]:
    """Return the height and width of a letter's place, and the size of letters, in canvas units."""
    if columns == fitting_columns(lines, aspect):
        height = 2 * max(1 / lines, 1 / (ADVANCE * columns))
        return height, ADVANCE * height, height
    width, height = 2 * max(1, aspect) / columns, 2 * max(1, 1 / aspect) / lines
    return height, width, min(height, width / ADVANCE)


@functools.cache
def set_in_lines(
    text: str, outlines: str, lines: int, columns: int, aspect: float
) -> dict[str, Callable[..., None]]:
    """Return `random` and `mutate` of letters that keep to their places in lines of `columns`.

    Lines fill a picture with this ratio of width to height; the text begins again where it ends.
    `outlines` is a table of letters as `glyph` stores it.
    """
    glyphs = json.loads(outlines)
    words = " ".join([*text.split(), ""])
    order = np.array([-1 if letter == " " else list(glyphs).index(letter) for letter in words])
    # How far the middle of each letter lies above the baseline, in half ems; see `glyph`.
    middles = np.array([(max(each[1::2]) + min(each[1::2])) / EM for each in glyphs.values()])
    page = np.array([lines, columns, *layout_of(lines, columns, aspect)])
    return {
        "random": partial(_random, order=order, middles=middles, page=page),
        "mutate": partial(_mutate, middles=middles, page=page),
    }


def _random(
    genes: Floats,
    rng: np.random.Generator,
    x: float,
    y: float,
    size: float,
    order: Ints,
    middles: Floats,
    page: Floats,
) -> None:
    lines, columns, height, width = int(page[0]), int(page[1]), page[2], page[3]
    row = min(max(math.floor(y / height + lines / 2), 0), lines - 1)
    column = min(max(math.floor(x / width + columns / 2), 0), columns - 1)
    # No letter belongs where a word ends: take the one before or after, in the same line.
    if order[(row * columns + column) % len(order)] < 0:
        step = 1 if rng.random() < 0.5 else -1
        column += step if 0 <= column + step < columns else -step
    letter = order[(row * columns + column) % len(order)]
    genes[0] = width * (min(max(column, 0), columns - 1) + 0.5 - columns / 2)
    genes[2], genes[3], genes[4] = USUAL * page[4], 0.0, letter + 0.5
    genes[1] = height * (row + 1 - BASELINE - lines / 2) - middles[letter] * genes[2]


def _mutate(
    genes: Floats, rng: np.random.Generator, step: float, middles: Floats, page: Floats
) -> None:
    half = genes[2] + 0.3 * step * rng.standard_normal()
    half = min(max(half, SMALLEST * page[4]), LARGEST * page[4])
    genes[1] -= middles[int(genes[4])] * (half - genes[2])
    genes[2] = half
