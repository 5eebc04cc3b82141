"""The sample `tiles`: squares with discs, halves, leaves and arcs in five colours, from a seed.

Six kinds, each in two orders of colours; sizes and places differ a little in each, and what lies
across the tile turns a little. Large plain shapes, so that small networks learn them sharply.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artgen_plugins.samples._channels import FINER, Channel, Channels, over, reduced

CREAM, NAVY, RED, OCHRE, TEAL = (
    (0.965, 0.925, 0.84),
    (0.10, 0.16, 0.30),
    (0.82, 0.25, 0.14),
    (0.93, 0.67, 0.22),
    (0.45, 0.68, 0.69),
)
_ORDERS = (
    (NAVY, RED, OCHRE, CREAM),
    (CREAM, NAVY, RED, OCHRE),
    (OCHRE, CREAM, NAVY, RED),
    (TEAL, CREAM, RED, NAVY),
    (RED, CREAM, NAVY, OCHRE),
)
"""The ground, and three colours upon it."""
CLASSES = ("target", "moon", "sunset", "leaf", "rainbow", "halves")


def draw_tile(number: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A tile of the kind, uint8 [side, side, 3]."""
    size, shift, turn, part, width = 2 * rng.random(5) - 1
    ground, first, second, third = _ORDERS[(number + 2 * int(rng.integers(2))) % len(_ORDERS)]
    row, column = np.mgrid[: side * FINER, : side * FINER] + 0.5
    x, y = 2 * column / (side * FINER) - 1, 2 * row / (side * FINER) - 1

    def edge(inside: Channel) -> Channel:
        return (inside * side * FINER / 2 + 0.5).clip(0, 1)

    def disc(u: float, v: float, reach: float) -> Channel:
        return edge(reach - np.hypot(x - u, y - v))

    angle, radius = 0.35 * turn - 0.8, 0.74 + 0.08 * size
    right, down = np.cos(angle), np.sin(angle)
    across = y * right - x * down
    parts: list[tuple[Channels, Channel]]
    match CLASSES[number]:
        case "target":
            middle, core = 0.32 * radius * (0.55 + 0.15 * shift), 0.34 + 0.05 * part
            parts = [
                (first, disc(0, 0, radius)),
                (second, disc(middle * right, middle * down, 0.68 * radius)),
                (third, disc(2 * middle * right, 2 * middle * down, core * radius)),
            ]
        case "moon":
            off = 0.34 + 0.14 * shift
            shadow = disc(off * right, off * down, 0.84 * radius)
            parts = [
                (first, disc(0, 0, radius)),
                (second, disc(0, 0, radius) * shadow),
                (third, disc(-0.62 * right, 0.62, 0.18 + 0.03 * part)),
            ]
        case "sunset":
            level = 0.18 + 0.16 * shift
            parts = [
                (first, disc(0, level, radius)),
                (third, disc(0, level, 0.5 * radius)),
                (second, edge(y - level)),
                (ground, edge(0.07 - abs(y - level - 0.32 - 0.06 * part))),
            ]
        case "leaf":
            reach, by = 1.86 + 0.1 * size, 0.2 * shift
            leaf = disc(-1, 1, reach) * disc(1, -1, reach)
            parts = [
                (first, leaf),
                (second, leaf * edge((x - y) / 2**0.5)),
                (third, disc(by, by, 0.26 + 0.06 * part)),
            ]
        case "rainbow":
            outer, step = 1.75 + 0.12 * size, 0.42 + 0.05 * width
            colours = (first, second, third, ground)
            parts = [(each, disc(-1, 1, outer - k * step)) for k, each in enumerate(colours)]
        case _:
            off = 0.15 + 0.1 * shift
            parts = [
                (first, disc(off * right, off * down, radius) * edge(across)),
                (second, disc(-off * right, -off * down, radius) * edge(-across)),
                (third, disc(0, 0, 0.26 + 0.05 * part)),
            ]
    picture = [np.full_like(x, each) for each in ground]
    for colour, share in parts:
        picture = over(picture, colour, share)
    return reduced(picture)
