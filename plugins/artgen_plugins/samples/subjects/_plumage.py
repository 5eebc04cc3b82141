"""Feathers of many colours, each a list of outlines."""

from __future__ import annotations

import numpy as np

from ._curves import directed, feather, ribbon, turned
from ._paint import Paint
from ._plate import Colours, Floats, hexed

_BARBS = ("#14513f", "#2a7046", "#3f8a4a", "#6a9243", "#8f9a3c", "#c79a3e")
_RINGS = (
    *((1.5, 0.0, 0.0, "#4f7a34"), (1.3, 0.03, 0.0, "#c09a3e"), (1.12, 0.06, 0.0, "#94522a")),
    *((0.84, 0.12, 0.0, "#2fb3b0"), (0.52, 0.2, 0.45, "#1a1f6e")),
)
"""Size, shift towards the tip, depth of the notch and colour, from the outside."""
_SCALES = ((1.0, "#10282a"), (0.84, "#a08a34"), (0.6, "#2f7f5a"), (0.32, "#d9c25e"))
_ANGLE = np.linspace(0, 2 * np.pi, 24)


def lit(colour: str, light: float) -> Colours:
    """A colour in a light from 0 to 1; shade is cold."""
    return np.asarray(
        hexed(colour) * (0.28 + 0.9 * light) + np.array((0.02, 0.07, 0.13)) * (1 - light)
    )


def scale_of(tip: Floats, way: float, light: float, size: float) -> Paint:
    """A small round feather with a dark edge."""
    return [
        (turned(feather(np.array((-1.5 * part, 0.0)), 0.0, 2.2 * part, 0.7 * part, 0.0), way) + tip, lit(colour, light))
        for part, colour in ((size * share, colour) for share, colour in _SCALES)
    ]  # fmt: skip


def eyed(rng: np.random.Generator, tip: Floats, way: float, light: float, size: float) -> Paint:
    """A feather of a train: a dark vane, barbs to both sides of its shaft, the eye."""
    ahead = directed(way)
    root = tip - 5 * size * ahead
    paint = [(feather(root, way, 7.2 * size, 2.0 * size, 0.0), lit("#0f3a30", 0.7 * light))]
    for share in np.linspace(0, 1, 16):
        start = root + 5.4 * size * share * ahead
        for side in (-1, 1):
            aside = directed(way + side * (0.75 - 0.35 * share))
            barb = np.stack([start, start + size * (2.3 - 0.5 * share) * aside])
            tone = lit(rng.choice(_BARBS), light * rng.uniform(0.6, 1.1))
            paint.append((ribbon(barb, (0.28 * size, 0.05 * size)), tone))
    paint.append((ribbon(np.stack([root, tip]), 0.16 * size), lit("#e8d79a", light)))
    for reach, shift, notch, colour in _RINGS:
        # Of the heart in the middle, towards the root.
        edge = 1 - notch * np.exp(-(((_ANGLE - np.pi) / 0.45) ** 2))
        oval = directed(_ANGLE) * edge[:, None] * (1.22 * reach, reach) + (shift, 0)
        paint.append((size * turned(oval, way) + tip, lit(colour, 0.1 + light)))
    glint = tip + size * (0.14 * directed(_ANGLE) - (0.45, 0.43))
    return [*paint, (glint, lit("#c8f4e2", light))]
