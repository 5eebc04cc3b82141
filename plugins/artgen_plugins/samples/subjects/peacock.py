"""A peacock on a branch before a pale moon; its train falls in a great curve, eye by eye."""

from __future__ import annotations

import numpy as np

from ._curves import directed, feather, normals, outlines_of, ribbon, spline, turned
from ._paint import Paint, colours_at, painted
from ._plate import Colours, Floats, Plate, hexed, over, ramp, smooth
from ._plumage import eyed, lit, scale_of
from ._strokes import Ramp, lay_flower, lay_leaf, rounded

_GROUNDS: tuple[tuple[Ramp, Ramp], ...] = (
    (((-1.4, "#d39c3e"), (-0.6, "#e8b850"), (0.1, "#c08a38"), (0.55, "#5f5a34"), (0.95, "#173834"), (1.5, "#071c22")),
     ((-1.3, "#fff6dc"), (-0.6, "#fbe9bd"), (0.1, "#edc67f"))),
    (((-1.5, "#0d1f4a"), (-0.5, "#1c4a78"), (0.2, "#22587a"), (0.6, "#173f56"), (0.95, "#0d2a3a"), (1.5, "#06151f")),
     ((-1.3, "#fff1c9"), (-0.6, "#fbd98c"), (0.1, "#e8a553"))),
)  # fmt: skip
"""Of the picture and of the moon."""
_BLUE = (0.0, "#050b30"), (0.35, "#0c2f86"), (0.6, "#1766c0"), (0.8, "#35b4d6"), (1.0, "#b9f4e6")
_WOOD = (0.0, "#120c12"), (0.5, "#3b2a28"), (0.75, "#7d5a3f"), (1.0, "#e6bd7c")
_GREEN = (0.0, "#06181a"), (0.4, "#163d36"), (0.7, "#4f7a45"), (1.0, "#d8c678")
_PETAL = (0.0, "#6d3f56"), (0.35, "#c98d98"), (0.6, "#f5dccb"), (0.9, "#fff6e4")
_BUFF = (0.0, "#3a2a30"), (0.5, "#9b7a58"), (0.8, "#e8cf9d"), (1.0, "#fff4d4")
_SKIN = (0.0, "#6a6f7a"), (0.5, "#cfd3cd"), (0.8, "#fbf8ea"), (1.0, "#ffffff")
_HORN = (0.0, "#2a2226"), (0.5, "#7c6d62"), (0.8, "#cdbda0"), (1.0, "#fff0cf")
_LIGHT = np.array((-0.72, -0.69))
_AROUND = directed(np.linspace(0, 2 * np.pi, 24))


def peacock(plate: Plate) -> Colours:
    """Draw it: the ground, branch and twigs, the train from its end to the back, the bird."""
    parts = outlines_of("peacock")
    picture = _ground(plate)
    rng = plate.rng(6)
    for root, way, long, light in parts["twigs"]:
        share = np.linspace(0, 1, 12)[:, None]
        curve = np.hstack([share, 0.45 * share**2]) * long
        path = turned(curve, way + rng.uniform(-0.15, 0.15)) + root
        twig = ribbon(path, np.linspace(0.034, 0.01, 12))
        picture = rounded(plate, picture, _WOOD, [twig], 0.015, _LIGHT)
        for k, side in ((5, -1), (5, 1), (7, -1), (7, 1), (9, -1), (9, 1), (10, -1), (10, 1)):
            aside, size = way + side * rng.uniform(0.5, 1.0), rng.uniform(0.15, 0.22)
            leaf = ((path[k, 0], path[k, 1]), aside, size, 0.04, 0.2 * side, light)
            lay_leaf(plate, picture, leaf, _GREEN, _LIGHT, 0.2)
        lay_flower(plate, picture, path[-1], 0.12, 6, _PETAL, _LIGHT)
    # Over the roots of the twigs.
    branch = spline(parts["branch"], 14)
    wide = np.linspace(0.09, 0.17, len(branch))
    wide += 0.02 * plate.noise(3 * branch[:, 0], 0 * wide, 4, 3)
    picture = rounded(plate, picture, _WOOD, [ribbon(branch, wide)], 0.03, _LIGHT)
    bark: Paint = []
    for k in rng.integers(0, len(branch) - 8, 260):
        aside = rng.uniform(-0.46, 0.46) * wide[k : k + 8, None] * normals(branch)[k : k + 8]
        tone = colours_at(plate, picture, branch[k : k + 1] + aside[:1])[0]
        strip = ribbon(branch[k : k + 8] + aside, 0.008 * np.sin(np.linspace(0, np.pi, 8)))
        bark.append((strip, tone * rng.choice((0.5, 0.7, 1.35))))
    picture = painted(plate, picture, bark)
    feathers, scales = _train(plate)
    picture = _bird(plate, painted(plate, picture, feathers), scales)
    picture = plate.finished(picture, 0.01, 0.3)
    return plate.faced(picture)


