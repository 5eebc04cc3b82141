"""Windows of a city house at dusk, each with an evening of its own."""

from __future__ import annotations

import numpy as np

from ._curves import outlines_of, ribbon, spline
from ._plate import FINER, Colours, Floats, Plate, coverage, over, ramp, screen, smooth

_LIGHTS = (
    ("#fff0c4", "#f6b45a", "#a85a24"), ("#ffe3ae", "#e8913f", "#8c3f1f"),
    ("#fff4d8", "#f1cf86", "#b07b3a"), ("#f7e6c8", "#d9a06a", "#7d4630"),
    ("#d9efe9", "#8fbcb9", "#3d6a72"), ("#ffd9c2", "#d97a5d", "#7a2f34"),
)  # fmt: skip
_COLUMNS, _ROWS = 4, 5


def windows(plate: Plate) -> Colours:
    """Draw it: brick in blue dusk, then every window with its lamp, curtain and who is there."""
    x, y = plate.x, plate.y
    rng = plate.rng(1)
    picture = _wall(plate)
    light = np.zeros(picture.shape, np.float32)
    wide, tall = 0.3, 0.36
    step_x, step_y = 2 / _COLUMNS, 2 * plate.bottom / _ROWS
    lit = rng.random((_ROWS, _COLUMNS)) < 0.72
    kinds = rng.permutation(np.resize(np.arange(6), _ROWS * _COLUMNS)).reshape(_ROWS, _COLUMNS)
    for row in range(_ROWS):
        for column in range(_COLUMNS):
            middle = -1 + (column + 0.5) * step_x, -plate.bottom + (row + 0.5) * step_y
            near = np.abs(y[:, 0] - middle[1]) < step_y / 2, np.abs(x[0] - middle[0]) < step_x / 2
            box = np.ix_(*near)
            u, v = (x[box] - middle[0]) / wide, (y[box] - middle[1]) / tall
            inside = smooth(0.51, 0.5, np.abs(u)) * smooth(0.51, 0.5, np.abs(v))
            frame = smooth(0.585, 0.57, np.abs(u)) * smooth(0.565, 0.55, np.abs(v))
            shown = over(picture[box], "#3a4256", frame)
            if lit[row, column]:
                room = _room(rng, u, v, int(kinds[row, column]), plate, row * 7 + column)
                light[box] += room * inside[..., None]
            else:
                room = ramp(v + 0.35 * u + 0.15 * np.sin(5 * v + row), (-0.8, "#33496b"), (0.0, "#17233c"),
                            (0.8, "#0c1426"))  # fmt: skip
            shown = over(shown, room, inside)
            bars = np.maximum(
                smooth(0.035, 0.022, np.abs(u)), smooth(0.03, 0.018, np.abs(v + 0.16))
            )
            picture[box] = over(shown, "#222a3b", bars * inside)
            sill = smooth(0.68, 0.66, np.abs(u)) * smooth(0.045, 0.035, np.abs(v - 0.6))
            picture[box] = over(picture[box], "#5d6577" if lit[row, column] else "#465067", sill)
            under = smooth(0.66, 0.6, np.abs(u)) * smooth(0.85, 0.64, v) * smooth(0.63, 0.65, v)
            picture[box] *= 1 - 0.45 * under[..., None]
    glow = plate.blur(light, 0.03) * 0.3 + plate.blur(light, 0.13) * 0.42
    return plate.finished(screen(picture, glow * np.array([1.0, 0.8, 0.55])), 0.011, 0.4)


def _wall(plate: Plate) -> Colours:
    """Bricks in running bond, weathered, darker below; a cornice between the floors."""
    x, y = plate.x, plate.y
    course = y / 0.034
    shift = 0.5 * (np.floor(course) % 2)
    along = x / 0.098 + shift
    brick = plate.rng(2).normal(0, 1, (97, 89))
    own = brick[np.floor(course).astype(int) % 97, np.floor(along).astype(int) % 89]
    joint = np.maximum(
        smooth(0.4, 0.47, np.abs(course - np.floor(course) - 0.5)),
        smooth(0.465, 0.49, np.abs(along - np.floor(along) - 0.5)),
    )
    worn = plate.noise(x * 1.6, y * 1.6, 3, 6) + 0.3 * plate.noise(x * 30, y * 30, 4, 2)
    tone = 0.5 + 0.12 * own + 0.2 * worn - 0.16 * y / plate.bottom
    wall = ramp(tone, (0.0, "#141a2d"), (0.5, "#2a3049"), (1.0, "#4a4a63"))
    return over(wall, "#161b2b", 0.6 * joint)


