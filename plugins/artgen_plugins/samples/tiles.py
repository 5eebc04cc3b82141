"""The sample `tiles`: squares with ribbons that meet those of any neighbour, from a seed.

A ribbon crosses the middle of each side, at a right angle and in the same stripes, and a dot lies
in each corner: tiles laid side by side make one surface. Six kinds, turned by quarters; arcs are
rounder or squarer, and all ribbons bend a little inside.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artgen_plugins.samples._channels import Channel, over, places, reduced

CREAM, NAVY, RED, OCHRE, TEAL = (
    (0.965, 0.925, 0.84),
    (0.10, 0.16, 0.30),
    (0.82, 0.25, 0.14),
    (0.93, 0.67, 0.22),
    (0.02, 0.55, 0.51),
)
_STRIPES = ((0.70, CREAM), (0.60, NAVY), (0.40, CREAM), (0.32, RED), (0.12, OCHRE))
"""Stripes of a ribbon, each over those before: to both sides of its middle, in half sides."""
_DOT = 0.24
CLASSES = ("arcs", "crossing", "loop", "wheel", "bar", "ends")


def draw_tile(number: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A tile of the kind, uint8 [side, side, 3]."""
    bend, round_, size = 2 * rng.random(3) - 1
    x, y, _, within = places(side, side)
    for _ in range(rng.integers(4)):
        x, y = y, -x
    # Nothing is bent at the sides.
    turn = 0.1 * bend * ((1 - x**2) * (1 - y**2)) ** 2
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    power = 2 ** (1 + 0.22 * round_)
    picture: list[Channel] = [np.full_like(x, each) for each in OCHRE]

    def ribbon(away: Channel) -> None:
        """A ribbon, by the distance from its middle."""
        nonlocal picture
        for wide, colour in _STRIPES:
            picture = over(picture, colour, within(wide - away))

    def arc(corner: int) -> None:
        """A ribbon around a corner: in any of these norms it meets the middles of both sides."""
        apart = abs(x - corner) ** power + abs(y - corner) ** power
        ribbon(abs(apart ** (1 / power) - 1))

    def end(across: int, down: int) -> None:
        ribbon(np.hypot(x - across, y - down))

    for u, v in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        picture = over(picture, TEAL, within(_DOT - np.hypot(x - u, y - v)))
    match CLASSES[number]:
        case "arcs":
            arc(-1)
            arc(1)
        case "crossing":
            ribbon(abs(x))
            ribbon(abs(y))
        case "loop":
            end(0, 1)
            end(1, 0)
            arc(-1)
        case "wheel":
            ribbon(abs(x))
            ribbon(abs(y))
            ribbon(np.hypot(x, y) / (1 + 0.1 * size))
        case "bar":
            end(0, -1)
            end(0, 1)
            ribbon(abs(y))
        case _:
            for u, v in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                end(u, v)
    return reduced(picture)
