"""The sample `flowers`: blossoms seen from above among leaves, computed from a seed.

Petals, rings and hue are those of the kind; hue, width and size differ a little in each. Leaves are
the same in all, so that pictures laid side by side make one carpet. A bee sits on one kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artgen_plugins.samples._channels import Channel, Channels, oval, over, places, reduced

GROUND, LEAF, STAR, SHADE = (0.05, 0.10, 0.13), (0.20, 0.38, 0.28), (0.93, 0.88, 0.76), (0.0,) * 3
HONEY, BROWN = (0.98, 0.68, 0.13), (0.15, 0.09, 0.07)


@dataclass(frozen=True)
class _Kind:
    """One kind: its petals, their colour and their form."""

    petals: int
    hue: float
    """As a share of a turn."""
    saturation: float
    value: float
    blunt: float = 2.6
    """How blunt petals are: from 1, pointed, to 4."""
    rings: int = 2
    notch: float = 0.0
    """Depth of the notch in the tip of a petal."""
    heart: tuple[float, float, float] = (0.97, 0.74, 0.20)
    bee: bool = False
    """Whether a bee sits on it."""


_KINDS = {
    "poppy": _Kind(4, 0.01, 0.86, 0.88, 4.0, 1, 0.04, (0.13, 0.12, 0.16)),
    "daisy": _Kind(13, 0.13, 0.10, 0.98, 3.2, 2),
    "anemone": _Kind(8, 0.63, 0.70, 0.82, 2.6, 1, 0.0, (0.10, 0.10, 0.20)),
    "marigold": _Kind(9, 0.09, 0.90, 0.97, 3.2, 4, 0.08),
    "cosmos": _Kind(8, 0.91, 0.50, 0.92, 3.6, 1, 0.08),
    "dahlia": _Kind(16, 0.96, 0.78, 0.74, 1.7, 5),
    "violet": _Kind(5, 0.75, 0.58, 0.74, 3.2, 1, 0.05),
    "zinnia": _Kind(11, 0.03, 0.72, 0.95, 3.0, 3),
    "aster": _Kind(21, 0.70, 0.40, 0.90, 2.8, 2),
    "lily": _Kind(6, 0.12, 0.52, 0.97, 1.4, 1, 0.0, (0.62, 0.26, 0.10)),
    "camellia": _Kind(6, 0.98, 0.40, 0.96, 4.0, 5, 0.06),
    "gentian": _Kind(5, 0.57, 0.72, 0.78, 1.6, 2, bee=True),
}
CLASSES = tuple(_KINDS)
HUES = tuple(kind.hue for kind in _KINDS.values())
"""Hues of the petals, as shares of a turn."""


def draw_flower(number: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A flower of the class, uint8 [side, side, 3]."""
    from skimage.color import hsv2rgb

    kind = _KINDS[CLASSES[number]]
    size, width, heart, shade, bend = 2 * rng.random(5) - 1
    x, y, _, within = places(side, side)
    picture: Channels = [np.full_like(x, each) for each in GROUND]

    def petals(
        x: Channel, y: Channel, count: int, reach: float, turn: float, form: tuple[float, ...]
    ) -> tuple[Channel, Channel]:
        """How far petals go where a place is, less how far that is; and how far beside a petal's
        middle it is, 0 to 1."""
        blunt, deep, notch = form
        radius = np.hypot(x, y)
        phase = count * np.arctan2(x, -y) / (2 * np.pi) + turn
        across = 2 * abs(phase - np.rint(phase))
        outline = 1 - deep * across**blunt - notch * np.exp(-((across / 0.2) ** 2))
        return reach * outline - radius, across

    # Leaves around each corner, where those of four pictures meet, and a star upon them.
    u, v = 1 - abs(x), 1 - abs(y)
    for turn, light in ((0.0, 0.8), (0.5, 1.0)):
        leaf, across = petals(u, v, 8, 1.02 - 0.2 * turn, turn, (0.9, 0.86, 0.0))
        vein = 1 - 0.4 * within(0.05 - across, 0.08)
        shaded = light * vein * (0.55 + 0.6 * np.hypot(u, v)) * (1 - 0.25 * across)
        picture = over(picture, [each * shaded for each in LEAF], within(leaf))
    picture = over(picture, STAR, within(petals(u, v, 8, 0.17, 0.0, (2.0, 0.5, 0.0))[0]))
    picture = over(picture, (0.90, 0.62, 0.18), within(0.05 - np.hypot(u, v)))

    radius = np.hypot(x, y)
    form = (kind.blunt, 0.5 + 0.02 * width + 0.1 * (kind.blunt < 2), kind.notch)
    reach = 0.86 * (1 + 0.006 * size)
    for ring in range(kind.rings):
        share = ring / max(kind.rings, 2)
        turn, wide = ring / 2, reach * (1 - 0.85 * share)
        below, _ = petals(x - 0.03, y - 0.05, kind.petals, wide, turn, form)
        picture = over(picture, SHADE, 0.55 * within(below, 0.12))
        here, across = petals(x, y, kind.petals, wide, turn + 0.06 * bend * radius, form)
        along = (radius / wide).clip(0, 1)
        # Darker at the root and beside the middle; veins run along.
        light = 0.62 + 0.38 * along - 0.22 * across**2 + 0.10 * share
        light = light - 0.05 * np.cos(9 * np.pi * across) * along
        hue = (kind.hue + 0.02 * shade + 0.04 * (1 - along)) % 1
        grey = (kind.saturation * (1.15 - 0.3 * along)).clip(0, 1)
        colour = hsv2rgb(np.stack([hue, grey, (kind.value * light).clip(0, 1)], -1))
        picture = over(picture, [colour[..., k] for k in range(3)], within(here))
    wide = (0.15 if kind.rings < 4 else 0.10) * (1 + 0.1 * heart)
    picture = over(picture, SHADE, 0.5 * within(wide - np.hypot(x - 0.02, y - 0.03), 0.1))
    # Florets on two spirals.
    around = np.arctan2(y, x) / (2 * np.pi)
    one, other = (np.cos(2 * np.pi * (8 * around + way * 14 * radius)) for way in (1, -1))
    lit = 0.9 + 0.2 * one * other - 0.6 * (x + y) - 0.3 * (radius / wide) ** 2
    picture = over(picture, [each * lit for each in kind.heart], within(wide - radius))
    if kind.bee:
        picture = _with_a_bee(picture, x, y, within)
    return reduced(picture)


