"""A steam locomotive with its tender, seen from the side under its steam, in the last light."""

from __future__ import annotations

import numpy as np

from ._curves import directed, outlined, outlines_of, ribbon, spline
from ._plate import Colours, Plate, over, ramp, smooth

_RAIL = 0.72
_LIGHT = np.array([0.5, -0.87])
_ROUND = directed(np.linspace(0, 2 * np.pi, 60))


def locomotive(plate: Plate) -> Colours:
    """Draw it: the sky, steam, the line, the tender and the engine on their wheels, the rods."""
    parts = outlines_of("locomotive")
    picture = _line(plate, _steam(plate, _sky(plate)))
    for stuff, outline in parts["behind"]:
        picture = _laid(plate, picture, stuff, outline)
    for wheel in parts["wheels"]:
        picture = _wheel(plate, picture, *wheel)
    for x, y, size, stuff, profile in parts["standing"]:
        down, wide = spline(size * np.array(profile), 6).T
        across = (x - plate.x) / np.interp(plate.y - y, down, wide)
        path = np.stack([0 * down, down], 1) + (x, y)
        mask = plate.filled([outlined(path, np.stack([wide, 0 * wide], 1))])
        picture = over(picture, ramp(across, *parts["stuffs"][stuff]), mask)
    for stuff, outline in parts["before"]:
        picture = _laid(plate, picture, stuff, outline)
    for start, end, wide in parts["rods"]:
        for more, shade in ((0.02, "#141b24"), (0, "#d9dcd2")):
            rod = ribbon(np.array([start, end]), wide + more)
            picture = over(picture, shade, plate.filled([rod]))
    for x, y, size in parts["pins"]:
        for share, shade in ((1, "#141b24"), (0.75, "#f0cf86"), (0.3, "#5a3a20")):
            picture = over(picture, shade, plate.filled([(x, y) + share * size * _ROUND]))
    return plate.faced(plate.finished(picture, 0.012, 0.25))


def _sky(plate: Plate) -> Colours:
    """Evening light over two rows of hills."""
    x, y = plate.x, plate.y
    paper = plate.noise(x * 2, y * 2, 1, 6, 0.6)
    picture = ramp(y + 0.05 * paper, (-1, "#1d5261"), (-0.7, "#4f8a8c"), (-0.25, "#cfc79e"), (0.1, "#f4c88c"),
                   (0.45, "#f8d79c"))  # fmt: skip
    for layer, (level, shade) in enumerate(((0.36, "#b98a7a"), (0.5, "#5d6470"))):
        crest = level - 0.12 * plate.noise(x * 0.8 + 7 * layer, 0 * x, 2 + layer, 4, 0.4)
        picture = over(picture, shade, smooth(-0.003, 0.003, y - crest))
    return picture + 0.012 * paper[..., None]


def _steam(plate: Plate, picture: Colours) -> Colours:
    """Puffs from the chimney, larger behind, each of some lumps and round in the light."""
    parts = outlines_of("locomotive")
    rng, around = plate.rng(5), np.linspace(0, 2 * np.pi, 90)
    uneven = 0.1 * plate.noise(plate.x * 2.5, plate.y * 2.5, 4, 4)
    for x, y, size in parts["steam"]:
        lumps = rng.integers(4, 7) * (around + rng.uniform(0, 6))
        away = size * (0.94 + 0.13 * np.abs(np.sin(lumps / 2)))
        puff = plate.filled([(x, y) + away[:, None] * directed(around)])
        light = ((plate.x - x) * _LIGHT[0] + (plate.y - y) * _LIGHT[1]) / size + uneven
        picture = over(picture, ramp(light, *parts["stuffs"]["steam"]), puff)
    return picture


def _line(plate: Plate, picture: Colours) -> Colours:
    """The bank, sleepers, and the rail, whose top shines."""
    x, y = plate.x, plate.y
    stones = plate.noise(x * 14, y * 22, 8, 3)
    bank = ramp(y + 0.02 * stones, (_RAIL, "#26222e"), (1, "#10151f"))
    picture = over(picture, bank, smooth(-0.003, 0.003, y - _RAIL - 0.045))
    wide, low, high = 0.12, _RAIL + 0.07, _RAIL + 0.13
    starts = np.arange(0.15 - plate.right, plate.right - wide, 2 * wide)
    sleepers = [[(a, low), (a + wide, low), (a + wide, high), (a, high)] for a in starts]
    picture = over(picture, "#c79a72", plate.filled(sleepers))
    rail = (y - _RAIL - 0.018) / 0.02
    iron = ramp(rail, (-0.4, "#f2d9b0"), (-0.2, "#20242e"))
    return over(picture, iron, np.abs(rail) < 1)


def _laid(
    plate: Plate, picture: Colours, stuff: str, outline: list[tuple[float, float]]
) -> Colours:
    """An outline in a colour, or in a stuff that is round from its top to its bottom."""
    stuffs, corners = outlines_of("locomotive")["stuffs"], np.array(outline)
    colour: str | Colours = stuff
    if stuff in stuffs:
        top, bottom = corners[:, 1].min(), corners[:, 1].max()
        colour = ramp(2 * (plate.y - top) / (bottom - top) - 1, *stuffs[stuff])
    return over(picture, colour, plate.filled([corners]))


def _wheel(
    plate: Plate, picture: Colours, x: float, y: float, radius: float, spokes: int
) -> Colours:
    """A tyre, a rim, spokes, and a hub with its axle."""
    middle, wide = np.array([x, y]), radius * np.array((0.1, 0.075))
    for size, shade in ((1, "#e8d6b4"), (0.95, "#1a232d"), (0.88, "#c23a2c"), (0.76, "#121a24")):
        picture = over(picture, shade, plate.filled([middle + size * radius * _ROUND]))
    ways = directed(0.3 + np.linspace(0, 2 * np.pi, spokes, endpoint=False))
    bars = [ribbon(middle + np.outer((0, 0.8 * radius), way), wide) for way in ways]
    picture = over(picture, "#d84a36", plate.filled(bars))
    for size, shade in ((0.24, "#c23a2c"), (0.11, "#f0cf86")):
        picture = over(picture, shade, plate.filled([middle + size * radius * _ROUND]))
    return picture