def _ground(plate: Plate) -> Colours:
    """Sky, moon, two hills in mist."""
    x, y = plate.x, plate.y
    sky, disc = _GROUNDS[plate.seed % len(_GROUNDS)]
    cloud = plate.noise(x * 1.3, y * 1.3, 1, 6, 0.6)
    beyond = np.hypot(x + 0.22, y + 0.6) - 0.68
    picture = ramp(y + 0.12 * cloud + 0.25 * x * x, *sky)
    picture = over(picture, disc[1][1], 0.5 * np.exp(-((np.maximum(beyond, 0) / 0.35) ** 2)))
    seas = smooth(0.1, 0.9, plate.noise(x * 1.5, y * 1.5, 3, 4))
    moon = over(ramp(y, *disc), disc[2][1], 0.35 * seas)
    picture = over(picture, moon, smooth(0.003, -0.003, beyond))
    for layer, level in enumerate((0.36, 0.52)):
        below = y - level + 0.1 * plate.noise(x * 1.1 + 7 * layer, 0 * x, 6 + layer, 4)
        hill = ramp(below, (0.0, sky[3 + layer][1]), (0.45, sky[4][1]), (0.9, sky[-1][1]))
        picture = over(picture, hill, 0.75 * smooth(-0.006, 0.012, below) * smooth(0.7, 0.0, below))
    return picture + 0.012 * cloud[..., None]


def _train(plate: Plate) -> tuple[Paint, Paint]:
    """Feathers with eyes in rows, and the scales of the back, which cover their roots."""
    rng, curve = plate.rng(5), np.array(outlines_of("peacock")["train"])
    curve[4:] += rng.uniform(-0.03, 0.03, curve[4:].shape)
    spine = spline(curve, 20)
    right, end = normals(spine), len(spine) - 1

    def at(s: float, t: float) -> tuple[Floats, float, float]:
        """The place, the direction and the light where `s` along and `t` across the train."""
        k = int(np.clip(s, 0, 1) * end)
        half = np.interp(s, (0, 0.1, 0.3, 0.6, 0.85, 1), (0.07, 0.13, 0.13, 0.14, 0.17, 0.21))
        way = np.arctan2(-right[k, 0], right[k, 1]) + (0.15 + 0.35 * s**4) * t
        light = (0.53 + 0.72 * t * right[k] @ _LIGHT) * (1.1 - 0.3 * smooth(0.4, 1.2, spine[k, 1]))
        return spine[k] + half * t * right[k], float(way), float(np.clip(light, 0.05, 1.1))

    kept: list[tuple[Floats, float, float, float]] = []
    for row, s in enumerate(np.linspace(0.24, 1, 26)):
        size = 0.0145 + 0.0165 * s
        for t in np.linspace(-1, 1, 5) if row % 2 else np.linspace(-0.8, 0.8, 4):
            tip, way, light = at(s - 0.03 * t * t, t)
            # In a bend the inner ones would crowd.
            if all(np.hypot(*(tip - other)) > 2.6 * size for other, *_ in kept):
                kept.append((tip, way, light * rng.uniform(0.85, 1.1), size))
    under = np.interp(np.linspace(0, 1, end + 1), (0.1, 0.6, 0.97, 1), (0.2, 0.3, 0.3, 0.0))
    feathers: Paint = [(ribbon(spine, under), hexed("#0a2523"))]
    for each in kept[::-1]:
        feathers += eyed(rng, *each)
    scales: Paint = []
    for row, s in enumerate(np.linspace(0.27, 0.0, 17)):
        for t in np.linspace(-0.9, 0.9, 6) if row % 2 else np.linspace(-0.75, 0.75, 5):
            scales += scale_of(*at(s, t), 0.045 + 0.05 * s)
    return feathers, scales


