"""An eye from near, wide open, in a hard light from above: lids, lashes, a brow and freckles."""

from __future__ import annotations

import numpy as np

from ._curves import directed, outlines_of, ribbon, spline, spread
from ._plate import Colours, Floats, Plate, over, ramp, smooth
from ._relief import lit

_LAMP = (-0.45, -0.7, 0.6)
_BALL, _IRIS, _PUPIL = np.array((0.03, 0.07)), 0.285, 0.118
_SKINS = (
    ((0.0, "#1d0c12"), (0.22, "#5a2a26"), (0.45, "#a8644a"), (0.7, "#e2a67e"), (0.88, "#f8d5b0"), (1.05, "#fff0dc")),
    ((0.0, "#0c0608"), (0.22, "#2b1412"), (0.45, "#5f3322"), (0.7, "#9c6040"), (0.88, "#cf9468"), (1.05, "#f4cfa4")),
)  # fmt: skip
_IRISES = (
    ((0.3, "#c98a2e"), (0.48, "#5f9a6c"), (0.75, "#2f8f8a"), (0.9, "#155060"), (1.0, "#06161f")),
    ((0.3, "#e0a040"), (0.5, "#b8702a"), (0.75, "#8a4a1c"), (0.9, "#4a220e"), (1.0, "#140805")),
)
"""By the distance from the middle, in radii of the iris."""


def eye(plate: Plate) -> Colours:
    """Draw it: the skin in the light, the ball between the lids, what is dark over it, hairs."""
    parts, scheme = outlines_of("eye"), plate.seed // 2 % len(_SKINS)
    upper, lower = spline(parts["upper"], 12), spline(parts["lower"], 12)
    opening = plate.filled([np.concatenate([upper, lower[::-1]])])
    picture = over(_skin(plate, opening, scheme), _ball(plate, upper, scheme), opening)
    picture = _rims(plate, picture, opening, upper, lower)
    hairs = [*_lashes(plate, upper, lower), *_brow(plate)]
    picture = over(picture, "#150a0b", 0.95 * plate.filled(hairs))
    return plate.faced(plate.finished(picture, 0.008, 0.25))


def _bump(plate: Plate, at: list[float], wide: float, tall: float, angle: float) -> Floats:
    x, y = plate.turned(np.array(at), angle)
    return np.exp(-((x / wide) ** 2) - (y / tall) ** 2)


def _skin(plate: Plate, opening: Floats, scheme: int) -> Colours:
    """Brow, socket, lids and cheek as hills in the light; pores, and freckles on the cheek."""
    parts, rng = outlines_of("eye"), plate.rng(3)
    height = np.zeros_like(plate.x)
    for high, *place in parts["hills"]:
        height = height + high * _bump(plate, *place)
    height = height + 0.16 * plate.blur(opening, 0.07) + 0.06 * plate.blur(opening, 0.025)
    for name, deep, soft in (("crease", 0.07, 0.018), ("bag", 0.018, 0.03), ("hollow", 0.02, 0.06)):
        path = spline(parts[name], 10)
        fold = plate.filled([ribbon(path, spread((0.0, 3 * soft, 2 * soft, 0.0), len(path)))])
        height = height - deep * plate.blur(fold, soft)
    height = height + 0.0005 * plate.noise(plate.x * 22, plate.y * 22, 4, 4, 0.6)
    light = 0.17 + 0.92 * lit(plate, height, _LAMP)
    light *= 1 - 0.62 * smooth(0.35, 1.25, plate.x + 0.25 * plate.y)
    skin = ramp(light, *_SKINS[scheme])
    at = rng.normal((-0.25, 0.72), (0.42, 0.13), (120, 2))
    spots = plate.dots(
        [(*spot, 0.006 + 0.012 * rng.random() ** 2, rng.uniform(0.3, 0.9)) for spot in at]
    )
    return over(skin, "#7a3416", 0.7 * np.clip(spots, 0, 1))


