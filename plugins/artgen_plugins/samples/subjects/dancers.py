"""A flamenco dancer in the light of a stage, and who plays for her."""

from __future__ import annotations

import numpy as np

from ._curves import directed, feather, outlines_of, ribbon, spline, spread, turned
from ._plate import Colours, Floats, Plate, over, ramp, screen, smooth
from ._relief import facing, patches_of
from ._strokes import rounded

_FLOOR = 0.42
_LIGHT = np.array((1, -1))
_WAIST = np.array((0.02, 0.0))
_RED = (0.0, "#22040f"), (0.25, "#640b1c"), (0.5, "#b3142a"), (0.75, "#e5382f"), (1.0, "#ffa070")
_SKIN = (0.0, "#3d1a20"), (0.35, "#8a4632"), (0.6, "#cf8459"), (1.0, "#ffdcaa")
_BLACK = (0.0, "#0b070e"), (0.55, "#1a1018"), (0.72, "#54302c"), (0.95, "#d99a58")
_WOOD = (0.0, "#3a1712"), (0.4, "#8e4a20"), (0.7, "#d08a3e"), (1.0, "#f7cf86")
_AROUND = directed(np.linspace(0, 2 * np.pi, 40))


def dancers(plate: Plate) -> Colours:
    """Draw it: wall and floor, dust in the light, the guitarist, she."""
    rng = plate.rng(9)
    dust = [(*rng.normal((0.1, -0.3), (0.6, 0.35)), rng.uniform(0.002, 0.005), 0.5 * rng.random())
            for _ in range(90)]  # fmt: skip
    light = plate.dots(dust)[..., None] * np.array([0.6, 0.42, 0.25])
    picture = _guitarist(plate, screen(_stage(plate), light))
    return plate.finished(_dancer(plate, picture), 0.01, 0.4)


def _stage(plate: Plate) -> Colours:
    """A wall with a glow and a beam, a floor of boards with a pool of light."""
    x, y = plate.x, plate.y
    stain = plate.noise(x * 1.1, y * 1.1, 1, 7, 0.65)
    glow = np.exp(-(((x - 0.02) / 0.85) ** 2) - ((y + 0.3) / 0.62) ** 2)
    aside = np.abs(x - 0.28 + 0.32 * (y + 1)) - 0.12 * (y + 1)
    beam = smooth(0.34, 0.0, aside) * smooth(0.9, -0.9, y)
    wall = ramp(0.9 * glow + 0.22 * beam + 0.07 * stain * (0.4 + glow), (0.0, "#170c1b"), (0.3, "#3f1a29"),
                (0.6, "#85402f"), (0.85, "#c67a3f"), (1.1, "#eeb469"))  # fmt: skip
    depth = np.maximum(y - _FLOOR, 1e-3)
    along = x / (depth + 0.5)
    grain = plate.noise(along * 14, 2 / (depth + 0.25), 2, 4)
    pool = np.exp(-((((x - 0.1) / 0.95) ** 2 + ((y - 0.72) / 0.21) ** 2) ** 1.5))
    floor = ramp(pool + 0.05 * grain, (0.0, "#150a15"), (0.3, "#47212a"), (0.7, "#ab6239"),
                 (1.0, "#ecb06a"))  # fmt: skip
    gap = smooth(0.47, 0.5, np.abs(along * 7 - np.floor(along * 7) - 0.5))
    floor = over(floor, "#1a0c12", 0.4 * gap)
    return over(wall, floor, smooth(_FLOOR - 0.004, _FLOOR + 0.004, y))


def _round(
    plate: Plate, picture: Colours, colours: tuple[tuple[float, str], ...], parts: list[Floats],
    soft: float, low: float = 9,
) -> Colours:  # fmt: skip
    """Outlines as one round body in the light of the stage, down to `low`."""
    share = smooth(low, low - 0.06, plate.y)
    return rounded(plate, picture, colours, parts, soft, _LIGHT, share)


def _limb(way: list[tuple[float, float]], *widths: float) -> Floats:
    """An arm or a leg, round where it begins."""
    path = spline(way, 10)
    share = np.linspace(0, 1, len(path))
    return ribbon(path, spread(widths, len(path)) * np.sqrt(np.minimum(12 * share, 1)))


