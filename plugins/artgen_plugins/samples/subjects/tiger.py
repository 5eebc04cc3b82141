"""A tiger that looks out between large leaves: a turned relief of a head in a low warm light."""

from __future__ import annotations

from itertools import product

import numpy as np

from ._curves import directed, outlines_of, ribbon, spline
from ._head import Head
from ._paint import Paint, painted
from ._plate import Colours, Floats, Plate, over, ramp, smooth
from ._strokes import Leaf, combed, lay_flower, lay_leaf, rounded, strewn

_SCALE = 0.7
_LIGHT = np.array((-0.76, -0.24, 0.6))
_LEAF = (0.0, "#031319"), (0.3, "#0a3338"), (0.55, "#1c6152"), (0.8, "#5d9653"), (1.0, "#dcc76c")
_PETAL = (0.0, "#2b0310"), (0.35, "#8d0f1c"), (0.6, "#d9251f"), (0.85, "#f9692f"), (1.0, "#ffc08a")
_NOSE = (0.0, "#2e151b"), (0.45, "#9a5450"), (0.7, "#dd9180"), (1.0, "#ffd8b8")
_DUSK = (
    ((0.2, "#f9cf7c"), (0.5, "#d3a860"), (0.95, "#5d9280"), (1.5, "#0f4450"), (2.2, "#04161d")),
    ((0.2, "#fbb97c"), (0.5, "#dd855c"), (0.9, "#8c6f78"), (1.5, "#1b3f57"), (2.2, "#05141f")),
)


def tiger(plate: Plate) -> Colours:
    """Draw it: a low sun, leaves behind, the head, leaves before it, a flower."""
    x, y = plate.x, plate.y
    rng = plate.rng(1)
    mist = plate.noise(x * 1.2, y * 1.2, 2, 5)
    away = np.hypot(x + 0.56, y + 0.84)
    picture = ramp(away + 0.12 * mist, *_DUSK[plate.seed % len(_DUSK)])
    picture = over(picture, "#fff1c4", smooth(0.206, 0.198, away))
    for leaf in _behind(rng):
        lay_leaf(plate, picture, leaf, _LEAF, _LIGHT[:2])
    picture = _head(plate, picture)
    for root, way, *form in outlines_of("tiger")["leaves"]:
        leaf = (root, way + rng.uniform(-0.08, 0.08), *form)
        lay_leaf(plate, picture, leaf, _LEAF, _LIGHT[:2])
    for place, size in (((0.56, 0.93), 0.3), ((0.86, 0.62), 0.15)):
        lay_flower(plate, picture, np.array(place), size, 9, _PETAL, _LIGHT[:2])
        stamens = rng.normal(0, 0.09 * size, (30, 2)) + place
        picture = over(picture, "#f6c64a", plate.dots((*spot, 0.022 * size, 1.2) for spot in stamens).clip(0, 1))  # fmt: skip
    picture = plate.finished(picture, 0.01, 0.3)
    return plate.faced(picture)


def _behind(rng: np.random.Generator) -> list[Leaf]:
    """Fans of leaves around the head, far ones first."""
    leaves: list[Leaf] = []
    for root, way, count, spread, long, wide, light in outlines_of("tiger")["fans"]:
        for lean in np.linspace(-0.5, 0.5, count)[rng.permutation(count)]:
            size, bend = long * rng.uniform(0.8, 1.1), rng.uniform(-0.2, 0.2)
            leaves.append((root, way + spread * lean, size, wide * size + 0.01, bend, light))
    return leaves


def _form(u: Floats, v: Floats) -> Floats:
    """How far the face stands out without its hills."""
    bridge = np.exp(-((u / 0.2) ** 2)) * smooth(-0.5, 0.1, v) * smooth(0.75, 0.45, v)
    return np.asarray(0.8 - 0.5 * (u * u + v * v) + 0.16 * bridge)


_HEAD = Head("tiger", _form, np.array((0.13, -0.03)), _SCALE, turn=0.24, tilt=-0.09)


