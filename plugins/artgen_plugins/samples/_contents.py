"""What is in pots of the sample `pots`: fruit in bowls, and flowers in vases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from artgen_plugins.samples._channels import Channel, Channels

_ORANGE, _LEMON, _APPLE = (0.96, 0.50, 0.12), (0.97, 0.80, 0.25), (0.80, 0.16, 0.14)
_GREEN, _HEART = (0.30, 0.56, 0.30), (0.96, 0.72, 0.20)
_PETALS = {
    1: ((0.98, 0.95, 0.90), (0.95, 0.55, 0.55)),
    -1: ((0.97, 0.66, 0.42), (0.66, 0.52, 0.86)),
}
"""Both colours of a bunch that leans to the right, and of one to the left."""
_FRUIT = (
    (_LEMON, 0.03, 0.30, 0.20),
    (_ORANGE, -0.30, 0.10, 0.24),
    (_APPLE, 0.34, 0.09, 0.23),
    (_ORANGE, 0.05, 0.04, 0.22),
)
_FLOWERS = (
    (0, -0.47, 0.48, 0.24),
    (1, 0.44, 0.44, 0.25),
    (1, -0.05, 0.77, 0.26),
    (0, 0.06, 0.32, 0.22),
)
"""Colour, place above the middle of the mouth, and radius of each, from behind to front."""

Things = Sequence[tuple[Channels, Channel]]


def contents(name: str, x: Channel, y: Channel, hand: int) -> Things:
    """Colours of things and how far inside of each places are, around a mouth in the origin.

    With a `hand` of -1 instead of 1 they are the other way round.
    """
    if name == "bowl":
        return [_fruit(x, y, colour, hand * right, up, size) for colour, right, up, size in _FRUIT]
    if name == "vase":
        bunch = [
            (_PETALS[hand][which], hand * right, up, size) for which, right, up, size in _FLOWERS
        ]
        stems = [_stem(x, y, right, up) for _, right, up, _ in bunch]
        heads = [each for flower in bunch for each in _flower(x, y, *flower)]
        return [(_GREEN, np.maximum.reduce([*stems, _leaves(x, y)])), *heads]
    return ()


def _fruit(
    x: Channel, y: Channel, colour: Sequence[float], right: float, up: float, size: float
) -> tuple[Channels, Channel]:
    across, above = (x - right) / size, (y - up) / size
    # Lit from the upper left.
    light = 0.60 + 0.5 * (1 - 0.62 * np.hypot(across + 0.4, above - 0.45))
    gleam = 0.5 * np.exp(-(((across + 0.38) / 0.2) ** 2) - ((above - 0.42) / 0.2) ** 2)
    lit = [each * light + (1 - each) * gleam for each in colour]
    return lit, size * (1 - np.hypot(across, above))


def _flower(
    x: Channel, y: Channel, colour: Sequence[float], right: float, up: float, size: float
) -> Things:
    across, above = x - right, y - up
    far, angle = np.hypot(across, above), np.arctan2(above, across)
    petals = size * (0.78 + 0.22 * abs(np.cos(4 * angle))) - far
    light = 0.70 + 0.30 * (far / size).clip(0, 1) + 0.12 * (above - across) / size
    return [([each * light for each in colour], petals), (_HEART, 0.3 * size - far)]


def _stem(x: Channel, y: Channel, right: float, up: float) -> Channel:
    """A stalk that bends outwards to a flower."""
    share = (y / up).clip(-0.2, 1)
    return np.minimum(0.022 - abs(x - right * share * abs(share)), up - y)


def _leaves(x: Channel, y: Channel) -> Channel:
    """Two leaves that hang over the lip."""
    side = abs(x) - 0.08
    bow = y - 0.16 + 1.1 * (side - 0.20) ** 2
    leaf = 0.065 * np.sin(np.pi * (side / 0.5).clip(0, 1)) ** 0.8 - abs(bow)
    return np.minimum(leaf, 0.5 - side)
