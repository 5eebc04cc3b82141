"""A harbour at night: the lamps of a town, and what the water makes of them."""

from __future__ import annotations

import numpy as np

from ._curves import outlines_of, ribbon, spline
from ._plate import Colours, Floats, Plate, hexed, over, ramp, screen, smooth
from ._water import mirrored

_SHORE = 0.12
_Dot = tuple[float, float, float]
_LAMPS = ("#ffb65c", "#ffcf87", "#ff9a4a", "#ffe3b3", "#ffb65c", "#9fd3c7", "#ff7a55")


def harbour(plate: Plate) -> Colours:
    """Draw it: last light, a hill, houses with windows, lamps, the water, boats before it."""
    x, y = plate.x, plate.y
    picture = ramp(y, (-1, "#060b1c"), (-0.45, "#102040"), (-0.12, "#274361"), (0.1, "#5b6a78"))
    cloud = plate.noise(x * 0.8, y * 4, 1, 5)
    picture = over(picture, "#0b1530", 0.5 * smooth(-0.2, 1.0, cloud))
    hill = -0.13 - 0.16 * plate.noise(x * 0.7 + 4, 0 * x, 2, 5)
    hill = hill - 0.12 * np.exp(-((x + 0.7) ** 2) * 3)
    picture = over(picture, "#0a1426", smooth(-0.004, 0.004, y - hill))
    rng = plate.rng(3)
    picture, light = _town(plate, picture, _scatter(plate, rng, hill[0]), rng)
    glow = plate.blur(light, 0.012) * 2 + plate.blur(light, 0.05) * 4 + plate.blur(light, 0.22) * 5
    upper = screen(picture, glow + light)
    picture = mirrored(plate, upper, _SHORE, 5, tint="#071226", share=0.3, ripple=0.05)
    streaks = _columns(plate, light)
    picture = screen(picture, streaks * (y > _SHORE)[..., None])
    for place, size, bright in ((-0.72, 0.42, 1.0), (0.36, 0.58, 0.8), (1.02, 0.34, 0.9)):
        shape, lamp = _boat(plate, place, 0.24 + 0.75 * (size - 0.3), size)
        picture = over(picture, "#050a15", shape)
        lamps = hexed("#ffc676") * (bright * lamp)[..., None]
        picture = screen(picture, lamps + plate.blur(lamps, 0.012) + plate.blur(lamps, 0.06) * 3)
    return plate.finished(picture, 0.01, 0.35)


def _lamps(plate: Plate, rng: np.random.Generator, dots: list[_Dot]) -> Colours:
    """Light of dots (x, y, radius), each in one of the colours."""
    own = rng.integers(len(_LAMPS), size=len(dots))
    light: Colours = np.zeros((*plate.x.shape, 3), np.float32)
    for kind, colour in enumerate(_LAMPS):
        mine = plate.dots((*dot, 1.0) for dot, k in zip(dots, own, strict=True) if k == kind)
        light += mine[..., None] * hexed(colour)
    return light


def _scatter(plate: Plate, rng: np.random.Generator, hill: Floats) -> Colours:
    """Light of distant windows on the hill, in strings along its roads."""
    dots: list[_Dot] = []
    for _ in range(9):
        start, length = rng.uniform(-plate.right, plate.right), rng.uniform(0.3, 0.8)
        level, slope = rng.uniform(0.25, 0.95), rng.uniform(-0.12, 0.12)
        for share in np.sort(rng.random(16)):
            x = start + length * share
            column = int(np.clip((x / plate.right + 1) / 2 * plate.width, 0, plate.width - 1))
            y = hill[column] + (_SHORE - hill[column]) * level + slope * share * 0.3
            if hill[column] + 0.015 < y < _SHORE - 0.05:
                dots.append((x, y, rng.uniform(0.002, 0.0045)))
    return _lamps(plate, rng, dots)


