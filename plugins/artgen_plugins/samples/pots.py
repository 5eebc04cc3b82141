"""The sample `pots`: pots of six kinds in six glazes, each in a niche of a cabinet, from a seed.
Every seventh niche has a cat.

A pot is a curve that is turned: the radii of foot, belly, shoulder, neck and lip are those of its
kind, a little different in each. Nothing else moves, so that small networks learn them sharply.
Around the belly it has the frieze of its kind; bowls hold fruit, and vases flowers.
Niches are alike: pictures laid side by side make one cabinet.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from artgen_plugins.samples._channels import Channel, Channels, over, places, reduced
from artgen_plugins.samples._contents import contents
from artgen_plugins.samples._sitting import COATS, outline, seated

WALL, WOOD = (0.12, 0.25, 0.28), (0.66, 0.45, 0.28)
RATIO = 1.2
"""Height of a picture, as a share of its width."""
_RADII = {
    "amphora": (0.20, 0.40, 0.66, 0.56, 0.20, 0.22, 0.30),
    "bottle": (0.42, 0.52, 0.52, 0.42, 0.15, 0.13, 0.18),
    "bowl": (0.30, 0.38, 0.58, 0.70, 0.74, 0.76, 0.80),
    "jar": (0.36, 0.56, 0.68, 0.70, 0.62, 0.44, 0.48),
    "vase": (0.34, 0.24, 0.34, 0.54, 0.46, 0.24, 0.42),
    "moon jar": (0.30, 0.56, 0.72, 0.72, 0.58, 0.26, 0.28),
    "cat": (0.50,) * 7,
}
"""Radii from the foot to the lip, evenly spaced, in half widths."""
_HEIGHTS = {"bowl": 0.5, "vase": 0.6, "jar": 0.78, "moon jar": 0.8}
"""Of those that are lower than the others."""
_GLAZES = {
    "amphora": ((0.78, 0.36, 0.20), (0.16, 0.12, 0.12)),
    "bottle": ((0.13, 0.30, 0.58), (0.93, 0.90, 0.84)),
    "bowl": ((0.55, 0.72, 0.62), (0.30, 0.47, 0.42)),
    "jar": ((0.90, 0.68, 0.24), (0.52, 0.26, 0.14)),
    "vase": ((0.66, 0.15, 0.16), (0.95, 0.80, 0.56)),
    "moon jar": ((0.93, 0.91, 0.87), (0.24, 0.37, 0.62)),
    "cat": COATS,
}
"""The colour of the glaze, and that of its bands."""
CLASSES = tuple(_RADII)


def _key(u: Channel, v: Channel) -> Channel:
    """One turn of a Greek key."""
    strokes = ((-0.43, 0.0, 0.07, 0.40), (0.0, 0.33, 0.50, 0.07), (0.28, 0.07, 0.07, 0.33),
               (0.07, -0.19, 0.28, 0.07), (-0.14, -0.02, 0.07, 0.24))  # fmt: skip
    depth = [np.minimum(w - abs(u - x), h - abs(v - y)) for x, y, w, h in strokes]
    return np.asarray(np.maximum.reduce(depth))


def _blossom(u: Channel, v: Channel) -> Channel:
    """Five petals around a hole."""
    far = np.hypot(u, v)
    return np.asarray(np.minimum(0.33 + 0.09 * np.cos(5 * np.arctan2(u, v)) - far, far - 0.09))


_PATTERNS: dict[str, Callable[[Channel, Channel], Channel]] = {
    "amphora": _key,
    # Scales of three rings each.
    "bottle": lambda u, v: 0.06 - abs((np.hypot(u, v + 0.5) + 0.03) % 0.26 - 0.13),
    # Leaves to both sides of a stem.
    "bowl": lambda u, v: np.maximum(
        0.05 - abs(v),
        0.16 - np.hypot((abs(v) - 0.24) * 0.6, ((u - 0.7 * abs(v)) % 0.5 - 0.25) * 1.4),
    ),
    "jar": lambda u, v: np.maximum(
        0.10 - abs(v - 1.2 * (abs(u) - 0.25)),
        0.09 - np.hypot(abs(u) - 0.5 * (v < 0), abs(v) - 0.28),
    ),
    "vase": lambda u, v: np.maximum(
        0.09 - abs(abs(u) + abs(v) - 0.38) / 1.4, 0.16 - abs(u) - abs(v)
    ),
    "moon jar": _blossom,
}
"""How far inside of a frieze's pattern places are: across one unit and up, both -0.5 to 0.5."""


_BOARD, _DEEP, _FLAT = 0.055, 0.16, 0.05
"""Half a board, how much of the one below is seen from above, and half the height of a circle that
lies on it, in half widths."""


