"""Discs and lines in tension: nested discs that an axis divides, a beam, orbits and calm ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._curves import directed
from ._plate import Colours, Floats, Plate, hexed, over, screen, smooth


@dataclass(frozen=True)
class _Scheme:
    """Colours of a composition."""

    ground: str
    light: str
    """Of the ground around the discs."""
    ink: str
    hues: tuple[str, str, str, str]
    """Deep, warm, bright, cool."""
    glows: bool = False
    """Glass brightens a dark ground, and darkens a light one."""


_SCHEMES = (
    _Scheme("#e3d5b7", "#f8f2e2", "#191d2c", ("#1d3a66", "#cd4023", "#eca935", "#7fb0b6")),
    _Scheme("#0f1629", "#28375c", "#f3e8cf", ("#2b5e90", "#de5230", "#f3b94a", "#7fb6b2"), True),
    _Scheme("#cb9a6b", "#efd7b1", "#26161d", ("#571d37", "#c93a26", "#f6e7c6", "#2f7479")),
)


@dataclass(frozen=True, eq=False)
class _Axes:
    """Where pixels lie: `u` along the axis and `v` across it, the large disc has the radius 1."""

    u: Floats
    v: Floats
    pixel: float

    @classmethod
    def of(cls, plate: Plate, rng: np.random.Generator) -> _Axes:
        """Those of a seed: it mirrors them, turns the axis a little and moves the disc."""
        middle = rng.uniform(0.08, 0.17), rng.uniform(-0.36, -0.28)
        radius, way = rng.uniform(0.54, 0.6), directed(-rng.uniform(0.9, 1.1))
        right, down = ((1, 1), (-1, 1), (1, -1), (-1, -1))[plate.seed % 4]
        x, y = right * plate.x - middle[0], down * plate.y - middle[1]
        u, v = (x * way[0] + y * way[1]) / radius, (y * way[0] - x * way[1]) / radius
        return cls(u, v, plate.pixel / radius)

    def edge(self, inside: Floats) -> Floats:
        """Coverage of what lies `inside` an edge, as a distance from it."""
        return np.clip(inside / self.pixel + 0.5, 0, 1)

    def disc(self, u: float, v: float, radius: float) -> Floats:
        """Coverage of a disc."""
        return self.edge(radius - np.hypot(self.u - u, self.v - v))

    def line(self, away: Floats, width: Floats | float = 0.02) -> Floats:
        """Coverage of a line where the distance `away` from its middle is 0."""
        return self.edge(width / 2 - np.abs(away))


def orbits(plate: Plate) -> Colours:
    """Draw it: ground, beam, orbits, the nested discs, glass over them, bodies, strict lines."""
    rng, colours = plate.rng(1), _SCHEMES[plate.seed % len(_SCHEMES)]
    axes = _Axes.of(plate, rng)
    u, v, ink = axes.u, axes.v, colours.ink
    _, warm, bright, cool = colours.hues

    glow = np.exp(-((u - 0.3) ** 2 + v**2) / 4.5) + 0.08 * plate.noise(u, v, 2, 5)
    plain = np.broadcast_to(hexed(colours.ground), (*u.shape, 3))
    picture = over(plain, colours.light, np.clip(glow, 0, 1))
    foot = rng.uniform(-2.35, -2.15)
    far = u - foot
    beam = axes.edge(0.19 * far - np.abs(v - 0.04 * far)) * (far > 0)
    picture = over(picture, bright, 0.9 * beam * smooth(3.2, 0.0, far))

    inner, outer = rng.uniform(1.3, 1.4), rng.uniform(1.76, 1.9)
    away, turn = np.hypot(u, v), np.arctan2(v, u)
    for radius in (inner, outer):
        picture = over(picture, ink, 0.85 * axes.line(away - radius))
    swing = (turn + rng.uniform(1.5, 2.1) + np.pi) % (2 * np.pi) - np.pi
    swell = 0.1 * np.clip(1 - (swing / 0.6) ** 2, 0, 1)
    picture = over(picture, ink, axes.line(away - inner, swell) * (swell > 0))

    shadow = plate.blur(axes.disc(-0.07, 0.05, 1.0), 0.05)
    picture = over(picture, "#0a0c14", 0.35 * shadow)
    picture = _nested(axes, picture, colours, rng.choice((0.6, 0.6, -0.4)) * rng.uniform(0.9, 1.1))
    lit = beam * axes.disc(0, 0, 1)
    picture = over(picture, np.minimum(1.12 * picture + 0.04, 1), lit)

    aside = rng.uniform(0.85, 1.05)
    picture = _glass(picture, colours, cool, axes.disc(-0.74, aside, 0.5))
    picture = _glass(picture, colours, warm, axes.disc(-1.16, aside - 0.36, 0.24))
    picture = over(picture, ink, axes.line(v))
    picture = over(picture, ink, axes.disc(foot, 0, 0.075))
    bodies = ((inner, 0.6, 0.12, warm), (outer, -2.6, 0.085, ink), (outer, -1.2, 0.045, ink))
    for radius, angle, size, colour in bodies:
        at = radius * directed(angle + rng.uniform(-0.2, 0.2))
        picture = over(picture, colour, axes.disc(at[0], at[1], size))
    for step in range(4):
        bar = np.maximum(np.abs(u + 1.62 + 0.09 * step), np.abs(v - 1.42) - 0.4 + 0.07 * step)
        picture = over(picture, ink, axes.line(bar))
    paper = 1 + 0.025 * plate.noise(plate.x * 110, plate.y * 110, 3, 2)
    return plate.finished(picture * paper[..., None], 0.012, 0.07)


def _nested(axes: _Axes, picture: Colours, colours: _Scheme, shift: float) -> Colours:
    """Discs in one another, off the middle; the axis divides each into two colours."""
    deep, warm, bright, cool = colours.hues
    core = (colours.ink, colours.ground) if colours.glows else (colours.light, colours.ink)
    pairs = ((deep, cool), (warm, deep), (bright, warm), core)
    for radius, pair in zip((1.0, 0.74, 0.5, 0.27), pairs, strict=True):
        middle = shift * (1 - radius)
        fall = np.clip(0.5 - 0.5 * (axes.u - middle) / radius, 0, 1)
        halves = []
        for colour, dim in zip(pair, (fall, 1 - fall), strict=True):
            plain = np.broadcast_to(hexed(colour), picture.shape)
            darker = over(plain, "#000000", 0.22 * dim)
            halves.append(over(darker, "#ffffff", 0.14 * (1 - dim) ** 2))
        divided = over(halves[0], halves[1], axes.edge(axes.v))
        picture = over(picture, divided, axes.disc(middle, 0, radius))
    return picture


def _glass(picture: Colours, colours: _Scheme, hue: str, share: Floats) -> Colours:
    """A pane of a hue over a picture."""
    if colours.glows:
        return screen(picture, 0.62 * hexed(hue) * share[..., None])
    return over(picture, picture * (0.2 + 0.84 * hexed(hue)), share)
