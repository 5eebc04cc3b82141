"""The sample `flowers`: blossoms seen from above on paper, computed from a seed.

Those of a class have as many petals and about the same hue; the rest is a little different in each.
Pictures in colour to learn from, which need no download.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CLASSES = ("clover", "poppy", "violet", "daisy", "aster", "dahlia")
PETALS = (3, 4, 5, 8, 11, 16)
HUES = (0.36, 0.01, 0.74, 0.14, 0.60, 0.93)
"""Hues of the petals, as shares of a turn."""
PAPER, HEART = (0.965, 0.94, 0.88), (0.98, 0.78, 0.22)


def draw_flower(number: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A flower of the class, uint8 [side, side, 3]."""
    from skimage.color import hsv2rgb

    turn, size, width, heart, shade, right, down, bend = rng.random(8)
    middle = max(1, side - 1) / 2
    row, column = np.mgrid[:side, :side]
    x = (column - middle * (1 + 0.1 * (right - 0.5))) / middle
    y = (row - middle * (1 + 0.1 * (down - 0.5))) / middle
    radius, edge = np.hypot(x, y), 1.4 / side
    picture = np.broadcast_to(np.array(PAPER), (side, side, 3))
    hue = HUES[number] + 0.05 * (shade - 0.5)
    # Two rings of petals, the inner one smaller, lighter and turned by half a petal.
    for ring, (reach, light) in enumerate(((0.8 + 0.16 * size, 0.0), (0.5 + 0.1 * size, 0.25))):
        lean = turn + ring / 2 + 0.35 * (bend - 0.5) * radius
        phase = PETALS[number] * np.arctan2(y, x) / (2 * np.pi) + lean
        across = 2 * abs(phase - np.rint(phase))
        outline = reach * (1 - (across / (0.75 + 0.25 * width)).clip(0, 1) ** 2.6 * 0.72)
        share = ((outline - radius) / edge + 0.5).clip(0, 1)[..., None]
        tone = (radius / reach).clip(0, 1)
        value = 0.56 + 0.34 * tone - 0.2 * across**2
        hues, greyer = (hue + 0.06 * (1 - tone)) % 1, 0.74 - light - 0.18 * tone
        colour = hsv2rgb(np.stack([hues, greyer, (value + light / 3).clip(0, 1)], -1))
        picture = picture + share * (colour - picture)
    share = ((0.13 + 0.08 * heart - radius) / edge + 0.5).clip(0, 1)[..., None]
    picture = picture + share * (np.array(HEART) * (1 - 0.9 * radius[..., None]) - picture)
    pixels: NDArray[np.uint8] = np.rint(255 * picture.clip(0, 1)).astype(np.uint8)
    return pixels