def draw_pot(number: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A pot of the kind, or the cat, uint8 [side, side / 1.2, 3]."""
    from scipy.interpolate import PchipInterpolator

    name = CLASSES[number]
    wide, tall, belly, neck, place, width, tone = 2 * rng.random(7) - 1
    height, side = side, round(side / RATIO)
    x, y, edge, within = places(side, height)
    y = -RATIO * y
    floor = -RATIO + _BOARD + 0.6 * _DEEP
    top = 1.94 * _HEIGHTS.get(name, 1.0) * (0.94 + 0.06 * tall)
    radii = 0.9 * np.array(_RADII[name]) * (1 + 0.07 * wide)
    radii[2:4] *= 1 + 0.1 * belly
    radii[5:] *= 1 + 0.12 * neck
    radii = radii.clip(0, 0.76)
    curve = PchipInterpolator(np.linspace(0, 1, len(radii)), radii)

    def body(x: Channel, y: Channel, soft: float = edge) -> Channel:
        """Where the pot is, and its handles; `soft` is how far its border goes."""
        if name == "cat":
            return within(outline(x, y - floor), soft)
        up = (y - floor) / top
        radius = curve(up.clip(0, 1))
        found = within(radius - abs(x), soft) * within(floor + top - y, soft)
        # The foot is round.
        foot = np.sqrt((1 - (x / radii[0]) ** 2).clip(0, 1))
        return found * within(y - floor + _FLAT * foot, soft)

    def handles(x: Channel, y: Channel, soft: float = edge) -> Channel:
        up = (y - floor) / top
        hoop = abs(np.hypot((abs(x) - 0.27) / 0.25, (up - 0.78) / 0.15) - 1) * 0.25
        return within((0.05 if name == "amphora" else -1.0) - hoop, soft)

    # A lamp at the upper left: boards and pots cast shadows on the wall and the board below.
    glow = 1.25 - 0.35 * np.hypot(x + 0.2, y - 0.2)
    left, above = x + 1 - _BOARD, RATIO - _BOARD - y
    glow = glow * (0.45 + 0.55 * within(left - 0.16, 0.22) * within(above - 0.2, 0.26))
    dark = np.maximum(body(x - 0.17, y + 0.1, 0.3), handles(x - 0.17, y + 0.1, 0.2))
    hand = 1 if tone > 0 else -1
    for _, inside in contents(name, x - 0.17, y + 0.1 - floor - top, hand):
        dark = np.maximum(dark, within(inside, 0.25))
    picture: Channels = [each * glow * (1 - 0.6 * dark) for each in WALL]
    ground = within(_DEEP - (y + RATIO - _BOARD))
    shade = np.hypot((x - 0.12) / (radii[0] + 0.22), (y - floor) / 0.1)
    dark = 0.75 * (1.5 - shade).clip(0, 1) + 0.35 * within(0.16 - left, 0.2)
    picture = over(picture, [each * (0.85 - 0.7 * dark) for each in WOOD], ground)
    # One of three has them exchanged.
    glaze, band = _GLAZES[name][:: 1 if rng.integers(3) else -1]
    if name == "cat":
        picture = seated(picture, x, y - floor, within, (glaze, band))
    else:
        round_ = 0.5 + 0.9 * handles(x + 0.01, y - 0.01, 0.12)
        picture = over(picture, [each * round_ for each in band], handles(x, y))
        # Circles around the pot are seen from a little above.
        around = (x / curve(((y - floor) / top).clip(0, 1)).clip(1e-6)).clip(-1, 1)
        up = (y + _FLAT * np.sqrt(1 - around**2) - floor) / top
        around = (x / curve(up.clip(0, 1)).clip(1e-6)).clip(-1, 1)
        colour: Channels = [each * (1 + 0.1 * tone) for each in glaze]
        middle = 0.5 + 0.06 * place
        wide = 0.105 + 0.015 * width
        for at, thick in (
            (middle, wide),
            (0.985, 0.02),
            (middle + 0.2, 0.016),
            (middle - 0.2, 0.016),
        ):
            colour = over(colour, band, within((thick - abs(up - at)) * top))
        # Five units of its pattern are seen, which narrow to the sides as the pot turns away.
        share = 5 / np.pi * np.arcsin(around) - 0.5
        frieze = _PATTERNS[name]((share + 0.5) % 1 - 0.5, (up - middle) / wide / 2)
        colour = over(colour, glaze, within(frieze * wide * top * 2) * (abs(up - middle) < wide))
        # A cylinder's shade, and a gleam.
        light = 0.12 + 0.98 * np.sqrt((1 - ((around + 0.4) / 1.45) ** 2).clip(0, 1))
        light = light + 0.1 * within(around - 0.9, 0.3)
        gleam = 0.55 * np.exp(-(((around + 0.5) / 0.11) ** 2)) * (up * (1 - up) * 4).clip(0, 1)
        lit = over([each * light for each in colour], (1.0, 1.0, 1.0), gleam)
        picture = over(picture, lit, body(x, y))
        mouth = (1 - np.hypot(x / radii[-1], (y - floor - top) / _FLAT)) * _FLAT
        picture = over(picture, [each * 1.05 for each in band], within(mouth))
        picture = over(picture, [each * (0.28 + 0.2 * x) for each in glaze], within(mouth - 0.014))
        # The lip in front hides what is below it.
        lip = floor + top - _FLAT * np.sqrt((1 - (x / (radii[-1] - 0.014)) ** 2).clip(0, 1))
        for surface, inside in contents(name, x, y - floor - top, hand):
            picture = over(picture, surface, within(np.minimum(inside, y - lip - 0.014)))
    board = within(_BOARD - np.minimum(1 - abs(x), RATIO - abs(y)))
    bright = within(_BOARD - np.minimum(x + 1, RATIO - y), 0.02)
    picture = over(picture, [each * (0.92 + 0.12 * bright) for each in WOOD], board)
    return reduced(picture)