def _ball(plate: Plate, upper: Floats, scheme: int) -> Colours:
    """White and iris: fibres, a ring around them, the pupil, a window that they mirror."""
    u, v = plate.x - _BALL[0], plate.y - _BALL[1]
    white = ramp(np.hypot(u, v + 0.1), (0.3, "#f7f1ea"), (0.6, "#cfc0bb"), (0.85, "#7c5a5c"))
    away, angle = np.hypot(u, v) / _IRIS, np.arctan2(v, u)
    c, s = np.cos(angle), np.sin(angle)
    fibres = plate.noise(9 * c + away, 9 * s + away, 7, 5, 0.75)
    fibres = fibres + 0.6 * np.cos(70 * angle + 9 * plate.noise(3 * c, 3 * s, 8, 3))
    iris = ramp(away + 0.05 * fibres * smooth(1, 0.7, away), *_IRISES[scheme])
    iris = np.clip(iris * (1 + 0.42 * fibres * smooth(1.0, 0.8, away))[..., None], 0, 1)
    bright = _bump(plate, (_BALL + (0.09, 0.13)).tolist(), 0.2, 0.1, -0.6)
    iris = iris * (0.75 + 0.9 * bright * smooth(0.4, 0.6, away))[..., None]
    iris = over(iris, "#040507", smooth(_PUPIL + 0.008, _PUPIL - 0.004, np.hypot(u, v)))
    ball = over(white, iris, smooth(1.03, 0.985, away))
    shade = plate.filled([np.concatenate([upper + (0.02, 0.05), upper[::-1] - (0, 0.3)])])
    ball = ball * (1 - 0.72 * plate.blur(shade, 0.03))[..., None]
    panes = [np.array(pane) for pane in outlines_of("eye")["panes"]]
    return over(ball, "#fdfdf6", plate.blur(plate.filled(panes), 0.003))


def _rims(plate: Plate, picture: Colours, opening: Floats, upper: Floats, lower: Floats) -> Colours:
    """The tear duct, the wet rim of the lower lid, the dark one of the upper, the crease."""
    parts = outlines_of("eye")
    duct = plate.blur(plate.filled([spline(parts["duct"], 8)]), 0.008)
    picture = over(picture, "#b5605a", 0.8 * duct * opening)
    wet = ribbon(lower + (0, 0.012), spread((0.01, 0.035, 0.03, 0.0), len(lower)))
    picture = over(picture, "#e8a892", 0.75 * plate.blur(plate.filled([wet]), 0.004))
    edge = ribbon(lower + (0, 0.03), spread((0.0, 0.012, 0.02, 0.03), len(lower)))
    picture = over(picture, "#40181c", 0.6 * plate.blur(plate.filled([edge]), 0.008))
    line = ribbon(upper - (0, 0.012), spread((0.016, 0.035, 0.05, 0.06, 0.035), len(upper)))
    picture = over(picture, "#12070a", plate.blur(plate.filled([line]), 0.003))
    path = spline(parts["crease"], 10)
    crease = ribbon(path, spread((0.0, 0.022, 0.03, 0.026, 0.0), len(path)))
    return over(picture, "#200b0f", 0.9 * plate.blur(plate.filled([crease]), 0.005))


def _lashes(plate: Plate, upper: Floats, lower: Floats) -> list[Floats]:
    """Outlines of lashes, which bend away from the lids, longest where the upper one ends."""
    rng, t, found = plate.rng(9), np.linspace(0, 1, 12), []
    for lid, count, least, most, ends, bend, thick in (
        (upper, 58, 0.12, 0.24, (-2.2, -0.3), -0.8, 0.02),
        (lower, 34, 0.05, 0.1, (2.0, 0.7), 0.56, 0.011),
    ):
        for share in np.linspace(0.1, 0.985, count) + rng.normal(0, 0.004, count):
            way = np.interp(share, (0, 1), ends) + rng.normal(0, 0.09) + bend * (t - 0.5)
            long = np.interp(share, (0, 0.7, 1), (least, most, 0.8 * most)) * rng.uniform(0.7, 1.1)
            path = _along(lid, share) + np.cumsum(directed(way) * long / len(t), 0)
            found.append(ribbon(path, thick * (1 - t) ** 0.7 + 0.002))
    return found


def _brow(plate: Plate) -> list[Floats]:
    """Outlines of the hairs of the brow, which rise at its root and lie down towards its end."""
    parts, rng, t, found = outlines_of("eye"), plate.rng(10), np.linspace(0, 1, 8), []
    low, high = spline(parts["brow low"], 10), spline(parts["brow high"], 10)
    for foot, lift in zip(rng.random(620) ** 0.9, rng.random(620), strict=True):
        root = (1 - lift) * _along(low, foot) + lift * _along(high, foot)
        way = np.interp(foot, (0, 0.12, 0.5, 1), (-1.5, -1.0, -0.3, 0.35)) + 0.35 * t
        way += 0.5 * (lift - 0.5) + rng.normal(0, 0.1)
        path = root + np.cumsum(directed(way) * rng.uniform(0.09, 0.16) / len(t), 0)
        found.append(ribbon(path, 0.013 * np.sin(np.pi * (0.12 + 0.86 * t))))
    return found


def _along(path: Floats, share: float) -> Floats:
    """The point at a share of the way along a path."""
    return np.array([np.interp(share, np.linspace(0, 1, len(path)), axis) for axis in path.T])
