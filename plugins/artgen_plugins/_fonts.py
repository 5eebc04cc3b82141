"""Letters of a font as cubic Bézier curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

EM = 4096
"""Units of an outline per em."""


def read_font(font: str, letters: list[str]) -> dict[str, list[int]]:
    """The curves of letters in a font file."""
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    own = Path(get_data_path(), "fonts", "ttf", f"{font}.ttf")
    path = own if own.exists() else Path(font)
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    face = FT2Font(str(path))
    # At this size hinting moves a point by less than a unit.
    face.set_size(EM, 72)
    return {letter: _cubics(face, ord(letter)) for letter in letters}


def _cubics(face: Any, code_point: int) -> list[int]:
    """Eight numbers per curve of a letter; lines and quadratic curves become cubic ones."""
    from matplotlib.path import Path as Outline

    if not face.get_char_index(code_point):
        return []
    face.load_char(code_point)
    curves = []
    for numbers, code in Outline(*face.get_path()).iter_segments(simplify=False):
        if code == Outline.MOVETO:
            first = last = numbers[None]
            continue
        known = np.append(last, first if code == Outline.CLOSEPOLY else numbers).reshape(-1, 2)
        inner = {2: known, 3: (known[::2] + 2 * known[1]) / 3, 4: known[1:-1]}[len(known)]
        if (known != known[0]).any():
            curves.append([known[0], *inner, known[-1]])
        last = known[-1:]
    return [round(number) for number in np.ravel(curves)]
