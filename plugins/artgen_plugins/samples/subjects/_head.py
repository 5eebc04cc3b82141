"""Heads that turn aside: a relief of a face, and where its places are seen on the plate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._curves import outlines_of, paired, spline, turned
from ._plate import Colours, Floats, Plate, over, smooth


@dataclass(frozen=True, eq=False)
class Head:
    """A head whose outlines and `hills` have a `name` in outlines.toml.

    `form` is how far its face stands out without hills, at (u, v) from the front. The face is
    turned to the left by `turn`, and the whole head by `tilt`, around `middle`.
    """

    name: str
    form: Callable[[Floats, Floats], Floats]
    middle: Floats
    scale: float
    turn: float
    tilt: float

    def relief(self, u: Floats, v: Floats) -> Floats:
        """How far the face stands out, from the front."""
        height = self.form(u, v)
        for tall, right, down, across, along in outlines_of(self.name)["hills"]:
            reach = ((np.abs(u) - right) / across) ** 2 + ((v - down) / along) ** 2
            height = height + tall * np.exp(-reach)
        return height

    def seen(self, points: Floats) -> Floats:
        """Where points [K, 2] of the face are on the plate."""
        u, v = np.asarray(points, float).T
        return self.placed(u, v, self.relief(u, v) - 0.4)

    def placed(self, u: Floats, v: Floats, height: Floats) -> Floats:
        """Where points at (u, v) are on the plate, at a height above that of the axis."""
        right = u * np.cos(self.turn) - height * np.sin(self.turn)
        return self.scale * turned(paired(right, v), self.tilt) + self.middle

    def places(self, plate: Plate) -> tuple[Floats, Floats]:
        """The place on the face that each pixel shows."""
        right, v = plate.turned(self.middle, self.tilt, self.scale)
        u = right
        for _ in range(6):
            u = (right + (self.relief(u, v) - 0.4) * np.sin(self.turn)) / np.cos(self.turn)
        return u, v

    def facing(self, plate: Plate, height: Floats, lamp: Floats) -> Floats:
        """How much a face of these heights faces a lamp in a direction (x, y, up)."""
        down, across = np.gradient(height, plate.pixel / self.scale)
        slope = lamp[2] - lamp[0] * across - lamp[1] * down
        return np.asarray(slope / np.sqrt(1 + down**2 + across**2))

    def spotted(
        self, coat: Colours, u: Floats, v: Floats, name: str, colour: str, low: float, high: float
    ) -> Colours:
        """A coat with the round spots of this name on both sides, soft from `low` to `high`."""
        for right, down, across, along, strong in outlines_of(self.name)[name]:
            away = np.hypot((np.abs(u) - right) / across, (v - down) / along)
            coat = over(coat, colour, strong * smooth(low, high, away))
        return coat

    def both(self, name: str) -> list[Floats]:
        """An outline and its mirror image, as they are seen."""
        half = spline(outlines_of(self.name)[name], 8)
        return [self.seen(half), self.seen(half * (-1, 1))]
