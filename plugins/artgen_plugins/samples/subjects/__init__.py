"""Subjects that are drawn by code from a seed, at any size: one module and function each."""

from __future__ import annotations

from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from ._plate import Colours, Plate

_ASPECTS = {
    **dict.fromkeys(("eye", "koi"), 1.0),
    **dict.fromkeys(("botanical", "bust", "fern", "gown", "heron"), 3 / 4),
    **dict.fromkeys(("jellyfish", "owl", "peacock", "whale", "windows"), 3 / 4),
    **dict.fromkeys(("avenue", "flamingo", "helmet", "lion", "macaw", "orbits"), 4 / 5),
    **dict.fromkeys(("profile", "ship", "stag", "stallion", "street", "sun"), 4 / 5),
    **dict.fromkeys(("sunhat", "swan", "tiger", "toucan", "trumpeter", "wolf"), 4 / 5),
    "locomotive": 16 / 9,
}
"""Width over height where it is not 4 / 3."""


def draw_subject(name: str, size: int, seed: int = 0) -> NDArray[np.uint8]:
    """The subject with a long side of `size` pixels, sRGB uint8 [height, width, 3]."""
    aspect = _ASPECTS.get(name, 4 / 3)
    width, height = round(size * min(1, aspect)), round(size / max(1, aspect))
    module = import_module(f"{__name__}.{name}")
    picture: Colours = getattr(module, name)(Plate.of(width, height, seed))
    pixels = np.rint(np.clip(picture, 0, 1) * 255)
    return np.ascontiguousarray(pixels, np.uint8)
