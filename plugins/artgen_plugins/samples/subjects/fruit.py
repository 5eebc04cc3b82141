"""A still life: fruit and a jug, the light from a window on the left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._curves import outlines_of, ribbon, spline
from ._plate import Colours, Floats, Plate, hexed, over, ramp, smooth

_LIGHT = np.array([-0.62, -0.58, 0.53])
_LIGHT /= np.linalg.norm(_LIGHT)
_TABLE = 0.3
"""Where the table's back edge is."""


def fruit(plate: Plate) -> Colours:
    """Draw it: wall, table with its cloth, then what stands on it from back to front."""
    x, y = plate.x, plate.y
    plaster = plate.noise(x * 1.3, y * 1.3, 1, 7, 0.6)
    beam = np.exp(-(((x + 0.75 + 0.5 * (y + 0.6)) / 0.75) ** 2))
    tone = 0.16 + 0.34 * beam * smooth(0.9, -0.9, y) + 0.05 * plaster
    picture = ramp(tone, (0.05, "#15120f"), (0.3, "#3d3629"), (0.55, "#776a4e"))
    wood = plate.noise(x * 1.2 + 9, y * 26, 2, 5) + 0.4 * plate.noise(x * 5, y * 90, 3, 2)
    board = ramp(0.4 - 0.22 * x + 0.10 * wood - 0.2 * (y - _TABLE),
                 (0.0, "#150d09"), (0.4, "#4b2e1b"), (0.8, "#96663c"))  # fmt: skip
    picture = over(picture, board, smooth(-0.004, 0.004, y - _TABLE))

    jug, pear, handle = outlines_of("fruit").values()
    picture = _solid(plate, picture, (-0.42, 0.08), jug, _glaze, 10)
    picture = _handle(plate, picture, spline(handle, 14))
    picture = _solid(plate, picture, (0.62, 0.235), pear, _pear, 11, turn=0.12)
    for centre, size, kind, stream in (
        ((0.02, 0.36), 0.2, _orange, 12), ((0.34, 0.46), 0.185, _apple, 13),
        ((-0.2, 0.56), 0.165, _apple, 14), ((0.93, 0.5), 0.18, _orange, 15),
    ):  # fmt: skip
        turn = 0.4 * np.sin(stream)
        picture = _solid(plate, picture, centre, _ball(size), kind, stream, turn=turn)
    for place, size in _grapes():
        picture = _solid(plate, picture, place, _ball(size), _grape, 30, soft=0.3)
    picture = over(picture, "#2a1c10", plate.filled([
        ribbon(spline([(0.655, -0.1), (0.665, -0.17), (0.70, -0.215)]), np.linspace(0.018, 0.026, 25)),
        ribbon(spline([(0.335, 0.31), (0.35, 0.265), (0.385, 0.24)]), np.linspace(0.01, 0.02, 25)),
        ribbon(spline([(-0.215, 0.43), (-0.22, 0.385), (-0.2, 0.355)]), np.linspace(0.01, 0.018, 25)),
    ]))  # fmt: skip
    return plate.finished(picture, 0.012, 0.5)


