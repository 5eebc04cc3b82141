"""Where a picture differs from its target, as a picture: dark where it is right, else bright."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["WORST", "embers", "error_map"]

WORST = 64
"""The error, of 255, at which the map is brightest."""

_EMBERS = ((0.0, 8, 8, 10), (0.3, 96, 24, 54), (0.65, 226, 98, 40), (1.0, 255, 244, 214))
"""The colours of the map: a position from 0 to 1, then red, green and blue."""

Pixels = NDArray[np.uint8]


def error_map(pixels: Pixels, goal: Pixels) -> Pixels:
    """The root of the mean squared error over the channels, as colours: all uint8 [h, w, 3]."""
    squares = np.subtract(pixels, goal, dtype=np.float64) ** 2
    return embers(np.minimum(np.sqrt(squares.mean(2)) / WORST, 1.0))


def embers(errors: NDArray[np.float64]) -> Pixels:
    """Errors [h, w] from 0 to 1, which is `WORST`, as colours [h, w, 3]."""
    position, *colours = zip(*_EMBERS, strict=True)
    channels = [np.interp(errors, position, values) for values in colours]
    return np.rint(np.stack(channels, 2)).astype(np.uint8)
