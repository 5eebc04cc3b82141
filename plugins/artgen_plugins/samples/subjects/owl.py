"""An owl on a branch before a large moon, seen from the front."""

from __future__ import annotations

import numpy as np

from ._curves import directed, feather, outlines_of, ribbon, spline
from ._plate import Colours, Floats, Plate, over, ramp, screen, smooth

_MOON = (0.0, -0.3, 0.84)
_EYE = np.array([0.215, -0.47])
_DARK = "#2a1620"


def owl(plate: Plate) -> Colours:
    """Draw it: the sky, the moon, far woods, the tail, the branch, the bird, leaves."""
    x, y = plate.x, plate.y
    paper = plate.noise(x * 2, y * 2, 1, 6, 0.6)
    picture = ramp(y + 0.06 * paper, (-1.33, "#0d1a45"), (-0.3, "#1d4277"), (0.5, "#2d7590"), (1.1, "#6bb3a4"))  # fmt: skip
    rng = plate.rng(2)
    stars = [(*rng.uniform((-1, -1.33), (1, 0.4)), 0.004 * (1 + rng.pareto(4)), rng.uniform(0.4, 1))
             for _ in range(70)]  # fmt: skip
    picture = over(picture, "#ffffff", plate.dots(stars).clip(0, 1))
    across, down, radius = _MOON
    away = np.hypot(x - across, y - down)
    picture = screen(picture, 0.4 * np.exp(-((away / 1.0) ** 2))[..., None] * [0.9, 0.85, 0.6])
    moon = ramp(y, (-1.1, "#fff7dc"), (-0.2, "#fbe29c"), (0.55, "#f4b95c"))
    seas = smooth(0.2, 0.75, plate.noise(x * 1.6 + 3, y * 1.6, 4, 4))
    moon = over(moon, "#e0a85a", 0.35 * seas)
    picture = over(picture, moon, smooth(0.003, -0.003, away - radius))
    for layer, (level, tall, shade) in enumerate(((0.85, 0.1, "#2a6479"), (1.08, 0.1, "#173f5c"))):
        crest = level - tall * plate.noise(x * 1.8 + 9 * layer, 0 * x, 5 + layer, 5)
        picture = over(picture, shade, smooth(-0.003, 0.003, y - crest))
    for share in (-1, 1, -0.5, 0.5, 0):
        quill = feather(np.array([0.1 * share, 0.6]), 0.5 * np.pi - 0.22 * share, 0.68, 0.07, 0.0)
        picture = _laid(plate, picture, quill, "#8a4526" if share in (-0.5, 0.5) else "#a8592e")
    picture = _branch(plate, picture)
    return plate.finished(_bird(plate, picture) + 0.012 * paper[..., None], 0.01, 0.25)


def _laid(
    plate: Plate, picture: Colours, outline: Floats, colour: str | Colours, inner: float = 0.88
) -> Colours:
    """A shape with a dark edge."""
    middle = outline.mean(0)
    picture = over(picture, _DARK, plate.filled([outline]))
    return over(picture, colour, plate.filled([inner * (outline - middle) + middle]))


def _branch(plate: Plate, picture: Colours) -> Colours:
    """The branch from edge to edge, and leaves that hang from it."""
    rng = plate.rng(7)
    way = spline(outlines_of("owl")["branch"], 16)
    wide = np.linspace(0.2, 0.1, len(way)) + 0.012 * rng.uniform(-1, 1, len(way))
    for place, side in zip(np.linspace(0.06, 0.94, 9), (1, -1, 1, 1, 1, 1, 1, -1, 1), strict=True):
        if 0.3 < place < 0.7:
            continue
        root = way[int(place * (len(way) - 1))]
        for turn in (-0.5, 0.5, 0):
            leaf = feather(root, 0.5 * np.pi * side + turn + 0.2, 0.34, 0.075, 0.1)
            picture = _laid(
                plate, picture, leaf, ("#2f6f5a", "#4c9169", "#3b8062")[int(2 * turn + 1)]
            )
    picture = over(picture, "#1f1420", plate.filled([ribbon(way, wide)]))
    return over(picture, "#5a3528", plate.filled([ribbon(way - (0, 0.022), wide - 0.07)]))


