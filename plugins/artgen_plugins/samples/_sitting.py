"""The cat that sits in a niche of the sample `pots`, seen from the front."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from artgen_plugins.samples._channels import Channel, Channels, oval, over

Colour = tuple[float, float, float]

COATS = (0.88, 0.49, 0.17), (0.62, 0.27, 0.09)
"""Of its fur and of its stripes."""
PALE, PINK, EYE, NIGHT = (
    (0.99, 0.93, 0.83),
    (0.93, 0.60, 0.55),
    (0.62, 0.80, 0.30),
    (0.10, 0.07, 0.07),
)
HEAD = 1.36
"""How high the middle of the head is."""


def outline(x: Channel, y: Channel) -> Channel:
    """How far inside of the cat places are; it sits on y = 0, up to y = 1.9."""
    return np.asarray(np.maximum.reduce([_body(x, y), _head(x, y), _tail(x, y)]))


def seated(
    picture: Channels,
    x: Channel,
    y: Channel,
    within: Callable[..., Channel],
    coats: Sequence[Colour] = COATS,
) -> Channels:
    """The cat over a picture, lit from the upper left."""
    coat, stripe = coats
    side, up = abs(x), y - HEAD
    light = 1.08 - 0.34 * (x + 0.15) - 0.22 * (x > 0) * x

    def lit(colour: Colour, by: Channel = light) -> Channels:
        return [each * by for each in colour]

    # Stripes end at the bib.
    wave = np.cos(2 * np.pi * (y - 0.55 * side) / 0.27)
    bands = within(wave - 0.25, 0.5) * within(side - 0.2, 0.1)
    body = over(lit(coat), lit(stripe), bands)
    body = over(body, lit(PALE), within(oval(x, y - 0.86, 0.2, 0.34), 0.05))
    # Fore legs and what is between them.
    legs = within(0.215 - side, 0.03) * within(0.62 - y, 0.3)
    body = over(body, lit(coat, light * (1.05 - 0.5 * np.exp(-((side / 0.03) ** 2)))), legs)
    body = over(
        body,
        lit(stripe, 0.8 * light),
        0.6 * np.exp(-(((side - 0.23) / 0.03) ** 2)) * within(0.66 - y, 0.2),
    )
    picture = over(picture, body, within(_body(x, y)))
    paws = within(oval(side - 0.13, y - 0.16, 0.13, 0.1))
    picture = over(picture, lit(PALE), paws)
    tail = np.cos(2 * np.pi * (x + 0.05) / 0.21)
    rings = over(lit(coat), lit(stripe), within(tail - 0.3, 0.5))
    rings = over(rings, lit(PALE), within(-0.24 - x, 0.04))
    picture = over(picture, [each * 0.45 for each in coat], 0.6 * within(_tail(x, y - 0.035), 0.05))
    picture = over(picture, rings, within(_tail(x, y)))

    # The head throws a shadow on the chest.
    picture = over(
        picture,
        [each * 0.5 for each in stripe],
        0.5 * within(oval(x - 0.04, up + 0.09, 0.36, 0.3), 0.1) * within(_body(x, y)),
    )
    face = over(
        lit(coat),
        lit(PINK, 0.85 * light),
        within(_ears(side, up) - 0.045, 0.03) * within(up - 0.2, 0.06),
    )
    mark = np.cos(2 * np.pi * x / 0.13)
    face = over(
        face,
        lit(stripe),
        within(mark - 0.2, 0.5) * within(0.2 - side, 0.02) * within(up - 0.15 - 0.25 * side, 0.03),
    )
    cheek = np.cos(2 * np.pi * (up + 0.3 * side) / 0.13)
    face = over(
        face,
        lit(stripe),
        within(cheek - 0.2, 0.5) * within(side - 0.27, 0.02) * within(0.02 - up, 0.03),
    )
    face = over(face, lit(PALE), within(oval(side - 0.085, up + 0.12, 0.12, 0.1), 0.03))
    face = over(face, lit(PALE), within(oval(x, up + 0.19, 0.1, 0.08), 0.03))
    for wide, tall, colour in ((0.1, 0.08, NIGHT), (0.085, 0.066, EYE), (0.025, 0.062, NIGHT)):
        face = over(face, colour, within(oval(side - 0.165, up - 0.04, wide, tall)))
    face = over(
        face, PALE, within(oval(side - 0.165 + 0.03 * np.sign(x), up - 0.065, 0.018, 0.018))
    )
    nose = np.minimum(0.045 - side * 0.9 + (up + 0.08) * 0.7, -0.035 - up)
    face = over(face, PINK, within(nose))
    mouth = abs(np.hypot(side - 0.055, up + 0.115) - 0.055)
    face = over(face, NIGHT, 0.8 * within(0.008 - mouth) * within(-0.125 - up))
    picture = over(picture, face, within(_head(x, y)))
    for slope in (-0.22, 0.02, 0.26):
        hair = abs(up + 0.11 - slope * (side - 0.16))
        picture = over(
            picture, PALE, 0.85 * within(0.007 - hair) * within(side - 0.17) * within(0.54 - side)
        )
    return picture


def _body(x: Channel, y: Channel) -> Channel:
    haunch = oval(x, y - 0.42, 0.5, 0.44)
    chest = oval(x, y - 0.74, 0.34, 0.66)
    return np.minimum(np.maximum(haunch, chest), y + 0.01)


def _ears(side: Channel, up: Channel) -> Channel:
    """A triangle on each side."""
    outer = ((0.41 - side) * 0.38 - (up - 0.12) * 0.04) / 0.382
    inner = ((side - 0.06) * 0.20 - (up - 0.29) * 0.30) / 0.361
    return np.minimum(outer, inner)


def _head(x: Channel, y: Channel) -> Channel:
    side, up = abs(x), y - HEAD
    ears = np.minimum(_ears(side, up), up)
    return np.maximum(oval(x, up, 0.42, 0.33), ears)


def _tail(x: Channel, y: Channel) -> Channel:
    """In front of the paws, from the right to a tip at the left."""
    along = x.clip(-0.34, 0.5)
    rise = along.clip(0.1) - 0.1
    away = np.hypot(x - along, (y - 0.085 - 0.9 * rise**2) / np.hypot(1, 1.8 * rise))
    return np.asarray(0.075 - away)
