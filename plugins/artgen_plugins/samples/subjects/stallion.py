"""The head of a horse in the wind before a large sun, laid on in long strokes of a brush."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._curves import directed, flowing, normals, outlines_of, ribbon, spline, spread, turned
from ._paint import Paint, colours_at, painted
from ._plate import Colours, Floats, Plate, hexed, over, ramp, smooth
from ._relief import inflated, lit
from ._strokes import Ramp

_POLL, _LONG, _WAY = np.array((0.27, -0.5)), 1.36, np.radians(144)
"""Where the head begins between the ears, how long it is, where it points."""
_LAMP = (-0.62, -0.62, 0.62)
_SUN, _RADIUS = np.array((-0.36, -0.5)), 0.66
_AROUND = directed(np.linspace(0, 2 * np.pi, 90))
_IRIS = (-0.01, "#0d0708"), (0.03, "#1e0d0b"), (0.07, "#5a2a16")


def stallion(plate: Plate) -> Colours:
    """Draw it: the sky, the far mane, the neck, the head, the near mane, the forelock, an ear."""
    colours = outlines_of("stallion")["colours"][plate.seed // 2 % 2]
    picture = painted(plate, _sky(plate, colours), _mane(plate, colours["mane"], 60, False))
    picture = _head(plate, _neck(plate, picture, colours), colours)
    picture = painted(plate, picture, _mane(plate, colours["mane"], 190, True))
    picture = painted(plate, picture, _forelock(plate, colours["mane"]))
    return plate.faced(plate.finished(_ear(plate, picture, colours), 0.004, 0.1))


def _placed(points: Any) -> Floats:
    """Points along and across the head where they are on the plate."""
    u, v = np.asarray(points, float).T
    return np.asarray(turned(_LONG * np.stack([u, -v], 1), _WAY) + _POLL)


def _closed(name: str) -> Floats:
    """An outline of the head as a closed curve on the plate."""
    points = outlines_of("stallion")[name]
    return _placed(spline([*points, points[0]], 8))


def _sky(plate: Plate, colours: dict[str, Any]) -> Colours:
    """A sky and a large sun, in long strokes around its middle that spare its edge."""
    picture = ramp(np.hypot(plate.x - _SUN[0], plate.y - _SUN[1]), *colours["sky"])
    sun = plate.filled([_SUN + _RADIUS * _AROUND])
    picture = over(picture, ramp(plate.y - 0.2 * plate.x, *colours["sun"]), sun)
    rng, paint = plate.rng(1), []
    places = rng.uniform((-1.2, -1.45), (1.2, 1.45), (520, 2))
    shades = colours_at(plate, picture, places) * rng.uniform(0.87, 1.13, (len(places), 1))
    for place, shade in zip(places - _SUN, shades, strict=True):
        far, angle = np.hypot(*place), np.arctan2(place[1], place[0])
        if abs(far - _RADIUS) > 0.045:
            reach = rng.uniform(0.12, 0.3) / max(far, 0.25)
            way = _SUN + far * directed(angle + np.linspace(-reach, reach, 14))
            wide = rng.uniform(0.04, 0.096) * np.sin(np.linspace(0.06, 3.1, 14)) ** 0.6
            paint.append((ribbon(way, wide), shade))
    return painted(plate, picture, paint)


def _neck(plate: Plate, picture: Colours, colours: dict[str, Any]) -> Colours:
    """The neck and the chest, with the shadow of the jaw."""
    parts = outlines_of("stallion")
    mask = plate.filled([spline([*parts["neck"], parts["neck"][0]], 8)])
    height = inflated(plate, mask, 0.5, 0.12)
    for tall, x, y, way, long, wide in parts["muscles"]:
        along, across = plate.turned(np.array((x, y)), np.radians(way))
        height = height + tall * np.exp(-((along / long) ** 2) - (across / wide) ** 2)
    light = lit(plate, height, _LAMP) - 0.1 - 0.12 * smooth(0.2, 1.2, plate.y)
    coat = ramp(light, *colours["coat"])
    jaw = plate.blur(plate.filled([_closed("head") + (0.07, 0.12)]), 0.05)
    coat = over(coat, coat * hexed(colours["dim"]), 0.9 * jaw)
    return _brushed(plate, over(picture, coat, mask), mask, "neck", 700, 0.5)


def _head(plate: Plate, picture: Colours, colours: dict[str, Any]) -> Colours:
    """The far ear; the relief of the head with its muzzle and blaze; lines, eye, nostril."""
    parts = outlines_of("stallion")
    picture = over(picture, colours["far"], plate.filled([_closed("far_ear")]))
    u, v = plate.turned(_POLL, _WAY, _LONG)
    v = -v
    mask = plate.filled([_closed("head")])
    height = inflated(plate, mask, 0.3, 0.1)
    for tall, along, across, long, wide in parts["hills"]:
        hill = np.exp(-(((u - along) / long) ** 2) - ((v - across) / wide) ** 2)
        height = height + _LONG * tall * hill
    light = lit(plate, plate.blur(height, 0.006), _LAMP)
    muzzle = 0.9 * smooth(0.74, 0.95, u + 0.25 * (v - 0.1))
    coat = over(ramp(light, *colours["coat"]), ramp(light, *colours["muzzle"]), muzzle)
    blaze = plate.blur(plate.filled([_closed("blaze")]), 0.008)
    coat = over(coat, ramp(light, *colours["white"]), blaze)
    # Behind the cheek, it goes over into the neck.
    mask = mask * (1 - smooth(0.1, -0.02, u) * smooth(0.02, 0.1, v))
    picture = _brushed(plate, over(picture, coat, mask), mask, "face", 1100, 0.24)
    for name, shade, strong, soft, *widths in parts["lines"]:
        path = _placed(spline(parts[name], 8))
        line = plate.filled([ribbon(path, spread(widths, len(path)))])
        picture = over(picture, colours[shade], strong * plate.blur(line, soft))
    middle, glint = _placed([parts["iris"], parts["glint"]])
    iris = ramp(plate.y - middle[1], *_IRIS)
    picture = over(picture, iris, plate.filled([_closed("eye")]))
    picture = over(picture, "#ffffff", plate.filled([glint + 0.017 * _AROUND]))
    return over(picture, colours["dark"], plate.filled([_closed("nostril")]))


def _brushed(
    plate: Plate, picture: Colours, mask: Floats, name: str, count: int, long: float
) -> Colours:
    """Strokes over a part, each in the colour where it lies, in the directions of its flow."""
    rng = plate.rng(count)
    tries = rng.uniform((-1, -1.25), (1, 1.25), (6 * count, 2))
    row, column = np.rint(plate.place(*tries.T)).astype(int)
    row, column = row.clip(0, plate.height - 1), column.clip(0, plate.width - 1)
    places = tries[plate.blur(mask, 0.02)[row, column] > 0.97][:count]
    ways = flowing(outlines_of("stallion")["flow"][name], places)
    shades = colours_at(plate, picture, places) * rng.uniform(0.8, 1.2, (len(places), 1))
    paint, t = [], np.linspace(-0.5, 0.5, 10)
    for place, way, shade in zip(places, ways, shades, strict=True):
        path = np.stack([t, rng.normal(0, 0.15) * t**2], 1) * long * rng.uniform(0.5, 1.2)
        wide = 0.1 * long * rng.uniform(0.5, 1.3) * np.cos(np.pi * 0.98 * t) ** 0.6
        paint.append((ribbon(turned(path, way + rng.normal(0, 0.05)) + place, wide), shade))
    return over(picture, painted(plate, picture, paint, 0.7), mask)


def _ear(plate: Plate, picture: Colours, colours: dict[str, Any]) -> Colours:
    """The near ear, whose foot is lost in the hair."""
    mask = plate.filled([_closed("ear")])
    _, across = plate.turned(_POLL, _WAY, _LONG)
    foot = smooth(0.09, -0.01, -across)
    picture = over(picture, picture * hexed(colours["dim"]), 0.7 * plate.blur(mask, 0.02) * foot)
    light = lit(plate, inflated(plate, mask, 0.08), _LAMP)
    picture = over(picture, ramp(light, *colours["coat"]), mask * foot)
    inner = plate.blur(plate.filled([_closed("hollow")]), 0.004)
    return over(picture, colours["far"], inner * foot)


def _mane(plate: Plate, shades: Ramp, count: int, near: bool) -> Paint:
    """Locks from the crest, which the wind lifts; those on the near side have more light."""
    rng, paint = plate.rng(12 if near else 11), []
    crest = spline(outlines_of("stallion")["crest"], 20)
    for at in np.sort(rng.uniform(0, 1, count))[::-1]:
        root = crest[int(at * (len(crest) - 1))] + rng.normal(0, 0.015, 2)
        way = np.radians(-48 + 68 * at) + rng.normal(0, 0.1)
        if near:
            way += rng.uniform(0, 0.4)
            root = root - rng.uniform(0, 0.24) * directed(np.radians(-20 + 50 * at))
        long, wide = rng.uniform(0.8, 1.4), rng.uniform(0.04, 0.095)
        paint += _lock(rng, root, way, long, wide, shades, 1.0 if near else 0.45)
    return paint


def _forelock(plate: Plate, shades: Ramp) -> Paint:
    """Locks from between the ears, which blow back."""
    rng, paint = plate.rng(20), []
    for at in np.linspace(0, 1, 26):
        root = _placed([(0.09 - 0.13 * at, 0.01 + 0.05 * at)])[0] + rng.normal(0, 0.012, 2)
        way = np.radians(-40 + 34 * at) + rng.normal(0, 0.1)
        long, wide = rng.uniform(0.7, 1.2), rng.uniform(0.03, 0.065)
        paint += _lock(rng, root, way, long, wide, shades, 1.0)
    return paint


def _lock(
    rng: np.random.Generator,
    root: Floats,
    way: float,
    long: float,
    wide: float,
    shades: Ramp,
    bright: float,
) -> Paint:
    """A lock of some strokes side by side over a darker one; all wave alike, in one wind."""
    t = np.linspace(0, 1, 30)
    phase, tall = rng.normal(0, 0.5) + 1.5 * root[1], rng.uniform(0.05, 0.1)
    wave = tall * (np.sin(phase + 5.5 * t) - np.sin(phase)) * t**0.5
    path = turned(np.stack([long * t, wave - 0.14 * t**2 * rng.uniform(-0.6, 1)], 1), way) + root
    body = wide * np.sin(np.pi * (0.98 * t) ** 0.85) ** 1.1
    side, tone = normals(path), rng.uniform(0.15, 0.75)
    paint = [(ribbon(path, body), ramp(0.4 * tone * bright, *shades))]
    for shift in np.linspace(0.4, -0.4, 5) + rng.normal(0, 0.05, 5):
        strand = path + side * (shift * body)[:, None]
        thick = body * rng.uniform(0.16, 0.34)
        light = (tone - 0.4 * shift + rng.uniform(-0.15, 0.15)) * bright
        paint.append((ribbon(strand, thick), ramp(light, *shades)))
    return paint
