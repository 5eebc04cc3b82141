"""Symmetries of a picture, as copies of every shape: around its centre, or by any group."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artgen.values.symmetry import symmetry_of

Row = tuple[float, float, float]


@dataclass(frozen=True)
class Copies:
    """A shape is repeated by each matrix of `turns`, rows of three; the first one changes nothing.

    What was at p comes to ``m[:, :2] @ p + m[:, 2]``. If it `flips`, the result is repeated on the
    other side of the vertical axis. A `group` has images that may miss the canvas.
    """

    turns: tuple[tuple[Row, Row], ...]
    flips: bool = False
    group: bool = False

    @property
    def rotates(self) -> bool:
        """Whether copies have other angles, rather than being mirror images at the axes."""
        return self.group or any(turn[0] != (1.0, 0.0, 0.0) for turn in self.turns)

    @functools.cached_property
    def images(self) -> NDArray[np.float64]:
        """The matrices of all copies, [copies, 2, 3]."""
        turns = np.array(self.turns)
        return np.concatenate([turns, np.diag([-1.0, 1.0]) @ turns]) if self.flips else turns


@functools.cache
def _of_group(name: str) -> Copies:
    """The motions of a group, and those into the repeats around the canvas."""
    group = symmetry_of(name)
    reach = group.repeat[0] / 2, group.repeat[1] / 2
    shifts = group.shifts(reach, min((each for each in group.repeat if each), default=0.0) / 2)
    moved = np.repeat(group.motions[None], len(shifts), 0)
    moved[:, :, :, 2] += shifts[:, None]
    rows = moved.reshape(-1, 2, 3).tolist()
    return Copies(tuple(((a, b, x), (c, d, y)) for (a, b, x), (c, d, y) in rows), group=True)


def copies_of(name: str) -> Copies | None:
    """The copies that the option `symmetry` of every shape makes; None for ``none``."""
    same, below = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
    kind, _, number = name.partition(":")
    if kind == "rotate" and number.isdecimal():
        angles = [2 * math.pi * k / int(number) for k in range(int(number))]
        axes = [(math.cos(a), math.sin(a)) for a in angles]
        return Copies(tuple(((c, -s, 0.0), (s, c, 0.0)) for c, s in axes))
    named = {
        "mirror": Copies((same,), flips=True),
        "mirror-y": Copies((same, below)),
        "quarter": Copies((same, below), flips=True),
    }
    return named.get(name) or (None if name == "none" else _of_group(name))
