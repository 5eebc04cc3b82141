"""A jazz trumpeter who leans back on a small stage, in one warm beam full of smoke."""

from __future__ import annotations

import numpy as np

from ._curves import directed, outlines_of, ribbon, spline, turned
from ._plate import Colours, Floats, Plate, hexed, over, ramp, screen, smooth
from ._relief import inflated, lit, tube

_Ramp = tuple[tuple[float, str], ...]
_LAMP, _DUSK = (0.75, -0.55, 0.45), (-0.9, -0.25, 0.25)
_GLINT = (0.2, -0.85, 0.5)
"""The lamp as the pipes see it, which point at it and would be dull."""
_HEAD, _TILT, _SIZE = np.array((-0.36, -0.42)), -0.36, 0.44
_LIPS, _WAY = np.array((-0.165, -0.42)), -0.5
_SKIN: _Ramp = ((-0.3, "#0d0a1f"), (0.05, "#2a1226"), (0.35, "#6e2f24"), (0.62, "#b8652f"), (0.85, "#f0a357"), (1.0, "#ffd28e"))  # fmt: skip
_COAT: _Ramp = ((-0.3, "#050717"), (0.1, "#0d1233"), (0.45, "#1d2557"), (0.7, "#3f3a74"), (0.86, "#8d6c8c"), (0.97, "#f0bd94"))  # fmt: skip
_SILK: _Ramp = (
    (-0.3, "#1a0620"),
    (0.2, "#4a0f2a"),
    (0.6, "#a32436"),
    (0.85, "#e2583c"),
    (1.0, "#ffb27a"),
)
_FELT: _Ramp = ((-0.3, "#070613"), (0.2, "#1a1230"), (0.55, "#4a2540"), (0.8, "#b2603f"), (1.0, "#ffc680"))  # fmt: skip
_CROWD: _Ramp = ((0.0, "#04040f"), (0.6, "#080716"), (0.8, "#3a1c2c"), (1.0, "#d9814a"))
_LINEN: _Ramp = ((-0.3, "#1a1c48"), (0.2, "#4a4678"), (0.55, "#c08f86"), (0.85, "#ffe3b4"), (1.0, "#fff6de"))  # fmt: skip
_BRASS: _Ramp = (
    (-0.5, "#2b1740"), (-0.1, "#3d1a22"), (0.2, "#8a4414"), (0.42, "#e29a2a"), (0.55, "#7d3f12"), (0.68, "#f0b440"),
    (0.85, "#ffe486"), (0.95, "#fffbe6"),
)  # fmt: skip
_CURTAINS: tuple[_Ramp, ...] = (
    ((0.0, "#05061a"), (0.35, "#0f1140"), (0.65, "#251a63"), (1.0, "#46308a")),
    ((0.0, "#03101c"), (0.35, "#06283f"), (0.65, "#0e4a60"), (1.0, "#2b7a86")),
    ((0.0, "#0b0516"), (0.35, "#270c36"), (0.65, "#561450"), (1.0, "#8e2a5e")),
)
_CLOTHES = (
    ("shirt", _LINEN, (0.06,)),
    ("tie", _SILK, (0.03,)),
    ("coat", _COAT, (0.42, 0.1)),
    ("lapel", _COAT, (0.05,)),
    ("collar", _LINEN, (0.03,)),
)
_HANDS = (
    ("far cuff", _LINEN, 0.008),
    ("far palm", _SKIN, 0.01),
    ("far fingers", _SKIN, 0.003),
    ("cuff", _LINEN, 0.008),
    ("palm", _SKIN, 0.008),
)
_AROUND = directed(np.linspace(0, 2 * np.pi, 40))


def trumpeter(plate: Plate) -> Colours:
    """Draw it: the dark, the beam, the man, the trumpet between his hands, smoke before all."""
    picture = _body(plate, _head(plate, _stage(plate)))
    picture = _hands(plate, _trumpet(plate, picture))
    picture = plate.finished(picture, 0.011, 0.3)
    return picture[:, ::-1] if plate.seed % 2 else picture