def _head(plate: Plate, picture: Colours) -> Colours:
    """The coat with its patches and stripes in the light, then hair, eyes, nose, mouth."""
    parts, rng, (u, v) = outlines_of("tiger"), plate.rng(20), _HEAD.places(plate)
    coat = ramp(v, (-1.0, "#c8641f"), (-0.3, "#de7f2c"), (0.2, "#d98434"), (0.6, "#e8a962"))
    coat = _HEAD.spotted(coat, u, v, "patches", "#f6e8d2", 1.25, 0.7)
    coat = over(coat, "#e9cfae", plate.blur(plate.filled(_HEAD.both("hollow")), 0.02))
    stripes = []
    for (way, wide), side in product(parts["stripes"], (1, -1)):
        path = spline(way, 8) * (side, 1) + rng.normal(0, 0.012, 2)
        swell = np.sin(np.pi * np.linspace(0, 1, len(path)) ** 0.8) ** 0.6
        stripes.append(_HEAD.seen(ribbon(path, wide * swell * rng.uniform(0.85, 1.15))))
    coat = over(coat, "#17100f", plate.filled(stripes))
    chops = [ribbon(half, 0.05) for half in _HEAD.both("chops")]
    coat = coat * (1 - 0.9 * plate.blur(plate.filled(chops), 0.02))[..., None]
    facing = _HEAD.facing(plate, _HEAD.relief(u, v), _LIGHT)
    lit = smooth(-0.5, 1.0, facing) * smooth(1.05, -0.35, u)
    coat = coat * ramp(lit, (0.0, "#1d3443"), (1.0, "#fffff0")) * np.array((1.19, 1.1, 0.94))
    (right, left), ears = _HEAD.both("head"), _HEAD.both("ear")
    picture = over(picture, coat, plate.filled([np.concatenate([right, left[::-1]]), *ears]))
    return _features(plate, painted(plate, picture, _fur(plate, picture)), u, v)


def _fur(plate: Plate, picture: Colours) -> Paint:
    """Hairs away from the nose, each of the colour at its root; inner ones lie over outer ones."""
    parts, rng = outlines_of("tiger"), plate.rng(30)
    paint: Paint = []
    for name, side, centre, count in (("ear", 1, (0.7, -0.6), 900), ("ear", -1, (-0.7, -0.6), 900), ("head", 0, (0, 0.2), 11000)):  # fmt: skip
        half = spline(parts[name], 8)
        outline = half * (side, 1) if side else np.concatenate([half, half[::-1] * (-1, 1)])
        away, root, way = strewn(rng, outline, centre, count, 0.15)
        if not side:
            way[:, 1] += 0.5 * np.abs(root[:, 0])
        long = 0.05 + 0.13 * smooth(0.5, 1.1, away) * smooth(-0.6, 0.3, root[:, 1])
        long *= 1 - 0.4 * smooth(0.5, 0.1, np.abs(root[:, 0]))
        way *= (long * rng.uniform(0.7, 1.3, count))[:, None]
        hairs = root, way, 0.0035 * (1 + smooth(0.2, 0.8, away))
        paint += combed(plate, picture, _HEAD, rng, hairs, 0.2, 0.15 * long)
    return paint


def _features(plate: Plate, picture: Colours, u: Floats, v: Floats) -> Colours:
    """What has sharp edges: eyes, nose, mouth, whiskers."""
    picture = over(picture, "#150d0e", plate.filled(_HEAD.both("rim")))
    away = np.hypot(np.abs(u) - 0.4, v + 0.075)
    iris = ramp(away, (0.03, "#f9dc7c"), (0.08, "#f2ac2c"), (0.115, "#a85c14"), (0.135, "#2a1408"))
    iris = iris * (0.55 + 0.55 * smooth(-0.17, -0.02, v))[..., None]
    iris = over(iris, "#0a0607", smooth(0.047, 0.04, away))
    picture = over(picture, iris, plate.filled(_HEAD.both("eye")))
    glints = [
        (*place, 0.014, 1.6) for place in _HEAD.seen(np.array([(0.365, -0.115), (-0.435, -0.115)]))
    ]
    picture = over(picture, "#fffbe8", plate.dots(glints).clip(0, 1))
    picture = rounded(plate, picture, _NOSE, _HEAD.both("nose"), 0.035, _LIGHT[:2])
    dark, whiskers, rng = _HEAD.both("nostril"), [], plate.rng(40)
    dark += [ribbon(half, np.linspace(0.03, 0.004, len(half))) for half in _HEAD.both("mouth")]
    for side, row, place in product((-1, 1), range(4), range(3)):
        root = np.array((0.2 + 0.09 * place, 0.62 + 0.065 * row - 0.02 * place))
        dark.append(_HEAD.seen(root * (side, 1) + 0.012 * directed(np.linspace(0, 6, 9))))
        if (row + place) % 2:
            tip = root + (rng.uniform(0.6, 0.85), 0.22 * row - 0.3 + rng.uniform(-0.1, 0.1))
            way = spline([root, 0.5 * (root + tip) - (0, 0.05), tip], 10) * (side, 1)
            whiskers.append(ribbon(_HEAD.seen(way), np.linspace(0.0065, 0.0015, len(way))))
    picture = over(picture, "#1a0b0e", 0.95 * plate.filled(dark))
    return over(picture, "#fff6e2", 0.85 * plate.filled(whiskers))
