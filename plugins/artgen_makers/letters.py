"""Letters of a font as filled outlines, which look the same in every reader of PDF."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import ImageFont

from artgen.errors import UsageError

_EM = 2048


class Glyph(NamedTuple):
    """Curves as points, in units of `_EM` per em, and an operator of PDF; and the advance in em."""

    curves: list[tuple[list[tuple[float, float]], str]]
    advance: float


def capital(font: str) -> float:
    """Return the height of a capital letter in em."""
    curves = glyph(font, "H").curves
    return max(y for points, _ in curves for _, y in points) / _EM


def outlines(font: str, letters: Iterable[tuple[str, float]], y: float, em: float) -> str:
    """Return the outlines of letters, each at its own x, as operators of PDF; all in mm."""
    scale, parts = em / _EM, list[str]()
    for letter, left in letters:
        for points, code in glyph(font, letter).curves:
            at = [(left + px * scale, y - py * scale) for px, py in points]
            parts.append(" ".join(f"{px:.3f} {py:.3f}" for px, py in at) + f" {code}")
    return " ".join(parts)


@cache
def glyph(font: str, letter: str) -> Glyph:
    """Return the outline of a letter. Raises UsageError where the font lacks it."""
    from matplotlib.path import Path as Outline

    if not has_letter(font, letter):
        raise UsageError(f"the font {font} has no letter {letter!r}", hint="use another --font")
    face = face_of(font)
    advance = face.load_char(ord(letter)).linearHoriAdvance / 65536 / _EM
    curves: list[tuple[list[tuple[float, float]], str]] = []
    last = (0.0, 0.0)
    for numbers, code in Outline(*face.get_path()).iter_segments(simplify=False):
        points = [(float(x), float(y)) for x, y in np.reshape(numbers, (-1, 2))]
        if code == Outline.CURVE3:
            (cx, cy), (x, y) = points
            first = (last[0] + 2 * (cx - last[0]) / 3, last[1] + 2 * (cy - last[1]) / 3)
            points = [first, (x + 2 * (cx - x) / 3, y + 2 * (cy - y) / 3), (x, y)]
        name = {Outline.MOVETO: "m", Outline.LINETO: "l", Outline.CLOSEPOLY: "h"}.get(code, "c")
        curves.append(([] if name == "h" else points, name))
        last = points[-1]
    return Glyph(curves, advance)


def has_letter(font: str, letter: str) -> bool:
    """Whether a font has a letter."""
    return bool(face_of(font).get_char_index(ord(letter)))


@cache
def face_of(font: str) -> Any:
    """Return a font at `_EM` units per em."""
    from matplotlib.ft2font import FT2Font

    face = FT2Font(str(font_file(font)))
    face.set_size(_EM, 72)
    return face


def font_file(font: str) -> Path:
    """Return the file of a font. Raises UsageError."""
    from matplotlib import get_data_path

    own = Path(get_data_path(), "fonts", "ttf", f"{font}.ttf")
    path = own if own.is_file() else Path(font)
    if not path.is_file():
        raise UsageError(
            f"there is no font {font}",
            hint="use DejaVuSans, DejaVuSans-Bold, DejaVuSerif, STIXGeneral, or a .ttf file",
        )
    try:
        ImageFont.truetype(str(path), 12)
    except OSError:
        raise UsageError(f"{font} is not a font", hint="use a .ttf or .otf file") from None
    return path
