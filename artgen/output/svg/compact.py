"""Contours of curves as short path data: whole numbers, relative to where the pen is."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEAR = 1
"""A control point that is this near to the reflection of the one before, in units, is left out."""

_SPARE = re.compile(r" (?=-)")


def compact_path(contours: Sequence[Floats], unit: float) -> str:
    """Return contours [curves, 4, 2] as path data, with coordinates in multiples of `unit`.

    Only the first point is absolute. Lines are written as ``l``, smooth joins as ``s``, others as
    ``c``.
    """
    text, before, place = "", "", np.zeros(2, np.int64)
    for contour in contours:
        curves = np.rint(contour / unit).astype(np.int64)
        commands = [("m" if text else "M", curves[0, :1] - place)]
        reflected = None
        for start, *points in curves:
            offsets = np.array(points) - start
            if _straight(offsets):
                commands.append(("l", offsets[2:]))
            elif reflected is not None and np.abs(offsets[0] - reflected).max() <= NEAR:
                commands.append(("s", offsets[1:]))
            else:
                commands.append(("c", offsets))
            reflected = None if commands[-1][0] == "l" else offsets[2] - offsets[1]
        for name, numbers in commands:
            text += " " if name == before else name
            text += " ".join(str(number) for number in numbers.ravel().tolist())
            before = name
        text, before, place = f"{text}z", "z", curves[0, 0]
    return _SPARE.sub("", text)


def _straight(offsets: NDArray[np.int64]) -> bool:
    """Return whether a curve is a line, by its control points and end relative to its start."""
    near, far, (x, y) = offsets
    across = [abs(x * v - y * u) for u, v in (near, far)]
    along = [x * u + y * v for u, v in (near, far)]
    square = x * x + y * y
    if not square:
        return not offsets.any()
    return bool(max(across) == 0 and min(along) >= 0 and max(along) <= square)
