"""Hot-air balloons at dawn, over misty hills and the lake that mirrors them."""

from __future__ import annotations

import numpy as np

from ._curves import directed, outlined, outlines_of
from ._plate import Colours, Plate, hexed, over, ramp, screen, smooth
from ._water import mirrored

_SHORE = 0.64
_SUN = np.array([-0.28, 0.2])
_HILLS = (
    (0.3, 0.1, 1.1, "#e79a86"),
    (0.4, 0.13, 1.3, "#b6758c"),
    (0.5, 0.1, 1.7, "#70557f"),
    (0.6, 0.07, 2.3, "#4a4478"),
)
"""From far to near: the height, how far it varies, its waves, the colour."""
_BALLOONS = (
    ((1.09, 0.05), 0.17, (3, -3), ("#fdf0d5", "#1c3f8c")),
    ((-0.29, -0.53), 0.2, (4, 4), ("#f9b777", "#8a4a86")),
    ((-0.87, -0.26), 0.31, (0, 9), ("#f4b63f", "#1c3f8c")),
    ((0.45, -0.36), 0.53, (8, 0), ("#fdf0d5", "#d8392f")),
)
"""From far to near: the middle, the radius, stripes around and down, the two colours."""


def balloons(plate: Plate) -> Colours:
    """Draw it: the sky and the sun, hills in mist, balloons, the lake, the near shore."""
    x, y = plate.x, plate.y
    paper = plate.noise(x * 2, y * 2, 1, 6, 0.6)
    picture = ramp(y + 0.05 * paper, (-1, "#215f88"), (-0.5, "#63a6b4"), (-0.1, "#f6c689"), (0.2, "#f79f62"),
                   (0.5, "#ea7a5e"))  # fmt: skip
    away = np.hypot(x - _SUN[0], y - _SUN[1])
    picture = screen(picture, 0.35 * np.exp(-((away / 0.5) ** 2))[..., None] * [1.0, 0.8, 0.5])
    picture = over(picture, "#fff6d8", smooth(0.002, -0.002, away - 0.2))
    bank = plate.noise(x * 0.7, y * 7, 2, 4) * np.exp(-(((y + 0.28) / 0.22) ** 2))
    picture = over(picture, "#fdeccb", 0.75 * smooth(0.25, 0.5, bank))
    for layer, (level, tall, waves, shade) in enumerate(_HILLS):
        crest = level - tall * plate.noise(x * waves + 9 * layer, 0 * x, 3 + layer, 5, 0.4)
        hill = over(hexed(shade), "#fbd3a4", 0.28 * smooth(0.03, 0.22, y - crest))
        picture = over(picture, hill, smooth(-0.003, 0.003, y - crest))
    for middle, radius, stripes, colours in _BALLOONS:
        picture = _balloon(plate, picture, middle, radius, stripes, colours)
    picture = mirrored(plate, picture, _SHORE, 8, tint="#2c4a6e", share=0.2, ripple=0.02)
    return plate.finished(_shore(plate, picture) + 0.012 * paper[..., None], 0.01, 0.2)


def _balloon(
    plate: Plate,
    picture: Colours,
    middle: tuple[float, float],
    radius: float,
    stripes: tuple[int, int],
    colours: tuple[str, str],
) -> Colours:
    """A striped envelope, round in the light from the left, its ropes and its basket."""
    u, v = (plate.x - middle[0]) / radius, (plate.y - middle[1]) / radius
    rounded = directed(np.linspace(0, np.pi / 2 + 0.7, 40))
    wide, down = np.append(rounded[:, 1], 0.2).clip(0.01), np.append(-rounded[:, 0], 1.3)
    around = np.arcsin((u / np.interp(v, down, wide)).clip(-1, 1))
    # Seen from below, what goes around rises towards the eye.
    level = v + 0.16 * np.cos(around) * (1 - 0.4 * v)
    wave = np.sin(stripes[0] * around + stripes[1] * level)
    cloth = over(hexed(colours[0]), colours[1], smooth(-0.1, 0.1, wave))
    if not stripes[1]:
        cloth = over(cloth, "#f4b63f", smooth(0.16, 0.15, np.abs(level - 0.12)))
        teeth = 0.24 * np.abs((stripes[0] * around / np.pi) % 2 - 1)
        cloth = over(cloth, "#1c3f8c", smooth(0, 0.01, level - teeth) * smooth(0.25, 0.24, level))
    cloth = over(cloth, colours[1], smooth(-0.68, -0.69, level) + smooth(1.03, 1.04, level))
    cloth = over(cloth, "#3b2a5a", 0.4 * smooth(-0.2, 1.7, around + 0.35 * v))
    gleam = 0.22 * np.exp(-(((around + 0.6) / 0.45) ** 2) - ((v + 0.3) / 0.6) ** 2)
    cloth = screen(cloth, gleam[..., None] * [1.0, 0.9, 0.7])
    shapes = outlines_of("balloons")
    envelope = [outlined(np.stack([0 * down, down], axis=1), np.stack([wide, 0 * wide], axis=1))]
    for shade, parts in (("#3a2c34", shapes["ropes"]), ("#f9c95a", shapes["flame"]), (cloth, envelope),
                         ("#7a4a2c", shapes["basket"]), ("#4a2a22", shapes["rim"])):  # fmt: skip
        placed = [radius * np.array(part) + middle for part in parts]
        picture = over(picture, shade, plate.filled(placed))
    return picture


def _shore(plate: Plate, picture: Colours) -> Colours:
    """The near shore, higher towards both sides, and its firs."""
    x = plate.x
    ground = 0.97 - 0.2 * smooth(0.5, 1.4, np.abs(x)) + 0.012 * plate.noise(x * 9, 0 * x, 21, 4)
    rng, firs = plate.rng(20), []
    for side in np.repeat((-1, 1), 11):
        foot, tall = side * (plate.right - 0.66 * rng.random() ** 1.5), rng.uniform(0.2, 0.42)
        base = np.interp(foot, x[0], ground[0]) + 0.03
        for step in np.linspace(0, 1, 7):
            low, half = base - tall * (0.08 + 0.7 * step), tall * (0.21 - 0.16 * step)
            firs.append([(foot - half, low), (foot, low - 0.3 * tall), (foot + half, low)])
        firs.append([(foot - 0.01, base), (foot, base - tall), (foot + 0.01, base)])
    picture = over(picture, "#16233f", plate.filled(firs))
    return over(picture, "#16233f", smooth(-0.003, 0.003, plate.y - ground))
