"""Two who walk away under one umbrella, before the light, and their images in wet ground."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ._curves import outlines_of, spline, turned
from ._paint import colours_at, dabs, painted
from ._plate import Colours, Floats, Plate, over, ramp

_DRESSES = (("blue", "red", "teal"), ("dark", "teal", "red"), ("teal", "red", "blue"))
"""Of him, of her, and the umbrella."""


def walkers(plate: Plate, picture: Colours, foot: Floats, size: float) -> Colours:
    """Draw them over a picture in place, `size` per metre: dark, with light on their edges."""
    parts, rng, count = outlines_of("avenue"), plate.rng(50), 3200
    dress = dict(zip(("man", "woman", "umbrella"), _DRESSES[plate.seed % 3], strict=True))
    box = plate.box(foot[0] - size, foot[1] - 2.5 * size, foot[0] + size, plate.bottom + 1)
    whole, plate, picture = picture, plate.window(box), picture[box]
    shapes = [([spline([*each, each[0]], 6) for each in parts[name]], dress.get(cloth, cloth), 0.15)
              for name, cloth in parts["order"]]  # fmt: skip
    for panel, base in zip(_umbrella(), (0.0, 0.1, 0.2, 0.36, 0.56), strict=True):
        shapes.append(([panel], dress["umbrella"], base))
    brushed = 0.05 * plate.noise(plate.x * 22, plate.y * 9, 50, 3)
    for level in (-1, 1):
        for outlines, cloth, base in shapes:
            mask = plate.filled([foot + size * each * (1, level) for each in outlines])
            lit = base + brushed
            if level < 0:
                mask = 0.6 * plate.blur(mask, 0.012)
            else:
                lit = lit + _light(plate, mask)
            picture = over(picture, ramp(lit, *parts["cloths"][cloth]), mask)
    covered = plate.filled([foot + size * each for outlines, *_ in shapes for each in outlines])
    places = foot + size * rng.uniform((-0.65, -2.25), (0.65, 0.05), (count, 2))
    colours = colours_at(plate, picture, places) * rng.uniform(0.8, 1.2, (count, 1))
    long = rng.uniform(0.012, 0.024, count)
    strokes = dabs(places, rng.normal(1.5, 0.3, count), long, 0.42 * long)
    stroked = painted(plate, picture, zip(strokes, colours, strict=True), 0.75)
    whole[box] = over(picture, stroked, plate.blur(covered, 0.003))
    return whole


def _light(plate: Plate, mask: Floats) -> Floats:
    """Of a round body, from the right and above, and a bright rim there."""
    down, across = np.gradient(plate.blur(mask, 0.022), plate.pixel)
    _, edge = np.gradient(plate.blur(mask, 0.006), plate.pixel)
    return np.asarray(0.011 * (0.5 * down - across) + 0.009 * np.maximum(-edge, 0))


def _umbrella() -> list[Floats]:
    """Its underside and four panels, seen from behind and a little from below."""
    top, ends = np.array((0.022, -2.2)), 0.6 * np.sin(np.linspace(-np.pi / 2, np.pi / 2, 5))
    panels = [np.array(outlines_of("avenue")["under"])]
    for pair in pairwise(ends):
        left, right = (spline([(0, 0), (0.55 * end, 0.06), (0.85 * end, 0.2), (end, 0.41)], 6)
                       for end in pair)  # fmt: skip
        sag = spline([right[-1], (sum(pair) / 2, 0.36), left[-1]], 6)
        panels.append(np.concatenate([right, sag, left[::-1]]))
    return [turned(panel, 0.06) + top for panel in panels]
