"""A peacock on a branch before a pale moon; its train falls in a great curve, eye by eye."""

from __future__ import annotations

import numpy as np

from ._curves import directed, feather, normals, outlines_of, ribbon, spline, turned
from ._plate import Colours, Floats, Plate, hexed, over, ramp, smooth
from ._strokes import Ramp, colours_at, lay_flower, lay_leaf, painted, rounded

_GROUNDS: tuple[tuple[Ramp, Ramp], ...] = (
    (((-1.4, "#d39c3e"), (-0.6, "#e8b850"), (0.1, "#c08a38"), (0.55, "#5f5a34"), (0.95, "#173834"), (1.5, "#071c22")),
     ((-1.3, "#fff6dc"), (-0.6, "#fbe9bd"), (0.1, "#edc67f"))),
    (((-1.5, "#0d1f4a"), (-0.5, "#1c4a78"), (0.2, "#22587a"), (0.6, "#173f56"), (0.95, "#0d2a3a"), (1.5, "#06151f")),
     ((-1.3, "#fff1c9"), (-0.6, "#fbd98c"), (0.1, "#e8a553"))),
)  # fmt: skip
_BLUE = (0.0, "#050b30"), (0.35, "#0c2f86"), (0.6, "#1766c0"), (0.8, "#35b4d6"), (1.0, "#b9f4e6")
_WOOD = (0.0, "#120c12"), (0.5, "#3b2a28"), (0.75, "#7d5a3f"), (1.0, "#e6bd7c")
_GREEN = (0.0, "#06181a"), (0.4, "#163d36"), (0.7, "#4f7a45"), (1.0, "#d8c678")
_PETAL = (0.0, "#6d3f56"), (0.35, "#c98d98"), (0.6, "#f5dccb"), (0.9, "#fff6e4")
_BUFF = (0.0, "#3a2a30"), (0.5, "#9b7a58"), (0.8, "#e8cf9d"), (1.0, "#fff4d4")
_SKIN = (0.0, "#6a6f7a"), (0.5, "#cfd3cd"), (0.8, "#fbf8ea"), (1.0, "#ffffff")
_HORN = (0.0, "#2a2226"), (0.5, "#7c6d62"), (0.8, "#cdbda0"), (1.0, "#fff0cf")
_LIGHT = np.array((-0.72, -0.69))
_AROUND = directed(np.linspace(0, 2 * np.pi, 24))
_MOON = (-0.22, -0.6, 0.68)
_Paint = list[tuple[Floats, Colours]]


def peacock(plate: Plate) -> Colours:
    """Draw it: ground and moon, the branch, the train from its end to the back, the bird."""
    x, y = plate.x, plate.y
    ground, disc = _GROUNDS[plate.seed % len(_GROUNDS)]
    cloud = plate.noise(x * 1.3, y * 1.3, 1, 6, 0.6)
    across, down, radius = _MOON
    away = np.hypot(x - across, y - down)
    picture = ramp(y + 0.12 * cloud + 0.25 * x * x, *ground)
    picture = over(picture, disc[1][1], 0.5 * np.exp(-((np.maximum(away - radius, 0) / 0.35) ** 2)))
    seas = smooth(0.1, 0.9, plate.noise(x * 1.5, y * 1.5, 3, 4))
    moon = over(ramp(y, *disc), disc[2][1], 0.35 * seas)
    picture = over(picture, moon, smooth(0.003, -0.003, away - radius))
    for layer, level in enumerate((0.36, 0.52)):
        crest = level - 0.1 * plate.noise(x * 1.1 + 7 * layer, 0 * x, 6 + layer, 4)
        hill = ramp(y - crest, (0.0, ground[3 + layer][1]), (0.45, ground[4][1]), (0.9, ground[-1][1]))
        picture = over(picture, hill, 0.75 * smooth(-0.006, 0.012, y - crest) * smooth(0.7, 0.0, y - crest))
    parts = outlines_of("peacock")
    branch = spline(parts["branch"], 14)
    wide = np.linspace(0.1, 0.17, len(branch)) + 0.012 * plate.rng(4).uniform(-1, 1, len(branch))
    picture = rounded(plate, picture, _WOOD, [ribbon(branch, wide)], 0.03, _LIGHT)
    _spray(plate, picture)
    feathers, scales = _train(plate)
    picture = painted(plate, picture, *zip(*feathers, strict=True))
    picture = _bird(plate, picture, scales)
    picture = plate.finished(picture + 0.012 * cloud[..., None], 0.01, 0.3)
    return picture[:, ::-1] if plate.seed % 2 else picture


