"""Two walk under one umbrella down an avenue in autumn, after rain, towards a low sun: in dabs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from ._curves import directed, outlines_of, ribbon, spline, turned
from ._plate import Colours, Floats, Plate, hexed, over, ramp, sampled, screen, smooth

_END = np.array((0.26, 0.14))
"""The vanishing point; the sun stands above it."""
_EYE, _ROW, _PATH = 1.62, 3.1, 2.1
"""The height of the eye; how far trunks and the edge of the path are from the middle: metres."""
_PLACE = -0.98, 2.55
"""Of the two: how far to the side and ahead."""
_RED = (
    (0.0, "#2a1a44"), (0.2, "#5a2450"), (0.38, "#99283a"), (0.55, "#cf4526"), (0.72, "#ee7f2b"),
    (0.88, "#fbbd4a"), (1.0, "#fff0b0"),
)  # fmt: skip
_GOLD = (
    (0.0, "#2c2550"), (0.2, "#5c3f5e"), (0.38, "#95593a"), (0.55, "#cf8428"), (0.72, "#f0ac34"),
    (0.88, "#fbd362"), (1.0, "#fff4c0"),
)  # fmt: skip
"""Colours of leaves from the shade to the light, of two kinds of trees."""
_CLOTHS = {
    "blue": ((0, "#0f1330"), (0.4, "#24345e"), (0.62, "#44618c"), (0.85, "#e9b478"), (1.1, "#fff0c4")),
    "red": ((0, "#35102a"), (0.4, "#8a1a2c"), (0.62, "#c9352e"), (0.85, "#f59a58"), (1.1, "#fff0c4")),
    "teal": ((0, "#0a2230"), (0.4, "#164c58"), (0.62, "#3b8082"), (0.85, "#ecc07c"), (1.1, "#fff0c4")),
    "dark": ((0, "#130f20"), (0.4, "#241d33"), (0.62, "#453447"), (0.85, "#d98f58"), (1.1, "#ffe2a8")),
    "sole": ((0, "#1c1220"), (0.5, "#4a3438"), (1, "#a06a4a")),
    "skin": ((0, "#4a2530"), (0.4, "#8d5044"), (0.62, "#c5835f"), (0.85, "#ffd09a"), (1.1, "#fff0d0")),
}  # fmt: skip
_DRESSES = (("blue", "red", "teal"), ("dark", "teal", "red"), ("teal", "red", "blue"))
"""Of him, of her, and the umbrella."""
_Stem = tuple[Floats, Floats, Colours]
"""The middle line, its widths, the colour."""


def avenue(plate: Plate) -> Colours:
    """Draw it: light, trees, the wet path that mirrors them, leaves on the ground, the two."""
    picture, stems = _trees(plate, _air(plate))
    picture = _bark(plate, _ground(plate, picture, stems), stems)
    picture = _couple(plate, picture)
    away = np.hypot(plate.x - _END[0], plate.y - _END[1] + 0.06)
    glow = 0.45 * np.exp(-((away / 0.15) ** 2)) + 0.2 * np.exp(-((away / 0.5) ** 2))
    picture = screen(picture, glow[..., None] * hexed("#ffd98a"))
    picture = plate.finished(_falling(plate, picture), 0.008, 0.25)
    return picture[:, ::-1] if plate.seed % 2 else picture


def _seen(across: ArrayLike, high: ArrayLike, ahead: ArrayLike) -> Floats:
    """Points on the plate [K, 2] of places that are given in metres."""
    place = np.divide(across, ahead), np.divide(np.subtract(_EYE, high), ahead)
    return np.asarray(_END + np.stack(np.broadcast_arrays(*place), axis=-1))


def _air(plate: Plate) -> Colours:
    """The light at the end of the avenue, a cool sky above, dim woods to the sides."""
    x, y = plate.x, plate.y
    away = np.hypot(0.9 * (x - _END[0]), 0.75 * (y - _END[1] + 0.08))
    soft = plate.noise(x * 2.5, y * 2.5, 1, 5)
    sky = ramp(away + 0.08 * soft, (0, "#fffbe0"), (0.14, "#ffeaa6"), (0.35, "#f9cf86"), (0.6, "#e3bb9c"),
               (0.9, "#a9a6c0"), (1.5, "#6f88b8"))  # fmt: skip
    woods = ramp(np.abs(x - _END[0]) + 0.15 * soft, (0, "#ffe6a0"), (0.3, "#eeb070"), (0.6, "#b97a6c"), (1.1, "#5f4668"))
    return over(sky, woods, smooth(-0.12, 0.1, y - _END[1] + 0.5 * np.abs(x - _END[0]) + 0.12 * soft))


def _dabs(places: Floats, ways: Floats, long: Floats, wide: Floats) -> Floats:
    """Short strokes, blunt where they begin: outlines [K, 8, 2]."""
    shape = np.array(
        [(-1, -0.5), (-0.8, 0.7), (-0.3, 1), (0.5, 0.8), (1, 0.2), (0.85, -0.6), (0.2, -1), (-0.6, -0.9)]
    )  # fmt: skip
    along = directed(ways)[:, None]
    aside = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    reach, half = 0.5 * long[:, None, None], 0.5 * wide[:, None, None]
    return np.asarray(places[:, None] + shape[:, :1] * reach * along + shape[:, 1:] * half * aside)


def _painted(plate: Plate, picture: Colours, shapes: list[Floats] | Floats, colours: Colours, share: float = 1) -> Colours:
    """Outlines of colours [K, 3] laid over a picture, later on top."""
    covered = plate.filled(shapes)
    planes = [plate.filled(shapes, np.clip(each, 0, 1).tolist()) for each in colours.T]
    colour = np.stack(planes, -1) / np.maximum(covered, 0.01)[..., None]
    return over(picture, np.clip(colour, 0, 1), share * covered)


def _leafy(plate: Plate, x: Floats, y: Floats) -> tuple[Floats, Colours]:
    """Where leaves are, beyond 0, and their colours: one vault, open above the path."""
    right, up = x - _END[0], _END[1] - y
    away = np.hypot(right, up)
    clump = plate.noise(x * 2.2, y * 2.2, 5, 2)
    fine = plate.noise(x * 7, y * 7, 6, 3)
    gap = np.abs(right + 0.1 * up) - 0.03 - 0.1 * up
    inside = np.minimum(gap, up - 0.4 * np.abs(right) + 0.02) + 0.08 * clump + 0.05 * fine
    tone = 0.22 + 0.75 * np.exp(-away / 0.55) + 0.24 * clump + 0.1 * fine
    tone = tone + 0.3 * np.exp(-np.maximum(gap, 0) / 0.12) - 0.1 * smooth(0.6, 1.3, np.abs(right))
    kind = smooth(-0.25, 0.25, plate.noise(x * 0.9 + 3, y * 0.9, 7, 2) * 0.7 + 0.9 * right + 0.06)
    colours = ramp(tone, *_RED) * (1 - kind[..., None]) + ramp(tone, *_GOLD) * kind[..., None]
    haze = 0.6 * np.exp(-away / 0.3)[..., None]
    return inside, np.asarray(colours * (1 - haze) + haze * hexed("#ffe2a0"))


def _trees(plate: Plate, picture: Colours) -> tuple[Colours, list[_Stem]]:
    """Trunks and boughs from far to near, leaves over and under them; also the trunks alone."""
    rng = plate.rng(20)
    stems: list[_Stem] = []
    boughs: list[_Stem] = []
    for ahead in (40, 28, 20, 14.5, 10.5, 7.6, 5.5, 4.0, 2.9):
        haze = 1 - np.exp(-ahead / 15)
        colour = hexed("#24152f") * (1 - haze) + hexed("#f0b878") * haze
        for side in (-1, 1):
            across, lean = side * _ROW * rng.uniform(0.95, 1.07), side * rng.uniform(-0.9, 0.15)
            bend = lean * np.array((-0.1, 0, 0.3, 1)) + rng.normal(0, 0.07, 4)
            way = spline(_seen(across + bend, (-0.02, 1.2, 3, 6.5), ahead), 6)
            wide = np.interp(np.linspace(0, 1, len(way)), (0, 0.06, 0.15, 0.5, 1), (1.9, 1.25, 1, 0.85, 0.5))
            stems.append((way, wide * rng.uniform(0.5, 0.66) / ahead, colour))
            for start, turn in ((0.5, -side), (0.62, side), (0.78, -side), (0.9, -side)):
                steps = np.array(((0, 0), (0.5 * turn, -0.6), (1.0 * turn, -0.8), (1.4 * turn, -1.3)))
                bough = spline(way[int(start * (len(way) - 1))] + steps * rng.uniform(0.8, 1.7) / ahead, 6)
                boughs.append((bough, np.linspace(0.26, 0.02, len(bough)) / ahead, colour))
    picture = _grown(plate, picture, [*stems, *boughs])
    inside, colours = _leafy(plate, plate.x, plate.y)
    picture = over(picture, colours, 0.85 * smooth(0.0, 0.1, inside))
    count = 900
    places = np.stack([rng.uniform(-1.1, 1.1, count), rng.normal(0.02, 0.05, count)], axis=1)
    away = np.abs(places[:, 0] - _END[0])
    places[:, 1] = _END[1] + (places[:, 1] - 0.07) * (0.3 + away)
    tone = 0.1 + 0.7 * np.exp(-away / 0.3) + rng.normal(0, 0.1, count)
    long = (0.015 + 0.04 * away) * rng.uniform(0.6, 1.3, count)
    shapes = _dabs(places, rng.normal(0, 1, count), long, 0.6 * long)
    picture = _painted(plate, picture, shapes, ramp(tone, *_RED))
    count = 5400
    places = rng.uniform((-1.1, -1.35), (1.1, 0.2), (count, 2))
    away = np.hypot(*(places - _END).T)
    inside, colours = _leafy(plate, *places.T)
    kept = (inside + rng.normal(0, 0.04, count) > 0.03) & (rng.random(count) < 0.25 + 0.6 / (0.5 + away))
    long = (0.02 + 0.032 * away) * rng.uniform(0.6, 1.3, count)
    colours = colours * rng.uniform(0.82, 1.14, (count, 1)) + rng.normal(0, 0.03, (count, 3))
    shapes = _dabs(places, rng.normal(0.5 * np.sign(places[:, 0] - _END[0]), 0.6), long, 0.6 * long)
    early = rng.random(count) < 0.6
    picture = _grown(plate, _painted(plate, picture, shapes[kept & early], colours[kept & early]), boughs[-20:])
    return _painted(plate, picture, shapes[kept & ~early], colours[kept & ~early]), stems


def _grown(plate: Plate, picture: Colours, wood: list[_Stem]) -> Colours:
    """Trunks or boughs in their plain colours."""
    return _painted(plate, picture, [ribbon(way, wide) for way, wide, _ in wood], np.stack([each for *_, each in wood]))


def _bark(plate: Plate, picture: Colours, stems: list[_Stem]) -> Colours:
    """Trunks below the leaves in upright dabs: warm towards the sun, cool on the other side."""
    rng = plate.rng(30)
    picture = _grown(plate, picture, [(way[:12], wide[:12], colour) for way, wide, colour in stems])
    shapes, colours = [], []
    for way, wide, colour in stems:
        count = int(np.clip(1300 * wide[9], 6, 200))
        at, aside = rng.integers(2, 12, count), rng.uniform(-1, 1, count)
        places = way[at] + (0.42 * aside * wide[at])[:, None] * (1, 0) - rng.random((count, 1)) * (way[at] - way[at - 1])
        toward = aside * np.sign(_END[0] - way[0, 0]) + rng.normal(0, 0.15, count)
        bark = ramp(toward, (-1, "#5a568e"), (-0.7, "#382a55"), (-0.1, "#211330"), (0.45, "#452032"), (0.8, "#a04f3a"), (1.1, "#f2a45e"))
        hazy = 0.85 * smooth(0.05, 0.75, colour[0])
        long, thin = wide[9] * rng.uniform((0.4, 0.08), (1, 0.17), (count, 2)).T
        shapes.append(_dabs(places, rng.normal(np.pi / 2, 0.12, count), long, thin))
        colours.append(bark * (1 - hazy) + colour * hazy)
    return _painted(plate, picture, np.concatenate(shapes), np.concatenate(colours))


def _ground(plate: Plate, picture: Colours, stems: list[_Stem]) -> Colours:
    """Verges full of leaves, shadows of trunks, a wet path that mirrors the light."""
    x, y, rng = plate.x, plate.y, plate.rng(40)
    depth, right = np.maximum(y - _END[1], 1e-3), x - _END[0]
    wave = plate.noise(x * 8, depth * 28, 41, 3)
    row = (_END[1] - 0.9 * depth + 0.02 * wave) / plate.pixel + (plate.height - 1) / 2
    column = (x + 0.02 * wave) / plate.pixel + (plate.width - 1) / 2
    mirror = sampled(plate.blur(picture, 0.014), row, column, "nearest")
    path = over(0.95 * mirror, "#372f62", np.clip(0.1 + 0.45 * depth, 0, 0.6))
    shine = np.exp(-((right / (0.05 + 0.17 * depth)) ** 2)) * (0.7 + 0.5 * wave)
    path = screen(path, np.clip(0.8 * shine * np.exp(-0.8 * depth), 0, 1)[..., None] * hexed("#ffdf9c"))
    away = np.hypot(right, depth)
    verge = ramp(0.12 + 0.8 * np.exp(-away / 0.55) + 0.12 * wave, *_RED)
    side = np.abs(right * _EYE / depth) + 0.2 * wave
    ground = over(path, verge, smooth(_PATH - 0.2, _PATH + 0.1, side))
    shadows = []
    for way, wide, _ in stems:
        foot, end = way[0], way[0] + 1.8 * (way[0] - _END)
        shadows.append(np.array([foot - (wide[0] / 3, 0), end - (wide[0], 0), end + (wide[0], 0), foot + (wide[0] / 3, 0)]))
    shade = plate.blur(plate.filled(shadows), 0.01) * (0.45 + 0.4 * smooth(_PATH - 0.2, _PATH, side))
    ground = ground * (1 - shade[..., None] * (1 - hexed("#6a4f98")))
    picture = over(picture, ground, smooth(-plate.pixel, plate.pixel, y - _END[1]))
    count = 4200
    places = np.stack([rng.uniform(-1.1, 1.1, count), _END[1] + 1.16 * rng.random(count) ** 1.2], axis=1)
    low, aside = places[:, 1] - _END[1], places[:, 0] - _END[0]
    colours = _found(plate, picture, places) * rng.uniform(0.88, 1.14, (count, 1))
    lying = (np.abs(aside) * _EYE / low > _PATH + rng.normal(0, 0.2, count)) & (rng.random(count) < 0.6)
    lying |= rng.random(count) < 0.045
    tone = 0.3 + 0.7 * np.exp(-np.hypot(low, aside) / 0.6) + rng.normal(0, 0.14, count)
    kind = (rng.random(count) < 0.45)[:, None]
    leaves = np.where(kind, ramp(tone, *_GOLD), ramp(tone, *_RED)) * (0.4 + 0.6 * np.minimum(2.2 * colours.mean(1, keepdims=True), 1))
    colours = np.where(lying[:, None], leaves, colours)
    long = np.where(lying, 0.006 + 0.055 * low, 0.02 + 0.11 * low) * rng.uniform(0.6, 1.2, count)
    shapes = _dabs(places, rng.normal(0, 0.1 + 0.2 * lying), long, np.where(lying, 0.42, 0.16) * long)
    return _painted(plate, picture, shapes, colours)


def _found(plate: Plate, picture: Colours, places: Floats) -> Colours:
    """The colours [K, 3] of a picture at places."""
    row = np.searchsorted(plate.y[:, 0], places[:, 1]).clip(0, len(plate.y) - 1)
    column = np.searchsorted(plate.x[0], places[:, 0]).clip(0, plate.x.shape[1] - 1)
    return np.asarray(picture[row, column])


def _couple(plate: Plate, picture: Colours) -> Colours:
    """The two from behind, and upside down in the wet path: dark, with light on their edges."""
    parts, rng = outlines_of("avenue"), plate.rng(50)
    foot, size = _seen(_PLACE[0], 0, _PLACE[1]), 1 / _PLACE[1]
    man, woman, canopy = _DRESSES[plate.seed % len(_DRESSES)]
    cloths = {"man": man, "woman": woman, "umbrella": canopy}
    box = plate.box(foot[0] - 0.4, foot[1] - 1, foot[0] + 0.4, plate.bottom + 1)
    whole, plate, picture = picture, plate.window(box), picture[box]
    brushed = plate.noise(plate.x * 22, plate.y * 9, 50, 3)
    shapes = [([np.array(spline([*each, each[0]], 6)) for each in parts[name]], cloths.get(cloth, cloth), 0.15)
              for name, cloth in parts["order"]]  # fmt: skip
    shapes += [([panel], canopy, base) for panel, base in zip(_umbrella(), (0.0, 0.1, 0.2, 0.36, 0.56), strict=True)]
    for level in (-1, 1):
        for outlines, cloth, base in shapes:
            placed = [foot + size * each * (1, level) for each in outlines]
            picture = _backlit(plate, picture, placed, cloth, base + 0.05 * brushed, level)
    seen = plate.filled([foot + size * each for outlines, *_ in shapes for each in outlines])
    places = foot + size * rng.uniform((-0.65, -2.25), (0.65, 0.05), (3200, 2))
    colours = _found(plate, picture, places) * rng.uniform(0.8, 1.2, (3200, 1))
    long = rng.uniform(0.012, 0.024, 3200)
    dabs = _painted(plate, picture, _dabs(places, rng.normal(1.5, 0.3, 3200), long, 0.42 * long), colours, 0.75)
    whole[box] = over(picture, dabs, plate.blur(seen, 0.003))
    return whole


def _backlit(
    plate: Plate, picture: Colours, shapes: list[Floats], cloth: str, base: Floats, level: int
) -> Colours:
    """Outlines of one cloth; blurred where they are mirrored."""
    mask = plate.filled(shapes)
    if level < 0:
        return over(picture, ramp(base, *_CLOTHS[cloth]), 0.6 * plate.blur(mask, 0.012))
    down, across = np.gradient(plate.blur(mask, 0.022), plate.pixel)
    _, edge = np.gradient(plate.blur(mask, 0.006), plate.pixel)
    lit = base + 0.011 * (0.5 * down - across) + 0.009 * np.maximum(-edge, 0)
    return over(picture, ramp(lit, *_CLOTHS[cloth]), mask)


def _umbrella() -> list[Floats]:
    """Its underside and four panels, seen from behind and a little from below."""
    top, ends = np.array((0.022, -2.2)), 0.6 * np.sin(np.linspace(-np.pi / 2, np.pi / 2, 5))
    under = [(-0.6, 0.41), (-0.35, 0.36), (0, 0.35), (0.35, 0.36), (0.6, 0.41), (0.35, 0.455), (0, 0.47), (-0.35, 0.455)]
    panels = [np.array(under)]
    for left, right in pairwise(ends):
        sides = [spline([(0, 0), (0.55 * end, 0.06), (0.85 * end, 0.2), (end, 0.41)], 6) for end in (right, left)]
        sag = spline([sides[0][-1], ((left + right) / 2, 0.36), sides[1][-1]], 6)
        panels.append(np.concatenate([sides[0], sag, sides[1][::-1]]))
    return [turned(panel, 0.06) + top for panel in panels]


def _falling(plate: Plate, picture: Colours) -> Colours:
    """Leaves in the air, lit from behind."""
    rng = plate.rng(60)
    places = rng.uniform((-0.95, -0.5), (0.95, 0.7), (34, 2))
    places = places[np.abs(places[:, 0] - _END[0] - _PLACE[0] / _PLACE[1]) > 0.27]
    long = rng.uniform(0.018, 0.045, len(places))
    colours = ramp(rng.uniform(0.55, 1, len(places)), *_GOLD)
    shapes = _dabs(places, rng.uniform(0, 3.1, len(places)), long, 0.55 * long)
    return _painted(plate, picture, shapes, colours, 0.9)