def _ball(radius: float) -> list[tuple[float, float]]:
    """A slightly flattened sphere's profile: (height, radius)."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 13)
    return [(0.94 * radius * float(np.sin(a)), radius * float(np.cos(a))) for a in angle]


def _solid(
    plate: Plate,
    picture: Colours,
    centre: tuple[float, float],
    profile: list[tuple[float, float]],
    skin: Callable[[Plate, Floats, Floats, int], tuple[Colours, float]],
    stream: int,
    *,
    turn: float = 0.0,
    soft: float = 1.0,
) -> Colours:
    """A solid of revolution in the window's light, with its shadow on the table.

    Its `profile` lists (height, radius) from top to bottom; `skin` gives colour and gloss.
    """
    curve = spline(profile, 8)
    whole, reach = picture, float(curve[:, 1].max())
    tall = max(abs(profile[0][0]), abs(profile[-1][0])) + reach
    x, y = centre
    box = plate.box(x - 1.6 * reach, y - tall, x + 5 * reach, y + tall)
    plate, picture = plate.window(box), picture[box]
    down, across = plate.y - centre[1], plate.x - centre[0]
    c, s = np.cos(turn), np.sin(turn)
    up, side = c * down - s * across, c * across + s * down
    radius = np.interp(up, curve[:, 0], np.maximum(curve[:, 1], 0), left=0, right=0)
    slopes = np.gradient(curve[:, 1], curve[:, 0] + 1e-6 * np.arange(len(curve)))
    slope = np.clip(np.interp(up, curve[:, 0], slopes), -6, 6)
    front = np.sqrt(np.maximum(radius**2 - side**2, 0))
    nx, ny, nz = side, -slope * radius, front
    size = np.sqrt(nx**2 + ny**2 + nz**2) + 1e-6
    nx, ny, nz = nx / size, ny / size, nz / size
    nx, ny = c * nx - s * ny, c * ny + s * nx

    foot = centre[1] + curve[-1, 0]
    along = (plate.x - centre[0] - 1.05 * reach) / (2.2 * reach)
    cast = np.exp(-(along**2 + ((plate.y - foot + 0.05 * reach) / (0.38 * reach)) ** 2) * 1.6)
    below = (plate.y - foot + 0.06 * reach) / (0.2 * reach)
    contact = np.exp(-((across / (0.75 * reach)) ** 2 + below**2))
    shadow = np.maximum(0.72 * cast, 0.85 * contact) * smooth(_TABLE - 0.03, _TABLE + 0.02, plate.y)
    picture = over(picture, "#0b0705", soft * shadow)

    colour, gloss = skin(plate, side / reach, up / reach, stream)
    facing = nx * _LIGHT[0] + ny * _LIGHT[1] + nz * _LIGHT[2]
    lit = np.clip(0.12 + 0.95 * facing, 0, None)
    bounce = 0.16 * np.clip(ny, 0, 1) + 0.06 * np.clip(nx, 0, 1) ** 2
    shaded = colour * (0.06 + lit)[..., None] ** 1.1 + hexed("#6b3d1d") * bounce[..., None]
    half = _LIGHT + (0, 0, 1)
    half /= np.linalg.norm(half)
    mirror = np.clip(nx * half[0] + ny * half[1] + nz * half[2], 0, 1)
    shaded = shaded + gloss * (mirror**60 + 0.25 * mirror**12)[..., None] * hexed("#fff2dc")
    edge = smooth(0, 1.6 * plate.pixel, radius - np.abs(side)) * (radius > plate.pixel)
    whole = whole.copy()
    whole[box] = over(picture, np.clip(shaded, 0, 1), edge)
    return whole


def _glaze(plate: Plate, u: Floats, v: Floats, stream: int) -> tuple[Colours, float]:
    """Blue-gray stoneware with a cream band and fine crackle."""
    cloud = plate.noise(u * 1.5, v * 2, stream, 6, 0.6)
    clay = ramp(cloud, (-1.0, "#4d6470"), (0.2, "#7d949a"), (1.0, "#a9b6b0"))
    band = smooth(-0.62, -0.6, v + 0.02 * cloud) * smooth(-0.38, -0.4, v + 0.02 * cloud)
    return over(clay, "#d8cbb0", 0.75 * np.maximum(band, smooth(-2.7, -2.75, v))), 0.5


def _orange(plate: Plate, u: Floats, v: Floats, stream: int) -> tuple[Colours, float]:
    pores = plate.noise(u * 26, v * 26, stream, 2)
    tone = 0.5 + 0.25 * plate.noise(u, v, stream + 50, 3) + 0.09 * pores
    return ramp(tone, (0.0, "#c45a10"), (0.5, "#ec8a22"), (1.0, "#f7b548")), 0.22


def _apple(plate: Plate, u: Floats, v: Floats, stream: int) -> tuple[Colours, float]:
    streak = plate.noise(np.arctan2(u, 1.3 - v) * 16, v * 1.2, stream, 4)
    tone = 0.55 + 0.3 * streak - 0.35 * u + 0.35 * (v + 0.2)
    skin = ramp(tone, (-0.1, "#7d0f16"), (0.45, "#b3261c"), (0.8, "#d8662c"), (1.2, "#e0b24a"))
    dots = smooth(0.75, 1.0, plate.noise(u * 17, v * 17, stream + 1, 1))
    skin = over(skin, "#efc98e", 0.35 * dots)
    return over(skin, "#2b1508", 0.8 * np.exp(-((u / 0.22) ** 2 + ((v + 0.8) / 0.12) ** 2))), 0.45


def _pear(plate: Plate, u: Floats, v: Floats, stream: int) -> tuple[Colours, float]:
    tone = 0.5 + 0.28 * plate.noise(u * 1.2, v * 1.2, stream, 5) + 0.3 * u
    skin = ramp(tone, (0.0, "#a8a83c"), (0.5, "#cfc052"), (0.85, "#d9a14c"), (1.2, "#b8592e"))
    russet = smooth(0.5, 1.0, plate.noise(u * 14, v * 14, stream + 1, 3))
    return over(skin, "#7c5a24", 0.5 * russet), 0.2


def _grape(plate: Plate, u: Floats, v: Floats, stream: int) -> tuple[Colours, float]:
    bloom = plate.noise(plate.x * 14, plate.y * 14, stream, 3)
    return ramp(0.5 + 0.3 * bloom, (0.1, "#2a1330"), (0.6, "#54304f"), (1.0, "#8c7a96")), 0.45


def _grapes() -> list[tuple[tuple[float, float], float]]:
    """A bunch that lies before the jug: centre and radius of each grape, back to front."""
    found = []
    for row, count in enumerate((4, 6, 7, 6, 4)):
        for place in range(count):
            x = -0.78 + 0.08 * (place - (count - 1) / 2)
            x += 0.028 * np.sin(7 * place + 3 * row) + 0.03 * row
            y = 0.38 + 0.06 * row + 0.02 * np.cos(5 * place + 2 * row)
            found.append(((x, y), 0.058 + 0.008 * np.sin(11 * place + 5 * row)))
    return found


def _handle(plate: Plate, picture: Colours, path: Floats) -> Colours:
    widths = np.linspace(0.055, 0.04, len(path))
    shade, gleam = path + (0.012, 0.012), path - (0.012, 0.006)
    picture = over(picture, "#6f878e", plate.filled([ribbon(path, widths)]))
    picture = over(picture, "#2c3a40", 0.55 * plate.filled([ribbon(shade, widths * 0.45)]))
    return over(picture, "#d4dcd6", 0.5 * plate.filled([ribbon(gleam, widths * 0.16)]))
