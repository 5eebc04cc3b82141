"""The head of a stag that looks at us, with branching antlers and a mane, lit from one side.

In a mist; or by night, its antlers of gold and the rest of silver, or what is of one of the two.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from ._curves import directed, normals, outlined, outlines_of, ribbon, spline, spread
from ._head import Head
from ._paint import Paint, colours_at, painted
from ._plate import Colours, Floats, Plate, over, ramp, smooth
from ._strokes import Lock, Ramp, combed, pieces, rounded, strands, strewn

_SCALE = 0.67
_LIGHT = np.array((-0.72, -0.42, 0.56))
_STEPS = 36
"""Points along a lock."""
_MOON = 0.0, -0.83
_MIST, _GOLD, _SILVER = 0, 2, 3
"""Schemes; 1 is the night."""
_GROUND: Ramp = (-0.9, "#8d999c"), (-0.2, "#b9c2c0"), (0.4, "#e6e4d8"), (1.0, "#fbf6e8")
_HILLS = (-0.12, 0.25, "#b4bbb6"), (0.22, -0.2, "#8d9896"), (0.6, 0.15, "#65706f")
"""Of each row, how low it is in the middle, its slope, its colour."""
_MANES: tuple[Ramp, ...] = (
    ((0.0, "#0c0806"), (0.13, "#2a1a10"), (0.32, "#6a4626"), (0.52, "#ae7e48"), (0.72, "#e2ba82"), (0.95, "#fff0d0")),
    ((0.0, "#05070c"), (0.18, "#05070c"), (0.3, "#1c2430"), (0.5, "#59616e"), (0.75, "#b4bac4"), (1.0, "#ffffff")),
)  # fmt: skip
_COATS = (
    ("#cc9a62", "#fff4de", "#5a3a20"),
    ("#aab0ba", "#ffffff", "#3c4250"),
)
"""Of the face, of its light and of its dark patches."""
_HORNS: tuple[Ramp, ...] = (
    ((0.0, "#140c08"), (0.22, "#4a3320"), (0.45, "#a07c50"), (0.68, "#e0c294"), (0.95, "#fff6e0")),
    ((0.0, "#0c0703"), (0.25, "#4a2c08"), (0.5, "#b47810"), (0.75, "#f4b630"), (1.0, "#fff0b0")),
)
_EARS: tuple[Ramp, ...] = (
    ((0.0, "#1c1009"), (0.5, "#a8763f"), (1.0, "#f4cf98")),
    ((0.0, "#05070c"), (0.5, "#6a7280"), (1.0, "#eef2f8")),
)
_HOLLOWS: tuple[Ramp, ...] = (
    ((0.0, "#0a0706"), (0.5, "#4a3020"), (1.0, "#a07a54")),
    ((0.0, "#030509"), (0.5, "#1c222e"), (1.0, "#525a68")),
)
_IRISES: tuple[Ramp, ...] = (
    ((0.04, "#d0903c"), (0.07, "#9a6026"), (0.094, "#2a1509")),
    ((0.04, "#ffc860"), (0.07, "#e09a38"), (0.094, "#3a1e0c")),
)
"""By the distance from the middle."""
_NOSES: tuple[Ramp, ...] = (
    ((0.0, "#141214"), (0.4, "#3c363a"), (0.75, "#746a6c"), (1.0, "#d8d0cc")),
    ((0.0, "#05070c"), (0.5, "#141519"), (0.8, "#4a494e"), (1.0, "#b0aeb0")),
)


def stag(plate: Plate) -> Colours:
    """Draw it: the ground, the mane, ears, the face, antlers."""
    scheme = plate.seed // 2 % 4
    night = int(scheme != _MIST)
    ground = _ground(plate, night)
    picture = _ears(plate, _mane(plate, ground, night), night)
    picture = _head(plate, picture, night)
    picture, gold = _antlers(plate, picture, night)
    picture = _tuft(plate, picture, night)
    gold = np.maximum(gold, plate.filled(_HEAD.both("eye")))
    if scheme == _GOLD:
        picture = over(ground, picture, gold)
    elif scheme == _SILVER:
        picture = over(picture, ground, gold)
    if night:
        # Its darks are those of the ground, where nothing is printed; all else is light.
        dark = ramp(0.0, *_MANES[night])
        return plate.faced(dark + (1 - dark) * np.clip((picture - dark) / (1 - dark), 0, 1) ** 0.7)
    return plate.faced(plate.finished(picture, 0.006, 0.1))


def _ground(plate: Plate, night: int) -> Colours:
    """Darker behind what is in the light."""
    x, y = plate.x, plate.y
    if not night:
        return _hills(plate)
    ground = ramp(0 * x, *_MANES[night])
    rays = directed(np.arange(16) * np.pi / 8) * np.tile((1, 0.22, 0.5, 0.22), 4)[:, None]
    stars = [reach * rays + (right, down) for right, down, reach in outlines_of("stag")["stars"]]
    far = np.hypot(x - _MOON[0], y - _MOON[1])
    bite = np.hypot(x - _MOON[0] - 0.1, y - _MOON[1] + 0.05)
    moon = smooth(0.232, 0.228, far) * smooth(0.186, 0.19, bite)
    return over(over(ground, "#f4f7fc", plate.filled(stars)), "#f4f7fc", moon)


def _hills(plate: Plate) -> Colours:
    """Rows of hills in a mist, far ones first; lighter behind what is in the shade."""
    x, y = plate.x, plate.y
    mist = plate.noise(x * 0.9, y * 0.9, 2, 4)
    picture = ramp(0.8 * x - 0.25 * y + 0.2 * mist, *_GROUND)
    for row, (level, slope, colour) in enumerate(_HILLS):
        crest = level + slope * x - 0.2 * plate.noise(1.3 * x + 7 * row, 0 * x, 5 + row, 4)
        body = smooth(-0.006, 0.006, y - crest) * (0.25 + 0.75 * smooth(0.65, 0.0, y - crest))
        picture = over(picture, colour, body * (1 - 0.45 * smooth(-0.6, 0.8, x)))
    return picture


def _form(u: Floats, v: Floats) -> Floats:
    """How far the face stands out without its hills."""
    wide = np.interp(
        v, (-0.75, -0.45, -0.15, 0.2, 0.5, 0.75, 0.95), (0.3, 0.35, 0.42, 0.33, 0.26, 0.27, 0.22)
    )
    back = np.interp(v, (-0.8, -0.3, 0.3, 0.7, 0.95), (-0.12, 0.05, 0.22, 0.3, 0.2))
    across = np.clip(u / wide, -1.15, 1.15)
    return np.asarray(back + 0.45 * np.sqrt(1.35 - across**2))


_HEAD = Head("stag", _form, np.array((0.0, 0.2)), _SCALE, turn=0.11, tilt=-0.03)


def _placed(points: Floats) -> Floats:
    """Where points beside the face are on the plate."""
    return _HEAD.placed(points[..., 0], points[..., 1], np.full(points.shape[:-1], -0.3))


def _mane(plate: Plate, picture: Colours, night: int) -> Colours:
    """Rows of locks that fall from the head, outer ones first, lower ones before upper."""
    rng, colours = plate.rng(50), _MANES[night]
    neck = spline([(0.2, -0.3), (0.42, 0.1), (0.75, 0.8), (1.2, 1.7)], 10)
    mass = _placed(np.concatenate([neck, neck[::-1] * (-1, 1)]))
    picture = over(picture, ramp(0.05, *colours), plate.filled([mass]))
    for start, end, count, long, wide, light in outlines_of("stag")["rows"]:
        paint, share = Paint(), np.linspace(1, 0, int(count))
        for at, side in product(share, (1, -1)):
            root = np.array(start) + (np.array(end) - start) * at + rng.normal(0, 0.05, 2)
            fall = float(np.arctan2(root[1] + 0.9, root[0])) + rng.normal(0, 0.07)
            t = np.linspace(0, 1, _STEPS)
            curl = rng.normal(0.05, 0.3) * np.sin(2.2 * np.pi * t + rng.uniform(-0.5, 0.5)) * t**0.6
            heading = fall + 0.12 * t + 1.2 * curl
            grown = long * rng.uniform(0.7, 1.2)
            path = (root + np.cumsum(directed(heading), 0) * grown / _STEPS) * (side, 1)
            half = 0.5 * wide * rng.uniform(0.75, 1.25) * smooth(-0.02, 0.4, t) * (1 - t**2.5)
            lit = (0.3 - 0.12 * night) * float(_placed(path[8:9])[0] @ (-0.55, -0.12))
            paint += _strands(rng, (path, half), light + lit + rng.normal(0.1, 0.07), colours)
        picture = painted(plate, picture, paint)
    return picture


def _strands(rng: np.random.Generator, lock: Lock, bulk: float, colours: Ramp) -> Paint:
    """A lock of hair: its shadow, and strands, those in the middle last."""
    (path, half), share = lock, np.linspace(0, 1, _STEPS)
    out, wide = normals(path), 2 * half.max()
    along = 0.45 + 0.65 * smooth(0.0, 0.4, share) - 0.35 * smooth(0.6, 1, share)
    shadow = outlined(path, out * (half * 1.25 + 0.016)[:, None])[4:-4]
    paint = [(_placed(shadow) + (0.01, 0.016), ramp(0.3 * bulk - 0.03, *colours))]
    lean = out @ _LIGHT[:2]
    count = max(3, round(wide / 0.02))
    for t, strand, thick in strands(rng, lock, count):
        tone = bulk * along * (0.66 + 0.4 * np.sqrt(1 - 0.9 * t * t) + rng.normal(0, 0.09))
        tone += 0.16 * t * lean
        first = int(rng.integers(2))
        outlines = pieces(strand, thick, _placed, first)
        paint += zip(outlines, ramp(tone[first + 1 : len(strand) - 1 : 2], *colours), strict=True)
    return paint


def _ears(plate: Plate, picture: Colours, night: int) -> Colours:
    """Ears like leaves, each a hollow with long hairs."""
    parts, rng, share = outlines_of("stag"), plate.rng(33), np.linspace(0, 1, 10)
    for side in (1, -1):
        outer, inner = (
            _placed(spline(parts[each], 8) * (side, 1)) for each in ("ear", "inner ear")
        )
        dim = 0.75 if side > 0 else 1.0
        dark = ramp(0.0, *_EARS[night])
        picture = over(picture, dark, 0.5 * plate.blur(plate.filled([outer]), 0.012))
        picture = rounded(plate, picture, _EARS[night], [outer], 0.05, dim * _LIGHT[:2])
        picture = over(picture, dark, plate.filled([ribbon(outer, 0.014)]))
        picture = rounded(plate, picture, _HOLLOWS[night], [inner], 0.05, -_LIGHT[:2])
        hairs = Paint()
        for _ in range(60):
            at = rng.random()
            root = np.array((0.42 + 0.4 * at, -0.42 - 0.12 * at)) + rng.normal(0, 0.015, 2)
            way = rng.normal(-0.62, 0.16) - 0.2 * at
            path = root + np.outer(share, directed(way)) * rng.uniform(0.16, 0.4) * (1 - 0.35 * at)
            path = path + np.outer(share**2, (0.05, 0.03))
            tone = ramp(rng.uniform(0.5, 0.95) * dim, *_MANES[night])
            hairs.append((_placed(ribbon(path * (side, 1), np.linspace(0.026, 0.003, 10))), tone))
        picture = painted(plate, picture, hairs)
    return picture


def _head(plate: Plate, picture: Colours, night: int) -> Colours:
    """The coat with its patches in the light, then hair, eyes, nose, mouth."""
    (u, v), (plain, pale, dark) = _HEAD.places(plate), _COATS[night]
    coat = ramp(v, (0.0, plain))
    coat = _HEAD.spotted(coat, u, v, "smudges", dark, 1.3, 0.4)
    coat = _HEAD.spotted(coat, u, v, "patches", pale, 1.3, 0.4)
    relief = plate.blur(_HEAD.relief(u, v), 0.006)
    light = smooth(-0.5, 0.95, _HEAD.facing(plate, relief, _LIGHT))
    shades = ramp(light, (0.0, "#544a44"), (0.45, "#9c9088"), (1.0, "#fffdf4"))
    coat = coat * shades * 1.25
    right, left = _HEAD.both("head")
    mask = plate.filled([np.concatenate([right, left[::-1]])])
    picture = over(picture, "#000000", 0.7 * plate.blur(mask, 0.03) * smooth(-0.4, 0.0, plate.y))
    picture = over(picture, coat, mask)
    return _features(plate, painted(plate, picture, _fur(plate, picture)), u, v, night)


def _fur(plate: Plate, picture: Colours) -> Paint:
    """Hairs away from the nose, each of the colour at its root; inner ones lie over outer ones."""
    rng, centre, count = plate.rng(30), np.array((0, 0.5)), 9000
    half = spline(outlines_of("stag")["head"], 8)
    outline = np.concatenate([half, half[::-1] * (-1, 1)])
    away, root, way = strewn(rng, outline, centre, count, 0.14)
    way[:, 0] *= 0.75
    low = root[:, 1] > 0.5
    way[low, 1] += 0.3
    long = 0.04 + 0.05 * smooth(0.4, 1.1, away) + 0.07 * smooth(-0.45, -0.7, root[:, 1])
    way *= (long * rng.uniform(0.7, 1.3, count))[:, None]
    thick = 0.0036 * (1 + smooth(0.2, 0.8, away))
    return combed(plate, picture, _HEAD, rng, (root, way, thick), 0.2)


def _features(plate: Plate, picture: Colours, u: Floats, v: Floats, night: int) -> Colours:
    """What has sharp edges: eyes, nose, mouth."""
    parts = outlines_of("stag")
    lids = [ribbon(half, np.linspace(0.012, 0.03, len(half))) for half in _HEAD.both("lid")]
    picture = over(picture, "#140c0a", (0.45 + 0.4 * night) * plate.blur(plate.filled(lids), 0.006))
    rims = [*_HEAD.both("rim"), *(ribbon(eye, 0.045 * night) for eye in _HEAD.both("eye"))]
    picture = over(picture, "#0a0708", plate.blur(plate.filled(rims), 0.002))
    right, down = parts["iris"]
    away = np.hypot((np.abs(u) - right) / 1.1, v - down)
    iris = ramp(away, *_IRISES[night])
    iris = iris * (0.2 + 0.9 * smooth(-0.2, -0.1, v))[..., None]
    pupil = np.hypot((np.abs(u) - right) / (0.058 + 0.01 * night), (v - down) / 0.046)
    iris = over(iris, "#050304", smooth(1.1, 0.9, pupil))
    picture = over(picture, iris, plate.filled(_HEAD.both("eye")))
    spots = _HEAD.seen(np.array([(right - 0.025, down - 0.028), (-right - 0.025, down - 0.028)]))
    glints = [(*place, 0.016, 2.5) for place in spots]
    picture = over(picture, "#fffdf2", plate.dots(glints).clip(0, 1))
    picture = rounded(plate, picture, _NOSES[night], _HEAD.both("nose"), 0.03, _LIGHT[:2])
    shine = np.exp(-(((np.abs(u + 0.03) - 0.06) / 0.05) ** 2) - ((v - 0.625) / 0.02) ** 2)
    picture = over(picture, "#e8e4e0", 0.5 * shine)
    dark = _HEAD.both("nostril")
    dark += [ribbon(half, np.linspace(0.016, 0.004, len(half))) for half in _HEAD.both("mouth")]
    return over(picture, "#050304", 0.95 * plate.filled(dark))


def _antlers(plate: Plate, picture: Colours, night: int) -> tuple[Colours, Floats]:
    """Beams and tines, round in the light and grooved, and where they are."""
    rng, cover, paint = plate.rng(70), [], Paint()
    lamp = _LIGHT / np.linalg.norm(_LIGHT)
    for (way, widths), side in product(outlines_of("stag")["antlers"], (1, -1)):
        path = spline(way, 12) * (side, 1)
        half = 0.5 * spread(widths, len(path))
        knobs = 1 + 0.06 * np.sin(np.cumsum(rng.uniform(0, 1.2, len(path))))
        path, half = _placed(path), _SCALE * half * knobs
        out, share = normals(path), np.linspace(0, 1, len(path))
        cover.append(outlined(path, out * half[:, None]))
        edge = half + 0.0115 * np.minimum(1, half / 0.012)
        paint.append((outlined(path, out * edge[:, None]), ramp(0.0, *_HORNS[night])))
        for t in np.linspace(-0.92, 0.92, 13):
            waves = np.sin(rng.uniform(0, 6) + np.arange(len(path)) * 0.7)
            groove = rng.normal(0, 0.07) + 0.05 * waves
            facing = t * (out @ lamp[:2]) + np.sqrt(1 - t * t) * lamp[2]
            tone = 0.08 + 0.85 * np.clip(facing, 0, 1) ** 1.2 + groove + 0.22 * (share - 0.4)
            strip, thick = path + out * (t * half)[:, None], 2.6 * half / 13 + 0.001
            for j in range(0, len(path) - 2, 2):
                stop = min(j + 4, len(path))
                piece = ribbon(strip[j:stop], thick[j:stop])
                paint.append((piece, ramp(float(tone[j + 1]), *_HORNS[night])))
    return painted(plate, picture, paint), plate.filled(cover)


def _tuft(plate: Plate, picture: Colours, night: int) -> Colours:
    """Hair between the antlers and over their roots."""
    rng, hairs, share = plate.rng(80), Paint(), np.linspace(0, 1, 10)
    for height in np.linspace(1, 0, 420):
        across = rng.uniform(-0.32, 0.32)
        root = np.array((across, -0.34 - 0.3 * height + 0.4 * across**2))
        way = -np.pi / 2 + 1.0 * across + rng.normal(0, 0.14)
        long = rng.uniform(0.1, 0.19) * (0.75 + 0.7 * height * np.exp(-((across / 0.12) ** 2)))
        path = root + np.outer(share, directed(way)) * long
        path += np.outer(share**2, (0.1 * across, 0))
        tone = 0.5 - 0.8 * across - 0.1 * height + rng.normal(0, 0.1)
        wide = 0.022 * np.sin(np.pi * (0.12 + 0.88 * share)) + 0.002
        # The lowest are of the colour of the coat, so that no edge shows.
        coat = colours_at(plate, picture, _HEAD.seen(root[None]))[0] * rng.uniform(0.85, 1.15)
        mixed = coat + (ramp(tone, *_MANES[night]) - coat) * smooth(0.05, 0.6, height)
        hairs.append((_HEAD.seen(ribbon(path, wide)), mixed))
    return painted(plate, picture, hairs)
