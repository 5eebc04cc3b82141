"""Jellyfish that glow in the deep: one near and warm, others smaller, cooler and out of focus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._curves import directed, normals, ribbon
from ._plate import Colours, Floats, Plate, coverage, over, ramp, screen, smooth
from ._relief import facing, patches_of

_Stops = tuple[tuple[float, str], ...]
_EMBER: _Stops = (0.0, "#160624"), (0.2, "#4a0f3c"), (0.42, "#a8264f"), (0.62, "#ec6a4a"), (0.8, "#ffb566"), (1.0, "#fff1cc")  # fmt: skip
_ROSE: _Stops = (0.0, "#100828"), (0.25, "#3d1660"), (0.5, "#8a2f8c"), (0.72, "#e0689a"), (1.0, "#ffd9d0")  # fmt: skip
_VIOLET: _Stops = (0.0, "#070822"), (0.3, "#1f2068"), (0.6, "#5450b8"), (0.85, "#9a8ce0"), (1.0, "#e0d4ff")  # fmt: skip
_WATER = (0.0, "#02020c"), (0.2, "#070a26"), (0.45, "#10185a"), (0.75, "#2340a0"), (1.0, "#4a7ad8")


@dataclass(frozen=True, eq=False)
class _Jelly:
    """One of them; what it consists of is in radii of its bell, y along its axis to its arms."""

    at: Floats
    radius: float
    lean: float
    seen_from_below: float
    colours: _Stops
    number: int

    def placed(self, points: Floats) -> Floats:
        """Points [..., 2] on the plate."""
        c, s = np.cos(self.lean), np.sin(self.lean)
        return np.asarray(points @ np.array([[c, s], [-s, c]]) * self.radius + self.at)

    def trail(self, start: tuple[float, float], long: float, wave: float, phase: float) -> Floats:
        """The way of something that trails, as all do in one current."""
        d = np.linspace(0, long, 181)
        swing = np.sin(1.9 * d - phase) * smooth(0.0, 1.4, d)
        swing = wave * (swing + 0.3 * np.sin(4.3 * d + 2 * phase) * smooth(0, 1, d))
        inward = start[0] * (1 - 0.25 * smooth(0, 2, d))
        return np.stack([inward + 0.03 * d**1.7 + swing, start[1] + d], -1)


def jellyfish(plate: Plate) -> Colours:
    """Draw it: the water, then from far to near; what is far gets blurred again and again."""
    x, y = plate.x, plate.y
    light = np.exp(-(((x - 0.5) / 1.0) ** 2 + ((y + 1.3) / 1.3) ** 2))
    low = np.exp(-(((x + 0.5) / 0.7) ** 2 + ((y - 0.5) / 0.8) ** 2))
    picture = ramp(0.7 * light + 0.22 * low + 0.08 * plate.noise(x * 0.9, y * 0.9, 2, 5), *_WATER)
    for jelly, blur in zip(_shoal(plate.rng(1)), (0.012, 0.01, 0.004, 0), strict=True):
        (left, top), r = jelly.at, jelly.radius
        halo = 0.4 * np.exp(-((x - left) ** 2 + (y - top) ** 2) / (1.5 * r) ** 2)
        picture = screen(picture, halo[..., None] * ramp(0.45, *jelly.colours))
        box = plate.box(left - 3 * r, top - 1.3 * r, left + 3 * r, top + 5 * r)
        picture[box] = _drawn(plate.window(box), picture[box], jelly)
        rng, size = plate.rng(30 + jelly.number), 0.0015 + 0.001 * jelly.number
        motes = [(*rng.uniform((-1, -1.33), (1, 1.33)), size * rng.uniform(0.6, 1.6), 0.5 * rng.random() ** 2)
                 for _ in range(60)]  # fmt: skip
        picture = screen(picture, plate.dots(motes)[..., None] * np.array([0.8, 0.75, 1.0]))
        picture = plate.blur(picture, blur) if blur else picture
    bloom = plate.blur(np.maximum(picture - 0.5, 0), 0.05)
    picture = plate.finished(screen(picture, 0.8 * bloom), 0.01, 0.35)
    return plate.faced(picture)


def _shoal(rng: np.random.Generator) -> list[_Jelly]:
    """From far to near."""
    places = np.array([(-0.68, -0.96), (0.72, 0.55), (-0.6, 0.3), (0.22, -0.62)])
    places += rng.normal(0, 1, (4, 2)) * ((0.1, 0.12), (0.06, 0.15), (0.05, 0.12), (0.03, 0.03))
    sizes = np.array([0.14, 0.17, 0.24, 0.52]) * rng.uniform(0.9, 1.08, 4)
    leans = np.array([-0.3, 0.45, -0.3, 0.34]) + rng.normal(0, 0.08, 4)
    dresses = (0.3, _VIOLET, 1), (0.2, _VIOLET, 2), (0.35, _ROSE, 3), (0.3, _EMBER, 4)
    each = zip(places, sizes, leans, dresses, strict=True)
    return [_Jelly(at, size, lean, *dress) for at, size, lean, dress in each]


def _drawn(plate: Plate, picture: Colours, jelly: _Jelly) -> Colours:
    """Far wall, far tentacles, arms, the light inside, near wall, near tentacles."""
    stops, (far, near) = jelly.colours, _tentacles(plate, jelly)
    pale, fire = ramp(0.85, *stops), ramp(0.7, *stops)
    (far_mask, far_tone, _), (mask, tone, gloss) = _bell(plate, jelly)
    picture = over(picture, ramp(0.6 * far_tone, *stops), 0.85 * far_mask)
    picture = screen(picture, 0.6 * far[..., None] * pale)
    for cover, shade in _arms(plate, jelly):
        picture = over(picture, ramp(shade, *stops), cover * smooth(0.02, 0.45, shade) * 0.92)
    heart = np.hypot(plate.x - jelly.at[0], plate.y - jelly.at[1]) / jelly.radius
    picture = screen(picture, (0.7 * np.exp(-((heart / 0.5) ** 2)))[..., None] * fire)
    picture = over(picture, ramp(tone, *stops), mask * (0.12 + 0.78 * tone))
    picture = screen(picture, (0.3 * np.exp(-((heart / 0.45) ** 2)))[..., None] * fire)
    picture = screen(picture, (mask * gloss)[..., None] * np.array([0.5, 0.68, 1.0]))
    return screen(picture, 0.8 * near[..., None] * pale)


def _patches(plate: Plate, corners: Floats, order: Floats, *shades: Floats) -> list[Floats]:
    """Coverage of a surface of quads, `corners` [rows, columns, 2], then each shade upon it."""
    quads = patches_of(corners).reshape(-1, 4, 2)[order]
    size, outlines, soft = plate.x.shape, plate.corners(quads), 1.2 * plate.pixel
    mask = coverage(size, outlines)
    ground = np.maximum(plate.blur(mask, soft), 1e-3)
    given = (each.ravel()[order].clip(0, 1).tolist() for each in shades)
    painted = [coverage(size, outlines, each) for each in given]
    return [mask, *(plate.blur(each, soft) / ground for each in painted)]


def _bell(plate: Plate, jelly: _Jelly) -> list[list[Floats]]:
    """Its far and its near wall: bright where one looks along them, with stripes like a star."""
    fine = round(16 * jelly.radius)
    a, t = np.meshgrid(np.linspace(0, 2 * np.pi, 97 + 32 * fine), np.linspace(0, 1, 21 + 2 * fine))
    r = np.sin(1.85 * t) * (1 + 0.02 * np.cos(16 * a) * t**3)
    y = -0.85 * np.cos(1.85 * t) + 0.07 * np.abs(np.cos(16 * a)) ** 0.7 * smooth(0.86, 1.0, t)
    x, z, (c, s) = r * np.cos(a), r * np.sin(a), directed(jelly.seen_from_below)
    points = np.stack([x, c * y - s * z, c * z + s * y], -1)
    normal = facing(points)
    normal *= np.sign((normal * points[:-1, :-1]).sum(-1, keepdims=True))
    freckles = plate.noise(7 * x, 7 * z, 40 + jelly.number, 3)[:-1, :-1]
    a, t = a[:-1, :-1], t[:-1, :-1]
    stripe = smooth(0.62, 0.95, 0.5 + 0.5 * np.cos(16 * a)) * smooth(0.15, 0.4, t)
    tone = 0.38 + 0.55 * (1 - np.abs(normal[..., 2])) ** 1.8 - 0.26 * stripe + 0.06 * freckles
    tone = tone + 0.2 * smooth(0.6, 0.0, t) + 0.3 * smooth(0.94, 1.0, t)
    gloss = 0.65 * np.clip(normal @ np.array([0.35, -0.85, 0.3]), 0, 1) ** 7
    order, near = np.argsort(points[:-1, :-1, 2], axis=None), normal[..., 2].ravel() > 0
    return [_patches(plate, jelly.placed(points[..., :2]), order[near[order] == side], tone, gloss)
            for side in (False, True)]  # fmt: skip


def _tentacles(plate: Plate, jelly: _Jelly) -> list[Floats]:
    """Light of those on the far half of the rim, then of those on the near half."""
    rng = plate.rng(10 + jelly.number)
    halves: list[tuple[list[Floats], list[float]]] = [([], []), ([], [])]
    for angle in np.arange(26) / 26 * 2 * np.pi + 0.1:
        outlines, shades = halves[int(np.sin(angle) > 0)]
        start = 0.96 * np.cos(angle), 0.24 - 0.96 * np.sin(angle) * np.sin(jelly.seen_from_below)
        long, wave, bright = rng.uniform((2.4, 0.1, 0.35), (4.2, 0.22, 0.9))
        path = jelly.placed(jelly.trail(start, long, wave, rng.normal(0.4, 0.35)))[::3]
        wide = jelly.radius * np.linspace(0.02, 0.006, len(path)) * rng.uniform(0.5, 1.1)
        for first in range(0, 60, 2):
            part, grown = slice(first, first + 3), 0.3 + 0.7 * min(first / 8, 1)
            outlines.append(ribbon(path[part], wide[part]))
            shades.append(bright * grown * (1 - first / 60) ** 0.9)
    return [plate.filled(*half) for half in halves]


def _arms(plate: Plate, jelly: _Jelly) -> list[list[Floats]]:
    """Ruffled curtains on both sides of four cords from the middle of the bell."""
    rng, curtains = plate.rng(20 + jelly.number), []
    for number, (root, long) in enumerate(((0.24, 2.6), (-0.26, 3.0), (0.1, 4.1), (-0.08, 3.6))):
        path = jelly.trail((root, -0.42), long + 0.2, rng.uniform(0.16, 0.28), rng.normal(0.3, 0.7))
        share, w = np.linspace(0, 1, len(path))[:, None], np.linspace(-1, 1, 17)[None]
        path[:, :1] += 0.3 * root * share**1.5 * long
        wide = 0.32 * np.interp(share, (0, 0.08, 0.25, 0.5, 0.8, 1), (0.1, 0.6, 1, 0.6, 0.3, 0.05))
        beat = 2 * np.pi * long * (2.0 * share**0.9 + 0.14 * np.sin(7 * share + number))
        beat = beat + 2.4 * np.sign(w) + number
        turn = 1.2 * np.abs(w) ** 1.1 * np.sin(beat) + 0.35 * w**2 * np.sin(2.37 * beat + number)
        turn = turn + 0.6 * np.cos(5 * share + 2 * number)
        out = normals(path)[:, None]
        along = np.stack([-out[..., 1], out[..., 0]], -1)
        flat = path[:, None] + out * (wide * w * np.cos(turn))[..., None]
        flat = flat + along * (0.22 * wide * w**2 * np.cos(beat + 0.6))[..., None]
        deep = wide * w * np.sin(turn)
        slope = np.abs(facing(np.concatenate([flat, deep[..., None]], -1)))
        tone = 0.3 + 0.26 * slope[..., 0] + 0.2 * slope[..., 1] + 0.42 * np.abs(w[:, 1:]) ** 6
        tone = tone * (1 - 0.75 * share[1:] ** 1.3) * smooth(0.0, 0.09, share[1:])
        order = np.argsort(deep[1:, 1:], axis=None)
        curtains.append(_patches(plate, jelly.placed(flat), order, tone))
    return curtains
