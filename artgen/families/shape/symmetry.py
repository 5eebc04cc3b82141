"""Symmetries of a picture around its centre, as copies of every shape."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Symmetry:
    """A shape is repeated by each matrix of `turns`, rows of two; the first one changes nothing.

    If it `flips`, the result is repeated on the other side of the vertical axis.
    """

    turns: tuple[tuple[tuple[float, float], tuple[float, float]], ...]
    flips: bool = False

    @property
    def rotates(self) -> bool:
        """Whether copies have other angles, rather than being mirror images at the axes."""
        return any(turn[0] != (1.0, 0.0) for turn in self.turns)

    @property
    def images(self) -> NDArray[np.float64]:
        """The matrices of all copies, [copies, 2, 2]."""
        turns = np.array(self.turns)
        return np.concatenate([turns, np.diag([-1.0, 1.0]) @ turns]) if self.flips else turns


def symmetry_of(name: str) -> Symmetry | None:
    """The symmetry that is an option of every shape; None for ``none``."""
    same, below = ((1.0, 0.0), (0.0, 1.0)), ((1.0, 0.0), (0.0, -1.0))
    if name.startswith("rotate:"):
        number = int(name.removeprefix("rotate:"))
        angles = [2 * math.pi * k / number for k in range(number)]
        return Symmetry(
            tuple(((math.cos(a), -math.sin(a)), (math.sin(a), math.cos(a))) for a in angles)
        )
    named = {
        "mirror": Symmetry((same,), flips=True),
        "mirror-y": Symmetry((same, below)),
        "quarter": Symmetry((same, below), flips=True),
    }
    return named.get(name)
