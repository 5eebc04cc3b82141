"""Small pictures in colour as their three channels: that is faster to mix than one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Channel = NDArray[np.float64]
Channels: TypeAlias = Sequence[float | Channel]
"""Red, green, blue: each a number, or [height, width]."""

FINER = 2
"""Supersampling, along each side."""


def over(below: Channels, colour: Channels, share: Channel) -> list[Channel]:
    """`colour` laid over a picture where `share` [height, width] says, 0 to 1."""
    return [low + share * (high - low) for low, high in zip(below, colour, strict=True)]


def reduced(picture: Sequence[Channel]) -> NDArray[np.uint8]:
    """A picture that is `FINER` times as large as uint8 [height, width, 3]."""
    every = [(row, column) for row in range(FINER) for column in range(FINER)]
    small = [sum(each[i::FINER, j::FINER] for i, j in every) / len(every) for each in picture]
    pixels: NDArray[np.uint8] = np.rint(255 * np.stack(small, -1).clip(0, 1)).astype(np.uint8)
    return pixels
