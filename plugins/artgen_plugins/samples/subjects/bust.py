"""A marble head with carved curls, bowed in a raking light before a dark ground."""

from __future__ import annotations

import numpy as np

from ._curves import outlines_of, spline, spread
from ._marble import FAR, SIZE, depths, laid, placed
from ._plate import Colours, Floats, Plate, over, ramp, smooth
from ._relief import lit

_LAMP, _BOUNCE = (-0.74, -0.42, 0.48), (0.8, 0.45, 0.15)
_STONES = (
    ((0.0, "#04070f"), (0.16, "#151e30"), (0.4, "#5a667c"), (0.68, "#b4b9c2"), (0.9, "#f3f0e8"), (1.1, "#ffffff")),
    ((0.0, "#0d0705"), (0.16, "#2e1a12"), (0.4, "#7b5238"), (0.68, "#cda47a"), (0.9, "#f6e3c2"), (1.1, "#fff9ea")),
    ((0.0, "#040a09"), (0.16, "#12261f"), (0.4, "#51705f"), (0.68, "#b1bfa4"), (0.9, "#f1edd9"), (1.1, "#fffdf2")),
)  # fmt: skip
"""From the shade to the light: cool marble, warm stone, serpentine."""


def bust(plate: Plate) -> Colours:
    """Draw it: the ground, which is light behind what is dark, and the stone in the light."""
    stone, x, y, pixel = _STONES[plate.seed // 2 % len(_STONES)], plate.x, plate.y, plate.pixel
    depth = depths(plate)
    _lay_cloth(plate, depth)
    _lay_hair(plate, depth)
    away = np.hypot(x - 0.62, 0.8 * (y + 0.2))
    glow = 0.38 * np.exp(-((away / 0.75) ** 2)) + 0.015 * plate.noise(x, y, 2, 5)
    cover = smooth(0.25, 0.75, plate.blur(_cover(depth), 0.8 * pixel))
    picture = over(ramp(glow, *stone), ramp(_tone(plate, depth), *stone), cover)
    # Where one part ends before another, pixels would show as steps.
    steps = np.abs(depth - plate.blur(np.maximum(depth, -0.6), 1.2 * pixel)) > 3 * pixel
    edge = smooth(0.0, 0.6, plate.blur(steps.astype(np.float32), pixel))
    picture = over(picture, plate.blur(picture, 0.7 * pixel), edge)
    return plate.faced(plate.finished(picture, 0.008, 0.2))


def _cover(depth: Floats) -> Floats:
    """1 where there is stone, else 0."""
    return (depth > FAR).astype(np.float32)


def _tone(plate: Plate, depth: Floats) -> Floats:
    """How light the stone is: the lamp, what the room throws back, dark hollows, a light rim."""
    from scipy.ndimage import minimum_filter

    cover = _cover(depth)
    # The edge goes on beyond itself, so that its slope is that of the stone.
    beyond = minimum_filter(np.where(cover > 0, depth, 9), 5)
    height = np.where(cover > 0, depth, np.where(beyond < 9, beyond, -0.6))
    key = np.clip(lit(plate, height, _LAMP), 0, 1) * (1 - _shadow(plate, np.maximum(depth, -0.6)))
    key *= 1 - 0.42 * smooth(0.15, 1.1, plate.y)
    key *= 1 + 0.05 * plate.noise(3 * plate.x, 3 * plate.y, 4, 7, 0.7)
    back = np.clip(lit(plate, height, _BOUNCE), 0, 1)
    rim = smooth(0.1, 0.5, 1 - plate.blur(cover, 0.025)) * back
    hollow = np.zeros_like(height)
    for radius in (0.02, 0.06):
        share = plate.blur(cover, radius)
        mean = plate.blur(height * cover, radius) / np.maximum(share, 0.05)
        hollow += np.clip((mean - height) / radius, -0.3, 1) * smooth(0.8, 1.0, share)
    bare = np.exp(-1.6 * np.maximum(hollow, 0))
    tone = 0.98 * key**0.85 + 0.24 * back * bare + 0.08 + 0.35 * rim
    return np.asarray(tone * (0.45 + 0.55 * bare))


def _shadow(plate: Plate, depth: Floats) -> Floats:
    """Where stone stands before the lamp, 0 to 1."""
    from scipy.ndimage import shift

    x, y, up = np.array(_LAMP) / np.linalg.norm(_LAMP)
    dark = np.zeros_like(depth)
    for reach in 0.015 * 1.25 ** np.arange(17):
        by = -y * reach / plate.pixel, -x * reach / plate.pixel
        above = shift(depth, by, order=1, mode="nearest") - depth - reach * up
        dark = np.maximum(dark, smooth(0.0, 0.12, above / (reach + 0.02)))
    return plate.blur(dark, 0.004)


def _lay_cloth(plate: Plate, depth: Floats) -> None:
    """A mantle in folds, from a pin on the shoulder over the breast."""
    from scipy.ndimage import map_coordinates, maximum_filter

    wide = round(0.06 / plate.pixel) + 1
    skin = plate.blur(maximum_filter(np.maximum(depth, -0.35), wide), 0.05)
    for *way, widths, above in outlines_of("bust")["folds"]:
        path = spline(way, 8)
        deep = map_coordinates(skin, plate.place(*path.T), order=1, mode="nearest")
        path = np.column_stack([path, deep + above - 0.04])
        laid(plate, depth, path, spread(widths, len(path)), 1)


def _lay_hair(plate: Plate, depth: Floats) -> None:
    """Ears, and rows of locks from the crown down, each bent into a hook."""
    parts, rng, t = outlines_of("bust"), plate.rng(3), np.linspace(0, 1, 40)
    for *way, widths in parts["ear"]:
        path = spline(way, 8)
        laid(plate, depth, placed(path), SIZE * spread(widths, len(path)))
    middle, radii = np.split(np.array(parts["skull"]), 2)
    for row, polar in enumerate(np.arange(0.1, 2.5, 0.19)):
        count = round(7 + 17 * np.sin(polar))
        for start in np.linspace(-np.pi, np.pi, count, endpoint=False) + 0.2 * row:
            around = (start + rng.normal(0, 0.06) + np.pi) % (2 * np.pi) - np.pi
            if polar > np.interp(abs(around), *np.transpose(parts["hairline"])):
                continue
            side = np.sign(around) * (1 if row % 2 else -1)
            way = rng.normal(0, 0.15) + side * (rng.uniform(3.0, 4.0) * t**2.2 - 0.75)
            long = rng.uniform(0.55, 0.8) / len(t)
            down = polar + rng.normal(0, 0.04) + np.cumsum(long * np.cos(way))
            aside = around + np.cumsum(long * np.sin(way)) / max(np.sin(polar + 0.2), 0.3)
            away = 1.02 + 0.07 * np.sin(np.pi * t) + rng.uniform(0, 0.05)
            x, z = np.sin(down) * np.sin(aside), np.sin(down) * np.cos(aside)
            path = middle + radii * (away * np.stack([x, -np.cos(down), z])).T
            wide = rng.uniform(0.07, 0.11) * spread(parts["lock"], len(t))
            laid(plate, depth, placed(path), SIZE * wide, 4)