def _town(
    plate: Plate, picture: Colours, light: Colours, rng: np.random.Generator
) -> tuple[Colours, Colours]:
    """Gabled houses along the quay, some windows lit; lamps before them. The picture, the light."""
    for row, (low, high, shade) in enumerate(
        ((0.2, 0.34, "#0f1b30"), (0.13, 0.24, "#0b1424"), (0.09, 0.19, "#070d1a"))
    ):
        x, houses, panes = -plate.right - 0.05, [], []
        while x < plate.right:
            wide, tall = rng.uniform(0.07, 0.15), rng.uniform(low, high)
            top, peak = _SHORE - tall, _SHORE - tall - rng.uniform(0.02, 0.06)
            left, right = [(x, _SHORE), (x, top)], [(x + wide, top), (x + wide, _SHORE)]
            houses.append([*left, (x + wide / 2, peak), *right])
            if rng.random() < 0.4:
                stack = x + wide * 0.7
                houses.append(
                    [(stack, top), (stack, peak), (stack + 0.012, peak), (stack + 0.012, top)]
                )
            for u in np.arange(x + 0.016, x + wide - 0.02, 0.026):
                for v in np.arange(top + 0.018, _SHORE - 0.045, 0.04):
                    if rng.random() < (0.13, 0.2, 0.32)[row]:
                        panes.append((u, v, str(rng.choice(_LAMPS))))
            x += wide * rng.uniform(0.95, 1.25)
        picture = over(picture, shade, plate.filled(houses))
        light = light * (1 - 0.9 * plate.filled(houses)[..., None])
        for colour in _LAMPS:
            lit = [[(u, v), (u + 0.011, v), (u + 0.011, v + 0.018), (u, v + 0.018)]
                   for u, v, own in panes if own == colour]  # fmt: skip
            light = light + 0.85 * plate.filled(lit)[..., None] * hexed(colour)
    quay = np.arange(-plate.right + 0.06, plate.right, 0.19)
    dots: list[_Dot] = [(x + rng.uniform(-0.03, 0.03), _SHORE - 0.052, 0.009) for x in quay]
    return picture, light + _lamps(plate, rng, dots)


def _columns(plate: Plate, light: Colours) -> Colours:
    """The lamps' light on rippled water: columns that break up and widen towards the eye."""
    strength = light[plate.y[:, 0] <= _SHORE].sum(axis=0) * plate.pixel
    depth = np.maximum(plate.y - _SHORE, 1e-3)
    distance = 1 / (depth + 0.05)
    wave = plate.noise(plate.x * distance * 0.5, 5.5 * distance, 8, 4, 0.6)
    shift = (0.03 + 0.1 * depth) * wave
    column = np.clip((plate.x + shift + plate.right) / plate.pixel, 0, plate.width - 1.001)
    wide = plate.blur(np.broadcast_to(strength, (3, *strength.shape)).copy(), 0.006)[1]
    broken = smooth(-0.7, 0.9, plate.noise(plate.x * distance * 0.8, 7 * distance, 9, 3))
    fading = np.exp(-depth / 0.5) * broken
    return np.asarray(7 * wide[column.astype(int)] * fading[..., None])


def _boat(plate: Plate, x: float, y: float, size: float) -> tuple[Floats, Floats]:
    """A moored sailing boat: hull, mast, boom, stays, its dark reflection; and the cabin's light."""
    hull, cabin, mast, boom, stays = outlines_of("harbour").values()
    parts = [spline(hull), np.array(cabin), np.array(mast)]
    furled = spline(boom)
    parts.append(ribbon(furled, 0.035 + 0.01 * np.sin(np.linspace(0, 14, len(furled)))))
    parts += [ribbon(np.array(stay), 0.004) for stay in stays]
    placed = [part * size + (x, y) for part in parts]
    level = y + 0.04 * size
    wobble = plate.rng(40).normal(0, 0.01, 200)
    mirror = []
    for part in placed[:3]:
        low = np.stack([part[:, 0], level + 0.85 * (level - part[:, 1])], axis=1)
        low[:, 0] += wobble[: len(low)] * size
        mirror.append(low)
    shape = plate.filled(mirror + placed, [0.55] * 3 + [1.0] * len(placed))
    windows = [np.array([(u, -0.115), (u + 0.045, -0.115), (u + 0.045, -0.085), (u, -0.085)]) * size
               + (x, y) for u in (-0.15, -0.08, 0.03)]  # fmt: skip
    return shape, plate.filled(windows)
