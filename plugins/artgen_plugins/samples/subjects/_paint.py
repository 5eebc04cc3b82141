"""Paint: outlines in many colours, laid over a picture at once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ._curves import directed, normals, turned
from ._plate import Colours, Floats, Plate, coverage, hexed, sampled

_STROKE = np.array(
    ((-1, -0.5), (-0.8, 0.7), (-0.3, 1), (0.5, 0.8), (1, 0.2), (0.85, -0.6), (0.2, -1), (-0.6, -0.9))
)  # fmt: skip


Paint = list[tuple[Floats, Colours]]
"""Outlines [K, 2] and the colour of each, later on top."""


def dabs(places: Floats, ways: Floats, long: Floats, wide: Floats) -> Floats:
    """Short strokes at places [K, 2], in directions: outlines [K, 8, 2]."""
    along = directed(ways)[:, None]
    aside = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    half_long, half_wide = 0.5 * long[:, None, None], 0.5 * wide[:, None, None]
    shifts = _STROKE[:, :1] * half_long * along + _STROKE[:, 1:] * half_wide * aside
    return np.asarray(places[:, None] + shifts)


def painted(
    plate: Plate, picture: Colours, paint: Iterable[tuple[Floats, Colours]], share: float = 1
) -> Colours:
    """Outlines in their colours over a picture, later on top."""
    shapes, colours = zip(*paint, strict=True)
    size, corners = plate.x.shape, plate.corners(shapes)
    planes = [coverage(size, corners, each.tolist()) for each in np.clip(colours, 0, 1).T]
    bare = 1 - share * coverage(size, corners)
    return np.asarray(picture * bare[..., None] + share * np.stack(planes, -1))


def colours_at(plate: Plate, picture: Colours, places: Floats) -> Colours:
    """The colours [K, 3] of a picture at places [K, 2]."""
    return sampled(picture, *plate.place(*places.T))


def leaf_of(
    root: tuple[float, float],
    way: float,
    long: float,
    wide: float,
    bend: float,
    *greens: str,
) -> Paint:
    """A pointed leaf, each side of its rib in a green of its own."""
    share = np.linspace(0, 1, 40)
    rib = np.stack([long * share, bend * long * share**2], axis=1)
    half = normals(rib) * (wide * np.sin(np.pi * share**0.75) ** 0.8)[:, None]
    sides = [np.concatenate([rib, (rib + side)[::-1]]) for side in (half, -half)]
    return [
        (turned(side, way) + root, hexed(green)) for side, green in zip(sides, greens, strict=True)
    ]
