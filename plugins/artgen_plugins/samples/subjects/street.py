"""A street at night in the rain: a tram comes, people cross with umbrellas, the asphalt shines."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from ._curves import outlines_of, ribbon, spline, turned
from ._plate import Colours, Floats, Plate, hexed, over, ramp, sampled, screen, smooth

_END = (-0.1, 0.06)
"""The vanishing point."""
_EYE, _WALL = 1.75, 5.0
"""Its height, and how far the houses stand from the middle of the street, in metres."""
_TRAM = 5.2, -0.55, -2.85
"""How far it is, and its sides."""
_LIT = ("#f5a445", "#f7bd6c", "#ee8a3a", "#f9d090", "#f5a445", "#6fb3b0")


def street(plate: Plate) -> Colours:
    """Draw it: mist and tower, houses, lamps and tram; the wet ground mirrors them; people; rain."""
    x, y = plate.x, plate.y
    away = np.hypot((x - _END[0]) / 0.75, (y - _END[1]) / 0.9)
    mist = ramp(away, (0, "#f3c583"), (0.2, "#c99a72"), (0.45, "#6c7480"), (0.8, "#2b4560"),
                (1.5, "#0e1d36"))  # fmt: skip
    cloud = plate.noise(x * 1.3, y * 3, 2, 4)
    picture = over(mist, "#0c1a30", 0.45 * smooth(-0.2, 1, cloud) * smooth(0.1, -0.8, y))
    across, high = np.array(outlines_of("street")["tower"]).T
    picture = over(picture, "#4a5565", 0.8 * plate.filled([_seen(across, high, 26)]))
    picture, light = _houses(plate, picture)
    picture = over(picture, mist, 0.75 * np.exp(-((away / 0.3) ** 2)))
    picture, light = _tram(plate, picture, light)
    glow = sum(share * plate.blur(light, wide)
               for share, wide in ((0.3, 0.012), (0.25, 0.05), (0.3, 0.2)))  # fmt: skip
    light = light + glow * hexed("#ffb066")
    picture = screen(picture, light / np.maximum(light.max(-1, keepdims=True), 1))
    picture = _people(plate, _wet(plate, picture))
    rain = smooth(0.5, 1.3, plate.noise(x * 40 + y * 6, y * 1.3 - x * 0.2, 3, 2))
    picture = screen(picture, (0.16 * rain * np.exp(-away / 0.7))[..., None] * hexed("#ffe6bd"))
    return plate.finished(picture, 0.01, 0.3)


def _seen(across: ArrayLike, high: ArrayLike, ahead: ArrayLike) -> Floats:
    """Points on the plate [K, 2] of places that are given in metres."""
    place = np.divide(across, ahead), np.divide(np.subtract(_EYE, high), ahead)
    return np.asarray(_END + np.stack(np.broadcast_arrays(*place), axis=-1))


def _wall(across: float, low: float, high: float, near: float, far: float) -> Floats:
    """A rectangle along the street."""
    return _seen(across, [low, low, high, high], [near, far, far, near])


def _houses(plate: Plate, picture: Colours) -> tuple[Colours, Colours]:
    """From far to near, with roofs, shops and windows: the picture, and the light of those lit."""
    rng = plate.rng(1)
    parts: list[tuple[Floats, float]] = []
    panes: dict[str, list[Floats]] = {colour: [] for colour in _LIT}
    for ahead in np.geomspace(34, 3.2, 13):
        near, long = 0.82 * ahead, 0.18 * ahead
        for side in (-_WALL, _WALL):
            tall, tone, shop = rng.uniform(9, 14), rng.uniform(0.7, 0.85), str(rng.choice(_LIT))
            roof = _wall(1.13 * side, 0, tall + 2.2, near + 0.05 * long, ahead)
            parts += [(roof, 0.6 * tone), (_wall(side, 0, tall, near, ahead), tone)]
            for low in (3.3, tall - 0.4):
                parts.append((_wall(side, low, low + 0.4, near, ahead), 1.2 * tone))
            for start in near + long * np.array([0.06, 0.38, 0.7]):
                panes[shop].append(_wall(side, 0.5, 2.9, start, start + 0.26 * long))
                for low in np.arange(4.4, tall - 2, 3.3):
                    pane = _wall(side, low, low + 1.9, start + 0.02 * long, start + 0.22 * long)
                    if rng.random() < 0.32:
                        panes[str(rng.choice(_LIT))].append(pane)
                    else:
                        parts.append((pane, 0.6 * tone))
    shapes, tones = zip(*parts, strict=True)
    covered = plate.filled(shapes)
    shade = plate.filled(shapes, tones) / np.maximum(covered, 0.01)
    colours = ramp(shade, (0.3, "#070e1b"), (0.8, "#1a2b45"), (1, "#2c405c"))
    off = np.abs(plate.x - _END[0])
    picture = over(picture, over(colours, "#5f6d7c", 0.7 * smooth(0.9, 0, off) ** 2), covered)
    light = sum(0.95 * plate.filled(lit)[..., None] * hexed(own) for own, lit in panes.items())
    # The shops are brightest under the ceiling; goods stand before it.
    ahead = _WALL / np.maximum(off, 0.05)
    high = _EYE - (plate.y - _END[1]) * ahead
    goods = high - 0.9 - 0.45 * plate.noise(ahead * 1.5, 0 * ahead, 9, 2)
    share = (0.5 + 0.5 * smooth(0.3, 2.6, high)) * (1 - 0.55 * smooth(0.25, -0.1, goods))
    return picture, light * np.where(high < 3, share, 0.85)[..., None]


def _tram(plate: Plate, picture: Colours, light: Colours) -> tuple[Colours, Colours]:
    """The street lamps, and before them the tram: the picture, the light."""
    shapes, (ahead, right, _) = outlines_of("street"), _TRAM
    heads = [(_seen(a, 4.3, b), b) for a, b in shapes["lamps"]]
    posts = [ribbon(np.array([at, _seen(a, 0, b)]), 0.1 / b)
             for (at, _), (a, b) in zip(heads, shapes["lamps"], strict=True)]  # fmt: skip
    light = light + plate.dots((*at, 0.16 / b, 1.3) for at, b in heads)[..., None] * hexed(
        "#ffdca0"
    )
    light = light + plate.dots([(*_seen(0, 12.6, 26), 0.045, 0.9)])[..., None] * hexed("#f9d090")
    picture = over(picture, "#0a1220", plate.filled(posts))
    parts = {name: [_seen(right + each[:, 0], each[:, 1], ahead) for each in map(np.array, outlines)]
             for name, outlines in (("front", [spline(shapes["front"])]), ("low", [shapes["low"]]),
             ("belt", [shapes["belt"]]), ("panes", shapes["panes"]), ("driver", [shapes["driver"]]))}  # fmt: skip
    dark = [_wall(right, 0, 3, ahead, ahead + 9), *parts["low"]]
    light = light * (1 - plate.filled([*dark, *parts["front"]])[..., None])
    green = ramp(plate.y, (-0.3, "#24545a"), (0.1, "#1c464c"), (0.35, "#0d2228"))
    for colour, outlines in (
        ("#142129", dark),
        (green, parts["front"]),
        ("#ca9f70", parts["belt"]),
    ):
        picture = over(picture, colour, plate.filled(outlines))
    panes = [_wall(right, 1.5, 2.5, ahead + a, ahead + a + 1.2) for a in (0.3, 2, 3.7, 5.4)]
    lit = plate.filled([*panes, *parts["panes"]]) * (1 - plate.filled(parts["driver"]))
    lamps = plate.dots((*_seen(right - a, 0.78, ahead), 0.021, 1.6) for a in (0.42, 1.88))
    return picture, light + lit[..., None] * hexed("#f9cf8c") + lamps[..., None] * hexed("#fff0cf")


def _wet(plate: Plate, picture: Colours) -> Colours:
    """The ground: it mirrors what stands at its edge, drawn out where it is rough."""
    from scipy.ndimage import gaussian_filter1d

    x, y = plate.x, plate.y
    off, (front, right, left) = np.abs(x - _END[0]), _TRAM
    edge = np.maximum(off / _WALL, 1 / 30)
    before = (x < _END[0]) & (off * front <= -left)
    edge = np.where(before, np.maximum(edge, np.minimum(off / -right, 1 / front)), edge)
    edge = _END[1] + _EYE * edge
    depth, ahead = np.maximum(y - edge, 0), _EYE / np.maximum(y - _END[1], 0.02)
    across = off * np.sign(x - _END[0]) * ahead
    rough = plate.noise(across * 2.2, ahead * 2.2, 21, 4, 0.6)
    pool = smooth(0.1, 0.5, plate.noise(across * 0.5, ahead * 0.5, 22, 3))
    smeared = gaussian_filter1d(picture, 0.045 / plate.pixel, axis=0, mode="nearest")
    mirrors = []
    for k, drawn in enumerate((1.0, 0.85, 0.7, 0.56, 0.43, 0.32, 0.22)):
        wave = plate.noise(x * 26, y * 7 * drawn + k, 23 + k, 2)
        place = plate.place(
            x + 0.05 * depth * wave + 0.008 * rough, edge - depth * drawn + 0.01 * rough
        )
        mirrors.append(sampled(smeared if k else picture, *place))
    # A mean that favours what is bright: lamps leave long streaks.
    long = np.cbrt(sum(mirror**3 for mirror in mirrors) / len(mirrors))
    shine = 1.15 * over(long, mirrors[0], 0.12 + 0.4 * pool) ** 1.35
    asphalt = ramp(0.5 + 0.3 * rough, (0, "#0a1322"), (1, "#1a2a3c"))
    ground = over(asphalt, shine, np.clip(0.74 + 0.16 * pool + 0.15 * rough - 0.2 * depth, 0, 1))
    broken = 0.65 + 0.5 * plate.noise(x * 4, y * 22, 32, 3)
    for middle, top, bright in outlines_of("street")["streaks"]:
        wide = 0.02 + 0.03 * np.maximum(y - top, 0)
        swing = middle + 0.3 * wide * plate.noise(y * 30, 0 * y + middle, 31, 2)
        column = np.exp(-(((x - swing) / wide) ** 2) - (y - top) / 0.45) * smooth(
            top, top + 0.05, y
        )
        ground = screen(ground, (bright * broken * column)[..., None] * hexed("#ffd596"))
    rails = [_seen([a - 0.05, a + 0.05, a + 0.05, a - 0.05], 0, [1.2, 1.2, 40, 40])
             for a in (-3.9, -1.8, -0.4, 3.9)]  # fmt: skip
    ground = over(ground, "#a8987f", 0.37 * plate.filled(rails))
    return np.where((y > edge)[..., None], ground, picture)


def _people(plate: Plate, picture: Colours) -> Colours:
    """From far to near; each upside down in the ground, then upright."""
    for across, ahead, way, kind, colour in outlines_of("street")["crowd"]:
        foot, size = _seen(across, 0, ahead), 1.72 / ahead
        body, canopy = _person(kind)
        dark = ramp(ahead, (2, "#060b15"), (9, "#232c3a"))
        for parts, shade, soft in ((body, dark, 0.008), (canopy, hexed(colour), 0.014)):
            mirror = []
            for u, v in (part.T for part in parts):
                # Drawn shorter than a mirror would: the colours of the umbrellas stay in the picture.
                down = np.interp(-v, (0, 1, 1.3), (0, 0.45, 0.8))
                shift = 0.018 * v * np.sin(37 * v + 1) * np.sin(23 * v)
                mirror.append(foot + size * np.stack([way * u + shift, down], axis=1))
            picture = over(picture, shade, 0.7 * plate.blur(plate.filled(mirror), soft))
        body = [foot + size * part * (way, 1) for part in body]
        covered = plate.filled(body)
        towards = np.array([0.016 * size * np.sign(foot[0] - _END[0]), 0.003 * size])
        moved = plate.blur(plate.filled([part + towards for part in body]), 0.008 * size)
        picture = over(over(picture, dark, covered), "#e8b070", 0.45 * covered * (1 - moved))
        for part, share in zip(canopy, (1.15, 0.95, 1.05, 0.78), strict=True):
            panel = plate.filled([foot + size * part * (way, 1)])
            picture = over(picture, hexed(colour) * share, panel)
    return picture


def _person(kind: str) -> tuple[list[Floats], list[Floats]]:
    """The outlines of the body with a shaft in its hand, and of the panels of the umbrella."""
    body = [spline([*part, part[0]], 6) for part in outlines_of("street")[kind]]
    hand, lean = ((0.0, -0.8), 0.0) if kind == "behind" else ((0.175, -0.73), -0.13)
    top = np.array(hand) + (0.5 * np.sin(lean), -0.52)
    body.append(ribbon(np.array([hand, top - (0, 0.06)]), 0.014))
    panels = []
    for ends in pairwise(0.4 * np.sin(np.linspace(-np.pi / 2, np.pi / 2, 5))):
        left, right = (spline([(0, -0.25), (0.62 * end, -0.19), (0.9 * end, -0.09), (end, 0.02)], 6)
                       for end in ends)  # fmt: skip
        sag = spline([right[-1], (sum(ends) / 2, -0.015), left[-1]], 6)
        panels.append(turned(np.concatenate([right, sag, left[::-1]]), lean) + top + (0, 0.25))
    return body, panels
