"""A suspension bridge that leads into fog."""

from __future__ import annotations

import numpy as np

from ._curves import outlines_of, ribbon
from ._plate import Colours, Floats, Plate, over, ramp, smooth
from ._water import mirrored

_WATER = 0.46


def bridge(plate: Plate) -> Colours:
    """Draw it: a pale sun, hills, three towers ever fainter, the deck, fog between, the water."""
    x, y = plate.x, plate.y
    picture = ramp(y, (-1, "#8d9fab"), (-0.3, "#c3c6c3"), (0.2, "#e8d8c4"), (0.5, "#ecdcc8"))
    sun = np.hypot(x - 0.55, y + 0.2)
    picture = over(picture, "#fff3df", 0.75 * np.exp(-((sun / 0.5) ** 2)))
    picture = over(picture, "#fffaf0", 0.9 * smooth(0.002, -0.006, sun - 0.1))
    for level, shade, stream in ((0.22, "#ccc9c1", 1), (0.33, "#b7bab6", 2)):
        crest = level - 0.13 * plate.noise(x * 0.9, np.zeros_like(x), stream, 5)
        picture = over(picture, shade, 0.8 * smooth(-0.004, 0.004, y - crest) * smooth(0.9, 0.2, y))

    towers = (0.22, 1.5, 4.0, 9.0)
    for index in range(len(towers) - 1, -1, -1):
        at = towers[index]
        behind = towers[index + 1] if index + 1 < len(towers) else 24.0
        colour = ramp(np.exp(-at / 2.2), (0, "#dcd3c6"), (0.35, "#93a0a6"), (1, "#2c4150"))
        shares = [_span(plate, at, behind)]
        if index == 0:
            shares.append(_span(plate, towers[0] - 1.1, towers[0], falling=True))
        shares.append(_tower(plate, at))
        picture = over(picture, colour, np.clip(np.sum(shares, axis=0), 0, 1))
        bank = plate.noise(x * 1.1 + 7 * index, y * 4.5, 10 + index, 5)
        lying = np.exp(-(((y - 0.36) / (0.2 + 0.05 * index)) ** 2))
        fog = smooth(-0.9, 1.1, bank + 0.35 * index - 0.5 + 0.7 * x) * lying
        picture = over(picture, "#ebdfd0", 0.85 * fog)
    picture = mirrored(plate, picture, _WATER, 5, tint="#8e9ea6", share=0.35, ripple=0.016)
    low = np.exp(-(((y - _WATER) / 0.07) ** 2)) * smooth(-0.8, 0.8, plate.noise(x, y * 7, 8, 4))
    picture = over(picture, "#efe4d6", 0.6 * low)
    return plate.finished(over(picture, "#22343f", _boat(plate)), 0.01, 0.25)


def _seen(along: float | Floats, height: float | Floats, aside: float = 0.0) -> Floats:
    """The places on the picture of points of the bridge: along the deck, over it, to the side."""
    depth = 1.0 + np.asarray(along, float)
    right = -1.62 + 2.35 * (1 - 1 / depth) + aside / depth
    down = 0.345 - (np.asarray(height, float) - 0.02) / depth
    return np.stack(np.broadcast_arrays(right, down), axis=-1)


def _tower(plate: Plate, at: float) -> Floats:
    """Two legs that narrow upwards, four cross-beams with arches, feet in the water."""
    parts = []
    for aside in (-0.055, 0.075):
        left = _seen(at, np.array([-0.2, 0.2, 0.55, 0.98]), aside - 0.021)
        widths = np.array([0.06, 0.046, 0.04, 0.032])[:, None] * [1, 0] / (1 + at)
        right = left + widths
        parts.append(np.concatenate([left, right[::-1]]))
    for height, thick in ((0.97, 0.035), (0.74, 0.04), (0.5, 0.045), (0.24, 0.03), (-0.06, 0.05)):
        corners = [(height, -0.07), (height, 0.1), (height - thick, 0.1), (height - thick, -0.07)]
        parts.append(np.array([_seen(at, level, aside) for level, aside in corners]))
    return plate.filled(parts)


def _span(plate: Plate, start: float, end: float, falling: bool = False) -> Floats:
    """Deck with its truss, two main cables, hangers, between two towers."""
    share = np.linspace(0, 1, 60)
    # Even steps as the eye sees them.
    along = 1 / ((1 - share) / (1 + start) + share / (1 + end)) - 1
    run = (along - start) / (end - start)
    height = 0.10 + 0.87 * (run**1.6 if falling else (2 * run - 1) ** 2)
    parts = []
    upper, lower = _seen(along, 0.055, -0.06), _seen(along, 0.0, -0.06)
    parts.append(np.concatenate([upper, lower[::-1]]))
    for aside, thick in ((-0.05, 0.011), (0.08, 0.008)):
        parts.append(ribbon(_seen(along, height, aside), thick / (1 + along) + 0.0012))
        hangers = np.arange(np.ceil(start / 0.055), end / 0.055) * 0.055
        hangers = hangers[hangers < 4]
        for place in hangers:
            run = (place - start) / (end - start)
            top = 0.10 + 0.87 * (run**1.6 if falling else (2 * run - 1) ** 2)
            line = np.stack([_seen(place, 0.05, aside), _seen(place, top, aside)])
            parts.append(ribbon(line, 0.0022 / (1 + place) + 0.0006))
    return plate.filled(parts)


def _boat(plate: Plate) -> Floats:
    """A rowing boat with someone in it, and its reflection."""
    hull, body = outlines_of("bridge").values()
    angle = np.linspace(0, 2 * np.pi, 20)
    head = np.stack([0.02 + 0.11 * np.cos(angle), -0.68 + 0.13 * np.sin(angle)], axis=1)
    oar = ribbon(np.array([(0.05, -0.3), (0.9, 0.3)]), 0.05)
    upright = [np.array(part) * 0.062 for part in (hull, body, head, oar)]
    mirror = [(part - (0, 0.01)) * (1, -0.8) + (0, 0.01) for part in upright]
    place = (0.62, 0.69)
    shades = [0.3] * 4 + [1.0] * 4
    return plate.filled([part + place for part in mirror + upright], shades)
