"""A humpback whale that rises through shafts of light to a rowing boat with a lantern."""

from __future__ import annotations

import numpy as np

from ._curves import directed, outlines_of, ribbon, spline
from ._humpback import humpback
from ._plate import Colours, Floats, Plate, over, ramp, screen, smooth

_SURFACE, _HORIZON = -0.66, -0.75
_BOAT = np.array((0.42, _SURFACE))
_LAMP = _BOAT + (-0.285, -0.148)
_SUN = np.array((0.05, -1.7))
"""Where the shafts come from, as if the water did not bend them."""
_SKY = (-0.2, "#ffd58a"), (0.0, "#f6a15c"), (0.2, "#c9646a"), (0.5, "#5c4480"), (0.8, "#262a5c"), (1.1, "#121a3e")  # fmt: skip
_CLOUD = (0.0, "#ffbf7a"), (0.3, "#dd7a6c"), (0.6, "#6d4a80"), (1.0, "#2d2e60")
_SEA = (-0.3, "#232a5a"), (0.1, "#6b4a78"), (0.4, "#d9826a"), (0.7, "#ffc98a")
_DEEP = (-0.1, "#010812"), (0.15, "#03182a"), (0.4, "#083a50"), (0.65, "#14677a"), (0.85, "#3fa39e"), (1.05, "#a9dcba")  # fmt: skip
_AROUND = directed(np.linspace(0, 2 * np.pi, 40))


def whale(plate: Plate) -> Colours:
    """Draw it: water and its light, the whale, the sky, the boat."""
    shafts = _shafts(plate)
    picture = humpback(plate, _water(plate, shafts), shafts, _lamplight(plate))
    picture = screen(picture, 0.3 * shafts[..., None] * np.array([0.35, 0.75, 0.7]))
    rng = plate.rng(12)
    motes = [(*rng.uniform((-1, -0.62), (1, 1.33)), rng.uniform(0.002, 0.005), 0.4 * rng.random())
             for _ in range(110)]  # fmt: skip
    picture = screen(picture, plate.dots(motes)[..., None] * np.array([0.6, 0.9, 0.8]))
    swell = plate.y - _SURFACE - 0.014 * plate.noise(plate.x * 2.5, plate.x * 0, 3, 3)
    picture = over(picture, "#d9f0d0", 0.75 * np.exp(-np.abs(swell / 0.007)))
    picture = over(picture, _sky(plate), smooth(0.004, -0.004, swell))
    picture = plate.finished(_boat(plate, picture), 0.01, 0.3)
    return plate.faced(picture)


def _sky(plate: Plate) -> Colours:
    """Dusk: embers on one side of the horizon, clouds lit from below, far hills, the sea's skin."""
    x, y, rng = plate.x, plate.y, plate.rng(4)
    up = (_HORIZON - y) / 0.6 + rng.uniform(-0.05, 0.15)
    glow = np.exp(-(((x + 0.5) / 0.9) ** 2))
    stain = plate.noise(x * 1.1, y * 4.5, 1, 6, 0.55)
    tone = up - 0.2 * glow + 0.28 * smooth(-0.4, 0.7, x) + 0.05 * stain
    drift = plate.noise(x * 1.4 + 3, y * 6.5, 2, 6, 0.55) - 0.5 * np.abs(up - 0.4)
    air = over(ramp(tone, *_SKY), ramp(tone, *_CLOUD), 0.8 * smooth(0.15, 0.7, drift))
    stars = [(*rng.uniform((-1, -1.33), (1, -1.0)), rng.uniform(0.002, 0.004), rng.random())
             for _ in range(60)]  # fmt: skip
    air = screen(air, plate.dots(stars)[..., None] * np.array([0.9, 0.9, 1.0]))
    hills = 0.05 * smooth(-0.1, 1.0, x) * (1 + 0.5 * plate.noise(x * 3, 0 * x, 5, 4))
    air = over(air, "#4a3a68", 0.85 * smooth(-0.004, 0.004, y - _HORIZON + hills))
    near = np.maximum(y - _HORIZON, 1e-3)
    wave = plate.noise(x * 3 / (near + 0.05), 1.2 / (near + 0.03), 6, 3)
    lane = 0.5 * np.exp(-(((x - _LAMP[0]) / 0.05) ** 2))
    skin = ramp(0.5 * glow + 0.3 * wave + lane, *_SEA)
    return over(air, skin, smooth(-0.003, 0.003, y - _HORIZON))


