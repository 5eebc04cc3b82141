"""A toucan on a branch between leaves, cut from paper, before a low sun and its rays."""

from __future__ import annotations

import numpy as np

from ._curves import directed, outlines_of, spline, turned
from ._paint import Paint, leaf_of, painted
from ._plate import Colours, Floats, Plate, hexed, over

_SUN, _RAYS = np.array((0.7, 0.11)), 16
_FLOWER, _PETALS = np.array((0.59, 0.85)), 6


def toucan(plate: Plate) -> Colours:
    """Draw it: rays and the sun, then sheet upon sheet leaves, branch and flower, the bird."""
    parts = outlines_of("toucan")
    leaves = [half for leaf in parts["leaves"] for half in leaf_of(*leaf)]
    picture = np.broadcast_to(hexed("#5fbad0"), (*plate.x.shape, 3))
    picture = painted(plate, picture, _sky())
    for sheet in (leaves, _cut(parts["branch"]) + _flower(), _cut(parts["bird"])):
        # The sheet's shadow lies on those below.
        shadow = plate.blur(plate.filled([shape + (-0.012, 0.02) for shape, _ in sheet]), 0.012)
        picture = painted(plate, over(picture, "#10243a", 0.35 * shadow), sheet)
    paper = plate.noise(plate.x * 3, plate.y * 3, 1, 7, 0.7)
    return plate.faced(plate.finished(picture + 0.012 * paper[..., None], 0.008, 0.1))


def _cut(shapes: list[tuple[str, list[tuple[float, float]]]]) -> Paint:
    """Colours and points as closed curves."""
    return [(spline([*points, points[0]], 10), hexed(colour)) for colour, points in shapes]


def _sky() -> Paint:
    """Every other ray, the sun's halo and the sun."""
    ends = 4 * directed(np.linspace(0, 2 * np.pi, _RAYS + 1) + 0.2) + _SUN
    rays = [np.stack([_SUN, *ends[k : k + 2]]) for k in range(0, _RAYS, 2)]
    circle: Floats = directed(np.linspace(0, 2 * np.pi, 90))
    shapes = [*rays, 0.31 * circle + _SUN, 0.21 * circle + _SUN]
    colours = ["#cfebe9"] * len(rays) + ["#fbe3a1", "#f9b83f"]
    return [(shape, hexed(colour)) for shape, colour in zip(shapes, colours, strict=True)]


def _flower() -> Paint:
    """Petals of two reds in turn, and the heart."""
    petal = spline(outlines_of("toucan")["petal"], 8)
    turns = 2 * np.pi * np.arange(_PETALS) / _PETALS + 0.3
    found = [
        (turned(petal, turn) + _FLOWER, hexed(("#cf2338", "#f7907a")[k % 2]))
        for k, turn in enumerate(turns)
    ]
    heart: Floats = 0.085 * directed(np.linspace(0, 2 * np.pi, 40)) + _FLOWER
    return [*found, (heart, hexed("#ffd24a"))]
