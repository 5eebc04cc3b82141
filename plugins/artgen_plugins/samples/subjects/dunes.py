"""The moon over dunes: crests that the light finds, and shadows as blue as the night."""

from __future__ import annotations

import numpy as np

from ._plate import Colours, Floats, Plate, over, ramp, screen, smooth
from ._terrain import Terrain


def dunes(plate: Plate) -> Colours:
    """Draw it: sky, stars, moon, then the sand from far to near."""
    horizon, moon = 0.02, (0.36, -0.52)
    picture = ramp(
        plate.y,
        (-1, "#0c1230"), (-0.5, "#1d2350"), (-0.15, "#4b3f6b"), (0.02, "#a0707c"), (0.06, "#c88f84"),
    )  # fmt: skip
    picture = screen(picture, _stars(plate)[..., None] * np.array([1.0, 0.96, 0.9]))
    distance = np.hypot(plate.x - moon[0], plate.y - moon[1])
    picture = screen(picture, ramp(distance, (0.2, "#5a5068"), (0.45, "#2a2742"), (1.2, "#000000")))
    mottled = plate.noise(plate.x * 5, plate.y * 5, 1, 4)
    face = ramp(mottled, (-1.2, "#d8c9b6"), (0.0, "#f6ead2"), (1.0, "#fff8e8"))
    picture = over(picture, face, smooth(0.005, -0.005, distance - 0.2))

    def heights(right: Floats, ahead: Floats) -> Floats:
        bend = plate.noise(right * 0.07, ahead * 0.05, 2, 3)
        phase = ahead * 0.085 + right * 0.035 + 0.18 + 0.85 * bend
        share = phase - np.floor(phase)
        # Wind builds a long slope and a short one. The crest between is as sharp as the distance
        # lets it be seen.
        rise, fall = share / 0.7, (1 - share) / 0.3
        round_off = 0.05 + 0.004 * ahead
        crest = (rise + fall - np.sqrt((rise - fall) ** 2 + round_off**2)) / 2
        crest = np.clip(crest + round_off / 2, 0, 1)
        tall = (1.5 + 0.9 * plate.noise(right * 0.05, ahead * 0.06, 3, 2)) * smooth(2, 16, ahead)
        return np.asarray(tall * crest**1.5 + 0.35 * bend)

    land = Terrain.seen(plate, heights, near=4, far=220, eye=4.3, horizon=horizon)
    ripple = np.sin(9 * (land.ahead + 0.35 * land.right) + 5 * land.height)
    light = land.lit(0.75, 0.42, 0.45) + 0.035 * ripple * np.exp(-land.ahead / 16)
    sand = ramp(
        light,
        (0.0, "#151935"), (0.3, "#2d2b55"), (0.5, "#6d5568"), (0.68, "#b98d7e"), (0.95, "#f3d3b0"),
    )  # fmt: skip
    haze = 1 - np.exp(-((land.ahead / 110) ** 1.3))
    return plate.finished(land.over(picture, over(sand, "#b88083", haze)), 0.01, 0.35)


def _stars(plate: Plate) -> Floats:
    rng, stars = plate.rng(9), []
    for _ in range(170):
        x, y = rng.uniform(-plate.right, plate.right), rng.uniform(-1, -0.05)
        bright = rng.uniform(0.25, 1) * float(1 - smooth(-0.6, 0, y))
        stars.append((x, y, 0.0022 * (1 + rng.pareto(4)), bright))
    return plate.dots(stars)
