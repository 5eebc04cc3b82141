"""Subjects that are drawn by code from a seed, at any size: one module each."""

from __future__ import annotations

from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from artgen.targets.subjects._plate import Colours, Plate

SUBJECTS = {
    "botanical": 3 / 4,
    "bridge": 4 / 3,
    "dunes": 4 / 3,
    "fern": 3 / 4,
    "flock": 4 / 3,
    "fruit": 4 / 3,
    "harbour": 4 / 3,
    "koi": 1,
    "lake": 4 / 3,
    "profile": 4 / 5,
    "storm": 4 / 3,
    "windows": 3 / 4,
}
"""Width over height, by the name behind `sample:`, which is that of the module and its function."""


def draw_subject(name: str, size: int, seed: int = 0) -> NDArray[np.uint8]:
    """The subject with a long side of `size` pixels, sRGB uint8 [height, width, 3]."""
    aspect = SUBJECTS[name]
    width, height = round(size * min(1, aspect)), round(size / max(1, aspect))
    module = import_module(f"{__name__}.{name}")
    picture: Colours = getattr(module, name)(Plate.of(width, height, seed))
    pixels: NDArray[np.uint8] = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return pixels