def _shafts(plate: Plate) -> Floats:
    """How much light passes each place under the water, in beams that spread."""
    angle = np.arctan2(plate.x - _SUN[0], plate.y - _SUN[1])
    beam = smooth(-0.15, 0.9, plate.noise(angle * 7, 0.3 * plate.y, 7, 4, 0.6))
    deep = np.maximum(plate.y - _SURFACE, 0)
    return np.asarray(beam * np.exp(-deep) * smooth(0.75, 0.1, np.abs(angle - 0.03)))


def _water(plate: Plate, shafts: Floats) -> Colours:
    """From teal to blue-black, amber below the lamp."""
    x, deep = plate.x, plate.y - _SURFACE
    glow = 0.4 + 0.6 * np.exp(-(((x - 0.1 - 0.1 * deep) / 0.75) ** 2))
    murk = plate.noise(x * 1.3, plate.y * 1.3, 8, 4)
    tone = 0.05 + 0.8 * np.exp(-deep / 0.7) * glow + 0.32 * shafts + 0.03 * murk
    return over(ramp(tone, *_DEEP), "#f2a94e", 0.75 * _lamplight(plate))


def _lamplight(plate: Plate) -> Floats:
    """Of the lantern, at each place under the water."""
    away = (plate.x - _LAMP[0]) ** 2 + (0.7 * (plate.y - _SURFACE)) ** 2
    return np.asarray(1 / (1 + away / 0.022))


def _boat(plate: Plate, picture: Colours) -> Colours:
    """A rower who leans over the bow with a lantern on a pole."""
    parts = outlines_of("whale")
    hull = spline([*parts["hull"], parts["hull"][0]], 6)
    shapes = [hull, *(spline(parts[name], 6) for name in ("body", "head", "cap"))]
    shapes += [ribbon(spline(bar), wide)
               for bar, wide in zip(parts["bars"], (0.026, 0.006, 0.009, 0.004), strict=True)]  # fmt: skip
    mask = plate.filled([shape + _BOAT for shape in shapes])
    away = np.hypot(plate.x - _LAMP[0], plate.y - _LAMP[1])
    down, across = np.gradient(plate.blur(mask, 0.007), plate.pixel)
    facing = (down * (_LAMP[1] - plate.y) + across * (_LAMP[0] - plate.x)) / np.maximum(away, 0.01)
    rail = spline(parts["hull"][:5])
    planks = plate.filled([ribbon(rail * (1, bulge) + (0, low) + _BOAT, 0.006)
                           for bulge, low in ((1, 0.004), (0.75, 0.012), (0.4, 0.0))])  # fmt: skip
    edge = np.clip(-0.022 * facing, 0, 1) * np.exp(-away / 0.3) + 0.35 * planks * np.exp(
        -away / 0.2
    )
    picture = over(picture, ramp(edge, (0, "#150d1f"), (0.3, "#7a3a24"), (0.7, "#ffb35a")), mask)
    glow = 0.9 * np.exp(-((away / 0.032) ** 2)) + 0.75 * np.exp(-away / 0.13)
    picture = screen(picture, glow[..., None] * np.array([1.0, 0.62, 0.24]))
    picture = over(picture, "#fff6d2", plate.filled([_LAMP + _AROUND * (0.012, 0.02)]))
    lids = [_LAMP + (0, low) + _AROUND * (0.016, 0.005) for low in (-0.022, 0.022)]
    return over(picture, "#2a1620", plate.filled(lids))
