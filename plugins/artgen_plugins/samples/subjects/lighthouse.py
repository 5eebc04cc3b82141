"""A lighthouse on its rock at nightfall: two beams, a house with a lit window, waves."""

from __future__ import annotations

import numpy as np

from ._curves import outlines_of
from ._plate import Colours, Floats, Plate, over, ramp, screen, smooth

_LAMP = np.array([0.42, -0.6])
_SEA = 0.42
_RED, _WHITE, _NIGHT = "#d32f2a", "#fbf3e6", "#1c1a3a"


def lighthouse(plate: Plate) -> Colours:
    """Draw it: the sky, the beams, the sea, the rock, the house, the tower, the lamp."""
    x, y = plate.x, plate.y
    paper = plate.noise(x * 2, y * 2, 1, 6, 0.6)
    glow = 0.25 * np.exp(-(((x + 0.9) / 0.8) ** 2))
    picture = ramp(y + glow + 0.04 * paper, (-1, "#16206a"), (-0.35, "#303f8c"), (0.1, "#8a5a8c"), (0.38, "#f08a6a"),
                   (0.6, "#ffd08a"))  # fmt: skip
    rng = plate.rng(3)
    stars = [(*rng.uniform((-1.35, -1), (1.35, 0)), 0.0035 * (1 + rng.pareto(4)), rng.uniform(0.3, 1))
             for _ in range(90)]  # fmt: skip
    picture = over(picture, "#ffffff", plate.dots(stars).clip(0, 1) * smooth(0.1, -0.6, y))
    for layer, (level, shade) in enumerate(((-0.08, "#5a4a86"), (0.16, "#c76a72"))):
        bank = plate.noise(x * 0.8 + 5 * layer, y * 5, 2 + layer, 4)
        band = bank * np.exp(-(((y - level) / 0.1) ** 2))
        picture = over(picture, shade, (0.55 + 0.25 * layer) * smooth(0.05, 0.45, band))
    picture = over(picture, "#ffdf86", _beams(plate))
    picture = _tower(plate, _rock(plate, _sea(plate, picture)))
    away = np.hypot(x - _LAMP[0], y - _LAMP[1])
    halo = 0.75 * np.exp(-((away / 0.05) ** 2)) + 0.4 * np.exp(-((away / 0.16) ** 2))
    picture = screen(picture, halo[..., None] * np.array([1.0, 0.88, 0.55]))
    return plate.finished(picture + 0.012 * paper[..., None], 0.01, 0.25)


def _beams(plate: Plate) -> Floats:
    """Light that leaves the lamp to both sides and fades on its way."""
    x, y = plate.x - _LAMP[0], plate.y - _LAMP[1]
    light: Floats = np.zeros_like(x)
    for way, strength in ((np.pi + 0.1, 1.0), (0.1, 0.85)):
        ahead = x * np.cos(way) + y * np.sin(way)
        aside = np.abs(y * np.cos(way) - x * np.sin(way)) / np.maximum(0.105 * ahead + 0.03, 1e-3)
        beam = strength * smooth(1.0, 0.9, aside) * np.exp(-ahead / 1.5) * (ahead > 0)
        light = np.maximum(light, beam)
    return light


def _sea(plate: Plate, picture: Colours) -> Colours:
    """Rows of waves, larger towards the eye, each lit on its back."""
    x, y = plate.x, plate.y
    far = ramp(y, (_SEA, "#e59a78"), (_SEA + 0.05, "#6b5f92"), (0.75, "#1d3568"), (1, "#0b1a3c"))
    picture = over(picture, far, smooth(-0.002, 0.002, y - _SEA))
    for row, near in enumerate(np.linspace(0, 1, 9)):
        long = 5.5 - 3.6 * near
        u = x * long + plate.rng(30 + row).uniform(0, 9)
        u = u + 0.35 * plate.noise(x * long * 0.7, 0 * x + row, 5, 2)
        rise = 1 - np.abs(np.sin(1.6 * u))
        deep = y - (_SEA + 0.03 + 0.5 * near**1.5 - (0.012 + 0.05 * near) * rise**1.3)
        wave = ramp(deep / (0.05 + 0.16 * near), (0, "#5f86b8"), (0.35, "#2c5590"), (1, "#122c5c"))
        warm = ramp(deep / 0.08, (0, "#f2a884"), (1, "#3b568e"))
        wave = over(wave, warm, 0.75 * (1 - near) * smooth(0.2, -1.0, x))
        foam = smooth(0.004 + 0.014 * near, 0.001, deep) * smooth(0.2, 0.6, rise)
        picture = over(picture, over(wave, "#eef3f2", 0.9 * foam), smooth(-0.002, 0.002, deep))
    return picture