def _bird(plate: Plate, picture: Colours) -> Colours:
    """The bird, from behind to the front: body, breast, wings, face, feet."""
    x, y = plate.x, plate.y
    shapes, rng = outlines_of("owl"), plate.rng(10)

    def both(name: str) -> Floats:
        half = spline(shapes[name], 8)
        return np.concatenate([half, half[::-1] * (-1, 1)])

    coat = ramp(y, (-0.9, "#b9683a"), (0.0, "#93492a"), (0.8, "#6a3222"))
    picture = _laid(plate, picture, both("body"), coat, 0.965)
    for row in np.linspace(1, 0, 8):
        level = -0.2 + 0.78 * row
        reach = 0.4 * np.sqrt(1 - ((level - 0.16) / 0.62) ** 2)
        places = np.linspace(-reach, reach, 6 if round(7 * row) % 2 else 7)
        for place in places:
            tone = ramp(
                abs(place) + 0.1 * row, (0.0, "#fbeacb"), (0.25, "#f2cf9c"), (0.5, "#d99a5e")
            )
            plume = feather(np.array([place, level]), 0.5 * np.pi - 0.5 * place, 0.22, 0.075, 0.0)
            picture = over(picture, "#8a4526", plate.filled([plume]))
            picture = over(picture, tone, plate.filled([plume * (1, 0.93) + (0, 0.05 * level)]))
    for side in (-1, 1):
        for share in np.linspace(1, 0, 6):
            upper = np.array([0.6 - 0.04 * share, -0.14 + 0.52 * share])
            lower = np.array([0.4 - 0.02 * share, -0.02 + 0.56 * share])
            for number in range(4):
                root = upper + (lower - upper) * number / 3
                quill = feather(root, 0.56 * np.pi, 0.24 + 0.12 * share, 0.065, 0.05)
                tone = 0.6 * share + 0.1 * number + 0.1 * rng.random()
                slate = ramp(tone, (0.0, "#c97a41"), (0.5, "#8f4728"), (1.0, "#52261f"))
                picture = _laid(plate, picture, quill * (side, 1), slate)
    around = directed(np.linspace(0, 2 * np.pi, 60))
    discs = [(_EYE + 0.03 * np.array([0, 1])) * (side, 1) + 0.3 * around for side in (-1, 1)]
    picture = over(picture, "#5a2a1e", plate.filled(discs))
    near = np.hypot(np.abs(x) - _EYE[0], y - _EYE[1])
    disc = ramp(near, (0.12, "#d98e52"), (0.2, "#f6d9aa"), (0.29, "#fff3da"))
    for each in discs:
        picture = over(picture, disc, plate.filled([0.92 * (each - each.mean(0)) + each.mean(0)]))
    picture = over(picture, "#7c3a22", plate.filled([both("brow")]))
    iris = ramp(y - _EYE[1], (-0.14, "#e8791c"), (0.12, "#ffd24d"))
    for shade, size, lift in (
        (_DARK, 0.175, 0.0),
        (iris, 0.15, 0.0),
        ("#140c14", 0.085, 0.0),
        ("#ffffff", 0.028, 0.05),
    ):
        rounds = [_EYE * (side, 1) - lift + size * around for side in (-1, 1)]
        picture = over(picture, shade, plate.filled(rounds))
    picture = _laid(plate, picture, both("beak"), "#f0b040")
    for side in (-1, 1):
        for toe in (-1, 1, 0):
            root = np.array([side * 0.19 + 0.075 * toe, 0.72])
            picture = _laid(
                plate, picture, feather(root, 0.5 * np.pi - 0.15 * toe, 0.24, 0.045, 0.0), "#f0b040"
            )
    return picture
