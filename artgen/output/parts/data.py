"""The digits that numbers of flat parts need in a file."""

from __future__ import annotations

import math

from artgen.values.canvas import Canvas

ENLARGED, SEEN = 4, 0.1
"""Enlarged this many times, rounded numbers are off by no more than this share of a pixel."""


def precision(canvas: Canvas) -> float:
    """The unit to which lengths may be rounded, in canvas units, for that fitting size."""
    return 2 * SEEN * canvas.pixel / ENLARGED


def decimals(canvas: Canvas) -> int:
    """The digits after the point that a length in canvas units needs, for that fitting size."""
    return max(0, math.ceil(-math.log10(precision(canvas))))
