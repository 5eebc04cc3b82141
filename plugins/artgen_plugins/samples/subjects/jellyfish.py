"""Jellyfish that glow in the deep: one near and warm, others smaller, cooler and out of focus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._curves import normals, ribbon
from ._plate import Colours, Floats, Plate, over, ramp, screen, smooth

_EMBER = (0.0, "#160624"), (0.2, "#4a0f3c"), (0.42, "#a8264f"), (0.62, "#ec6a4a"), (0.8, "#ffb566"), (1.0, "#fff1cc")  # fmt: skip
_ROSE = (0.0, "#100828"), (0.25, "#3d1660"), (0.5, "#8a2f8c"), (0.72, "#e0689a"), (1.0, "#ffd9d0")
_VIOLET = (0.0, "#070822"), (0.3, "#1f2068"), (0.6, "#5450b8"), (0.85, "#9a8ce0"), (1.0, "#e0d4ff")


@dataclass(frozen=True, eq=False)
class _Jelly:
    """One of them: where the middle of its bell is, how large, which way its axis leans."""

    at: tuple[float, float]
    radius: float
    lean: float
    below: float
    """How far one looks into the bell from below, in radians."""
    colours: tuple[tuple[float, str], ...]
    number: int
    sway: float
    """How far what trails is carried aside."""

    def placed(self, x: Floats, y: Floats) -> Floats:
        """Points of its own, y along the axis away from the bell, on the plate."""
        c, s = np.cos(self.lean), np.sin(self.lean)
        return np.stack([c * x - s * y, s * x + c * y], -1) * self.radius + self.at


def jellyfish(plate: Plate) -> Colours:
    """Draw it: the water, then from far to near; all that is far gets blurred again."""
    picture = _water(plate)
    rng = plate.rng(1)
    for jelly, blur in zip(_shoal(rng), (0.012, 0.01, 0.004, 0), strict=True):
        (x, y), r = jelly.at, jelly.radius
        away = ((plate.x - x) ** 2 + (plate.y - y) ** 2) / r**2
        picture = screen(
            picture, (0.4 * np.exp(-away / 2.2))[..., None] * ramp(0.45, *jelly.colours)
        )
        box = plate.box(x - 3 * r, y - 1.3 * r, x + 3 * r, y + 5 * r)
        picture[box] = _draw(plate.window(box), picture[box], jelly)
        picture = _motes(plate, picture, jelly.number, 60)
        if blur:
            picture = plate.blur(picture, blur)
    bloom = plate.blur(np.maximum(picture - 0.5, 0), 0.05)
    return plate.finished(screen(picture, 0.8 * bloom), 0.01, 0.35)


def _shoal(rng: np.random.Generator) -> list[_Jelly]:
    """From far to near."""
    return [
        _Jelly((-0.7, -0.98), 0.14, -0.3, 0.3, _VIOLET, 1, 0.5),
        _Jelly((0.74, 0.55), 0.17, 0.45, 0.2, _VIOLET, 2, 0.4),
        _Jelly((-0.6, 0.28), 0.24, -0.3, 0.35, _ROSE, 3, -0.4),
        _Jelly((0.24, -0.62), 0.52, 0.34, 0.3, _EMBER, 4, 0.75),
    ]


def _water(plate: Plate) -> Colours:
    x, y = plate.x, plate.y
    murk = plate.noise(x * 0.9, y * 0.9, 2, 5)
    light = np.exp(-(((x - 0.5) / 1.0) ** 2 + ((y + 1.3) / 1.3) ** 2))
    low = np.exp(-(((x + 0.5) / 0.7) ** 2 + ((y - 0.5) / 0.8) ** 2))
    tone = 0.7 * light + 0.22 * low + 0.08 * murk
    return ramp(
        tone,
        (0.0, "#02020c"),
        (0.2, "#070a26"),
        (0.45, "#10185a"),
        (0.75, "#2340a0"),
        (1.0, "#4a7ad8"),
    )


def _motes(plate: Plate, picture: Colours, stream: int, count: int) -> Colours:
    rng = plate.rng(30 + stream)
    size = 0.0015 + 0.001 * stream
    dots = [
        (
            *rng.uniform((-1, -1.33), (1, 1.33)),
            size * rng.uniform(0.6, 1.6),
            0.5 * rng.random() ** 2,
        )
        for _ in range(count)
    ]
    return screen(picture, plate.dots(dots)[..., None] * np.array([0.8, 0.75, 1.0]))


def _draw(plate: Plate, picture: Colours, jelly: _Jelly) -> Colours:
    """Halo, far wall, tentacles, arms, near wall."""
    pale = ramp(0.85, *jelly.colours)
    back, (mask, tone, gloss) = _bell(plate, jelly)
    far, near = _tentacles(plate, jelly)
    picture = over(picture, ramp(0.6 * back[1], *jelly.colours), 0.85 * back[0])
    picture = screen(picture, 0.6 * far[..., None] * pale)
    for cover, shade in _arms(plate, jelly):
        picture = over(
            picture, ramp(shade, *jelly.colours), cover * smooth(0.02, 0.45, shade) * 0.92
        )
    core = jelly.placed(np.array([0.0]), np.array([0.0]))[0]
    heart = np.hypot(plate.x - core[0], plate.y - core[1]) / jelly.radius
    light = 0.6 * np.exp(-((heart / 0.45) ** 2)) + 0.3 * _organs(plate, jelly)
    picture = screen(picture, light[..., None] * pale)
    picture = over(picture, ramp(tone, *jelly.colours), mask * (0.3 + 0.6 * tone))
    picture = screen(picture, (mask * gloss)[..., None] * np.array([0.5, 0.68, 1.0]))
    picture = screen(
        picture, (0.3 * np.exp(-((heart / 0.4) ** 2)))[..., None] * ramp(0.7, *jelly.colours)
    )
    return screen(picture, 0.8 * near[..., None] * pale)


def _patches(plate: Plate, corners: Floats, order: Floats, *shades: Floats) -> list[Floats]:
    """Coverage of a surface of quads [rows, columns, 2], then each shade upon it."""
    quads = np.stack(
        [corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], 2
    ).reshape(-1, 4, 2)[order]
    mask = plate.filled(quads)
    soft = 1.2 * plate.pixel
    ground = np.maximum(plate.blur(mask, soft), 1e-3)
    return [
        mask,
        *(
            plate.blur(plate.filled(quads, each.ravel()[order].clip(0, 1).tolist()), soft) / ground
            for each in shades
        ),
    ]


def _facing(points: Floats) -> Floats:
    """Unit normals of the patches between points [rows, columns, 3]."""
    normal = np.cross(np.diff(points, axis=1)[:-1], np.diff(points, axis=0)[:, :-1])
    return np.asarray(normal / (np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-12))


def _bell(plate: Plate, jelly: _Jelly) -> tuple[list[Floats], list[Floats]]:
    """Its far and its near wall: bright where one looks along them, with stripes like a star."""
    a, t = np.meshgrid(np.linspace(0, 2 * np.pi, 385), np.linspace(0, 1, 41))
    polar = 1.85 * t
    lobes = np.abs(np.cos(16 * a)) ** 0.7
    r = np.sin(polar) * (1 + 0.02 * np.cos(16 * a) * t**3)
    h = -0.85 * np.cos(polar) + 0.07 * lobes * smooth(0.86, 1.0, t)
    x, y, z = r * np.cos(a), h, r * np.sin(a)
    c, s = np.cos(jelly.below), np.sin(jelly.below)
    x, y, z = x, c * y - s * z, c * z + s * y
    normal = _facing(np.stack([x, y, z], -1))
    ways = np.stack([x, y, z], -1)[:-1, :-1]
    normal *= np.sign((normal * ways).sum(-1, keepdims=True))
    am, tm = a[:-1, :-1], t[:-1, :-1]
    freckles = plate.noise(7 * r * np.cos(a), 7 * r * np.sin(a), 40 + jelly.number, 3)[:-1, :-1]
    stripe = smooth(0.62, 0.95, 0.5 + 0.5 * np.cos(16 * am)) * smooth(0.15, 0.4, tm)
    striae = np.cos(80 * am) * smooth(0.5, 0.9, tm)
    limb = (1 - np.abs(normal[..., 2])) ** 1.8
    tone = 0.3 + 0.55 * limb - 0.2 * stripe + 0.04 * striae + 0.05 * freckles
    tone = tone + 0.3 * smooth(0.94, 1.0, tm) + 0.2 * smooth(0.6, 0.0, tm)
    up = np.array([0.35, -0.85, 0.3])
    gloss = 0.5 * np.clip(normal @ up, 0, 1) ** 9
    corners = jelly.placed(x, y)
    near = normal[..., 2] > 0
    layers = []
    for side in (~near, near):
        order = np.flatnonzero(side.ravel())
        order = order[np.argsort(z[:-1, :-1].ravel()[order])]
        layers.append(_patches(plate, corners, order, tone, gloss))
    return layers[0], layers[1]


def _flow(
    jelly: _Jelly, start: Floats, long: float, phase: float, wave: float, steps: int = 60
) -> Floats:
    """The way of something that trails, in the jelly's own coordinates."""
    d = np.linspace(0, 1, steps) * long
    aside = (
        jelly.sway * 0.12 * d**1.7
        + wave * np.sin(1.9 * d - phase) * smooth(0.0, 1.4, d)
        + 0.3 * wave * np.sin(4.3 * d + 2 * phase) * smooth(0, 1, d)
    )
    return np.stack([start[0] * (1 - 0.25 * smooth(0, 2, d)) + aside, start[1] + d], -1)