def _rock(plate: Plate, picture: Colours) -> Colours:
    """The rock: faces between cracks, lit from the left, grass on it, foam where it meets the sea."""
    x, y = plate.x, plate.y
    rng = plate.rng(12)
    middles, tones = rng.uniform((-0.4, 0.12), (1.45, 0.76), (90, 2)), rng.uniform(0, 1, 90)
    u = x + 0.05 * plate.noise(x * 3, y * 3, 13, 3)
    v = 0.8 * y + 0.05 * plate.noise(x * 3, y * 3, 14, 3)
    # The nearest to each place; ninety planes at once would need 300 MB.
    face, least = np.zeros(x.shape, int), np.full(x.shape, np.inf)
    for number, (a, b) in enumerate(middles):
        apart = (u - a) ** 2 + (v - b) ** 2
        face[apart < least] = number
        np.minimum(least, apart, out=least)
    tone = (
        0.55 * tones[face] + 0.45 * smooth(1.2, -0.3, x) + 0.06 * plate.noise(x * 8, y * 8, 15, 4)
    )
    colour = ramp(tone, (0.1, "#1a1230"), (0.5, "#3b2748"), (0.8, "#5f4060"), (1.0, "#8d6378"))
    turf = y + 0.02 * plate.noise(x * 9, y * 2, 16, 3)
    colour = over(colour, "#5a7a4c", 0.9 * smooth(0.255, 0.225, turf))
    edge = 0.77 + 0.03 * np.sin(9 * x) + 0.02 * plate.noise(x * 6, 0 * x, 17, 4)
    below = y - edge + 0.1 * smooth(0.1, -0.3, x)
    rock = plate.filled([outlines_of("lighthouse")["rock"]])
    picture = over(picture, colour, rock * smooth(0.003, -0.003, below))
    wide = 0.045 * smooth(-0.36, 0.0, x) + 0.006 * np.sin(23 * x)
    foam = smooth(-0.003, 0.003, below) * smooth(wide, wide - 0.02, below)
    return over(picture, "#eef3f2", foam * (x > -0.34))


def _tower(plate: Plate, picture: Colours) -> Colours:
    """The house, and the tower in bands of white and red, round in the light from the left."""
    x, y = plate.x - _LAMP[0], plate.y - _LAMP[1]
    share = (y - 0.1) / 0.73
    half = 0.075 + 0.055 * share.clip(0, 1) + 0.02 * smooth(0.85, 1.0, share)
    around = (x / half).clip(-1, 1)
    bands = smooth(-0.08, 0.08, np.sin(4.99 * np.pi * share))
    light = 0.3 + 0.75 * np.sqrt(1 - ((around + 0.45) / 1.5) ** 2)
    body = over(ramp(0 * share, (0, _WHITE), (1, _WHITE)), _RED, bands) * light[..., None]
    body = over(body, "#2a2358", 0.55 * smooth(0.1, 1.1, around))
    posts = [
        [(a, 0), (a, 0.08), (a + 0.008, 0.08), (a + 0.008, 0)]
        for a in np.linspace(-0.122, 0.114, 9)
    ]
    bars = [
        [(a, -0.07), (a, 0.06), (a + 0.008, 0.06), (a + 0.008, -0.07)]
        for a in (-0.062, -0.024, 0.016, 0.054)
    ]
    shapes = outlines_of("lighthouse")
    parts = (
        ("#8b82a8", [shapes["gable"]]), ("#efe2d6", [shapes["wall"]]), ("#a8342e", [shapes["tiles"]]),
        ("#ffd76a", shapes["panes"]), (body, [shapes["tower"]]), ("#251f47", shapes["windows"]),
        ("#fff3c4", [shapes["lantern"]]), (_NIGHT, [*shapes["gallery"], *posts, *bars]), ("#b32a2a", [shapes["roof"]]),
    )  # fmt: skip
    for colour, outlines in parts:
        picture = over(picture, colour, plate.filled([np.array(each) + _LAMP for each in outlines]))
    return picture
