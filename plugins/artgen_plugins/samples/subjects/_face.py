"""A woman's face with closed eyes: a relief, turned aside and bent, with brows, lashes and lips."""

from __future__ import annotations

import numpy as np

from ._curves import outlines_of, ribbon, spline, spread, turned
from ._plate import Colours, Floats, Plate, hexed, over, ramp, smooth
from ._relief import lit

LAMP = (-0.55, -0.6, 0.75)
SKIN = ((-0.3, "#3d2238"), (0.1, "#84504f"), (0.4, "#c48a70"), (0.7, "#eec3a0"), (0.88, "#fbe3c4"), (1.0, "#fff3dc"))  # fmt: skip
_HEAD, _SIZE, _ROLL, _YAW, _PITCH = np.array((0.0, -0.76)), 0.31, 0.5, -0.3, 0.12


def placed(points: Floats) -> Floats:
    """Points about the middle of the upright head, where they are on the plate."""
    return np.asarray(turned(points, _ROLL) * _SIZE + _HEAD)


def _bump(u: Floats, v: Floats, at: tuple[float, float], wide: float, tall: float) -> Floats:
    return np.exp(-(((u - at[0]) / wide) ** 2) - ((v - at[1]) / tall) ** 2)


def _heights(u: Floats, v: Floats) -> Floats:
    """Heights of a face: its eyes at v = 0, its chin at v = 1."""
    side = np.abs(u)
    wide = 0.78 - 0.2 * smooth(0.25, 1.1, v)
    z = 0.72 * np.sqrt(np.clip(1 - (u / wide) ** 2 - ((v + 0.05) / 1.2) ** 2, 0.03, 1))
    for at, across, tall, high in outlines_of("gown")["face"]:
        z = z + high * _bump(side if at[0] else u, v, at, across, tall)
    ridge = np.interp(v, (-0.3, -0.08, 0.1, 0.31, 0.37, 0.44), (0.0, 0.06, 0.13, 0.25, 0.22, 0.0))
    z = z + ridge * np.exp(-((u / np.interp(v, (-0.1, 0.3), (0.07, 0.105))) ** 2))
    part = 0.605 + 0.02 * np.cos(u * 22) * np.exp(-((u / 0.12) ** 2)) - 0.35 * u**2
    return np.asarray(z - 0.035 * np.exp(-(((v - part) / 0.022) ** 2) - (u / 0.22) ** 4))


def _seen(points: Floats) -> Floats:
    """Where points on the face are on the plate, turned as the head is."""
    u, v = points.T
    z = _heights(u, v)
    x = u * np.cos(_YAW) + z * np.sin(_YAW)
    return placed(np.stack([x, v * np.cos(_PITCH) + z * np.sin(_PITCH)], 1))


def face(plate: Plate, picture: Colours) -> Colours:
    """The face: its relief, seen from the side, with brows, lashes, lips and a blush."""
    parts, box = outlines_of("gown"), plate.box(-0.45, -1.2, 0.45, -0.38)
    near = plate.window(box)
    a, b = near.turned(_HEAD, _ROLL, _SIZE)
    u, v = a, b
    for _ in range(8):
        z = _heights(u, v)
        u = 0.3 * u + 0.7 * (a - z * np.sin(_YAW)) / np.cos(_YAW)
        v = 0.3 * v + 0.7 * (b - z * np.sin(_PITCH)) / np.cos(_PITCH)
    depth = (_heights(u, v) * np.cos(_YAW) - u * np.sin(_YAW)) * np.cos(_PITCH) - v * np.sin(_PITCH)
    skin = ramp(lit(near, near.blur(depth * _SIZE, 0.004), LAMP), *SKIN)
    for side in (-1, 1):
        skin = over(skin, "#d9634f", 0.34 * _bump(u, v, (0.4 * side, 0.32), 0.22, 0.17))
        skin = over(skin, "#8f4f62", 0.4 * _bump(u, v, (0.3 * side, -0.03), 0.19, 0.09))
    lips = near.filled([_seen(spline(parts[name], 8)) for name in ("upper", "lower")])
    skin = over(skin, skin * hexed("#d9555c"), 0.85 * near.blur(lips, 0.004))
    for name, colour, soft, strong, *widths in parts["lines"]:
        path = spline(parts[name], 8)
        wide = spread(widths, len(path))
        lines = [_seen(ribbon(path, wide)), _seen(ribbon(path * (-1, 1), wide))]
        skin = over(skin, colour, strong * near.blur(near.filled(lines), soft))
    picture = picture.copy()
    mask = near.filled([placed(spline(parts["outline"], 8))])
    picture[box] = over(picture[box], skin, mask)
    return picture
