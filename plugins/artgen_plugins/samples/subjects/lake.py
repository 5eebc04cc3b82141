"""A mountain lake before sunrise: the first light on the peaks, twice."""

from __future__ import annotations

import numpy as np

from ._plate import Colours, Floats, Plate, over, ramp, smooth
from ._terrain import Terrain
from ._water import mirrored


def lake(plate: Plate) -> Colours:
    """Draw it: sky, far range, peaks, wood on the shore, mist; the water mirrors all of them."""
    shore = 0.18
    picture = ramp(
        plate.y, (-1, "#5f7fa8"), (-0.55, "#a9b8c8"), (-0.2, "#f2cdb0"), (0.18, "#f6dcc0")
    )
    cloud = plate.noise(plate.x * 0.9 + 3, plate.y * 5, 1, 6)
    picture = over(picture, "#fbe3cf", 0.75 * smooth(-0.1, 1.1, cloud) * smooth(0.2, -0.7, plate.y))

    peaks = Terrain.seen(
        plate, lambda u, v: _ridges(plate, u, v), near=9, far=60, eye=0.9, horizon=shore
    )
    light = peaks.lit(-0.85, 0.3, -0.1)
    rock = ramp(light, (-0.5, "#2c3a58"), (0.0, "#4c5674"), (0.4, "#b07f78"), (0.8, "#eaa880"))
    broken = plate.noise(peaks.right * 3, peaks.ahead * 3, 7, 4)
    level = peaks.height + 2.0 * broken - 1.6 * smooth(0.3, 0.7, light)
    snow = ramp(light, (-0.5, "#5f74a3"), (0.0, "#8f9fc2"), (0.35, "#f3c6ac"), (0.8, "#ffe9d6"))
    surface = over(rock, snow, smooth(3.5, 7.5, level))
    air = 1 - np.exp(-np.maximum(peaks.ahead - 8, 0) / 75) * (
        1 - 0.5 * smooth(6.0, 0.0, peaks.height)
    )
    picture = peaks.over(picture, over(surface, "#d9c6c4", air))

    picture = over(picture, "#4a6276", _wood(plate, shore, 3, 0.10, 260) * 0.8)
    mist = smooth(0.9, -0.6, np.abs(plate.y - shore + 0.04) / 0.09 + 0.5 * plate.noise(
        plate.x * 2, plate.y * 9, 4, 4
    ))  # fmt: skip
    picture = over(picture, "#f3dccb", 0.75 * mist)
    picture = over(picture, "#1f3140", _wood(plate, shore, 5, 0.2, 130, left=True))
    picture = mirrored(plate, picture, shore, 6, tint="#24445c", share=0.3, ripple=0.012)
    return plate.finished(picture, 0.01, 0.2)


def _ridges(plate: Plate, right: Floats, ahead: Floats) -> Floats:
    """Ridged noise, higher with the distance: sharp crests, broad valleys."""
    u, v = right * 0.036 + 2.0, ahead * 0.036
    bend = 0.25 * plate.noise(u * 2, v * 2, 11, 2)
    total, weight, scale = np.zeros_like(u), 1.0, 1.0
    for octave in range(6):
        ridge = 1 - np.abs(plate.noise((u + bend) * scale, (v + bend) * scale, 12 + octave, 1))
        total, weight, scale = total + weight * ridge**2, weight * 0.4, scale * 2.05
    return np.asarray((total - 0.65) * 15 * smooth(9, 30, ahead))


def _wood(
    plate: Plate, shore: float, stream: int, tall: float, count: int, left: bool = False
) -> Floats:
    """Firs along the shore, taller towards the left edge where asked for."""
    rng, trees = plate.rng(stream), []
    for x in np.sort(rng.uniform(-plate.right - 0.1, plate.right + 0.1, count)):
        share = (0.5 - 0.5 * x / plate.right) ** 3 if left else 0.6 + 0.4 * np.sin(3 * x + 1)
        height = tall * rng.uniform(0.55, 1.1) * (0.18 + 1.5 * share if left else share + 0.3)
        foot, tiers = shore + 0.004, 7
        side = []
        for tier in range(tiers):
            level = tier / tiers
            reach = 0.17 * height * (1 - level) ** 0.8 * rng.uniform(0.75, 1.1)
            side += [(reach, level * 0.94), (0.35 * reach, (level + 0.75 / tiers) * 0.94)]
        outline = [(x + a, foot - b * height) for a, b in side] + [(x, foot - height)]
        trees.append(outline + [(x - a, foot - b * height) for a, b in side[::-1]])
    ground = [(-9, shore + 0.01), (9, shore + 0.01), (9, shore - 0.012), (-9, shore - 0.012)]
    return plate.filled([*trees, ground])