def _spray(plate: Plate, picture: Colours) -> None:
    """Twigs with leaves and blossoms on the branch."""
    rng = plate.rng(6)
    for root, way, long, light in outlines_of("peacock")["twigs"]:
        share = np.linspace(0, 1, 12)[:, None]
        path = root + turned(np.hstack([share, 0.25 * share**2]) * long, way + rng.uniform(-0.15, 0.15))
        picture[:] = rounded(plate, picture, _WOOD, [ribbon(path, np.linspace(0.035, 0.012, 12))], 0.015, _LIGHT)
        for k in (5, 7, 9, 10):
            for side in (-1, 1):
                bent = way + side * rng.uniform(0.5, 1.0)
                leaf = (tuple(path[k]), bent, rng.uniform(0.15, 0.22), 0.04, 0.2 * side, light)
                lay_leaf(plate, picture, leaf, _GREEN, _LIGHT, 0.2)
        lay_flower(plate, picture, path[-1], 0.12, 6, _PETAL, _LIGHT)


def _lit(colour: str | Colours, light: float) -> Colours:
    """A colour in a light from 0 to 1; shade is cold."""
    hue = hexed(colour) if isinstance(colour, str) else colour
    cold = np.array((0.02, 0.07, 0.13)) * (1 - light)
    return np.asarray(hue * (0.28 + 0.9 * light) + cold)


def _train(plate: Plate) -> tuple[_Paint, _Paint]:
    """Feathers with eyes in rows, and the scales of the back, which cover their roots."""
    rng = plate.rng(5)
    spine = spline(outlines_of("peacock")["train"], 20)
    right, place = normals(spine), np.linspace(0, 1, len(spine))
    paint: _Paint = []
    scales: _Paint = []

    def at(s: float, t: float) -> tuple[Floats, float, float]:
        """The place, the direction and the light where `s` along and `t` across the train."""
        k = min(int(s * (len(spine) - 1)), len(spine) - 1)
        half = np.interp(s, (0, 0.1, 0.3, 0.6, 0.85, 1), (0.07, 0.13, 0.13, 0.14, 0.17, 0.21))
        way = np.arctan2(-right[k, 0], right[k, 1])
        light = (0.55 + 0.65 * (t * right[k]) @ _LIGHT) * (1.1 - 0.3 * smooth(0.4, 1.2, spine[k, 1]))
        return spine[k] + half * t * right[k], way + (0.15 + 0.35 * s**4) * t, float(np.clip(light, 0.05, 1))

    kept: list[tuple[Floats, float, float, float]] = []
    for row, s in enumerate(np.linspace(0.24, 1, 26)):
        for t in np.linspace(-1, 1, 5) if row % 2 else np.linspace(-0.8, 0.8, 4):
            tip, way, light = at(s - 0.03 * t * t, t)
            size = 0.0145 + 0.0165 * s
            if all(np.hypot(*(tip - other)) > 2.6 * size for other, *_ in kept):
                kept.append((tip, way, light * rng.uniform(0.85, 1.1), size))
    under = np.interp(place, (0.1, 0.6, 0.97, 1), (0.2, 0.3, 0.3, 0.0))
    paint.append((ribbon(spine, under), hexed("#0a2523")))
    for feather_of in kept[::-1]:
        _eyed(paint, rng, *feather_of)
    for row, s in enumerate(np.linspace(0.27, 0.0, 17)):
        for t in np.linspace(-0.9, 0.9, 6) if row % 2 else np.linspace(-0.75, 0.75, 5):
            tip, way, light = at(s, t)
            size = 0.045 + 0.05 * s
            for share, colour in ((1.0, "#10282a"), (0.84, "#a08a34"), (0.6, "#2f7f5a"), (0.32, "#d9c25e")):
                scale = feather(np.array((0.0, 0.0)), 0.0, 2.2 * size * share, 0.7 * size * share, 0.0)
                scales.append((turned(scale - (1.5 * size * share, 0), way) + tip, _lit(colour, light)))
    return paint, scales


def _eyed(paint: _Paint, rng: np.random.Generator, tip: Floats, way: float, light: float, size: float) -> None:
    """A feather of the train: a dark vane, barbs to both sides of its shaft, the eye."""
    root = tip - 5 * size * directed(way)
    vane = feather(root, way, 7.2 * size, 2.0 * size, 0.0)
    paint.append((vane, _lit("#0f3a30", 0.7 * light)))
    for share in np.linspace(0.0, 1.0, 16):
        for side in (-1, 1):
            start = root + (5.4 * size * share) * directed(way)
            end = start + size * (2.3 - 0.5 * share) * directed(way + side * (0.75 - 0.35 * share))
            tone = ramp(rng.uniform(0, 1), (0.0, "#14513f"), (0.45, "#3f8a4a"), (0.75, "#8f9a3c"), (1.0, "#c79a3e"))
            paint.append((ribbon(np.stack([start, end]), (0.28 * size, 0.05 * size)), _lit(tone, light * rng.uniform(0.6, 1.1))))
    paint.append((ribbon(np.stack([root, tip]), 0.16 * size), _lit("#e8d79a", light)))
    angle = np.linspace(0, 2 * np.pi, 24)
    heart = directed(angle) * (1 - 0.45 * np.exp(-(((angle - np.pi) / 0.45) ** 2)))[:, None]
    for reach, shift, colour, ring in (
        (1.5, 0.0, "#4f7a34", _AROUND), (1.3, 0.03, "#c09a3e", _AROUND), (1.12, 0.06, "#94522a", _AROUND),
        (0.84, 0.12, "#2fb3b0", _AROUND), (0.52, 0.2, "#1a1f6e", heart),
    ):  # fmt: skip
        oval = turned(ring * (1.22 * reach, reach) * size + (shift * size, 0), way) + tip
        paint.append((oval, _lit(colour, 0.1 + light)))
    glint = tip + 0.62 * size * _LIGHT + 0.14 * size * _AROUND
    paint.append((glint, _lit("#c8f4e2", light)))