def _room(
    rng: np.random.Generator, u: Floats, v: Floats, kind: int, plate: Plate, stream: int
) -> Colours:
    """The room behind one pane; u and v go from -0.5 to 0.5."""
    bright, middle, dark = _LIGHTS[int(rng.choice(6, p=(0.26, 0.22, 0.22, 0.12, 0.08, 0.1)))]
    lamp = rng.uniform(-0.3, 0.3), rng.uniform(-0.25, 0.05)
    away = np.hypot(0.85 * (u - lamp[0]), v - lamp[1])
    room = ramp(away + 0.04 * plate.noise(u * 4, v * 4, stream, 3),
                (0.02, bright), (0.28, middle), (0.95, dark))  # fmt: skip
    room = over(room, dark, 0.35 * smooth(0.30, 0.34, v))
    if kind in (0, 3):  # A lamp with a shade, on a table.
        aside, under = np.abs(u - lamp[0]), v - lamp[1]
        shade = (aside < 0.07 + 0.09 * (under + 0.08)) * (np.abs(under) < 0.08)
        room = over(room, "#fffaf0", 0.9 * shade)
        foot = (aside < 0.012) * (v > lamp[1] + 0.08) * (v < 0.36)
        room = over(room, "#2a1a18", 0.9 * foot)
    if kind == 1:
        room = over(room, "#1e1620", 0.93 * _within(u, v, _someone(rng)))
    if kind == 2:
        room = over(room, "#1c2420", 0.92 * _within(u, v, *_plant(rng)))
    if kind == 4:
        room = over(room, "#191520", 0.95 * _within(u, v, *_cat(rng)))
    if kind == 5:  # A blind, half down.
        down = rng.uniform(-0.3, 0.15)
        slat = 0.75 + 0.25 * np.sin(v * 110)
        room = over(room, middle, (v < down) * slat * 0.8)
    else:
        drawn = rng.uniform(0.12, 0.24)
        edge = np.abs(u) - (0.5 - drawn) - 0.03 * np.sin(3 * v + stream) - 0.1 * (v - 0.1) ** 2
        fold = 0.62 + 0.3 * np.sin(np.abs(u) * 95 + 3 * np.sin(4 * v))
        cloth = ramp(fold, (0.2, dark), (1.0, middle))
        room = over(room, cloth, 0.85 * smooth(-0.01, 0.015, edge))
    return room * (1 - 0.25 * smooth(0.2, -0.6, v + 0.9))[..., None]


def _within(u: Floats, v: Floats, *outlines: Floats) -> Floats:
    """Coverage of outlines in pane units, at the pixels of one window."""
    low, step = np.array([u[0, 0], v[0, 0]]), np.array([u[0, 1] - u[0, 0], v[1, 0] - v[0, 0]])
    return coverage(u.shape, [((each - low) / step + 0.5) * FINER - 0.5 for each in outlines])


def _someone(rng: np.random.Generator) -> Floats:
    """Head and shoulders, from behind or from the side."""
    side, place = rng.choice([-1, 1]), rng.uniform(-0.12, 0.12)
    outline = spline(outlines_of("windows")["someone"], 5)
    return np.asarray(outline * (side, 1) + (place, 0.05))


def _plant(rng: np.random.Generator) -> list[Floats]:
    """A pot with leaves that arch to both sides."""
    place = rng.uniform(-0.15, 0.15)
    parts = [np.array([(-0.1, 0.32), (0.1, 0.32), (0.075, 0.52), (-0.075, 0.52)])]
    for _ in range(11):
        lean, tall = rng.uniform(-0.33, 0.33), rng.uniform(0.22, 0.5)
        path = spline([(0, 0.34), (0.35 * lean, 0.34 - 0.75 * tall), (lean, 0.34 - 0.8 * tall)])
        parts.append(ribbon(path, 0.05 * np.sin(np.linspace(0.15, np.pi, len(path)))))
    return [part + (place, 0) for part in parts]


def _cat(rng: np.random.Generator) -> list[Floats]:
    """A cat on the sill, looking out."""
    place, side = rng.uniform(-0.12, 0.12), rng.choice([-1, 1])
    outlines = outlines_of("windows")
    body, tail = spline(outlines["cat"], 6), ribbon(spline(outlines["tail"]), 0.04)
    return [part * (side, 1) + (place, 0) for part in (body, tail)]
