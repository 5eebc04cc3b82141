"""A tiger that looks out between large leaves: a turned relief of a head in a low warm light."""

from __future__ import annotations

import numpy as np

from ._curves import directed, outlines_of, ribbon, spline, turned
from ._plate import Colours, Floats, Plate, hexed, over, ramp, smooth
from ._strokes import Leaf, colours_at, lay_flower, lay_leaf, painted, rounded

_MIDDLE, _SCALE = np.array((0.13, -0.03)), 0.7
_TURN, _TILT = 0.24, -0.09
"""Angles: to the left, and of the whole head."""
_LIGHT = np.array((-0.76, -0.24, 0.6))
_LEAF = (0.0, "#031319"), (0.3, "#0a3338"), (0.55, "#1c6152"), (0.8, "#5d9653"), (1.0, "#dcc76c")
_PETAL = (0.0, "#2b0310"), (0.35, "#8d0f1c"), (0.6, "#d9251f"), (0.85, "#f9692f"), (1.0, "#ffc08a")
_NOSE = (0.0, "#2e151b"), (0.45, "#9a5450"), (0.7, "#dd9180"), (1.0, "#ffd8b8")
_DUSK = (
    ((0.2, "#ffdd92"), (0.5, "#d9b877"), (0.9, "#5f9a86"), (1.5, "#0f4450"), (2.2, "#04161d")),
    ((0.2, "#ffd39a"), (0.5, "#e99a6c"), (0.9, "#8c6f78"), (1.5, "#1b3f57"), (2.2, "#05141f")),
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
    for leaf in _before(rng):
        lay_leaf(plate, picture, leaf, _LEAF, _LIGHT[:2])
    for place, size in (((0.56, 0.93), 0.3), ((0.86, 0.62), 0.15)):
        lay_flower(plate, picture, np.array(place), size, 9, _PETAL, _LIGHT[:2])
        stamens = rng.normal(0, 0.09 * size, (30, 2)) + place
        picture = over(picture, "#f6c64a", plate.dots((*spot, 0.022 * size, 1.2) for spot in stamens).clip(0, 1))  # fmt: skip
    picture = plate.finished(picture, 0.01, 0.3)
    return picture[:, ::-1] if plate.seed % 2 else picture


def _behind(rng: np.random.Generator) -> list[Leaf]:
    """Fans of leaves around the head, far ones first."""
    fans = (
        ((-0.85, -0.25), -1.2, 11, 2.6, 0.75, 0.03, 0.3), ((0.35, -0.45), -1.6, 9, 2.4, 0.8, 0.04, 0.42),
        ((-0.2, 1.2), -1.57, 9, 2.4, 2.2, 0.09, 0.4), ((1.0, 0.6), -1.5, 7, 1.7, 1.6, 0.1, 0.2),
        ((-0.98, 0.4), -1.2, 5, 1.5, 1.2, 0.12, 0.72), ((0.85, -0.5), -1.2, 6, 2.0, 0.8, 0.11, 0.3),
    )  # fmt: skip
    leaves: list[Leaf] = []
    for root, way, count, spread, long, wide, light in fans:
        for lean in np.linspace(-0.5, 0.5, count)[rng.permutation(count)]:
            size, bend = long * rng.uniform(0.8, 1.1), rng.uniform(-0.2, 0.2)
            leaves.append((root, way + spread * lean, size, wide * size + 0.01, bend, light))
    return leaves


def _before(rng: np.random.Generator) -> list[Leaf]:
    """Leaves that hide the neck and an ear, and the dark ones that hang from the upper edge."""
    leaves = (
        ((1.15, 1.4), -1.85, 1.6, 0.2, 0.15, 0.1), ((0.5, 1.5), -1.5, 0.8, 0.17, 0.2, 0.25),
        ((-0.2, 1.5), -1.2, 0.7, 0.16, 0.1, 0.4), ((-1.1, 1.3), -0.75, 1.1, 0.2, -0.12, 0.5),
        ((-0.95, 1.5), -1.35, 1.5, 0.2, 0.1, 0.72), ((1.4, 0.62), -2.45, 1.25, 0.17, 0.25, 0.05),
        ((0.15, 1.6), -2.2, 1.0, 0.17, -0.1, 0.3), ((1.1, -1.35), 2.0, 0.85, 0.1, 0.2, 0.08),
        ((0.9, -1.45), 2.5, 0.8, 0.1, -0.2, 0.05), ((-1.2, -1.2), 0.75, 0.5, 0.08, 0.2, 0.1),
    )  # fmt: skip
    return [(root, way + rng.uniform(-0.08, 0.08), *form) for root, way, *form in leaves]


def _relief(u: Floats, v: Floats) -> Floats:
    """How far the face stands out, from the front."""
    a = np.abs(u)

    def hill(right: float, down: float, wide: float, tall: float) -> Floats:
        return np.exp(-(((a - right) / wide) ** 2) - ((v - down) / tall) ** 2)

    bridge = np.exp(-((u / 0.2) ** 2)) * smooth(-0.5, 0.1, v) * smooth(0.75, 0.45, v)
    return np.asarray(
        0.8 - 0.5 * (u * u + v * v) + 0.42 * hill(0, 0.65, 0.46, 0.36) + 0.16 * bridge + 0.16 * hill(0.23, 0.67, 0.17, 0.13)
        - 0.13 * hill(0.38, -0.06, 0.15, 0.12) + 0.1 * hill(0.42, -0.32, 0.2, 0.12) + 0.13 * hill(0.72, 0.25, 0.22, 0.28)
        + 0.12 * hill(0, 0.98, 0.2, 0.09)
    )  # fmt: skip


def _seen(points: Floats) -> Floats:
    """Where points [K, 2] of the face are on the plate."""
    u, v = np.asarray(points, float).T
    right = u * np.cos(_TURN) - (_relief(u, v) - 0.4) * np.sin(_TURN)
    return _SCALE * turned(np.stack([right, v], 1), _TILT) + _MIDDLE


def _face(plate: Plate) -> tuple[Floats, Floats]:
    """The place on the face that each pixel shows."""
    x, y = plate.x - _MIDDLE[0], plate.y - _MIDDLE[1]
    c, s = np.cos(_TILT) / _SCALE, np.sin(_TILT) / _SCALE
    right, v = x * c + y * s, y * c - x * s
    u = right
    for _ in range(6):
        u = (right + (_relief(u, v) - 0.4) * np.sin(_TURN)) / np.cos(_TURN)
    return u, v


def _both(name: str) -> list[Floats]:
    """An outline and its mirror image."""
    half = spline(outlines_of("tiger")[name], 8)
    return [half, half * (-1, 1)]


def _whole(name: str) -> list[Floats]:
    """The two halves of an outline, one after the other around it."""
    right, left = _both(name)
    return [right, left[::-1]]


def _head(plate: Plate, picture: Colours) -> Colours:
    """Ears, coat with stripes, hair, eyes, nose, mouth, whiskers."""
    rng, (u, v) = plate.rng(20), _face(plate)
    mask = plate.filled([_seen(np.concatenate(_whole("head"))), *map(_seen, _both("ear"))])
    a = np.abs(u)

    def patch(right: float, down: float, wide: float, tall: float) -> Floats:
        return smooth(1.25, 0.7, np.hypot((a - right) / wide, (v - down) / tall))

    coat = ramp(v, (-1.0, "#c8641f"), (-0.3, "#de7f2c"), (0.2, "#d98434"), (0.6, "#e8a962"))
    white = [patch(*each) for each in ((0.43, -0.33, 0.18, 0.1), (0.72, 0.3, 0.2, 0.27), (0.27, 0.68, 0.3, 0.2), (0.0, 0.98, 0.34, 0.16),
                                       (0.42, 0.1, 0.16, 0.07), (0.9, 0.7, 0.35, 0.25), (0.5, 0.92, 0.35, 0.18))]  # fmt: skip
    coat = over(coat, "#f6e8d2", np.max(white, axis=0))
    hollows = plate.blur(plate.filled(map(_seen, _both("hollow"))), 0.02)
    coat = over(coat, "#e9cfae", hollows)
    stripes = []
    for way, wide in outlines_of("tiger")["stripes"]:
        for side in (1, -1):
            path = spline(way, 8) * (side, 1) + rng.normal(0, 0.012, 2)
            share = np.linspace(0, 1, len(path))
            stripes.append(_seen(ribbon(path, wide * np.sin(np.pi * share**0.8) ** 0.6 * rng.uniform(0.85, 1.15))))
    coat = over(coat, "#17100f", plate.filled(stripes))
    down, across = np.gradient(_relief(u, v), plate.pixel / _SCALE)
    steep = np.sqrt(1 + down**2 + across**2)
    lit = smooth(-0.5, 1.0, (-_LIGHT[0] * across - _LIGHT[1] * down + _LIGHT[2]) / steep)
    lit = lit * smooth(1.05, -0.35, u)
    crease = plate.blur(plate.filled([_seen(ribbon(half + (0, 0.03), 0.07)) for half in _both("mouth")]), 0.02)
    coat = coat * (1 - 0.9 * crease)[..., None]
    light = lit[..., None] * hexed("#fff0c8") * 1.12 + (1 - lit[..., None]) * hexed("#2a4a60") * 0.7
    picture = over(picture, coat * light, mask)
    return _features(plate, _fur(plate, picture), u, v)


def _fur(plate: Plate, picture: Colours) -> Colours:
    """Hairs away from the nose, each of the colour at its root; inner ones lie over outer ones."""
    rng, both = plate.rng(30), [*_both("ear"), np.concatenate(_whole("head"))]
    hairs, roots = [], []
    for outline, centre, count in zip(both, ((0.7, -0.6), (-0.7, -0.6), (0, 0.2)), (900, 900, 11000), strict=True):
        rim = outline - centre
        order = np.argsort(np.arctan2(rim[:, 1], rim[:, 0]))
        angle, share = rng.uniform(-np.pi, np.pi, count), np.sqrt(rng.uniform(0, 1, count))
        reach = np.interp(angle, np.arctan2(rim[order, 1], rim[order, 0]), np.hypot(*rim[order].T), period=2 * np.pi)
        angle, away = np.stack([angle, share * reach])[:, np.argsort(-share * reach)]
        root = away[:, None] * directed(angle) + centre
        way = directed(angle) + np.stack([0 * away, 0.5 * np.abs(root[:, 0]) * (centre[1] > 0)], 1)
        way += rng.normal(0, 0.15, root.shape)
        long = 0.05 + 0.13 * smooth(0.5, 1.1, away) * smooth(-0.6, 0.3, root[:, 1])
        way *= (long * rng.uniform(0.7, 1.3, count))[:, None]
        aside = 0.0035 * (1 + smooth(0.2, 0.8, away))[:, None] * np.stack([-way[:, 1], way[:, 0]], 1) / np.hypot(*way.T)[:, None]
        tip = root + way + np.stack([0 * long, 0.15 * long], 1)
        hairs.append(np.stack([root - aside, root + 0.5 * way - aside, tip, root + 0.5 * way + aside, root + aside], 1))
        roots.append(root)
    root, corners = np.concatenate(roots), np.concatenate(hairs)
    drawn = _seen(corners.reshape(-1, 2)).reshape(corners.shape)
    colours = colours_at(plate, picture, _seen(root)) * rng.uniform(0.8, 1.2, (len(root), 1))
    return painted(plate, picture, drawn, colours)


def _features(plate: Plate, picture: Colours, u: Floats, v: Floats) -> Colours:
    """What has sharp edges: eyes, nose, mouth."""
    a = np.abs(u)
    picture = over(picture, "#150d0e", plate.filled(map(_seen, _both("rim"))))
    away = np.hypot(a - 0.4, v + 0.075)
    iris = ramp(away, (0.03, "#f9dc7c"), (0.08, "#f2ac2c"), (0.115, "#a85c14"), (0.135, "#2a1408"))
    iris = iris * (0.55 + 0.55 * smooth(-0.17, -0.02, v))[..., None]
    iris = over(iris, "#0a0607", smooth(0.047, 0.04, away))
    picture = over(picture, iris, plate.filled([_seen(half) for half in _both("eye")]))
    glints = [(*_seen(np.array([(place, -0.115)]))[0], 0.014, 1.6) for place in (0.365, -0.435)]
    picture = over(picture, "#fffbe8", plate.dots(glints).clip(0, 1))
    picture = rounded(plate, picture, _NOSE, [_seen(half) for half in _both("nose")], 0.035, _LIGHT[:2])
    dark = [_seen(half) for half in _both("nostril")]
    dark += [_seen(ribbon(half, np.linspace(0.04, 0.008, len(half)))) for half in _both("mouth")]
    picture = over(picture, "#1a0b0e", plate.filled(dark))
    whiskers = []
    rng = plate.rng(40)
    for side in (-1, 1):
        for row in range(4):
            for place in range(3):
                root = np.array((0.2 + 0.09 * place, 0.62 + 0.065 * row - 0.02 * place))
                spot = root * (side, 1)
                picture = over(picture, "#2a1a18", 0.8 * plate.filled([_seen(spot + 0.013 * directed(np.linspace(0, 6, 9)))]))
                if (row + place) % 2:
                    tip = root + (rng.uniform(0.6, 0.85), 0.22 * row - 0.3 + rng.uniform(-0.1, 0.1))
                    way = spline([root, 0.5 * (root + tip) - (0, 0.05), tip], 10) * (side, 1)
                    whiskers.append(ribbon(_seen(way), np.linspace(0.008, 0.002, len(way))))
    return over(picture, "#fff6e2", 0.85 * plate.filled(whiskers))
