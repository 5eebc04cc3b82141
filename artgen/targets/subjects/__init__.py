"""Subjects that are drawn by code from a seed, at any size: one module each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from artgen.targets.subjects._plate import Colours, Plate
from artgen.targets.subjects.botanical import botanical
from artgen.targets.subjects.bridge import bridge
from artgen.targets.subjects.dunes import dunes
from artgen.targets.subjects.fern import fern
from artgen.targets.subjects.flock import flock
from artgen.targets.subjects.fruit import fruit
from artgen.targets.subjects.harbour import harbour
from artgen.targets.subjects.koi import koi
from artgen.targets.subjects.lake import lake
from artgen.targets.subjects.profile import profile
from artgen.targets.subjects.storm import storm
from artgen.targets.subjects.windows import windows

_ASPECTS: dict[Callable[[Plate], Colours], float] = {
    botanical: 3 / 4,
    bridge: 4 / 3,
    dunes: 4 / 3,
    fern: 3 / 4,
    flock: 4 / 3,
    fruit: 4 / 3,
    harbour: 4 / 3,
    koi: 1,
    lake: 4 / 3,
    profile: 4 / 5,
    storm: 4 / 3,
    windows: 3 / 4,
}
"""Width over height of each."""

SUBJECTS = {subject.__name__: subject for subject in _ASPECTS}
"""By the name behind `sample:`."""


def draw_subject(name: str, size: int, seed: int = 0) -> NDArray[np.uint8]:
    """The subject with a long side of `size` pixels, sRGB uint8 [height, width, 3]."""
    aspect = _ASPECTS[SUBJECTS[name]]
    width, height = round(size * min(1, aspect)), round(size / max(1, aspect))
    picture = SUBJECTS[name](Plate.of(width, height, seed))
    pixels: NDArray[np.uint8] = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return pixels
