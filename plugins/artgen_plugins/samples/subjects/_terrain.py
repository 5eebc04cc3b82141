"""A landscape as a height over a plane, seen in perspective: dunes, mountains, waves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._plate import Colours, Floats, Plate

_DEPTHS = 900
_ROWS = 3
"""Supersampling of rows."""


@dataclass(frozen=True, eq=False)
class Terrain:
    """Heights on rays of equal direction: all arrays are [depths, columns], near to far."""

    plate: Plate
    right: Floats
    """Distance to the right of the eye; `ahead`: before it; `height`: above the plane."""
    ahead: Floats
    height: Floats
    row: Floats
    """y on the plate where each point appears."""

    @classmethod
    def seen(
        cls,
        plate: Plate,
        heights: Callable[[Floats, Floats], Floats],
        *,
        near: float,
        far: float,
        eye: float,
        horizon: float,
        focal: float = 1.6,
    ) -> Terrain:
        """Look from height `eye` straight ahead; the plane's horizon is at y = `horizon`."""
        depth = np.geomspace(near, far, _DEPTHS, dtype=np.float32)[:, None]
        right = plate.x[:1] * depth / focal
        ahead = np.broadcast_to(depth, right.shape)
        height = heights(right, ahead)
        return cls(plate, right, ahead, height, horizon + (eye - height) / depth * focal)

    def lit(self, right: float, up: float, ahead: float) -> Floats:
        """The cosine between the surface's normal and a direction to the light."""
        slope_depth, slope_column = np.gradient(self.height)
        step_depth = np.gradient(self.ahead, axis=0)
        step_column = np.gradient(self.right, axis=1)
        across = slope_column / step_column
        # Columns diverge with depth, so a step in depth also moves sideways.
        along = (slope_depth - across * np.gradient(self.right, axis=0)) / step_depth
        light = np.array([right, up, ahead]) / np.sqrt(right**2 + up**2 + ahead**2)
        normal = np.sqrt(across**2 + along**2 + 1)
        return np.asarray((light[1] - light[0] * across - light[2] * along) / normal)

    def over(self, picture: Colours, surface: Colours) -> Colours:
        """The surface, coloured [depths, columns, 3], before `picture`."""
        hidden = np.minimum.accumulate(self.row, axis=0)
        plate = self.plate
        offsets = (np.arange(_ROWS) + 0.5) / _ROWS - 0.5
        rows = (plate.y[:, :1] + offsets * plate.pixel).ravel()
        drawn = np.empty((len(rows), plate.width, 3), np.float32)
        sky = np.repeat(picture, _ROWS, axis=0)
        for column in range(plate.width):
            ascending = hidden[::-1, column]
            found = len(ascending) - np.searchsorted(ascending, rows, side="right")
            index = np.clip(found, 1, len(ascending) - 1)
            before, after = self.row[index - 1, column], self.row[index, column]
            share = np.clip((before - rows) / np.maximum(before - after, 1e-6), 0, 1)[:, None]
            colour = surface[index - 1, column] * (1 - share) + surface[index, column] * share
            drawn[:, column] = np.where((found < len(ascending))[:, None], colour, sky[:, column])
        return np.asarray(drawn.reshape(plate.height, _ROWS, plate.width, 3).mean(axis=1))