def _hand(wrist: tuple[float, float], way: float, bend: float, size: float = 1) -> list[Floats]:
    """A palm and five fingers that bend."""
    parts = [ribbon(np.outer((-0.012, 0.02, 0.048), directed(way)), (0.033, 0.04, 0.036))]
    for lean, long, root in outlines_of("dancers")["fingers"]:
        steps = [root * directed(way + 1.1 * lean), 0.5 * long * directed(way + lean + 0.2 * bend),
                 0.5 * long * directed(way + lean + bend * (1 + lean))]  # fmt: skip
        path = spline(np.cumsum(steps, axis=0), 5)
        parts.append(ribbon(path, np.linspace(0.016, 0.005, len(path))))
    return [size * part + wrist for part in parts]


def _dancer(plate: Plate, picture: Colours) -> Colours:
    """Her shadow, skirt, skin, bodice, head."""
    parts = outlines_of("dancers")
    mask, tone = _skirt(plate)
    below = np.roll(plate.blur(mask, 0.05), round(0.07 / plate.pixel), 0)
    shadow = smooth(0.0, 0.9, below) * smooth(_FLOOR + 0.1, 0.62, plate.y)
    picture = over(picture, "#1c0a12", 0.75 * shadow)
    picture = over(picture, ramp(tone, *_RED), mask)
    skin = [spline(parts["torso"], 8), spline(parts["neck"], 8)]
    for arm, way in zip(parts["arms"], (-0.75, 0.75), strict=True):
        skin += [_limb(arm, 0.08, 0.088, 0.078, 0.06, 0.062, 0.05, 0.034), *_hand(arm[-1], way, 1)]
    picture = _round(plate, picture, _SKIN, [part + _WAIST for part in skin], 0.026)
    picture = _round(plate, picture, _RED, [spline(parts["bodice"], 8) + _WAIST], 0.04, 0.13)
    return _head(plate, picture)


def _skirt(plate: Plate) -> tuple[Floats, Floats]:
    """Coverage and tone: a surface around the hips with folds and frills, far patches first."""
    rng = plate.rng(5)
    angle, t = np.meshgrid(np.linspace(0, 2 * np.pi, 601), np.linspace(0, 1, 81))
    turn = angle - 0.9 * t**1.3
    fold = sum(w * np.cos(n * turn + rng.uniform(0, 7)) for n, w in ((5, 0.5), (9, 0.5), (13, 0.4)))
    tier = (t - 0.52) / 0.16
    frill = np.where(tier > 0, tier % 1, 0)
    ripple = np.cos(23 * turn + 3 * np.floor(tier) + 2 * np.cos(3 * turn))
    side = np.clip(np.cos(angle), 0, 1) ** 2
    radius = 0.085 + 0.065 * smooth(0, 0.25, t) + t**1.7 * (0.33 + 0.6 * side)
    radius = radius * (1 + 0.2 * t * fold) + frill * (0.024 + 0.02 * ripple)
    right, near = radius * np.cos(angle), radius * np.sin(angle)
    lift = side**1.5 * t**1.2 * (0.75 - 0.2 * t**4)
    low = 0.72 * t**0.9 - 0.03 * t * fold - lift + 0.012 * frill * ripple
    corners = np.stack([right, low, near], -1)
    normal = facing(corners)
    # Seen a little from above.
    near_side = np.sign(normal[..., 2:] - 0.22 * normal[..., 1:2])
    tone = 0.2 + 0.8 * (near_side * normal @ np.array([0.62, -0.55, 0.5]))
    shade = (1 - 0.55 * (1 - frill) * (tier > 0)) * (0.75 + 0.25 * np.sin(np.pi * frill))
    tone = np.clip(tone * shade[1:, 1:] * np.where(near < 0, 0.5, 1)[:-1, :-1], 0, 1)
    seen = np.stack([right + 0.05 * t, low + 0.22 * near], -1) + _WAIST
    quads = patches_of(seen)
    depth = near - 0.22 * low
    order = np.argsort((depth[:-1, :-1] + depth[1:, 1:]).ravel())
    patches = quads.reshape(-1, 4, 2)[order]
    mask = plate.filled(patches)
    # Blurred, so that no patch shows.
    shaded = plate.blur(plate.filled(patches, tone.ravel()[order].tolist()), 0.002)
    return mask, shaded / np.maximum(plate.blur(mask, 0.002), 1e-3)


