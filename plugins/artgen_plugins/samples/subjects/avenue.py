"""Two walk under one umbrella down an avenue in autumn, after rain, towards a low sun: in dabs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ._curves import directed, outlines_of, ribbon, spline
from ._plate import Colours, Floats, Plate, hexed, over, ramp, screen, smooth

_END = np.array((0.24, 0.16))
"""The vanishing point; the sun stands above it."""
_EYE, _ROW, _PATH = 1.62, 3.1, 2.0
"""The height of the eye, and how far trunks and the edge of the path are from the middle, in metres."""
_LEAVES = (
    (0.0, "#2e1c44"), (0.18, "#5d2548"), (0.36, "#9c2f35"), (0.52, "#cc4e26"), (0.68, "#e8862a"),
    (0.84, "#f7bd46"), (1.0, "#ffe79a"),
)  # fmt: skip
"""Their colour from the shade to the light."""
_UMBRELLAS = ("#b3202c", "#1f4f7c", "#1c6b62")
_Dab = tuple[Floats, Colours]


def avenue(plate: Plate) -> Colours:
    """Draw it: light, trees from far to near, wet path, leaves on the ground, the two."""
    air = _air(plate)
    picture = air
    for number, ahead in enumerate((34, 24, 17, 12, 8.4, 5.9, 4.2, 3.0)):
        picture = _pair(plate, picture, ahead, number)
    picture = _ground(plate, picture)
    picture = _couple(plate, picture)
    away = np.hypot(plate.x - _END[0], plate.y - _END[1] + 0.08)
    glow = 0.5 * np.exp(-((away / 0.16) ** 2)) + 0.22 * np.exp(-((away / 0.5) ** 2))
    picture = screen(picture, glow[..., None] * hexed("#ffd98a"))
    picture = plate.finished(picture, 0.008, 0.25)
    return picture[:, ::-1] if plate.seed % 2 else picture


def _seen(across: float, high: float, ahead: float) -> Floats:
    """The point on the plate of a place that is given in metres."""
    return _END + np.array((across, _EYE - high)) / ahead


def _air(plate: Plate) -> Colours:
    """The light at the end of the avenue, and a cool sky above it."""
    x, y = plate.x, plate.y
    away = np.hypot(0.9 * (x - _END[0]), 0.75 * (y - _END[1] + 0.1))
    soft = plate.noise(x * 2, y * 2, 1, 4)
    return ramp(away + 0.06 * soft, (0, "#fffbe0"), (0.16, "#ffeaa6"), (0.4, "#f8c879"), (0.7, "#d8a887"),
                (1.0, "#a495ad"), (1.5, "#7183ab"))  # fmt: skip


def _painted(plate: Plate, picture: Colours, dabs: Sequence[_Dab], share: float = 1) -> Colours:
    """Dabs of paint laid over a picture, later on top."""
    if not dabs:
        return picture
    shapes = [shape for shape, _ in dabs]
    covered = plate.filled(shapes)
    colours = np.clip(np.stack([colour for _, colour in dabs]), 0, 1)
    planes = [plate.filled(shapes, colours[:, channel].tolist()) for channel in range(3)]
    colour = np.stack(planes, -1) / np.maximum(covered, 0.01)[..., None]
    return over(picture, np.clip(colour, 0, 1), share * covered)


def _dab(place: Floats, way: float, long: float, wide: float) -> Floats:
    """A short stroke, blunt where it begins."""
    along = directed(way)
    aside = np.array([-along[1], along[0]])
    shape = np.array(
        [(-1, -0.5), (-0.75, 0.8), (-0.2, 1), (0.5, 0.75), (1, 0.15), (0.8, -0.5), (0.2, -1), (-0.6, -0.9)]
    )
    return place + shape[:, :1] * long / 2 * along + shape[:, 1:] * wide / 2 * aside


def _pair(plate: Plate, picture: Colours, ahead: float, number: int) -> Colours:
    """A tree on each side: trunk and boughs, then its leaves; paler and warmer far away."""
    rng = plate.rng(20 + number)
    haze = 1 - np.exp(-ahead / 16)
    mist = hexed("#f8c983")
    wood: list[_Dab] = []
    leaves: list[_Dab] = []
    for side in (-1, 1):
        across = side * _ROW * rng.uniform(0.94, 1.06)
        lean = -side * rng.uniform(0.0, 0.5)
        tall, thick = rng.uniform(5.0, 6.0), rng.uniform(0.5, 0.62)
        stem = spline([_seen(across + bend, high, ahead) for bend, high in
                       ((0, -0.05), (0.1 * lean, 1.5), (0.5 * lean, 3.2), (lean, tall))], 6)  # fmt: skip
        wide = np.interp(np.linspace(0, 1, len(stem)), (0, 0.1, 0.5, 1), (1.7, 1.05, 0.85, 0.6))
        dark = hexed("#25182e") * (1 - haze) + mist * haze * 0.85
        wood.append((ribbon(stem, wide * thick / ahead), dark))
        for start in (0.42, 0.58, 0.74, 0.9):
            root = stem[int(start * (len(stem) - 1))]
            for way in (-side, side * 0.7):
                reach = rng.uniform(1.4, 2.8)
                bough = spline([root, root + np.array((0.45 * way * reach, -0.7 * reach)) / ahead,
                                root + np.array((way * reach, -rng.uniform(0.8, 1.4) * reach)) / ahead], 6)  # fmt: skip
                wood.append((ribbon(bough, np.linspace(0.28, 0.05, len(bough)) / ahead), dark))
        for _ in range(16):
            middle = np.array((across * rng.uniform(0.3, 1.5), rng.uniform(3.4, 8.5)))
            size = rng.uniform(0.7, 1.3)
            for _ in range(26):
                spot = middle + size * rng.normal(0, 0.5, 2) * (1.2, 0.7)
                place = _seen(*spot, ahead)
                toward = np.exp(-np.hypot(*(place - _END)) / 0.75)
                under = (spot[1] - middle[1]) / size
                tone = 0.2 + 0.65 * toward + 0.12 * under + rng.normal(0, 0.1) - 0.06 * (ahead < 5)
                colour = ramp(float(tone), *_LEAVES)
                colour = colour * (1 - 0.75 * haze) + mist * 0.75 * haze
                long = rng.uniform(0.22, 0.5) / ahead + 0.008
                leaves.append((_dab(place, rng.normal(0.6 * side, 0.7), long, 0.55 * long), colour))
    return _painted(plate, _painted(plate, picture, wood), leaves)


def _ground(plate: Plate, picture: Colours) -> Colours:
    """Verges full of leaves, and a wet path that mirrors the light."""
    x, y = plate.x, plate.y
    depth = np.maximum(y - _END[1], 1e-3)
    ahead = _EYE / depth
    across = (x - _END[0]) * ahead
    from ._plate import sampled

    wave = plate.noise(x * 9, depth * 30, 41, 3)
    row = (_END[1] - 0.9 * depth + 0.015 * wave) / plate.pixel + (plate.height - 1) / 2
    column = (x + 0.012 * wave) / plate.pixel + (plate.width - 1) / 2
    mirror = sampled(plate.blur(picture, 0.012), row, column, "nearest")
    path = over(mirror, "#4b4468", np.clip(0.25 + 0.3 * depth, 0, 0.6))
    verge = ramp(0.75 - 0.5 * depth + 0.1 * wave, *_LEAVES)
    ground = over(path, verge, smooth(_PATH - 0.15, _PATH + 0.15, np.abs(across) + 0.2 * wave))
    picture = over(picture, ground, smooth(-plate.pixel, plate.pixel, y - _END[1]))
    return picture


def _couple(plate: Plate, picture: Colours) -> Colours:
    """She and he from behind."""
    return picture
