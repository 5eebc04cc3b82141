"""Small pictures in colour as their three channels: that is faster to mix than one array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Channel = NDArray[np.float64]
Channels: TypeAlias = Sequence[float | Channel]
"""Red, green, blue: each a number, or [height, width]."""

FINER = 2
"""Supersampling, along each side."""


def places(width: int, height: int) -> tuple[Channel, Channel, float, Callable[..., Channel]]:
    """Of a picture `FINER` times as large: x and y, -1 to 1 from left and top; an edge; borders.

    The edge is the width of a pixel. Borders are a function ``within(inside, soft=edge)`` from how
    far inside a place is to 0 outside, 1 inside, over a border of that width.
    """
    row, column = np.mgrid[: height * FINER, : width * FINER] + 0.5
    edge = 2 / (width * FINER)

    def within(inside: Channel, soft: float = edge) -> Channel:
        return (inside / soft + 0.5).clip(0, 1)

    return 2 * column / (width * FINER) - 1, 2 * row / (height * FINER) - 1, edge, within


def over(below: Channels, colour: Channels, share: Channel) -> list[Channel]:
    """`colour` laid over a picture where `share` [height, width] says, 0 to 1."""
    return [low + share * (high - low) for low, high in zip(below, colour, strict=True)]


def oval(x: Channel, y: Channel, wide: float, tall: float, power: float = 2.0) -> Channel:
    """How far inside of an oval of two radii places are; a higher power makes it squarer."""
    if power == 2:
        far = np.hypot(x / wide, y / tall)
    else:
        far = (abs(x / wide) ** power + abs(y / tall) ** power) ** (1 / power)
    return np.asarray((1 - far) * min(wide, tall))


def reduced(picture: Sequence[Channel]) -> NDArray[np.uint8]:
    """A picture that is `FINER` times as large as uint8 [height, width, 3]."""
    every = [(row, column) for row in range(FINER) for column in range(FINER)]
    small = [sum(each[i::FINER, j::FINER] for i, j in every) / len(every) for each in picture]
    return np.asarray(np.rint(255 * np.stack(small, -1).clip(0, 1)).astype(np.uint8))
