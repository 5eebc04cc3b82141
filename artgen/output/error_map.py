"""Where a drawing differs from its target, as a picture: from black to embers."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["WORST", "embers", "error_map"]

Pixels = NDArray[np.uint8]

WORST = 64
"""The error, of 255, at which error maps are brightest."""

_EMBERS = ((0.0, 8, 8, 10), (0.3, 96, 24, 54), (0.65, 226, 98, 40), (1.0, 255, 244, 214))
"""The colours of error maps: a position from 0 to 1, then red, green and blue."""


def error_map(pixels: Pixels, goal: Pixels) -> Pixels:
    """The root of the mean squared error over the channels of two pictures [h, w, 3], in colours.

    Black where they are equal, brightest from WORST of 255 on.
    """
    difference = np.subtract(pixels, goal, dtype=np.float32)
    return embers(np.sqrt(np.einsum("hwc,hwc->hw", difference, difference) / 3) / WORST)


def embers(errors: NDArray[np.floating[Any]]) -> Pixels:
    """Errors [h, w], of which 1 and more is the brightest, as colours [h, w, 3]."""
    colours: Pixels = _palette()[np.minimum(errors * 255 + 0.5, 255).astype(np.uint8)]
    return colours


@functools.cache
def _palette() -> Pixels:
    """The colours of 256 errors from 0 to 1."""
    position, *colours = zip(*_EMBERS, strict=True)
    at = np.linspace(0, 1, 256)
    channels = [np.interp(at, position, values) for values in colours]
    return np.rint(np.stack(channels, 1)).astype(np.uint8)