def _stage(plate: Plate) -> Colours:
    """Curtains in the dark and the beam, which smoke drifts through."""
    x, y = plate.x, plate.y
    sway = 11 * x + 1.5 * plate.noise(x * 0.8, y * 0.2, 1, 3)
    folds = (np.cos(sway) + 0.5 * np.cos(2.3 * sway + 1)) * smooth(1.3, -0.9, y)
    at = 0.42 - 0.22 * y + 0.1 * folds + 0.05 * plate.noise(x * 2, y * 2, 2, 6) - 0.1 * np.abs(x)
    picture = ramp(at, *_CURTAINS[plate.seed % len(_CURTAINS)])
    along, across = turned(np.stack([1.25 - x, -1.2 - y], -1).reshape(-1, 2), 0.68).T
    along, across = along.reshape(x.shape), across.reshape(x.shape)
    reach = 0.08 + 0.26 * np.maximum(along, 0)
    smoke = plate.noise(x * 1.6 + 0.6 * plate.noise(x * 2, y * 2, 3, 4), y * 1.6, 4, 6)
    beam = (
        smooth(1.15, 0.5, np.abs(across) / reach)
        * np.exp(-((along / 1.7) ** 2))
        * (0.95 + 0.45 * smoke)
    )
    lamps = [(*place, size, 0.8) for *place, size in outlines_of("trumpeter")["lamps"]]
    rng = plate.rng(6)
    lamps += [(*rng.normal((0.5, -0.7), 0.4), rng.uniform(0.003, 0.006), 0.35) for _ in range(70)]
    halos = [(a, b, 5 * size, 0.3) for a, b, size, _ in lamps[:2]]
    warm = ramp(beam, (0.0, "#3a1d4a"), (0.3, "#8a4440"), (0.6, "#d98540"), (0.9, "#ffc872"), (1.2, "#fff0c4"))  # fmt: skip
    picture = over(picture, warm, np.clip(1.5 * beam, 0, 1))
    return screen(picture, plate.dots(lamps + halos)[..., None] * np.array((1.0, 0.62, 0.3)))


def _form(
    plate: Plate,
    picture: Colours,
    height: Floats,
    mask: Floats,
    colours: _Ramp,
    back: Floats | float = 0.6,
) -> Colours:
    """A round thing in the light of the lamp, and of the blue dark behind it."""
    cold = (
        smooth(0.45, 1.0, lit(plate, height, _DUSK))[..., None]
        * hexed("#3b57b8")
        * np.asarray(back)[..., None]
    )
    lamp = _GLINT if colours is _BRASS else _LAMP
    return over(picture, screen(ramp(lit(plate, height, lamp), *colours), cold), mask)


def _limbs(
    plate: Plate,
    picture: Colours,
    ways: list[Floats],
    widths: list[Floats],
    colours: _Ramp,
    soft: float,
    creases: tuple[Floats, ...] = (),
) -> Colours:
    """Round limbs that grow together, with a soft shadow around them."""
    points, margin = np.concatenate(ways), 0.08 + 0.6 * max(np.max(each) for each in widths)
    box = plate.box(*(points.min(0) - margin), *(points.max(0) + margin))
    near = plate.window(box)
    height, mask = np.zeros_like(near.x), np.zeros_like(near.x)
    for way, wide in zip(ways, widths, strict=True):
        high, share = tube(near, way, wide)
        height, mask = np.maximum(height, high), np.maximum(mask, share)
    for crease in creases:
        height = height + near.blur(tube(near, crease, (0.0, 0.04, 0.0))[0], 0.01)
    below = over(
        picture[box], "#1c0812", 0.55 * near.blur(mask, 0.006 + 0.1 * float(np.mean(widths[0])))
    )
    picture = picture.copy()
    picture[box] = _form(near, below, near.blur(height, soft), mask, colours)
    return picture


def _body(plate: Plate, picture: Colours) -> Colours:
    """The far arm, shirt, coat, the near arm, and who listens."""
    parts = outlines_of("trumpeter")
    *points, widths = parts["far arm"]
    picture = _limbs(plate, picture, [np.array(points)], [widths], _COAT, 0.01)
    picture = over(picture, "#0a0b2c", 0.4 * tube(plate, points, widths)[1])
    for name, colours, radii in _CLOTHES:
        mask = plate.filled([spline(parts[name], 8)])
        height = inflated(plate, mask, *radii)
        for fold in parts["folds"] if name == "coat" else []:
            height = height + 0.7 * plate.blur(tube(plate, fold, (0.0, 0.07, 0.0))[0], 0.02)
        picture = over(picture, "#05061a", 0.6 * plate.blur(mask, 0.015))
        picture = _form(plate, picture, height, mask, colours)
    opening = plate.filled([ribbon(spline(parts["front"], 8), 0.012)])
    picture = over(picture, "#05061a", 0.8 * plate.blur(opening, 0.004))
    for place in parts["buttons"]:
        picture = _limbs(
            plate, picture, [np.array([place, place])], [np.array((0.035, 0.035))], _FELT, 0.002
        )
    *points, widths = parts["near arm"]
    creases = tuple(np.array(each) for each in parts["creases"])
    picture = _limbs(plate, picture, [np.array(points)], [widths], _COAT, 0.012, creases)
    picture = over(picture, "#070822", 0.85 * smooth(0.6, 1.4, plate.y - 0.25 * plate.x))
    for x, y, size in parts["guests"]:
        knot = np.array((-0.46, -0.12)) + 0.17 * _AROUND
        guest = [
            spline(parts["head"], 8),
            spline(parts["shoulders"], 8),
            (-0.04, -0.36) + 0.4 * _AROUND,
            *([knot] if x > 0.7 else []),
        ]
        mask = plate.filled([turned(part * (-size, size), 0.15) + (x, y) for part in guest])
        picture = _form(plate, picture, inflated(plate, mask, 0.03), mask, _CROWD)
    return picture


