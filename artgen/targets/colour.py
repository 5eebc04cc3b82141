"""Colours: as a user writes them (`artgen.values.colour`), and between sRGB and linear light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artgen.values.colour import hex_colour as hex_colour
from artgen.values.colour import parse_colour as parse_colour

LUMA = (0.2126, 0.7152, 0.0722)
"""The shares of red, green and blue in the luma of Rec. 709, or of linear ones in luminance."""


def srgb_to_linear(encoded: NDArray[np.floating]) -> NDArray[np.float32]:
    """Decode sRGB values (0..1, any shape) to linear light (0..1), IEC 61966-2-1."""
    curve = ((np.maximum(encoded, 0) + 0.055) / 1.055) ** 2.4
    return np.where(encoded <= 0.04045, encoded / 12.92, curve).astype(np.float32)


def linear_to_srgb(linear: NDArray[np.floating]) -> NDArray[np.float32]:
    """Encode linear light (0..1, any shape) as sRGB (0..1), IEC 61966-2-1."""
    curve = 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, linear * 12.92, curve).astype(np.float32)
