"""The head of a lion that looks at us: a relief of a face in a mane of locks, lit from one side."""

from __future__ import annotations

from itertools import product

import numpy as np

from ._curves import directed, normals, outlined, outlines_of, ribbon, spline, turned
from ._head import Head
from ._paint import Paint, painted
from ._plate import Colours, Floats, Plate, hexed, over, ramp, smooth
from ._strokes import Lock, Ramp, combed, pieces, rounded, strands, strewn

_SCALE = 0.74
_LIGHT = np.array((-0.72, -0.42, 0.56))
_STEPS = 26
"""Points along a lock."""
_BOLD = 2
"""The scheme in large smooth forms of many colours, without hairs."""
_GROUNDS: tuple[Ramp, ...] = (
    ((-1.0, "#03141d"), (-0.2, "#07303c"), (0.5, "#12626a"), (1.2, "#2f9a90")),
    ((-1.0, "#2a0a12"), (-0.2, "#6b1a1c"), (0.5, "#b8432a"), (1.2, "#f08a45")),
    ((-1.0, "#041530"), (-0.2, "#06284a"), (0.5, "#0b5470"), (1.2, "#1c8c96")),
)
_MANES: tuple[Ramp, ...] = (
    ((0.0, "#12060c"), (0.18, "#34120f"), (0.36, "#6e2a10"), (0.55, "#b55a17"), (0.74, "#e8932b"), (0.9, "#ffc763"), (1.05, "#fff0be")),
    ((0.0, "#05060f"), (0.2, "#15152a"), (0.42, "#3d2a30"), (0.62, "#7d4c2c"), (0.8, "#c88a42"), (1.0, "#ffdf9c")),
    ((0.0, "#1a0b3a"), (1.0, "#2a1560")),
)  # fmt: skip
_TONES: tuple[Ramp, ...] = (
    ((0.0, "#12092e"), (0.5, "#3a1c86"), (1.0, "#7a4bd6")),
    ((0.0, "#2a0838"), (0.5, "#7d1a7a"), (1.0, "#d64aa0")),
    ((0.0, "#3a0720"), (0.5, "#a81a34"), (1.0, "#f2543d")),
    ((0.0, "#4a1008"), (0.5, "#cf4a17"), (1.0, "#ff9a35")),
    ((0.0, "#5c2206"), (0.5, "#e58a1a"), (1.0, "#ffd659")),
)
"""Of each row of the bold mane, outer ones first."""
_EAR = (0.0, "#2a120e"), (0.4, "#84421a"), (0.7, "#d98c3a"), (1.0, "#ffd690")
_HOLLOWS = (
    ((0.0, "#1d0b10"), (0.5, "#4c2419"), (1.0, "#a86a40")),
    ((0.0, "#1a0620"), (0.5, "#5a1238"), (1.0, "#c2506a")),
)
_TUFT = (0.0, "#4c2419"), (0.6, "#d9a566"), (1.0, "#fff0cc")
_NOSE = (0.0, "#1d0d12"), (0.4, "#5a2a2c"), (0.7, "#a8605a"), (1.0, "#f4b79c")
_IRIS = (0.035, "#ffe27a"), (0.065, "#f7b02c"), (0.09, "#c9761a"), (0.104, "#54240c"), (0.112, "#1d0b08")  # fmt: skip
"""By the distance from the middle."""


def lion(plate: Plate) -> Colours:
    """Draw it: the ground, the outer mane, ears, the face, the locks that fall over its edge."""
    parts, scheme = outlines_of("lion"), _scheme(plate)
    rows = parts["bold rows" if scheme == _BOLD else "rows"]
    rim = spline(parts["mane"], 12) * (1.3, 1.3)
    mass = _placed(np.concatenate([rim, rim[::-1] * (-1, 1)]))
    picture = over(_ground(plate, scheme), ramp(0.12, *_MANES[scheme]), plate.filled([mass]))
    picture = _ears(plate, _mane(plate, picture, rows[:3]))
    picture = _head(plate, _mane(plate, picture, rows[3:-1]))
    picture = _mane(plate, picture, rows[-1:])
    if scheme != _BOLD:
        picture = _whiskers(plate, picture)
    return plate.faced(plate.finished(picture, 0.008, 0.2))