def _placed(points: Floats) -> Floats:
    return np.asarray(turned(np.asarray(points, float), _TILT) * _SIZE + _HEAD)


def _head(plate: Plate, picture: Colours) -> Colours:
    """A profile with a full cheek, an ear, a closed eye; the hat."""
    parts = outlines_of("trumpeter")
    mask = plate.filled([_placed(spline(parts["head"], 8))])
    height = inflated(plate, mask, 0.12, 0.03)
    p, q = turned(np.stack([plate.x.ravel(), plate.y.ravel()], 1) - _HEAD, -_TILT).T / _SIZE
    p, q = p.reshape(plate.x.shape), q.reshape(plate.x.shape)
    for (across, down), wide, tall, high in parts["face"]:
        height = height + high * np.exp(-(((p - across) / wide) ** 2) - ((q - down) / tall) ** 2)
    picture = _form(plate, picture, height, mask, _SKIN, 0.6 * smooth(0.1, -0.2, p))
    for name, colour, soft, strong, *widths in parts["lines"]:
        path = _placed(spline(parts[name], 8))
        wide = np.interp(np.linspace(0, 1, len(path)), np.linspace(0, 1, len(widths)), widths)
        line = plate.blur(plate.filled([ribbon(path, wide)]), soft)
        picture = over(picture, colour, strong * line * mask)
    for name, colours, radii in (
        ("crown", _FELT, (0.12, 0.03)),
        ("band", _SILK, (0.02,)),
        ("brim", _FELT, (0.025,)),
    ):
        outline = _placed(spline(parts[name], 8))
        mask = plate.filled([outline])
        shadow = plate.filled([outline + (-0.015, 0.05)]) if name == "brim" else mask
        picture = over(picture, "#0a0616", 0.65 * plate.blur(shadow, 0.015))
        picture = _form(plate, picture, inflated(plate, mask, *radii), mask, colours)
    return picture


def _along(points: Floats) -> Floats:
    """Points along the trumpet from the lips, and below its pipe, where they are on the plate."""
    return np.asarray(turned(np.asarray(points, float), _WAY) + _LIPS)


def _trumpet(plate: Plate, picture: Colours) -> Colours:
    """The far palm, pipes, valves and the bell."""
    palm = outlines_of("trumpeter")["far palm"]
    picture = _limbs(
        plate,
        picture,
        [_along(points) for *points, _ in palm],
        [each[-1] for each in palm],
        _SKIN,
        0.01,
    )
    a, b = turned(np.stack([plate.x.ravel(), plate.y.ravel()], 1) - _LIPS, -_WAY).T
    a, b = a.reshape(plate.x.shape), b.reshape(plate.x.shape)
    for *points, widths in outlines_of("trumpeter")["pipes"]:
        picture = _limbs(plate, picture, [_along(points)], [widths], _BRASS, 0.0005)
    radius = np.interp(a, *spline(outlines_of("trumpeter")["bell"], 8).T)
    mask = np.clip((radius - np.abs(b + 0.03)) / plate.pixel + 0.5, 0, 1) * ((a > 0.6) & (a < 1.09))
    height = np.sqrt(np.maximum(radius**2 - (b + 0.03) ** 2, 0))
    picture = _form(plate, picture, height, mask, _BRASS)
    mouth = [
        _along(_AROUND * (0.055 * k, 0.21 * k) + (1.085 + 0.004 * (1 - k), -0.03))
        for k in (1, 0.93)
    ]
    picture = over(picture, "#ffedac", plate.filled(mouth[:1]))
    inner = ramp(
        a - 1.06 + 0.35 * (b + 0.03), (-0.07, "#4a1d14"), (0.0, "#a85a1c"), (0.06, "#ffcf62")
    )
    picture = over(picture, inner, plate.filled(mouth[1:]))
    gleam = [
        (*_along(np.array([place]))[0], 0.014, 1.0)
        for place in ((1.06, -0.2), (0.43, -0.055), (1.11, 0.14))
    ]
    return screen(picture, plate.dots(gleam)[..., None] * np.array((1, 0.9, 0.65)))


def _hands(plate: Plate, picture: Colours) -> Colours:
    """Fingertips of the far hand around the valves; cuff, palm and fingers of the near one."""
    parts = outlines_of("trumpeter")
    for name, colours, soft in _HANDS:
        ways = [_along(points) for *points, _ in parts[name]]
        widths = [each[-1] for each in parts[name]]
        groups = [slice(k, k + 1) for k in range(len(ways))] if "fingers" in name else [slice(None)]
        for group in groups:
            picture = _limbs(plate, picture, ways[group], widths[group], colours, soft)
    return picture
