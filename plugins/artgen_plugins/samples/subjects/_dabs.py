"""Dabs of paint: outlines of strokes in many colours, laid over a picture at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ._curves import directed
from ._plate import Colours, Floats, Plate, over

_STROKE = np.array(
    ((-1, -0.5), (-0.8, 0.7), (-0.3, 1), (0.5, 0.8), (1, 0.2), (0.85, -0.6), (0.2, -1), (-0.6, -0.9))
)  # fmt: skip


def dabs(places: Floats, ways: Floats, long: Floats, wide: Floats) -> Floats:
    """Short strokes at places [K, 2], in directions: outlines [K, 8, 2]."""
    along = directed(ways)[:, None]
    aside = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    half_long, half_wide = 0.5 * long[:, None, None], 0.5 * wide[:, None, None]
    shifts = _STROKE[:, :1] * half_long * along + _STROKE[:, 1:] * half_wide * aside
    return np.asarray(places[:, None] + shifts)


def painted(
    plate: Plate,
    picture: Colours,
    shapes: Sequence[Floats] | Floats,
    colours: Colours,
    share: float = 1,
) -> Colours:
    """Outlines in their colours [K, 3] over a picture, later on top."""
    covered = plate.filled(shapes)
    planes = [plate.filled(shapes, np.clip(each, 0, 1).tolist()) for each in colours.T]
    colour = np.stack(planes, axis=-1) / np.maximum(covered, 0.01)[..., None]
    return over(picture, np.clip(colour, 0, 1), share * covered)


def colours_at(plate: Plate, picture: Colours, places: Floats) -> Colours:
    """The colours [K, 3] of a picture at places [K, 2]."""
    row = np.searchsorted(plate.y[:, 0], places[:, 1]).clip(0, len(plate.y) - 1)
    column = np.searchsorted(plate.x[0], places[:, 0]).clip(0, plate.x.shape[1] - 1)
    return np.asarray(picture[row, column])
