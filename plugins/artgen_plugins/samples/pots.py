"""The sample `pots`: pots of six kinds in six glazes on a shelf, computed from a seed.

A pot is a curve that is turned: the radii of foot, belly, shoulder, neck and lip are those of its
kind, a little different in each. Nothing else moves, so that small networks learn them sharply.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artgen_plugins.samples._channels import FINER, Channels, over, reduced

PAPER = (0.965, 0.94, 0.88)
RATIO = 1.2
"""Height of a picture, as a share of its width."""
_RADII = {
    "amphora": (0.20, 0.40, 0.66, 0.56, 0.20, 0.22, 0.30),
    "bottle": (0.42, 0.52, 0.52, 0.42, 0.15, 0.13, 0.18),
    "bowl": (0.30, 0.38, 0.58, 0.70, 0.74, 0.76, 0.80),
    "jar": (0.36, 0.56, 0.68, 0.70, 0.62, 0.44, 0.48),
    "vase": (0.34, 0.24, 0.34, 0.54, 0.46, 0.24, 0.42),
    "moon jar": (0.30, 0.56, 0.72, 0.72, 0.58, 0.26, 0.28),
}
"""Radii from the foot to the lip, evenly spaced, in half widths."""
_HEIGHTS = {"amphora": 1.0, "bottle": 1.0, "bowl": 0.5, "jar": 0.78, "vase": 1.0, "moon jar": 0.8}
_GLAZES = {
    "amphora": ((0.78, 0.36, 0.20), (0.16, 0.12, 0.12)),
    "bottle": ((0.13, 0.30, 0.58), (0.93, 0.90, 0.84)),
    "bowl": ((0.55, 0.72, 0.62), (0.30, 0.47, 0.42)),
    "jar": ((0.90, 0.68, 0.24), (0.52, 0.26, 0.14)),
    "vase": ((0.66, 0.15, 0.16), (0.95, 0.80, 0.56)),
    "moon jar": ((0.93, 0.91, 0.87), (0.24, 0.37, 0.62)),
}
"""The colour of the glaze, and that of its bands."""
CLASSES = tuple(_RADII)


def draw_pot(number: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A pot of the kind, uint8 [side, side / 1.2, 3]."""
    from scipy.interpolate import PchipInterpolator

    name = CLASSES[number]
    wide, tall, belly, neck, place, width, tone = 2 * rng.random(7) - 1
    height, side = side, round(side / RATIO)
    row, column = np.mgrid[: height * FINER, : side * FINER] + 0.5
    x = 2 * column / (side * FINER) - 1
    y = RATIO * (1 - 2 * row / (height * FINER))
    edge = 2 / (side * FINER)
    floor, top = -0.92 * RATIO, (1.84 * RATIO) * _HEIGHTS[name] * (0.94 + 0.06 * tall)
    up = (y - floor) / top
    radii = np.array(_RADII[name]) * (1 + 0.1 * wide)
    radii[2:4] *= 1 + 0.12 * belly
    radii[5:] *= 1 + 0.15 * neck
    knots = np.linspace(0, 1, len(radii))
    radius = PchipInterpolator(knots, radii.clip(0, 0.88))(up.clip(0, 1))
    shade = np.hypot((x - 0.08) / (1.25 * radii[0] + 0.1), (y - floor) / 0.07)
    picture = over(PAPER, (0.62, 0.56, 0.50), 0.7 * (1.4 - shade).clip(0, 1))
    inside = ((radius - abs(x)) / edge + 0.5).clip(0, 1)
    inside = inside * ((y - floor) / edge + 0.5).clip(0, 1)
    inside = inside * ((floor + top - y) / edge + 0.5).clip(0, 1)
    if name == "amphora":
        hoop = abs(np.hypot((abs(x) - 0.30) / 0.26, (up - 0.78) / 0.15) - 1) * 0.26
        handle = ((0.055 - hoop) / edge + 0.5).clip(0, 1) * (1 - inside)
        picture = over(picture, _GLAZES[name][1], handle)
    glaze, band = _GLAZES[name]
    colour: Channels = [each * (1 + 0.1 * tone) for each in glaze]
    middle = 0.5 + 0.06 * place
    bands = ((middle, 0.07 + 0.025 * width), (0.985, 0.02))
    for at, thick in (*bands, (middle + 0.16, 0.018), (middle - 0.16, 0.018)):
        share = ((thick - abs(up - at)) * top / edge + 0.5).clip(0, 1)
        colour = over(colour, band, share)
    # A lamp at the upper left: a cylinder's shade, and a gleam.
    around = (x / np.maximum(radius, 1e-6)).clip(-1, 1)
    light = 0.62 + 0.5 * np.sqrt((1 - ((around + 0.35) / 1.5) ** 2).clip(0, 1)) - 0.12
    gleam = 0.5 * np.exp(-(((around + 0.48) / 0.12) ** 2)) * (up * (1 - up) * 4).clip(0, 1)
    lit = over([each * light for each in colour], (1.0, 1.0, 1.0), gleam)
    return reduced(over(picture, lit, inside))