_TAIL, _CHEST, _BACK, _HEAD = (
    (-0.42, 0.0, 0.60, 0.34, 0.0),
    (0.30, 0.0, 0.32, 0.33, 0.0),
    (0.30, 0.0, 0.15, 0.17, 0.0),
    (0.70, 0.0, 0.17, 0.22, 0.0),
)
_WINGS = (-0.12, 0.62, 0.58, 0.24, -0.75), (-0.42, 0.46, 0.42, 0.17, -0.5)
"""Ovals of the bee: where along it and beside it, two radii, and a turn."""

_LEGS = (-0.15, -0.35), (0.25, 0.05), (0.55, 0.35)
"""Where along the bee one begins, and how far it leads to the front."""


def _with_a_bee(
    flower: Channels, x: Channel, y: Channel, within: Callable[..., Channel]
) -> list[Channel]:
    """A bee from above, on the petals at the upper right, that looks to the heart."""
    size, turn = 0.34, 2.3
    right, down = (x - 0.37) / size, (y + 0.40) / size
    along = right * np.cos(turn) + down * np.sin(turn)
    beside = abs(down * np.cos(turn) - right * np.sin(turn))

    def inside(part: tuple[float, float, float, float, float], move: float = 0.0) -> Channel:
        """How far a place is inside a part, which may be moved along the bee."""
        at, far, long, wide, way = part
        u, v = along - at - move, beside - far
        u, v = u * np.cos(way) + v * np.sin(way), v * np.cos(way) - u * np.sin(way)
        return oval(u, v, long, wide) * size

    picture = over(flower, SHADE, 0.4 * within(inside(_TAIL, -0.1), 0.06))
    for part in (_CHEST, _HEAD, *_WINGS):
        picture = over(picture, SHADE, 0.4 * within(inside(part, -0.1), 0.06))
    for start, lead in _LEGS:
        bent = abs(along - start - lead * beside)
        picture = over(picture, BROWN, within(np.minimum(0.035 - bent, 0.62 - beside) * size))
    light = 1.1 - 0.9 * beside
    for part, colour in ((_HEAD, BROWN), (_TAIL, HONEY)):
        picture = over(picture, [each * light for each in colour], within(inside(part)))
    bands = within(np.cos(2 * np.pi * (along + 0.02) / 0.30) * 0.05 * size)
    picture = over(picture, BROWN, bands * within(inside(_TAIL)))
    fur = inside(_CHEST) + 0.012 * np.cos(24 * np.arctan2(beside, along - 0.3))
    picture = over(picture, [each * light for each in HONEY], within(fur))
    picture = over(picture, BROWN, within(inside(_BACK)))
    for part in _WINGS:
        picture = over(picture, STAR, 0.6 * within(inside(part)))
        picture = over(picture, STAR, within(0.009 - abs(inside(part) - 0.009)))
    return picture