def _bird(plate: Plate, picture: Colours, scales: Paint) -> Colours:
    """Legs, neck and body, then the feathers on them, the head."""
    parts, rng = outlines_of("peacock"), plate.rng(8)
    for leg in parts["legs"]:
        path = spline(leg, 8)
        toes = [spline(np.array(toe) + path[-1], 6) for toe in parts["toes"]]
        claws = [ribbon(toe[-4:], np.linspace(0.02, 0.004, 4)) for toe in toes]
        limbs = [ribbon(toe, np.linspace(0.042, 0.016, len(toe))) for toe in toes]
        spur = ribbon(path[-6] + np.array([(0, 0), (0.035, 0.01)]), (0.016, 0.002))
        picture = rounded(plate, picture, _HORN, [ribbon(path, 0.034), spur, *limbs], 0.01, _LIGHT)
        picture = over(picture, "#1c1418", plate.filled(claws))
        thigh = feather(path[0] - (0, 0.12), 1.5, 0.24, 0.08, 0.0)
        picture = rounded(plate, picture, _BUFF, [thigh], 0.03, _LIGHT)
    neck, breast = spline(parts["neck"], 10), spline(parts["breast"], 10)
    wide = np.interp(np.linspace(0, 1, len(neck)), (0, 0.15, 0.35, 0.55, 0.75, 1), (0.12, 0.115, 0.125, 0.17, 0.24, 0.3))  # fmt: skip
    full = np.interp(np.linspace(0, 1, len(breast)), (0, 0.3, 0.6, 1), (0.04, 0.18, 0.16, 0.05))
    body = [spline(parts["head"], 8), ribbon(neck, wide), spline(parts["body"], 8)]
    picture = rounded(plate, picture, _BLUE, body, 0.055, _LIGHT)
    paint: Paint = []
    for path, broad in ((breast, full), (neck, wide)):
        right = normals(path)
        for k in np.sort(rng.integers(3, len(path), 800))[::-1]:
            side = rng.uniform(-0.42, 0.42)
            root, size = path[k] + side * broad[k] * right[k], 0.03 + 0.035 * k / len(path)
            way = np.arctan2(-right[k, 0], right[k, 1]) + 0.5 * side + rng.normal(0, 0.1)
            colour = colours_at(plate, picture, root[None])[0] * rng.uniform(0.75, 1.35) + 0.01
            paint.append((feather(root, way, size, 0.22 * size, 0.0), colour))
    paint += scales
    for rank, k in ((rank, k) for rank in range(5, -1, -1) for k in range(6)):
        root = (
            -0.31 + 0.075 * rank + 0.012 * k,
            -0.3 + 0.045 * rank + k * (0.035 - 0.02 * rank / 6),
        )
        quill = feather(
            np.array(root), 0.5 + 0.03 * rank - 0.06 * k, 0.17 + 0.015 * rank, 0.03, 0.05
        )
        bar = "#3a2a2c" if (k + rank) % 2 else "#d9c49a"
        paint.append((quill, lit(bar, 0.9 - 0.1 * k + rng.uniform(-0.05, 0.05))))
    crown = np.array((-0.36, -0.955))
    for lean in np.linspace(-2.3, -0.75, 13):
        ahead = directed(lean)
        paint.append((ribbon(crown + np.outer((0, 0.2), ahead), 0.006), hexed("#1b2448")))
        for size, tone in ((0.07, "#123a7a"), (0.043, "#2f9fc0")):
            paint.append((feather(crown + 0.18 * ahead, lean, size, 0.27 * size, 0.0), hexed(tone)))
    picture = painted(plate, picture, paint)
    picture = rounded(plate, picture, _HORN, [spline(parts["bill"], 6)], 0.02, _LIGHT)
    bare = [spline(parts[name], 6) for name in ("brow", "cheek")]
    picture = rounded(plate, picture, _SKIN, bare, 0.012, _LIGHT)
    eye = np.array((-0.415, -0.883))
    lores = ribbon(spline(parts["lores"], 6), np.linspace(0.03, 0.008, 13))
    for tone, part in (("#0a1130", lores), ("#5a2c18", eye + 0.021 * _AROUND), ("#060408", eye + 0.013 * _AROUND)):  # fmt: skip
        picture = over(picture, tone, plate.filled([part]))
    return over(picture, "#ffffff", plate.dots([(*(eye - 0.007), 0.005, 1.5)]).clip(0, 1))
