"""Subjects that are drawn by code from a seed, at any size: one module and function each."""

from __future__ import annotations

from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from ._plate import Colours, Plate

_ASPECTS = {
    "avenue": 4 / 5,
    "botanical": 3 / 4,
    "bust": 3 / 4,
    "eye": 1,
    "fern": 3 / 4,
    "flamingo": 4 / 5,
    "gown": 3 / 4,
    "helmet": 4 / 5,
    "heron": 3 / 4,
    "jellyfish": 3 / 4,
    "koi": 1,
    "lion": 4 / 5,
    "locomotive": 16 / 9,
    "macaw": 4 / 5,
    "orbits": 4 / 5,
    "owl": 3 / 4,
    "peacock": 3 / 4,
    "profile": 4 / 5,
    "ship": 4 / 5,
    "stag": 4 / 5,
    "stallion": 4 / 5,
    "street": 4 / 5,
    "sun": 4 / 5,
    "sunhat": 4 / 5,
    "swan": 4 / 5,
    "tiger": 4 / 5,
    "toucan": 4 / 5,
    "trumpeter": 4 / 5,
    "whale": 3 / 4,
    "wolf": 4 / 5,
    "windows": 3 / 4,
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
