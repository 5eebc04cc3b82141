"""The sample `butterflies`: set specimens of nine kinds over paper, computed from a seed.

Wings, eyespots, veins and tails are those of the kind; hue, size and spread differ a little in
each. Nothing is turned or moved, so that small networks learn them sharply. Wings cast a shadow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artgen_plugins.samples._channels import FINER, Channel, Channels, over, reduced

PAPER, SHADE, INK = (0.965, 0.94, 0.88), (0.76, 0.70, 0.62), (0.13, 0.10, 0.12)
RATIO = 0.8
"""Height of a picture, as a share of its width."""


@dataclass(frozen=True)
class _Kind:
    """One kind: colours near the body and at the margin, and what is drawn on the wings."""

    fore: tuple[float, float, float]
    hind: tuple[float, float, float]
    glow: tuple[float, float, float]
    """The colour of the wings near the body."""
    margin: float
    """Width of the dark border, as a share of a wing."""
    veins: float = 0.0
    """Strength of the veins."""
    spots: float = 0.0
    """Size of the light spots in the border."""
    eye: float = 0.0
    """Size of the eyespots."""
    tail: float = 0.0
    """Length of the tails."""


_KINDS = {
    "monarch": _Kind(
        (0.93, 0.45, 0.10), (0.95, 0.55, 0.14), (0.80, 0.30, 0.06), margin=0.2, veins=1, spots=1
    ),
    "morpho": _Kind(
        (0.10, 0.38, 0.80), (0.08, 0.45, 0.82), (0.30, 0.72, 0.92), margin=0.2, spots=0.5
    ),
    "peacock": _Kind(
        (0.69, 0.17, 0.11), (0.62, 0.19, 0.14), (0.42, 0.12, 0.10), margin=0.09, eye=1
    ),
    "swallowtail": _Kind(
        *((0.96, 0.82, 0.36), (0.96, 0.78, 0.30), (0.98, 0.90, 0.58)),
        *(0.24, 0.9, 1.2, 0.55, 0.26),
    ),
    "luna": _Kind(
        (0.62, 0.83, 0.62), (0.66, 0.86, 0.66), (0.82, 0.93, 0.78), margin=0.04, eye=0.5, tail=0.34
    ),
    "dusk": _Kind(
        (0.44, 0.25, 0.55),
        (0.86, 0.38, 0.50),
        (0.30, 0.17, 0.42),
        margin=0.13,
        veins=0.5,
        spots=0.8,
    ),
    "birdwing": _Kind(
        (0.05, 0.45, 0.33), (0.10, 0.56, 0.36), (0.62, 0.85, 0.32), margin=0.26, veins=1
    ),
    "rose": _Kind(
        *((0.90, 0.46, 0.52), (0.96, 0.70, 0.46), (0.99, 0.86, 0.62)),
        *(0.1, 0.5, 0.6, 0.4, 0.1),
    ),
    "admiral": _Kind(
        (0.20, 0.24, 0.42), (0.86, 0.30, 0.14), (0.12, 0.13, 0.24), margin=0.16, veins=0.4, spots=1
    ),
}
CLASSES = tuple(_KINDS)


def draw_butterfly(number: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A butterfly of the kind, uint8 [0.8·side, side, 3]."""
    kind = _KINDS[CLASSES[number]]
    size, spread, broad, border, hue, spot, lean = 2 * rng.random(7) - 1
    height = round(RATIO * side)
    row, column = np.mgrid[: height * FINER, : side * FINER] + 0.5
    signed = 2 * column / (side * FINER) - 1
    x = abs(signed)
    # Room below for the tails.
    y = (1 - 2 * row / (height * FINER)) * RATIO - 0.1
    picture: Channels = PAPER
    scale = 0.9 + 0.015 * size
    margin = kind.margin * (1 + 0.08 * border)

    edge = 2 / (side * FINER)
    # Direction, length, half the angle, bluntness and colour of the lower and the upper wing.
    hind = (-0.72 + 0.02 * spread, 0.62 + 0.01 * broad, 1.12, 0.45, kind.hind)
    fore = (0.56 + 0.016 * spread, 0.98 + 0.005 * broad, 0.76 + 0.01 * lean, 0.36, kind.fore)

    def wing_at(
        x: Channel, y: Channel, wing: tuple[float, float, float, float, Channels]
    ) -> tuple[Channel, Channel, Channel]:
        """How far a place is from the root of a wing, and how far the wing goes there.

        The third is where across the wing it is, -1 to 1.
        """
        turn, reach, half, bluntness, _ = wing
        dx, dy = x - 0.02, y + 0.04 * (turn < 0)
        radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
        across = (angle - turn) / half
        outline = np.cos((across * np.pi / 2).clip(-np.pi / 2, np.pi / 2)) ** bluntness
        outline = scale * reach * outline * (1 + 0.018 * np.cos(9 * np.pi * across))
        if turn < 0:
            outline = outline + scale * kind.tail * np.exp(-(((angle + 1.12) / 0.13) ** 2))
        return radius, outline, across

    shade = np.zeros_like(y)
    for each in (hind, fore):
        radius, outline, _ = wing_at(abs(signed - 0.035), y + 0.05, each)
        shade = np.maximum(shade, ((outline - radius) / 0.09 + 0.5).clip(0, 1))
    picture = over(picture, SHADE, shade)
    for each in (hind, fore):
        turn, reach, _, _, base = each
        radius, outline, across = wing_at(x, y, each)
        inside = ((outline - radius) / edge + 0.5).clip(0, 1)
        depth = (radius / np.maximum(outline, 1e-6)).clip(0, 1)
        near = (1 - depth / 0.75).clip(0, 1)
        tinted = [c + 0.04 * hue * d for c, d in zip(base, (1.0, -0.3, -0.8), strict=True)]
        wing = over(tinted, kind.glow, near)
        if kind.veins:
            ridge = abs(np.cos(3.5 * np.pi * across)) * radius
            wing = over(wing, INK, kind.veins * (1 - ridge / 0.035).clip(0, 1))
        # The border ends as a step over a pixel, in the distance from the outline.
        wing = over(wing, INK, ((depth - 1 + margin) * outline / edge + 0.5).clip(0, 1))
        if kind.spots:
            middle = (depth - 1 + margin / 2) * outline
            between = np.sin(4.5 * np.pi * across) ** 2
            dots = 0.036 * kind.spots * (1 + 0.06 * spot)
            light = ((dots - np.hypot(middle, (1 - between) * 0.07)) / edge + 0.5).clip(0, 1)
            wing = over(wing, (0.98, 0.95, 0.86), light)
        picture = over(picture, wing, inside)
        if kind.eye:
            far = 0.66 * scale * reach
            ring = np.hypot(x - far * np.cos(turn) - 0.02, y - far * np.sin(turn))
            rings = ((0.125, (0.96, 0.80, 0.36)), (0.098, INK), (0.066, (0.28, 0.46, 0.78)))
            for wide, colour in (*rings, (0.026, (0.97, 0.95, 0.9))):
                limit = wide * kind.eye * (1 + 0.05 * spot)
                share = inside * ((limit - ring) / edge + 0.5).clip(0, 1)
                picture = over(picture, colour, share)
    body = np.hypot(x / 0.042, (y + 0.02) / 0.26) - 1
    picture = over(picture, INK, (0.5 - body * 0.042 / edge).clip(0, 1))
    picture = over(picture, INK, ((0.05 - np.hypot(x, y - 0.25)) / edge + 0.5).clip(0, 1))
    feeler = abs(x - 0.02 - 0.9 * (y - 0.26).clip(0, None) ** 1.4)
    share = ((0.012 - feeler) / edge + 0.5).clip(0, 1) * (y > 0.26) * (y < 0.58)
    return reduced(over(picture, INK, share))
