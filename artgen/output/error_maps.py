"""Error maps: pictures of the difference between a drawing and its target."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.output.still import Pixels

WORST = 64
"""Error, in levels of 255, at which error maps are brightest."""

_EMBERS = ((0.0, 8, 8, 10), (0.3, 96, 24, 54), (0.65, 226, 98, 40), (1.0, 255, 244, 214))
"""Colours of error maps: position from 0 to 1, red, green, blue."""

_POSITION, *_CHANNELS = zip(*_EMBERS, strict=True)
_LEVELS = [np.interp(np.linspace(0, 1, 256), _POSITION, channel) for channel in _CHANNELS]
_PALETTE: Pixels = np.rint(np.stack(_LEVELS, 1)).astype(np.uint8)
"""The colours of 256 errors from 0 to 1, uint8 [256, 3]."""


def error_map(pixels: Pixels, goal: Pixels) -> Pixels:
    """Show the RMS error over the channels of two pictures, uint8 [h, w, 3], as colours.

    The map is black where the pictures are equal, and brightest from an error of `WORST`.
    """
    difference = np.subtract(pixels, goal, dtype=np.float32)
    return embers(np.sqrt(np.einsum("hwc,hwc->hw", difference, difference) / 3) / WORST)


def embers(errors: NDArray[np.floating[Any]]) -> Pixels:
    """Convert errors [h, w] from 0 to 1 (clamped) to colours, uint8 [h, w, 3]."""
    colours: Pixels = _PALETTE[np.minimum(errors * 255 + 0.5, 255).astype(np.uint8)]
    return colours
