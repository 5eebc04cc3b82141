"""A woman's face with closed eyes, a relief that is turned aside and bent, and her hair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._curves import outlines_of, ribbon, spline, spread, turned
from ._plate import Colours, Floats, Plate, hexed, over, ramp, smooth
from ._relief import inflated, lit
from ._strokes import Ramp

LAMP = (-0.55, -0.6, 0.75)
SKIN: Ramp = ((-0.3, "#3d2238"), (0.1, "#84504f"), (0.4, "#c48a70"), (0.7, "#eec3a0"), (0.88, "#fbe3c4"), (1.0, "#fff3dc"))  # fmt: skip


@dataclass(frozen=True)
class Pose:
    """Where a head is: its middle, its size, how it leans, is turned aside and bent, in radians."""

    middle: tuple[float, float]
    size: float
    roll: float
    yaw: float
    pitch: float

    def placed(self, points: Floats) -> Floats:
        """Points about the middle of the upright head, where they are on the plate."""
        return np.asarray(turned(points, self.roll) * self.size + self.middle)

    def seen(self, points: Floats, height: Floats | None = None) -> Floats:
        """Where points on the face, or at a height above the plate, are on the plate."""
        u, v = points.T
        z = _heights(u, v) if height is None else height
        x = u * np.cos(self.yaw) + z * np.sin(self.yaw)
        y = v * np.cos(self.pitch) + z * np.sin(self.pitch)
        return self.placed(np.stack([x, y], 1))


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


def face(plate: Plate, picture: Colours, pose: Pose, colours: Ramp = SKIN) -> Colours:
    """The face: its relief, seen from the side, with brows, lashes, lips and a blush."""
    parts, middle, reach = outlines_of("gown"), np.array(pose.middle), 1.45 * pose.size
    box, near = plate.around(middle[None], reach)
    a, b = near.turned(middle, pose.roll, pose.size)
    u, v = a, b
    for _ in range(8):
        z = _heights(u, v)
        u = 0.3 * u + 0.7 * (a - z * np.sin(pose.yaw)) / np.cos(pose.yaw)
        v = 0.3 * v + 0.7 * (b - z * np.sin(pose.pitch)) / np.cos(pose.pitch)
    depth = _heights(u, v) * np.cos(pose.yaw) - u * np.sin(pose.yaw)
    depth = depth * np.cos(pose.pitch) - v * np.sin(pose.pitch)
    skin = ramp(lit(near, near.blur(depth * pose.size, 0.004), LAMP), *colours)
    for side in (-1, 1):
        skin = over(skin, "#d9634f", 0.34 * _bump(u, v, (0.4 * side, 0.32), 0.22, 0.17))
        skin = over(skin, "#8f4f62", 0.4 * _bump(u, v, (0.3 * side, -0.03), 0.19, 0.09))
    lips = near.filled([pose.seen(spline(parts[name], 8)) for name in ("upper", "lower")])
    skin = over(skin, skin * hexed("#d9555c"), 0.85 * near.blur(lips, 0.004))
    for name, colour, soft, strong, *widths in parts["lines"]:
        path = spline(parts[name], 8)
        wide = spread(widths, len(path))
        lines = [pose.seen(ribbon(path, wide)), pose.seen(ribbon(path * (-1, 1), wide))]
        skin = over(skin, colour, strong * near.blur(near.filled(lines), soft))
    picture = picture.copy()
    mask = near.filled([pose.placed(spline(parts["outline"], 8))])
    picture[box] = over(picture[box], skin, mask)
    return picture


def hair(
    plate: Plate,
    picture: Colours,
    pose: Pose,
    masses: list[list[list[tuple[float, float]]]],
    colours: Ramp,
    shade: float = 0.0,
    fine: float = 0.75,
) -> Colours:
    """Masses of hair, each between two edges about the head, of strands that catch the light.

    `shade` is how dark a shadow they cast, `fine` how much each strand differs from the others.
    """
    rng = plate.rng(5)
    for inner, outer in masses:
        first, last = (pose.placed(spline(edge, 10)) for edge in (inner, outer))
        mask, strands = plate.filled([np.concatenate([first, last[::-1]])]), []
        for share in rng.permutation(np.linspace(-0.02, 1.02, 90)):
            wave = 0.012 * np.sin(np.linspace(0, 9, len(first)) + 5 * share)[:, None]
            path = first * (1 - share) + last * share + wave
            strands.append(ribbon(path, 0.016 * np.sin(np.linspace(0.3, 2.9, len(path)))))
        tone = plate.blur(plate.filled(strands, rng.uniform(0.2, 1, len(strands)).tolist()), 0.002)
        if shade:
            picture = over(picture, "#43202c", shade * plate.blur(mask, 0.022))
        light = lit(plate, inflated(plate, mask, 0.12, 0.05), LAMP)
        shown = ramp(0.75 * light**2 + fine * (tone - 0.55) * light, *colours)
        picture = over(picture, shown, mask)
    return picture
