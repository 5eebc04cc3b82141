"""The head and shoulder of a macaw before large leaves: a scarlet one, or one in blue and gold."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._curves import directed, flowing, outlines_of, ribbon, spline, spread, turned
from ._paint import Paint, painted
from ._plate import Colours, Floats, Plate, hexed, over, ramp
from ._relief import inflated, lit

_LAMP = (-0.5, -0.75, 0.75)
_AROUND = directed(np.linspace(0, 2 * np.pi, 48))
_EYE, _BROW, _WING = np.array(((-0.03, -0.47), (-0.35, -0.4), (0.86, -0.12)))
"""The eye, from where feathers get longer, and around what the rows of the wing lie."""
_TRIES, _APART = 9000, 0.62
"""How many places for feathers are tried; how far these are apart at least, in lengths."""
_FEATHER = (0.16, 0.98, 0.66, -0.42), (0, 0.95, 0.6, 0), (-0.05, 0.6, 0.34, 0.22)
"""Of its shade, its body and its light: shift, half the length, half the width, tone."""


def macaw(plate: Plate) -> Colours:
    """Draw it: leaves, feathers from the tail to the brow, the bare face, the beak, the eye."""
    parts = outlines_of("macaw")
    colours = parts["colours"][plate.seed // 2 % 2]
    body = _closed("body")
    mask, shade = plate.filled([body]), plate.filled([body + (0.05, 0.06)])
    picture = over(_leaves(plate, colours), "#021613", 0.5 * plate.blur(shade, 0.05))
    picture = over(picture, colours["under"], mask)
    picture = painted(plate, picture, _feathers(plate, mask, colours))
    picture = _beak(plate, _face(plate, picture, colours), colours)
    return plate.faced(plate.finished(_eye(plate, picture, colours), 0.004, 0.12))


def _closed(name: str) -> Floats:
    """An outline of it as a closed curve."""
    points = outlines_of("macaw")[name]
    return spline([*points, points[0]], 10)


def _leaves(plate: Plate, colours: dict[str, Any]) -> Colours:
    """Large leaves, each half in a green of its own, with their ribs."""
    low, high = colours["far"]
    picture = ramp(plate.y - 0.4 * plate.x, (-1.4, low), (1.4, high))
    share = np.linspace(0, 1, 40)
    for x, y, way, long, wide, bend, tone in outlines_of("macaw")["leaves"]:
        rib = np.stack([long * share, bend * long * share**2], 1)
        half = np.outer(wide * np.sin(np.pi * share**0.75) ** 0.8, (0, 1))
        shapes = [np.concatenate([rib, (rib + side * half)[::-1]]) for side in (-1, 1)]
        shapes.append(ribbon(rib, spread((0.04, 0.008), 40)))
        for k in range(4, 34, 4):
            for side in (-0.85, 0.85):
                vein = np.stack([rib[k], rib[k + 4] + side * half[k + 4]])
                shapes.append(ribbon(vein, (0.022, 0.004)))
        shapes = [turned(shape, way) + (x, y) for shape in shapes]
        dark = plate.blur(plate.filled([shape + (0.03, 0.05) for shape in shapes[:2]]), 0.03)
        greens = [hexed(green) for green in colours["greens"][tone]]
        greens += [greens[-1]] * (len(shapes) - len(greens))
        picture = over(picture, "#01120f", 0.6 * dark)
        picture = painted(plate, picture, zip(shapes, greens, strict=True))
    return picture


def _feathers(plate: Plate, mask: Floats, colours: dict[str, Any]) -> Paint:
    """Round feathers, those at the brow over those behind them."""
    rng = plate.rng(2)
    tries = rng.uniform((-1.1, -1.3), (1.2, 1.5), (_TRIES, 2))
    row, column = np.rint(plate.place(*tries.T)).astype(int)
    row, column = row.clip(0, plate.height - 1), column.clip(0, plate.width - 1)
    sizes, light = _sizes(tries), lit(plate, inflated(plate, mask, 0.5, 0.12), _LAMP)
    found: list[int] = []
    for k in np.flatnonzero(mask[row, column] > 0.5).tolist():
        near = np.hypot(*(tries[found] - tries[k]).T)
        if (near > _APART * np.maximum(sizes[found], sizes[k])).all():
            found.append(k)
    places, ways = tries[found], flowing(outlines_of("macaw")["flow"], tries[found])
    behind = 0.6 * places[:, 0] + 0.8 * np.maximum(places[:, 1], -0.7)
    paint: Paint = []
    for k in np.argsort(-behind):
        shades = colours[_kind(places[k], rng)]
        tone = 0.18 + 0.75 * light[row[found[k]], column[found[k]]] + rng.uniform(-0.08, 0.08)
        for shift, long, wide, more in _FEATHER:
            oval = _AROUND * (long, wide) + (shift, 0)
            colour = ramp(np.clip(tone, 0, 1) + more, *shades)
            paint.append((turned(sizes[found[k]] * oval, ways[k]) + places[k], colour))
    return paint


def _sizes(places: Floats) -> Floats:
    """How long feathers are at places [K, 2]."""
    away, wing = (np.hypot(*(places - middle).T) for middle in (_BROW, _WING))
    on = (places[:, 1] > 0.35) & (places[:, 0] > 0.1)
    longer = 0.065 * np.clip(away - 0.4, 0, 1.1) + 0.07 * on * np.clip(wing - 0.8, 0, 0.5)
    return np.asarray(0.068 + longer)


def _kind(place: Floats, rng: np.random.Generator) -> str:
    """Which colours a feather at a place has."""
    x, y = place.tolist()
    if y > 0.3 and x > 0.24 - 0.08 * y:
        away = np.hypot(*(place - _WING)) + rng.uniform(-0.02, 0.02)
        for least, kind in ((1.1, "flight"), (0.99, "fringe"), (0.76, "covert")):
            if away > least:
                return kind
    if x < 0.35 - 0.25 * y and y > 0.2:
        return "breast"
    return "brow" if y < -0.66 and x < 0.1 else "coat"


def _face(plate: Plate, picture: Colours, colours: dict[str, Any]) -> Colours:
    """Bare skin with rows of small dark feathers."""
    mask = plate.filled([_closed("face")])
    light = lit(plate, inflated(plate, mask, 0.12, 0.3), _LAMP)
    picture = over(picture, picture * 0.55, 0.8 * plate.blur(mask, 0.03) * (1 - mask))
    picture = over(picture, ramp(light, *colours["skin"]), mask)
    wide, rows = 0.021 * np.sin(np.pi * np.linspace(0.04, 0.96, 24)) ** 0.5, []
    for size, first, last in outlines_of("macaw")["rows"]:
        angle = np.radians(np.linspace(first, last, 24))
        rows.append(ribbon(_EYE + size * directed(angle) * (1, 1.15), wide))
    return over(picture, colours["rows"], plate.filled(rows) * mask)


def _beak(plate: Plate, picture: Colours, colours: dict[str, Any]) -> Colours:
    """The lower half, the upper one with its dark edge and tip, the cere and its nostril."""
    parts = outlines_of("macaw")
    for name in ("lower", "upper"):
        outline = _closed(name)
        mask, shade = plate.filled([outline]), plate.filled([outline + (0.02, 0.05)])
        picture = over(picture, picture * hexed("#5a4a50"), 0.8 * plate.blur(shade, 0.02))
        light = lit(plate, inflated(plate, mask, 0.35, 0.1), _LAMP)
        picture = over(picture, ramp(light, *colours[name]), mask)
    dark = plate.blur(plate.filled([_closed("tip"), _closed("edge")]), 0.006) * mask
    picture = over(picture, ramp(0.75 * light, *colours["lower"]), dark)
    shine = spline(parts["shine"], 8)
    shine = ribbon(shine, spread((0, 0.05, 0), len(shine)))
    picture = over(picture, colours["shine"], plate.filled([shine]) * mask)
    picture = over(picture, colours["cere"], plate.filled([_closed("cere")]))
    nostril = turned(_AROUND * (0.034, 0.018), 0.9) + parts["nostril"]
    return over(picture, "#2a1a1c", plate.filled([nostril]))


def _eye(plate: Plate, picture: Colours, colours: dict[str, Any]) -> Colours:
    """Lids, iris, pupil and the light in it."""
    for size, colour in zip((0.125, 0.1, 0.088, 0.07, 0.05), colours["eye"], strict=True):
        picture = over(picture, colour, plate.filled([_EYE + size * _AROUND * (1.05, 0.97)]))
    return over(picture, "#ffffff", plate.filled([_EYE - (0.028, 0.032) + 0.019 * _AROUND]))
