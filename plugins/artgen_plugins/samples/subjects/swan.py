"""A swan with a young one on dark water, whose white the ripples draw out, under a willow."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._curves import directed, feather, outlines_of, ribbon, spline, spread
from ._paint import Paint, painted
from ._plate import Colours, Floats, Plate, hexed, over, ramp, sampled, smooth

_WATERLINE = 0.42
_AROUND = directed(np.linspace(0, 2 * np.pi, 30))
_WHITE = ((0.0, "#44598c"), (0.35, "#8fa3cc"), (0.65, "#dfe4ee"), (0.85, "#fffaf0"))
_DOWN = ((0.0, "#4c4a55"), (0.5, "#9a8f8c"), (1.0, "#e0d2bd"))


def swan(plate: Plate) -> Colours:
    """Draw it: the water, the birds upside down in it, the birds, lilies and the willow."""
    water = _water(plate)
    birds, mask = _birds(plate)
    depth = np.maximum(plate.y - _WATERLINE, 0)
    wave = plate.noise(plate.x * 1.2, plate.y * 9, 4, 3)
    shift = plate.x + (0.02 + 0.12 * depth) * wave
    row, column = plate.place(shift, _WATERLINE - 0.9 * depth)
    image, share = sampled(birds, row, column), sampled(mask[..., None], row, column)[..., 0]
    gaps = smooth(0.55, 0.75, plate.noise(plate.x * 1.5, plate.y * 16, 6, 2) - 0.35 * depth)
    share = share * (plate.y > _WATERLINE) * (0.75 - 0.35 * depth) * (1 - gaps)
    picture = over(over(water, image * (0.62, 0.78, 0.86), share), birds, mask)
    for across, wide in outlines_of("swan")["wakes"]:
        ring = (across, _WATERLINE) + _AROUND * (wide, 0.05 * wide)
        line = plate.filled([ring]) - plate.filled([ring - (0, 0.009)])
        picture = over(picture, "#cfe6e2", 0.55 * np.clip(line, 0, 1))
    picture = painted(plate, picture, [*_lilies(plate), *_willow(plate)])
    return plate.faced(plate.finished(picture, 0.01, 0.3))


def _water(plate: Plate) -> Colours:
    """Dark water with the evening on it far away, in long ripples."""
    x, y = plate.x, plate.y
    paper = plate.noise(x * 2, y * 2, 1, 6, 0.6)
    picture = ramp(y + 0.06 * paper, (-1.25, "#e79a5f"), (-0.98, "#b4685c"), (-0.62, "#3d5468"), (-0.2, "#12404f"),
                   (0.4, "#0b2a3b"), (1.25, "#081b2b"))  # fmt: skip
    fine = 5 / (y + 1.75)
    ripple = plate.noise(x * fine * 0.5, y * fine * 6, 2, 3)
    near = 0.45 * smooth(-1.3, -0.3, y)
    picture = over(picture, "#2b7d86", near * smooth(0.45, 0.6, ripple))
    picture = over(picture, "#06141f", near * smooth(-0.5, -0.65, ripple))
    return picture + 0.012 * paper[..., None]


def _birds(plate: Plate) -> tuple[Colours, Floats]:
    """The two birds on nothing, and where they are."""
    shapes, rng = outlines_of("swan"), plate.rng(3)
    paint = _wing(rng, shapes["far"], 0.62)
    paint += [(spline(shapes["body"], 8), ramp(0.55, *_WHITE)), *_wing(rng, shapes["near"], 1)]
    picture = painted(plate, np.zeros((*plate.x.shape, 3), np.float32), paint)
    masks = [plate.filled([outline for outline, _ in paint])]
    neck = spline(shapes["neck"], 10)
    body = [ribbon(neck, spread(shapes["neck_widths"], len(neck)))]
    body += [spline(shapes[each], 8) for each in ("breast", "head")]
    young = [spline(each, 8) for each in shapes["young"]]
    for parts, soft, stops in ((body, 0.06, _WHITE), (young, 0.06, _DOWN)):
        mask = plate.filled(parts)
        down, across = np.gradient(plate.blur(mask, soft), plate.pixel)
        light = 0.62 + 0.8 * soft * (across * 0.75 + down * 0.6)
        picture = over(picture, ramp(light, *stops), mask)
        masks.append(mask)
    flat: Paint = [(spline(shapes["young_wing"], 8), ramp(0.25, *_DOWN))]
    flat += [(np.array(outline), hexed(shade)) for shade, outline in shapes["flat"]]
    flat += [((x, y) + size * _AROUND, hexed(shade)) for x, y, size, shade in shapes["dots"]]
    picture = painted(plate, picture, flat)
    masks.append(plate.filled([outline for outline, _ in flat]))
    return picture, np.max(masks, axis=0) * (plate.y < _WATERLINE)


def _wing(rng: np.random.Generator, rows: list[Any], dim: float) -> Paint:
    """Rows of feathers, from behind to the front, in a light that is less by `dim`."""
    paint: Paint = []
    for count, first, last, ends in rows:
        tips = np.stack([spread(each, count) for each in spline(ends, 12).T], 1)
        for number, root in enumerate(np.linspace(first, last, count)):
            out = tips[number] - root
            way, long = float(np.arctan2(out[1], out[0])), float(np.hypot(*out))
            light = dim * (0.95 - 0.3 * number / count + 0.06 * rng.random())
            for tone, share, wide in ((light - 0.42, 1, 0.062), (light, 0.97, 0.05)):
                quill = feather(root, way, share * long, wide, 0.06)
                paint.append((quill, ramp(tone, *_WHITE)))
    return paint


def _lilies(plate: Plate) -> Paint:
    """Leaves on the water, and a flower."""
    shapes = outlines_of("swan")
    paint: Paint = []
    for x, y, size, way, shade in shapes["pads"]:
        middle, flat = np.array((x, y)), np.array((size, 0.36 * size))
        edge = directed(way + np.linspace(0.25, 2 * np.pi - 0.25, 40))
        leaf = middle + np.concatenate([[(0, 0)], edge]) * flat
        paint += [(leaf + (0, 0.03), hexed("#050f18")), (leaf, hexed(shade))]
        for tip in 0.9 * directed(way + np.arange(0.8, 6, 0.75)) * flat:
            rib = ribbon(np.stack([middle, middle + tip]), (0.012, 0.002))
            paint.append((rib, hexed("#7fa66a")))
    x, y, size = shapes["flower"]
    for ring, shade in enumerate(("#b8446a", "#e8769a", "#ffc2d0")):
        for way in np.linspace(-np.pi + 0.15, -0.15, 7 - ring):
            long = size * (1 - 0.14 * ring) * (0.75 + 0.25 * abs(np.cos(way)))
            paint.append((feather(np.array((x, y)), way, long, 0.2 * size), hexed(shade)))
    return [*paint, ((x, y - 0.25 * size) + 0.12 * size * _AROUND, hexed("#ffd45a"))]


def _willow(plate: Plate) -> Paint:
    """Twigs that hang into the picture, with narrow leaves to both sides."""
    rng = plate.rng(8)
    paint: Paint = []
    for x, tall, lean in outlines_of("swan")["twigs"]:
        twig = spline([(x, -1.3), (x + 0.6 * lean, -1.3 + 0.5 * tall), (x + lean, -1.3 + tall)], 16)
        paint.append((ribbon(twig, np.linspace(0.02, 0.006, len(twig))), hexed("#0a1c22")))
        for number, place in enumerate(twig[2::2]):
            way = 1.57 + (0.5 + 0.2 * rng.random()) * (-1) ** number
            leaf = feather(place, way, 0.15 + 0.04 * rng.random(), 0.018, 0.15)
            paint.append((leaf, ramp(rng.random(), (0, "#0d2a2c"), (1, "#2a5a48"))))
    return paint
