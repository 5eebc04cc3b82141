"""Two rows of trees along a path that leads to a low sun: their trunks and boughs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._curves import outlines_of, ribbon, spline
from ._paint import Paint, dabs, painted
from ._plate import Colours, Floats, Plate, hexed, ramp, smooth

END = np.array((0.26, 0.14))
"""The vanishing point; the sun stands above it."""
EYE = 1.62
"""Its height, in metres."""
_ROW = 3.1
_LOW = 12
"""Points of a trunk that are below its leaves."""


@dataclass(frozen=True, eq=False)
class Wood:
    """A trunk or a bough: its middle line, its widths, its colour."""

    way: Floats
    wide: Floats
    colour: Colours


def seen(across: ArrayLike, high: ArrayLike, ahead: ArrayLike) -> Floats:
    """Points on the plate [K, 2] of places that are given in metres."""
    place = np.divide(across, ahead), np.divide(np.subtract(EYE, high), ahead)
    return np.asarray(END + np.stack(np.broadcast_arrays(*place), axis=-1))


def grove(rng: np.random.Generator) -> tuple[list[Wood], list[Wood]]:
    """Trunks and boughs, each from far to near."""
    stems: list[Wood] = []
    boughs: list[Wood] = []
    for ahead in (40, 28, 20, 14.5, 10.5, 7.6, 5.5, 4.0, 2.9):
        haze = 1 - np.exp(-((ahead / 15) ** 1.4))
        colour = hexed("#24152f") * (1 - haze) + hexed("#f0b878") * haze
        for side in (-1, 1):
            across, lean = side * _ROW * rng.uniform(0.95, 1.07), side * rng.uniform(-0.9, 0.15)
            bend = lean * np.array((-0.1, 0, 0.3, 1)) + rng.normal(0, 0.07, 4)
            way = spline(seen(across + bend, (-0.02, 1.2, 3, 6.5), ahead), 6)
            share = np.linspace(0, 1, len(way))
            wide = np.interp(share, (0, 0.06, 0.15, 0.5, 1), (1.6, 1.2, 1, 0.85, 0.5))
            stems.append(Wood(way, wide * rng.uniform(0.5, 0.66) / ahead, colour))
            for start, turn in ((0.5, -side), (0.62, side), (0.78, -side), (0.9, -side)):
                steps = np.array(((0, 0), (0.5, -0.6), (1, -0.8), (1.4, -1.3))) * (turn, 1)
                root = way[int(start * (len(way) - 1))]
                bough = spline(root + steps * rng.uniform(0.8, 1.7) / ahead, 6)
                boughs.append(Wood(bough, np.linspace(0.26, 0.02, len(bough)) / ahead, colour))
    return stems, boughs


def grown(plate: Plate, picture: Colours, wood: list[Wood], points: int | None = None) -> Colours:
    """Draw it in plain colours over a picture, so many points of each from below."""
    shown = [(ribbon(each.way[:points], each.wide[:points]), each.colour) for each in wood]
    return painted(plate, picture, shown)


def barked(plate: Plate, picture: Colours, stems: list[Wood]) -> Colours:
    """Trunks below the leaves in upright dabs: warm towards the sun, cool on the other side."""
    rng, paint = plate.rng(30), Paint()
    for stem in stems:
        thick = stem.wide[9]
        count = int(np.clip(1300 * thick, 6, 200))
        at, aside = rng.integers(2, _LOW, count), rng.uniform(-1, 1, count)
        places = stem.way[at] - rng.random((count, 1)) * (stem.way[at] - stem.way[at - 1])
        places[:, 0] += 0.42 * aside * np.minimum(stem.wide[at], 1.5 * thick)
        toward = aside * np.sign(END[0] - stem.way[0, 0]) + rng.normal(0, 0.15, count)
        bark = ramp(toward, *outlines_of("avenue")["colours"]["bark"])
        haze = 0.85 * smooth(0.05, 0.75, stem.colour[0])
        long, thin = thick * rng.uniform((0.4, 0.08), (1, 0.17), (count, 2)).T
        shapes = dabs(places, rng.normal(np.pi / 2, 0.12, count), long, thin)
        paint += zip(shapes, bark * (1 - haze) + stem.colour * haze, strict=True)
    picture = grown(plate, picture, stems, _LOW)
    return painted(plate, picture, paint)