def _scheme(plate: Plate) -> int:
    return plate.seed // 2 % len(_MANES)


def _ground(plate: Plate, scheme: int) -> Colours:
    """Lighter where the mane is in shadow."""
    x, y = plate.x, plate.y
    mist = plate.noise(x * 1.1, y * 1.1, 2, 5)
    return ramp(0.75 * x - 0.25 * y + 0.15 * mist + 0.25, *_GROUNDS[scheme])


def _form(u: Floats, v: Floats) -> Floats:
    """How far the face stands out without its hills."""
    wide = np.interp(v, (-0.4, 0.0, 0.45), (0.24, 0.13, 0.22))
    side = smooth(0.09, -0.05, np.abs(u) - wide)
    bridge = side * smooth(-0.6, -0.1, v) * smooth(0.6, 0.42, v)
    return np.asarray(0.8 - 0.55 * (u * u + 0.7 * (v - 0.1) ** 2) + 0.17 * bridge)


_HEAD = Head("lion", _form, np.array((0.02, -0.1)), _SCALE, turn=0.13, tilt=-0.035)


def _mane(plate: Plate, picture: Colours, rows: list[list[float]]) -> Colours:
    """Rows of locks around the face, outer ones first; near the top upper ones lie over lower."""
    bold, mane = _scheme(plate) == _BOLD, _MANES[_scheme(plate)]
    found: list[tuple[float, int, Lock, float]] = []
    for number, (start, end, count, near, *form, light) in enumerate(rows):
        rng = plate.rng(50 + int(100 * light))
        for side, k in product((1, -1), range(int(count))):
            angle = float(np.interp(k + rng.uniform(-0.35, 0.35), (0, count - 1), (start, end)))
            close = near * rng.uniform(0.93, 1.07)
            depth = -close + 0.1 * np.cos(angle) + rng.normal(0, 0.02)
            lock = _lock(rng, angle, side, close, *form)
            place = _placed(lock[0][_STEPS // 3 : _STEPS // 3 + 1])[0] / (1, 1.2)
            found.append((depth, number, lock, float(place @ _LIGHT[:2]) + rng.normal(0, 0.15)))
    found.sort(key=lambda each: each[0])
    if bold:
        picture = picture.copy()
        for _, number, lock, bulk in found:
            _sprayed(plate, picture, lock, _TONES[round(10 * rows[number][-1])], 0.22 * bulk)
        return picture
    rng, paint = plate.rng(60), Paint()
    for _, number, lock, bulk in found:
        paint += _strands(rng, lock, rows[number][-1] + 0.36 * bulk, rows[number][-1], mane)
    return painted(plate, picture, paint)


def _lock(
    rng: np.random.Generator, angle: float, side: int, near: float, long: float, wide: float
) -> Lock:
    """The middle line of a lock and half its widths; its root is at an angle from straight up."""
    rim = spline(outlines_of("lion")["mane"], 12)
    around, far = np.arctan2(rim[:, 0], 0.1 - rim[:, 1]), np.hypot(rim[:, 0], rim[:, 1] - 0.1)
    root = directed(angle - np.pi / 2) * np.interp(angle, around, far) * near + (0, 0.1)
    grown = rng.uniform(0.65, 1.3) * (1 + 0.3 * float(smooth(1.8, 3.1, angle)))
    if near < 1.05:
        # They leave the ears free, and are short over the brow.
        near_ear = float(np.exp(-(((angle - 0.72) / 0.2) ** 2)))
        grown *= 1 - 0.5 * near_ear - 0.15 * float(smooth(0.6, 0.1, angle))
    share = np.linspace(0, 1, _STEPS)
    # Locks leave the face outwards, then they fall; tips curl.
    fall = 1.43 * smooth(0.15, 0.9, angle) * (np.pi - angle) / np.pi
    curl = np.sin(2.4 * np.pi * share + rng.uniform(-0.5, 0.5)) * share**0.7
    curl *= 1.3 * rng.normal(0.25, 0.35) * min(1, grown)
    heading = angle - np.pi / 2 + rng.normal(0, 0.12) + fall * share + curl
    path = (root + np.cumsum(directed(heading), 0) * long * grown / _STEPS) * (side, 1)
    wide *= min(1.1, grown) * rng.uniform(0.75, 1.25)
    return path, 0.5 * wide * smooth(-0.08, 0.35, share) * (1 - share**2.5)


def _strands(rng: np.random.Generator, lock: Lock, bulk: float, light: float, mane: Ramp) -> Paint:
    """A lock of hair: its shadow, and strands, those in the middle last."""
    (path, half), share = lock, np.linspace(0, 1, _STEPS)
    out, wide = normals(path), 2 * half.max()
    along = 0.4 + 0.7 * smooth(0.0, 0.42, share) - 0.4 * smooth(0.6, 1, share)
    shadow = outlined(path, out * (half * (1.1 + 0.06 / wide * share))[:, None])[4:-4]
    paint = [(_placed(shadow) + (0.012, 0.018), ramp(0.3 * bulk - 0.03, *mane))]
    lean, behind = out @ _LIGHT[:2], 0.5 * smooth(0.5, 0.25, light) * (out @ (0.97, -0.22))
    count = max(3, round(wide / 0.026))
    for t, strand, thick in strands(rng, lock, count):
        tone = bulk * along * (0.62 + 0.42 * np.sqrt(1 - 0.9 * t * t) + rng.normal(0, 0.07))
        tone += 0.17 * t * lean + (t * behind).clip(0) * smooth(0.5, 0.95, abs(t))
        outlines = pieces(strand, thick, _placed)
        paint += zip(outlines, ramp(tone[1 : len(strand) - 1 : 2], *mane), strict=True)
    return paint


def _sprayed(plate: Plate, picture: Colours, lock: Lock, tones: Ramp, bulk: float) -> None:
    """A lock onto a picture as if along a mask: dark at its root and where it turns from the light."""
    from scipy.spatial import KDTree

    path, half = lock
    edges = [_placed(path + side * normals(path) * half[:, None]) for side in (1, -1)]
    outline, middle = np.concatenate([edges[0], edges[1][::-1]]), _placed(path)
    box, here = plate.around(outline, 0.05)
    if 0 in here.x.shape:
        return
    cover, out = here.filled([outline]), normals(middle)
    pixels = np.stack([here.x, here.y], -1)
    near = KDTree(middle).query(pixels)[1]
    away = pixels - middle[near]
    across = np.clip((away * out[near]).sum(-1) / np.maximum(_SCALE * half[near], 0.01), -1, 1)
    # Between the points of the line, or each of them would show.
    step = (away * turned(out, -np.pi / 2)[near]).sum(-1) / np.hypot(*(middle[1] - middle[0]))
    share, lean = (near + step) / (len(path) - 1), (out @ _LIGHT[:2])[near]
    tone = 0.08 + bulk + 0.8 * smooth(0.05, 0.85, share) + 0.3 * across * lean - 0.1 * across**2
    shadow = here.blur(here.filled([outline + (0.02, 0.03)]), 0.02)
    below = over(picture[box], ramp(0.0, *tones), 0.85 * shadow)
    picture[box] = over(below, ramp(tone, *tones), cover)


def _placed(points: Floats) -> Floats:
    """Where points of the mane are on the plate: it lies farther back the farther out it is."""
    deep = np.maximum(0.8 - 0.5 * (points**2).sum(-1), -0.5) - 0.4
    return _HEAD.placed(points[..., 0], points[..., 1], deep)


def _ears(plate: Plate, picture: Colours) -> Colours:
    """Round ears, each a hollow with tufts; the bold ones have none."""
    parts, rng, bold = outlines_of("lion"), plate.rng(33), _scheme(plate) == _BOLD
    hollow = _HOLLOWS[bold]
    for side in (1, -1):
        outer, inner = (
            _placed(spline(parts[each], 8) * (side, 1)) for each in ("ear", "inner ear")
        )
        picture = rounded(plate, picture, _TONES[3] if bold else _EAR, [outer], 0.06, _LIGHT[:2])
        picture = rounded(plate, picture, hollow, [inner], 0.05, -_LIGHT[:2])
        tufts, share = Paint(), np.linspace(0, 1, 8)
        for _ in range(0 if bold else 34):
            root = np.array((0.58, -0.66)) + rng.uniform((-0.04, -0.14), (0.14, 0.06))
            path = root + np.outer(share, directed(rng.normal(-0.9, 0.3))) * rng.uniform(0.12, 0.26)
            path = (path + np.outer(share**2, (0.04, 0.02))) * (side, 1)
            tone = ramp(rng.uniform(0.45, 0.95) - 0.2 * (side > 0), *_TUFT)
            tufts.append((_placed(ribbon(path, np.linspace(0.028, 0.003, 8))), tone))
        picture = painted(plate, picture, tufts) if tufts else picture
    return picture


def _head(plate: Plate, picture: Colours) -> Colours:
    """The coat with its patches in the light, then hair, eyes, nose, mouth."""
    (u, v), bold = _HEAD.places(plate), _scheme(plate) == _BOLD
    coat = ramp(v, (-0.8, "#c67a2a"), (-0.3, "#d98f38"), (0.2, "#dc9a48"), (0.6, "#e0aa60"))
    inner = 0.7 if bold else 0.6
    coat = _HEAD.spotted(coat, u, v, "patches", "#fbeed6", 1.25, inner)
    coat = _HEAD.spotted(coat, u, v, "smudges", "#8a4a1c", 1.3, 0.4)
    chops = [ribbon(half, 0.05) for half in _HEAD.both("chops")]
    coat = coat * (1 - 0.8 * plate.blur(plate.filled(chops), 0.02))[..., None]
    facing = _HEAD.facing(plate, _HEAD.relief(u, v), _LIGHT)
    light = smooth(-0.45, 1.0, facing) * smooth(1.05, -0.4, u)
    shade = ("#431a5e", "#c9736e") if bold else ("#35202c", "#b08a74")
    shades = ramp(light, (0.0, shade[0]), (0.5, shade[1]), (1.0, "#fffdf0"))
    coat = coat * shades * np.array((1.2, 1.12, 1.0))
    right, left = _HEAD.both("head")
    mask = plate.filled([np.concatenate([right, left[::-1]])])
    picture = over(picture, coat, mask)
    if bold:
        chin = np.exp(-((u / 0.26) ** 4) - ((v - 0.98) / 0.12) ** 4)
        picture = over(picture, "#f6dcb4", 0.6 * chin * smooth(0.4, -0.3, u) + 0.15 * chin)
        return _features(plate, picture, u, v)
    return _features(plate, painted(plate, picture, _fur(plate, picture)), u, v)


def _fur(plate: Plate, picture: Colours) -> Paint:
    """Hairs away from the nose, each of the colour at its root; inner ones lie over outer ones."""
    rng, centre, count = plate.rng(30), np.array((0, 0.3)), 12000
    half = spline(outlines_of("lion")["head"], 8)
    outline = np.concatenate([half, half[::-1] * (-1, 1)])
    away, root, way = strewn(rng, outline, centre, count, 0.14)
    way[:, 1] += 0.6 * np.abs(root[:, 0])
    long = 0.035 + 0.09 * smooth(0.4, 1.0, away) + 0.08 * smooth(0.8, 1.0, root[:, 1])
    way *= (long * rng.uniform(0.7, 1.3, count))[:, None]
    thick = 0.0034 * (1 + smooth(0.2, 0.8, away))
    return combed(plate, picture, _HEAD, rng, (root, way, thick), 0.16)


def _features(plate: Plate, picture: Colours, u: Floats, v: Floats) -> Colours:
    """What has sharp edges: eyes, nose, mouth, whisker dots."""
    parts = outlines_of("lion")
    lids = [ribbon(half, np.linspace(0.012, 0.03, len(half))) for half in _HEAD.both("lid")]
    picture = over(picture, "#2a1210", 0.75 * plate.blur(plate.filled(lids), 0.006))
    picture = over(picture, "#160b0d", plate.blur(plate.filled(_HEAD.both("rim")), 0.003))
    right, down = parts["iris"]
    away = np.hypot(np.abs(u) - right, v - down)
    white = np.broadcast_to(hexed("#7a5228"), picture.shape)
    angle = np.arctan2(v - down, np.abs(u) - right)
    fibres = plate.noise(6 * np.cos(angle) + 9 * away, 6 * np.sin(angle) + 9 * away, 7, 4)
    iris = over(white, ramp(away + 0.008 * fibres, *_IRIS), smooth(0.116, 0.11, away))
    iris = iris * (0.3 + 0.82 * smooth(-0.1, 0.02, v))[..., None]
    low = np.exp(-(((np.abs(u) - right - 0.01) / 0.05) ** 2) - ((v - down - 0.055) / 0.028) ** 2)
    iris = iris + 0.3 * (low * smooth(0.104, 0.09, away))[..., None] * np.array((1, 0.85, 0.4))
    iris = over(iris, "#080405", smooth(0.043, 0.037, away))
    picture = over(picture, iris, plate.filled(_HEAD.both("eye")))
    spots = _HEAD.seen(np.array([(right - 0.042, down - 0.045), (-right - 0.042, down - 0.045)]))
    glints = [(*place, 0.015, 1.8) for place in spots]
    glints += [(*(place + (0.045, 0.055)), 0.007, 0.8) for place in spots]
    picture = over(picture, "#fffbe8", plate.dots(glints).clip(0, 1))
    picture = rounded(plate, picture, _NOSE, _HEAD.both("nose"), 0.035, _LIGHT[:2])
    dark = _HEAD.both("nostril")
    dark += [ribbon(half, np.linspace(0.034, 0.008, len(half))) for half in _HEAD.both("mouth")]
    for side, row, place in product((-1, 1), range(3), range(4)):
        across = 0.15 + 0.075 * place + 0.016 * row
        root = np.array((across * side, 0.6 + 0.055 * row + 0.016 * (place - 1.2) ** 2))
        dark.append(_HEAD.seen(root + (0.0105 - 0.001 * place) * directed(np.linspace(0, 6, 9))))
    return over(picture, "#1a0b0e", 0.95 * plate.filled(dark))


def _whiskers(plate: Plate, picture: Colours) -> Colours:
    """Long hairs from the dots of the muzzle, over the mane."""
    whiskers, rng = [], plate.rng(40)
    for side, row, place in product((-1, 1), range(4), range(4)):
        if (row + place) % 2:
            continue
        root = np.array((0.16 + 0.075 * place, 0.6 + 0.055 * row))
        tip = root + (rng.uniform(0.45, 0.7), 0.17 * row - 0.16 + rng.uniform(-0.06, 0.06))
        way = spline([root, 0.5 * (root + tip) - (0, 0.05), tip], 10) * (side, 1)
        whiskers.append(ribbon(_HEAD.seen(way), np.linspace(0.0075, 0.0015, len(way))))
    return over(picture, "#fff6e2", 0.85 * plate.filled(whiskers))