def _bird(plate: Plate, picture: Colours, scales: _Paint) -> Colours:
    """Legs, body and neck, the back, wing, crest, head."""
    parts, rng = outlines_of("peacock"), plate.rng(8)
    for leg in parts["legs"]:
        path = spline(leg, 8)
        foot = path[-1]
        toes = [ribbon(spline([foot, foot + (0.5 * dx, dy - 0.03), foot + (dx, dy), foot + (1.15 * dx, dy + 0.035)], 6), np.linspace(0.042, 0.012, 19))
                for dx, dy in ((0.07, 0.01), (-0.12, 0.0), (-0.085, 0.035), (-0.04, 0.05))]  # fmt: skip
        spur = ribbon(np.array([path[-6], path[-6] + (0.035, 0.01)]), (0.016, 0.002))
        picture = rounded(plate, picture, _HORN, [ribbon(path, 0.034), spur, *toes], 0.01, _LIGHT)
        thigh = feather(path[0] + (0.0, -0.12), 1.5, 0.24, 0.08, 0.0)
        picture = rounded(plate, picture, _BUFF, [thigh], 0.03, _LIGHT)
    neck = spline(parts["neck"], 10)
    share = np.linspace(0, 1, len(neck))
    wide = np.interp(share, (0, 0.15, 0.35, 0.55, 0.75, 1), (0.12, 0.115, 0.125, 0.17, 0.24, 0.3))
    head, body = spline(parts["head"], 8), spline(parts["body"], 8)
    picture = rounded(plate, picture, _BLUE, [head, ribbon(neck, wide), body], 0.055, _LIGHT)
    breast = spline(parts["breast"], 10)
    full = np.interp(np.linspace(0, 1, len(breast)), (0, 0.3, 0.6, 1), (0.04, 0.18, 0.16, 0.05))
    paint: _Paint = []
    for path, broad in ((breast, full), (neck, wide)):
        right = normals(path)
        for k in np.sort(rng.integers(3, len(path), 800))[::-1]:
            side = rng.uniform(-0.42, 0.42)
            root = path[k] + side * broad[k] * right[k]
            way = np.arctan2(-right[k, 0], right[k, 1]) + 0.5 * side + rng.normal(0, 0.1)
            size = 0.03 + 0.035 * k / len(path)
            colour = colours_at(plate, picture, root[None])[0] * rng.uniform(0.75, 1.3) + 0.01
            paint.append((feather(root, way, size, 0.22 * size, 0.0), colour))
    paint += scales
    for rank in range(5, -1, -1):
        for k in range(6):
            root = np.array((-0.31 + 0.075 * rank + 0.012 * k, -0.3 + 0.045 * rank + 0.035 * k - 0.02 * rank * k / 6))
            light = 0.9 - 0.1 * k + rng.uniform(-0.05, 0.05)
            quill = feather(root, 0.5 + 0.03 * rank - 0.06 * k, 0.17 + 0.015 * rank, 0.03, 0.05)
            paint.append((quill, _lit("#3a2a2c" if (k + rank) % 2 else "#d9c49a", light)))
    crown = np.array((-0.36, -0.955))
    for lean in np.linspace(-2.3, -0.75, 13):
        end = crown + 0.2 * directed(lean)
        paint.append((ribbon(np.stack([crown, end]), 0.006), hexed("#1b2448")))
        for size, colour in ((1.0, "#123a7a"), (0.62, "#2f9fc0")):
            paint.append((feather(end - 0.02 * directed(lean), lean, 0.07 * size, 0.019 * size, 0.0), hexed(colour)))
    picture = painted(plate, picture, *zip(*paint, strict=True))
    picture = rounded(plate, picture, _HORN, [spline(parts["bill"], 6)], 0.02, _LIGHT)
    picture = rounded(plate, picture, _SKIN, [spline(parts[name], 6) for name in ("brow", "cheek")], 0.012, _LIGHT)
    eye = np.array((-0.415, -0.883))
    dark = [ribbon(spline(parts["lores"], 6), np.linspace(0.03, 0.008, 13))]
    for colour, part in (("#0a1130", dark), ("#5a2c18", [eye + 0.021 * _AROUND]), ("#060408", [eye + 0.013 * _AROUND])):
        picture = over(picture, colour, plate.filled(part))
    return over(picture, "#ffffff", plate.dots([(*(eye - 0.007), 0.005, 1.5)]).clip(0, 1))