def _head(plate: Plate, picture: Colours) -> Colours:
    """The head of the profile, its knot in the neck; eye, brow, lips, a flower, an earring."""
    parts, (face, _, hair, _) = outlines_of("dancers"), outlines_of("profile").values()

    def placed(points: Floats) -> Floats:
        return np.asarray(turned(points, 0.16) * 0.165 + _WAIST + (0, -0.505))

    skull = np.concatenate([spline(face[:27], 6), [(-0.05, 0.3), (-0.2, 0.0), (-0.2, -0.4)]])
    picture = _round(plate, picture, _SKIN, [placed(skull)], 0.018)
    lines = [placed(ribbon(spline(parts[name]), 0.03)) for name in ("brow", "eye")]
    picture = over(picture, "#2a1018", 0.85 * plate.filled(lines))
    picture = over(picture, "#b01c2c", 0.9 * plate.filled([placed(np.array(parts["lips"]))]))
    knot = placed((-0.42, 0.14) + 0.19 * _AROUND)
    picture = _round(plate, picture, _BLACK, [placed(spline(hair, 8)), knot], 0.018)
    for size, start in ((0.27, 0.0), (0.17, 0.5)):
        ways = start + np.arange(0, 6, 1.05)
        petals = [feather(np.array((-0.22, -0.4)), way, size, 0.5 * size, 0.3) for way in ways]
        picture = _round(plate, picture, _RED, [placed(petal) for petal in petals], 0.01)
    return over(picture, "#f7c768", plate.filled([placed((-0.03, 0.33) + 0.05 * _AROUND)]))


def _guitarist(plate: Plate, picture: Colours) -> Colours:
    """A man with a hat on a chair, half in the dark, and the guitar, which has the light."""
    parts = outlines_of("dancers")
    bars = [ribbon(spline(bar), 0.022) for bar in parts["chair"]]
    picture = _round(plate, picture, _BLACK, bars, 0.01)
    for leg, shoe in zip(parts["legs"], parts["shoes"], strict=True):
        trousers = _limb(leg, 0.15, 0.15, 0.14, 0.11, 0.085, 0.07)
        picture = _round(plate, picture, _BLACK, [trousers, spline(shoe)], 0.022)
    face = spline(outlines_of("profile")["face"][:27], 6)
    skull = np.concatenate([face, [(-0.12, 0.5), (-0.3, 0.3)]])
    nape = ribbon(np.array([(-0.22, 1.0), (-0.05, 0.2)]), 0.4)
    brim = (0.05, -0.32) + _AROUND * (0.85, 0.11)
    hat = [spline(parts["locks"], 6), brim, np.array(parts["crown"])]
    skull, nape, *hat = (turned(each, 0.42) * 0.16 + (-0.8, -0.22) for each in (skull, nape, *hat))
    picture = _round(plate, picture, _SKIN, [skull, nape], 0.02)
    right, left = (_limb(way, 0.11, 0.105, 0.09, 0.08, 0.075, 0.05) for way in parts["sleeves"])
    picture = _round(plate, picture, _BLACK, [spline(parts["man"], 8), left], 0.025)
    picture = _round(plate, picture, _BLACK, hat, 0.012)
    half = spline(parts["body"], 4)
    neck = ribbon(np.outer((0.03, 0.42, 0.43, 0.5), (1, 0)), (0.026, 0.026, 0.04, 0.046))
    bridge = ribbon(np.array([(-0.095, -0.04), (-0.095, 0.04)]), 0.014)
    hole = (0.035, 0) + 0.036 * _AROUND
    guitar = np.concatenate([half, half[::-1] * (1, -1)])
    guitar, *dark = (turned(each, -0.42) + (-0.84, 0.2) for each in (guitar, neck, bridge, hole))
    picture = _round(plate, picture, _WOOD, [guitar], 0.02)
    picture = over(picture, "#2a120f", plate.filled(dark))
    picture = _round(plate, picture, _BLACK, [right], 0.02)
    hands = [_hand(sleeve[-1], way, bend, 0.75)
             for sleeve, way, bend in zip(parts["sleeves"], (0.1, -0.9), (0.6, 1.2), strict=True)]  # fmt: skip
    return _round(plate, picture, _SKIN, [*hands[0], *hands[1]], 0.015)
