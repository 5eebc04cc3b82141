"""Sample pictures that are computed: line art, a map, a landscape, stars. Nobody's property.

Each is a function without arguments that gives uint8 [height, width, 3]; the numbers in it are all
there is to it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


def contours() -> Pixels:
    """A map of hills: lines of equal height, every fifth one stronger, on tinted paper."""
    x, y = _grid(640, 640)
    rng = np.random.default_rng(11)
    height = 0.25 * x - 0.15 * y
    for _ in range(9):
        centre, size = rng.uniform(-1, 1, 2), rng.uniform(0.2, 0.55)
        height += rng.uniform(0.3, 1) * np.exp(
            -((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / size**2
        )
    tint = np.clip((height - height.min()) / np.ptp(height), 0, 1)[..., None]
    paper = _mix(np.array([236, 232, 214.0]), np.array([206, 178, 140.0]), tint)
    ink = np.array([92, 62, 40.0])
    for every, width in ((0.075, 1.1), (0.375, 2.4)):
        paper = _mix(paper, ink, _lines(height / every, width)[..., None])
    return _pixels(paper)


def guilloche() -> Pixels:
    """A rosette of fine lines such as banknotes have, in two inks."""
    x, y = _grid(640, 640)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    picture = np.broadcast_to(np.array([244, 240, 228.0]), (*x.shape, 3))
    inks = (np.array([18, 62, 84.0]), np.array([150, 38, 46.0]))
    for ink, petals, depth, inner, outer, lines in (
        (inks[0], 12, 0.10, 0.34, 0.90, 9.0),
        (inks[0], 12, -0.10, 0.34, 0.90, 9.0),
        (inks[1], 8, 0.06, 0.10, 0.36, 4.0),
        (inks[1], 8, -0.06, 0.10, 0.36, 4.0),
    ):
        wave = radius + depth * np.sin(petals * angle) * np.sin(
            np.pi * np.clip((radius - inner) / (outer - inner), 0, 1)
        )
        band = (wave - inner) / (outer - inner)
        inside = ((band > 0.5 / lines - 1e-3) & (band < 1 - 0.4 / lines)).astype(float)
        picture = _mix(picture, ink, (_lines(band * lines, 2.2) * inside)[..., None])
    rim = _lines((radius - 0.95) * 1000 + 0.5, 4.0) * (np.abs(radius - 0.95) < 0.02)
    return _pixels(_mix(picture, inks[0], rim[..., None]))


def ridges() -> Pixels:
    """Mountains one behind the other at dusk, paler with the distance, under a low sun."""
    x, y = _grid(480, 768)
    down = ((y + 1) / 2)[..., None]
    sky = _mix(np.array([52, 66, 112.0]), np.array([250, 188, 132.0]), np.clip(down * 1.6, 0, 1))
    sun = np.hypot(x - 0.42, y + 0.12)
    picture = _mix(sky, np.array([255, 226, 170.0]), np.exp(-((sun / 0.5) ** 2))[..., None] * 0.6)
    picture = _mix(picture, np.array([255, 246, 224.0]), _step(0.17 - sun)[..., None])
    rng = np.random.default_rng(5)
    far, near = np.array([226, 166, 136.0]), np.array([22, 24, 48.0])
    for layer in range(6):
        share = layer / 5
        crest = -0.12 + 0.9 * share**1.15
        for octave in range(7):
            frequency = 1.1 * 1.9**octave * (1 + 0.3 * share)
            phase = rng.uniform(0, 2 * np.pi)
            crest = (
                crest
                + 0.17 * 0.55**octave * np.abs(np.sin(frequency * x[:1] + phase))
                - 0.08 * (0.55**octave)
            )
        colour = _mix(far, near, np.full((1, 1, 1), share**0.8))
        # Mist gathers at the foot of each.
        mist = np.clip(1 - (y - crest) / 0.55, 0.35, 1)[..., None]
        body = _mix(_mix(far, colour, np.full((1, 1, 1), 0.55)), colour, mist)
        picture = _mix(picture, body, _step(y - crest)[..., None])
    return _pixels(picture)


def stars() -> Pixels:
    """A field of stars with a band of dust and light across it."""
    x, y = _grid(512, 768)
    rng = np.random.default_rng(3)
    along, across = 0.88 * x + 0.47 * y, -0.47 * x + 0.88 * y
    dust = sum(
        0.5**octave
        * np.sin(2.3 * 1.8**octave * along + rng.uniform(0, 6))
        * np.cos(2.9 * 1.8**octave * across + rng.uniform(0, 6))
        for octave in range(6)
    )
    band = np.exp(-((across + 0.12 * dust) ** 2) / 0.09)
    glow = band * (0.55 + 0.45 * np.clip(dust, -1, 1))
    picture = np.array([4, 5, 12.0]) + glow[..., None] * np.array([86, 58, 96.0])
    core = np.exp(-((along - 0.25) ** 2) / 0.35 - across**2 / 0.03)
    picture = picture + core[..., None] * np.array([120, 84, 52.0])
    for _ in range(420):
        place = rng.uniform((-1.5, -1.0), (1.5, 1.0))
        if rng.random() < 0.45:
            spread = rng.normal(0, 0.22)
            place = np.array([0.88, 0.47]) * rng.uniform(-1.5, 1.5) + spread * np.array(
                [-0.47, 0.88]
            )
        light = rng.pareto(1.35) * 34 + 26
        warm = rng.uniform(-1, 1)
        colour = np.array([1 + 0.25 * warm, 1.0, 1 - 0.3 * warm])
        size = 0.0042 + 0.0016 * np.log1p(light / 60)
        near = np.ix_(np.abs(y[:, 0] - place[1]) < 6 * size, np.abs(x[0] - place[0]) < 6 * size)
        distance = (x[near] - place[0]) ** 2 + (y[near] - place[1]) ** 2
        picture[near] += min(light, 900) * np.exp(-distance / size**2)[..., None] * colour
    # Light adds up without end; film does not.
    return _pixels(255 * (1 - np.exp(-picture / 190)))


def _grid(height: int, width: int) -> tuple[Floats, Floats]:
    """x and y of pixel centres, as on a canvas: the shorter side spans -1 to 1."""
    m = min(height, width)
    row, column = np.mgrid[:height, :width]
    return (2 * column + 1 - width) / m, (2 * row + 1 - height) / m


def _lines(level: Floats, width: float) -> Floats:
    """Lines of about `width` pixels where `level` is a whole number, 0 to 1."""
    across, down = np.gradient(level)
    slope = np.maximum(np.hypot(across, down), 1e-9)
    distance = np.abs(level - np.rint(level)) / slope
    return np.asarray(np.clip(width / 2 + 0.5 - distance, 0, 1))


def _step(height: Floats) -> Floats:
    """1 where `height` is above 0, 0 below, over about a pixel."""
    return np.clip(height / 0.004 + 0.5, 0, 1)


def _mix(below: Floats, above: Floats, share: Floats) -> Floats:
    return below * (1 - share) + above * share


def _pixels(picture: Floats) -> Pixels:
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
