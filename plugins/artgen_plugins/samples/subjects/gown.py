"""A sleeper in a robe of gold ornament above a meadow at dusk, after the Vienna Secession."""

from __future__ import annotations

import numpy as np

from ._curves import directed, feather, outlines_of, spline, turned
from ._face import LAMP, SKIN, Pose, face, hair
from ._plate import Colours, Floats, Plate, hexed, over, ramp, screen, smooth
from ._relief import inflated, lit, tube
from ._robe import BRIGHT, Robe, patch

_HAIR = (0.0, "#0c0710"), (0.4, "#27131a"), (0.7, "#5c2f20"), (0.9, "#a8642f"), (1.1, "#eeb871")
_DUSKS = (
    ((-0.1, "#1c1626"), (0.12, "#3a2927"), (0.4, "#775025"), (0.75, "#c08d3a"), (0.9, "#dcae57")),
    ((-0.1, "#0c1430"), (0.12, "#14284a"), (0.4, "#2f5468"), (0.75, "#8aa08a"), (0.9, "#d8c88a")),
    ((-0.1, "#200f1e"), (0.12, "#481826"), (0.4, "#8a3a2a"), (0.75, "#cf8440"), (0.9, "#efb65f")),
)
_POSE = Pose((0.0, -0.76), size=0.31, roll=0.5, yaw=-0.3, pitch=0.12)
_AROUND = directed(np.linspace(0, 2 * np.pi, 24))


def gown(plate: Plate) -> Colours:
    """Draw it: dusk, hair, skin, the robe with the hand in it, the face, flowers."""
    parts = outlines_of("gown")
    picture = hair(plate, _dusk(plate), _POSE, parts["back"], _HAIR)
    robe = Robe(plate)
    picture = robe.above(_hand(plate, robe.under(_bust(plate, picture))))
    picture = hair(plate, face(plate, picture, _POSE), _POSE, parts["locks"], _HAIR, 0.55)
    picture = _flowers(plate, picture, parts["wreath"], 6)
    picture = plate.finished(_meadow(plate, picture), 0.01, 0.25)
    return plate.faced(picture)


def _dusk(plate: Plate) -> Colours:
    """A ground of beaten gold, darker towards the night, with a disc of rings around the head."""
    x, y, rng = plate.x, plate.y, plate.rng(2)
    beaten = plate.noise(x * 2, y * 2, 1, 7, 0.75)
    away = np.hypot(x - 0.14, y + 0.72)
    at = 0.62 * np.exp(-((away / 1.0) ** 2)) + 0.07 * beaten
    at += 0.13 * smooth(0.004, -0.004, away - 0.74) * smooth(0.2, -0.4, y)
    gold = ramp(at, *_DUSKS[plate.seed % len(_DUSKS)])
    for radius, size, many in ((0.69, 0.022, 60), (0.61, 0.012, 76)):
        ring = (0.14, -0.72) + radius * directed(np.arange(many) * 2 * np.pi / many)
        dots = plate.filled([at_ + size * _AROUND for at_ in ring])
        gold = over(gold, "#f3cf7c", 0.5 * dots * smooth(0.2, -0.5, y))
    flecks = [(*rng.normal((0.1, -0.6), (0.8, 0.7)), 0.0025 * (1 + rng.pareto(4)), rng.uniform(0.1, 0.6))
              for _ in range(500)]  # fmt: skip
    return screen(gold, plate.dots(flecks)[..., None] * hexed("#ffd98a"))


def _bust(plate: Plate, picture: Colours) -> Colours:
    """Neck, shoulders and breast, and the shadows of the chin and the robe."""
    parts = outlines_of("gown")
    mask = plate.filled([spline(parts["bust"], 8)])
    height = inflated(plate, mask, 0.1, 0.03)
    for way, wide, high in parts["bones"]:
        bone = tube(plate, way, (0.5 * wide, wide, 0.6 * wide))[0]
        height = height + high * plate.blur(bone, 0.02)
    skin = ramp(lit(plate, height, LAMP), *SKIN)
    chin = plate.filled([_POSE.placed(spline(parts["outline"], 8)) + (0.06, 0.06)])
    skin = over(skin, "#55293c", 0.7 * plate.blur(chin, 0.025))
    robe = plate.filled([patch(0, 0, 1, 1) - (0, 0.02)])
    return over(picture, over(skin, "#55293c", 0.8 * plate.blur(robe, 0.03)), mask)