def _tentacles(plate: Plate, jelly: _Jelly) -> list[Floats]:
    """Light of those on the far half of the rim, then of those on the near half."""
    rng = plate.rng(10 + jelly.number)
    halves: list[tuple[list[Floats], list[float]]] = [([], []), ([], [])]
    for angle in np.arange(26) / 26 * 2 * np.pi + 0.1:
        outlines, shades = halves[int(np.sin(angle) > 0)]
        start = np.array([0.96 * np.cos(angle), 0.24 - 0.96 * np.sin(angle) * np.sin(jelly.below)])
        path = _flow(
            jelly, start, rng.uniform(2.4, 4.2), rng.normal(0.4, 0.35), rng.uniform(0.1, 0.22), 61
        )
        path = jelly.placed(path[:, 0], path[:, 1])
        wide = jelly.radius * np.linspace(0.02, 0.006, len(path)) * rng.uniform(0.5, 1.1)
        bright = rng.uniform(0.35, 0.9)
        for first in range(0, 60, 3):
            part = slice(first, first + 4)
            outlines.append(ribbon(path[part], wide[part]))
            shades.append(bright * (1 - first / 60) ** 0.9)
    return [plate.filled(*half) for half in halves]


def _arms(plate: Plate, jelly: _Jelly) -> list[tuple[Floats, Floats]]:
    """Ruffled curtains on both sides of four cords from the middle of the bell."""
    rng = plate.rng(20 + jelly.number)
    layers = []
    for number, (root, long) in enumerate(((0.24, 2.6), (-0.26, 3.0), (0.1, 3.7), (-0.08, 3.4))):
        path = _flow(
            jelly, np.array([root, -0.2]), long, rng.normal(0.3, 0.7), rng.uniform(0.16, 0.28), 221
        )
        path[:, 0] += 0.9 * root * np.linspace(0, 1, len(path)) ** 1.5 * long / 3
        share = np.linspace(0, 1, len(path))[:, None]
        w = np.linspace(-1, 1, 17)[None]
        wide = 0.32 * np.interp(share, (0, 0.08, 0.25, 0.5, 0.8, 1), (0.3, 0.75, 1, 0.6, 0.3, 0.05))
        beat = (
            2 * np.pi * long * (2.4 * share**0.9 + 0.14 * np.sin(7 * share + number))
            + 2.4 * np.sign(w)
            + number
        )
        turn = (
            1.2 * np.abs(w) ** 1.1 * np.sin(beat)
            + 0.45 * w**2 * np.sin(2.37 * beat + number)
            + 0.6 * np.cos(5 * share + 2 * number)
        )
        out = normals(path)[:, None]
        along = np.stack([-out[..., 1], out[..., 0]], -1)
        flat = path[:, None] + out * (wide * w * np.cos(turn))[..., None]
        flat = flat + along * (0.22 * wide * w**2 * np.cos(beat + 0.6))[..., None]
        normal = _facing(np.concatenate([flat, (wide * w * np.sin(turn))[..., None]], -1))
        tone = (
            0.3
            + 0.26 * np.abs(normal[..., 0])
            + 0.2 * np.abs(normal[..., 1])
            + 0.42 * np.abs(w[:, 1:]) ** 6
        )
        tone = tone * (1 - 0.8 * share[1:] ** 1.2) * smooth(0.0, 0.09, share[1:])
        order = np.argsort((w * np.sin(turn))[1:, 1:].ravel())
        mask, shade = _patches(plate, jelly.placed(flat[..., 0], flat[..., 1]), order, tone)
        layers.append((mask, shade))
    return layers


def _organs(plate: Plate, jelly: _Jelly) -> Floats:
    """Light of the ruffled ring inside the bell."""
    a = np.linspace(0, 2 * np.pi, 200)
    r = 0.4 + 0.09 * np.cos(4 * a) + 0.025 * np.cos(28 * a)
    ring = jelly.placed(r * np.cos(a), -0.3 - r * np.sin(a) * np.sin(jelly.below + 0.15))
    return plate.blur(plate.filled([ribbon(ring, 0.13 * jelly.radius)]), 0.012 * jelly.radius)
