"""The sample `butterflies`: nine kinds at night among leaves, computed from a seed.

All is flat, thick and of few colours, and nothing is turned or moved, so that small networks learn
it sharply. Wings and what is on them are those of the kind; size and spread differ a little in
each. Moons and leaves are the same in all, so that pictures laid side by side make one surface.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artgen_plugins.samples._channels import Channel, over, places, reduced

NIGHT, CREAM, RED, OCHRE, TEAL = (
    (0.11, 0.09, 0.20),
    (0.965, 0.92, 0.82),
    (0.90, 0.32, 0.22),
    (0.96, 0.71, 0.24),
    (0.08, 0.46, 0.45),
)
Colour = tuple[float, float, float]
Wing = tuple[float, float, float, float]
"""Direction, length, half the angle, and bluntness from 0, of the upper or the lower wing."""

_ROUND: tuple[Wing, Wing] = (0.56, 0.94, 0.84, 0.36), (-0.80, 0.78, 0.92, 0.44)
_LONG: tuple[Wing, Wing] = (0.50, 0.99, 0.74, 0.32), (-0.94, 0.76, 0.84, 0.40)
_BROAD: tuple[Wing, Wing] = (0.48, 0.94, 0.86, 0.26), (-0.86, 0.80, 0.84, 0.34)


@dataclass(frozen=True)
class _Kind:
    """One kind: its wings, and the colours of their margin, their field and what lies in it."""

    wings: tuple[Wing, Wing]
    margin: Colour
    field: Colour
    heart: Colour
    eye: float = 0.0
    """Size of an eye in each wing; without, a smaller wing lies in it."""
    tail: float = 0.0
    """Length of the tails."""


_KINDS = {
    "emperor": _Kind(_ROUND, RED, OCHRE, TEAL, eye=0.125),
    "peacock": _Kind(_LONG, CREAM, TEAL, OCHRE, eye=0.13, tail=0.22),
    "tortoiseshell": _Kind(_BROAD, OCHRE, CREAM, RED),
    "admiral": _Kind(_LONG, OCHRE, RED, CREAM, eye=0.14),
    "heath": _Kind(_BROAD, TEAL, CREAM, RED, eye=0.13),
    "swallowtail": _Kind(_ROUND, CREAM, RED, OCHRE, tail=0.16),
    "monarch": _Kind(_BROAD, CREAM, OCHRE, RED, eye=0.13),
    "brimstone": _Kind(_ROUND, TEAL, OCHRE, TEAL),
    "dragontail": _Kind(_LONG, RED, CREAM, TEAL, eye=0.13, tail=0.22),
}
CLASSES = tuple(_KINDS)


def draw_butterfly(number: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A butterfly of the kind, uint8 [side, side, 3]."""
    from scipy.ndimage import distance_transform_edt

    kind = _KINDS[CLASSES[number]]
    size, spread = 2 * rng.random(2) - 1
    x, y, edge, within = places(side, side)
    x, y = abs(x), -y
    picture: list[Channel] = [np.full_like(x, each) for each in NIGHT]

    # Twelve leaves around each corner, where those of four pictures meet, and a moon upon them.
    right, down = 1 - x, 1 - abs(y)
    corner = np.hypot(right, down)
    phase = np.arctan2(down, right) * 6 / np.pi
    beside = abs(phase - np.rint(phase)) * np.pi / 6 * corner
    long = np.where(np.rint(phase) % 3 == 0, 0.96, 0.62)
    leaf = 0.085 * np.sin(np.pi * (corner / long).clip(0, 1)) ** 0.8
    picture = over(picture, TEAL, within(leaf - beside))
    for wide, colour in ((0.24, NIGHT), (0.19, CREAM), (0.10, OCHRE)):
        picture = over(picture, colour, within(wide - corner))

    scale = 0.93 + 0.02 * size
    free = np.ones_like(x, bool)
    for lower, (turn, reach, half, blunt) in enumerate(kind.wings):
        turn = turn + 0.02 * spread
        dx, dy = x - 0.03, y - 0.02 + 0.10 * lower
        radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
        across = (angle - turn) / half
        outline = np.cos((across * np.pi / 2).clip(-np.pi / 2, np.pi / 2)) ** blunt
        outline = scale * reach * outline
        if lower:
            outline = outline + kind.tail * np.exp(-(((angle + 1.15) / 0.20) ** 2))
        # The lower wing ends before the upper one, with its margin whole; night is between them.
        wing = (outline > radius) & free
        depth, outside = (distance_transform_edt(each) * edge for each in (wing, ~wing))
        free = outside > 0.06
        picture = over(picture, NIGHT, within(0.05 - outside))
        picture = over(picture, kind.margin, within(depth - 0.5 * edge))
        picture = over(picture, NIGHT, within(depth - 0.075))
        picture = over(picture, kind.field, within(depth - 0.125))
        if not kind.eye:
            picture = over(picture, kind.heart, within(depth - 0.20))
            continue
        far = 0.62 * scale * reach
        away = np.hypot(dx - far * np.cos(turn), dy - far * np.sin(turn))
        size_of_eye = kind.eye * (1 - 0.25 * lower)
        for share, colour in ((1.0, kind.heart), (0.5, NIGHT)):
            picture = over(picture, colour, within(share * size_of_eye - away))
    # Feelers with knobs.
    bow = np.where((x < 0.24) & (y > 0.5), abs(np.hypot(x - 0.24, y - 0.5) - 0.21), 1.0)
    stalk = np.where((y > 0.2) & (y <= 0.5), abs(x - 0.03), 1.0)
    away = np.minimum(np.minimum(bow, stalk), np.hypot(x - 0.24, y - 0.71) - 0.03)
    for wide, colour in ((0.08, NIGHT), (0.028, CREAM)):
        picture = over(picture, colour, within(wide - away))
    for wide, tall, colour in ((0.135, 0.37, NIGHT), (0.07, 0.29, CREAM)):
        body = 1 - np.hypot(x / wide, (y + 0.04) / tall)
        picture = over(picture, colour, within(body * wide))
    return reduced(picture)