def _hand(plate: Plate, picture: Colours) -> Colours:
    """A hand that lies on the breast: a palm, four fingers, a thumb."""
    parts = outlines_of("gown")
    box = plate.box(-0.4, -0.35, 0.45, 0.3)
    near, picture = plate.window(box), picture.copy()
    height, mask = np.zeros_like(near.x), np.zeros_like(near.x)
    for *way, widths in (*parts["palm"], *parts["fingers"]):
        points = turned(np.array(way) * (1, -1), np.pi + 0.4) * 1.2 + (0.18, 0.06)
        high, share = tube(near, points, widths)
        height, mask = np.maximum(height, high), np.maximum(mask, share)
    shadow = np.roll(near.blur(mask, 0.01), round(0.014 / near.pixel), 0)
    below = over(picture[box], "#5a2a38", 0.7 * shadow)
    picture[box] = over(below, ramp(lit(near, near.blur(height, 0.006), LAMP), *SKIN), mask)
    return picture


def _flowers(plate: Plate, picture: Colours, places: list[list[float]], stream: int) -> Colours:
    """Blossoms (x, y, radius), each with a heart."""
    rng = plate.rng(stream)
    for x, y, size in places:
        colour, petals = BRIGHT[rng.choice((0, 1, 2, 2, 3, 5))], int(rng.integers(5, 8))
        at, start, reach = np.array((x, y)), rng.uniform(0, 2), 1.3 * size
        box = plate.box(x - reach, y - reach, x + reach, y + reach)
        near, below = plate.window(box), picture[box]
        if not near.x.size:
            continue
        ways = start + 2 * np.pi * np.arange(petals) / petals
        leaves = [feather(at, way, size, 0.46 * size, 0.0) for way in ways]
        tone = ramp(near.y - y + 0.4 * (near.x - x), (-size, "#ffffff"), (size, "#94808c"))
        below = over(
            below,
            "#140c14",
            0.55
            * near.blur(
                near.filled([leaf + (0.1 * size, 0.15 * size) for leaf in leaves]), 0.1 * size
            ),
        )
        below = over(below, hexed(colour) * tone, near.filled(leaves))
        inner = near.filled([0.62 * (leaf - at) + at for leaf in leaves])
        below = over(below, hexed(colour) * tone * 0.7, 0.6 * near.blur(inner, 0.12 * size))
        picture[box] = over(below, "#f6c644", near.filled([at + 0.22 * size * _AROUND]))
    return picture


def _meadow(plate: Plate, picture: Colours) -> Colours:
    """A bank of grass in the dark, thick with flowers."""
    x, y, rng = plate.x, plate.y, plate.rng(11)

    def crest(across: Floats) -> Floats:
        return np.asarray(0.98 - 0.1 * across + 0.07 * plate.noise(across * 1.5, 0 * across, 12, 4))

    grass = ramp(y + 0.1 * plate.noise(x * 9, y * 3, 13, 4), (0.85, "#2a5546"), (1.1, "#12303a"), (1.3, "#0a1a2a"))  # fmt: skip
    picture = over(picture, grass, smooth(-0.004, 0.004, y - crest(x)))
    depth = np.sort(rng.random(420) ** 1.2)
    across = rng.uniform(-1.05, 1.05, 420)
    down = crest(across) + 0.42 * depth - 0.01
    blades = [feather(np.array(foot), -np.pi / 2 + rng.normal(0, 0.35), rng.uniform(0.06, 0.16), 0.012)
              for foot in zip(across, down + 0.05, strict=True)]  # fmt: skip
    picture = over(picture, "#4f8a5c", 0.7 * plate.filled(blades[::2]))
    picture = over(picture, "#0e2c30", 0.8 * plate.filled(blades[1::2]))
    # They grow in drifts.
    dense = plate.noise(across * 2.2, depth * 2, 15, 3) > -0.25
    size = 0.01 + 0.042 * depth * rng.uniform(0.5, 1.2, 420)
    return _flowers(plate, picture, np.stack([across, down, size], 1)[dense].tolist(), 14)
