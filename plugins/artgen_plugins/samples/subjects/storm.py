"""A storm at sea: one ship, one break in the clouds."""

from __future__ import annotations

import numpy as np

from ._curves import outlines_of, spline, turned
from ._plate import Colours, Floats, Plate, over, ramp, screen, smooth
from ._terrain import Terrain


def storm(plate: Plate) -> Colours:
    """Draw it: clouds around a light, rain, the sea from far to near, the ship between."""
    horizon, sun = 0.1, (-0.34, -0.12)
    x, y = plate.x, plate.y
    # Clouds lie flatter towards the horizon.
    flat = 1 / (0.35 + np.maximum(horizon - y, 0))
    bend = plate.noise(x * flat * 0.5, flat * 1.1, 1, 4)
    cloud = plate.noise(x * flat * 0.45 + 0.9 * bend, flat * 1.5 + 0.7 * bend, 2, 7, 0.55)
    near = np.exp(-(((x - sun[0]) / 0.75) ** 2 + ((y - sun[1]) / 0.3) ** 2))
    tone = 0.30 + 0.2 * cloud + 0.62 * near * smooth(-0.9, 0.7, cloud + 0.4)
    picture = ramp(
        tone,
        (0.0, "#11171d"), (0.25, "#2a353d"), (0.45, "#55626a"), (0.65, "#a2a396"), (0.85, "#ead9ae"),
        (1.0, "#fff3d2"),
    )  # fmt: skip
    slant = (x - sun[0]) / (np.abs(y + 0.75) + 0.25)
    shafts = smooth(0.1, 0.9, plate.noise(slant * 6, np.zeros_like(x), 3, 3)) * near
    picture = screen(picture, shafts[..., None] * np.array([0.3, 0.27, 0.2]) * 0.7)
    rain = plate.noise(x * 22 + y * 7, y * 0.8, 4, 2) * smooth(0.1, 1.0, x) * smooth(-0.5, 0.1, y)
    picture = over(picture, "#59656b", np.clip(0.25 * rain + 0.35 * smooth(0.2, 1.2, x), 0, 1)
                   * smooth(-0.6, 0.1, y))  # fmt: skip

    sea = Terrain.seen(
        plate, lambda u, v: _waves(plate, u, v), near=2.2, far=500, eye=2.6, horizon=horizon
    )
    light = sea.lit(-0.45, 0.42, 0.75)
    water = ramp(
        light, (0.0, "#0c1a1f"), (0.3, "#1b3136"), (0.55, "#3d5a58"), (0.75, "#8d9c8c"),
        (0.95, "#e6ddba"),
    )  # fmt: skip
    below_sun = np.exp(-(((sea.right / sea.ahead * 1.6 - sun[0]) / 0.5) ** 2))
    water = over(water, "#e8d7a8", 0.5 * below_sun * smooth(0.45, 0.9, light))
    streak = plate.noise(sea.right * 1.1 + sea.ahead * 0.4, sea.ahead * 2.4, 5, 5, 0.62)
    lace = plate.noise(sea.right * 5, sea.ahead * 7, 6, 4, 0.7)
    crest = smooth(0.3, 1.2, sea.height + 0.5 * streak) * smooth(-0.5, 0.7, 0.6 * streak + lace)
    water = over(water, "#dfe3d6", 0.85 * crest * np.exp(-sea.ahead / 60))
    water = over(water, "#8b9186", 1 - np.exp(-((sea.ahead / 70) ** 1.4)))
    behind = over(picture, "#10161a", _ship(plate))
    return plate.finished(sea.over(behind, water), 0.009, 0.45)


def _waves(plate: Plate, right: Floats, ahead: Floats) -> Floats:
    """Swell with sharp crests, and chop upon it that fades with the distance."""
    bend = plate.noise(right * 0.08, ahead * 0.08, 21, 2)
    swell = 1 - np.abs(np.sin(0.42 * ahead + 0.16 * right + 2.1 * bend))
    cross = 1 - np.abs(plate.noise(right * 0.22 + 0.3 * bend, ahead * 0.3, 22, 3))
    chop = plate.noise(right * 1.3, ahead * 1.9, 23, 4, 0.5) * np.exp(-ahead / 22)
    return np.asarray(0.75 * swell**1.6 + 0.55 * cross**2 + 0.16 * chop - 0.3)


def _ship(plate: Plate) -> Floats:
    """A brig with reefed sails, heeling, far out."""
    hull, bowsprit, jib = map(np.array, outlines_of("storm").values())
    parts = [hull]
    for foot, height in ((-0.42, 1.5), (0.28, 1.75)):
        parts.append(np.array([(foot - 0.02, 0), (foot - 0.01, -height), (foot + 0.02, 0)]))
        for level, wide in ((0.36, 0.36), (0.66, 0.3), (0.88, 0.2)):
            top, low = -height * level, -height * (level - 0.2)
            sail = spline([(foot - wide, low), (foot + 0.05, low - 0.06), (foot + wide, low)])
            parts.append(np.vstack([sail, [(foot + 0.8 * wide, top), (foot - 0.8 * wide, top)]]))
    heel = np.deg2rad(-9)
    heeling = [turned(0.085 * part, heel) for part in (*parts, bowsprit, jib)]
    return plate.filled([part + (0.3, 0.1) for part in heeling])
