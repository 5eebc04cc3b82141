"""A full-rigged ship before the wind: off her bow at sunset, or from the side at noon."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._curves import directed, outlines_of
from ._paint import Paint, painted
from ._plate import Colours, Plate, hexed, over, ramp, sampled, smooth
from ._rigging import View, bow, hull, rig, side_of

_AROUND = directed(np.linspace(0, 2 * np.pi, 180))


def ship(plate: Plate) -> Colours:
    """Draw it: the sky in steps, the sea, what it mirrors, the ship, the wave at her bow."""
    schemes = outlines_of("ship")["schemes"]
    scheme = schemes[plate.seed // 2 % len(schemes)]
    view = View(**{name: scheme[name] for name in View.__dataclass_fields__})
    picture = _sea(plate, _sky(plate, scheme), view, scheme)
    paint = [
        *_foam(plate, view, scheme, -1),
        *rig(view),
        *hull(view),
        *bow(view),
        *_foam(plate, view, scheme, 1),
    ]
    picture = painted(plate, picture, view.shown(paint))
    return plate.faced(plate.finished(picture, 0.008, 0.12))


def _sky(plate: Plate, scheme: dict[str, Any]) -> Colours:
    """Rings of light around the sun or the moon; banks of cloud, lit along their tops."""
    *middle, size = scheme["disc"]
    away = np.hypot(plate.x - middle[0], plate.y - middle[1]) - size
    step = 6 * away
    stepped = (np.floor(step) + smooth(0.96, 1.0, step % 1)) / 6
    picture = ramp(0.7 * stepped + 0.3 * away, *scheme["sky"])
    picture = over(
        picture, ramp(plate.y, *scheme["light"]), plate.filled([middle + size * _AROUND])
    )
    for base, tones, lumps in scheme["clouds"]:
        bank = [(x, base) + wide * _AROUND for x, wide in lumps]
        for down, tone in zip((0, 0.02, 0.05), tones, strict=True):
            mask = plate.filled([each + (0, down) for each in bank]) * (plate.y < base)
            picture = over(picture, tone, mask)
    return picture


def _sea(plate: Plate, picture: Colours, view: View, scheme: dict[str, Any]) -> Colours:
    """Rows of swell from far to near, and the hull in the near ones, broken."""
    below = plate.y - view.horizon
    picture = over(picture, scheme["wave"][-1][1], smooth(-plate.pixel, plate.pixel, below))
    for deep in (0.015, 0.04, 0.07, 0.105, 0.15, 0.205, 0.27, 0.35, 0.44, 0.54):
        picture = _swell(plate, picture, view.horizon + deep, deep, scheme)
    mirror = view.shown(hull(view), -1)
    bend = plate.noise(plate.x * 3, plate.y * 16, 4, 3)
    row, column = plate.place(plate.x + 0.05 * bend, plate.y + 0.03 * bend)
    broken = sampled(painted(plate, picture, mirror), row, column)
    return over(picture, broken, 0.5 * smooth(0.1, 0.2, below) * smooth(0.55, 0.3, below))


def _swell(
    plate: Plate, picture: Colours, level: float, deep: float, scheme: dict[str, Any]
) -> Colours:
    """A row of peaked waves in steps, as light shows through their crests; some peaks break."""
    x, y = plate.x, plate.y
    tall, often = 0.01 + 0.19 * deep, 0.9 / (0.05 + deep)
    bent = 0.8 * often * x + 1.2 * plate.noise(2 * x, 0 * x + level, 5, 2) + 7 * level
    away = np.abs(np.sin(bent))
    crest = level - tall * ((1 - away) ** 1.4 + 0.5 * np.sin(0.37 * bent))
    down = (y - crest) / tall
    step = 6 * (1 - np.exp(-0.55 * np.maximum(down, 0)))
    step = (np.floor(step) + smooth(0.7, 1, step % 1)) / 6
    glow = 0.85 * np.exp(-(((x - scheme["disc"][0]) / (0.16 + 0.5 * deep)) ** 2))
    colours = over(ramp(step, *scheme["wave"]), ramp(step, *scheme["glitter"]), glow)
    torn = 0.31 + 0.15 * np.sin(9 * bent + 3 * plate.noise(4 * often * x, 9 * often * y, 7, 2))
    cap = np.clip((np.clip(1 - 1.6 * away, 0, 1) * torn - down) * tall / plate.pixel, 0, 1)
    colours = over(colours, scheme["foam"][-1][1], 0.9 * cap * (deep > 0.08))
    return over(picture, colours, np.clip((y - crest) / plate.pixel + 0.5, 0, 1))


def _foam(plate: Plate, view: View, scheme: dict[str, Any], side: float) -> Paint:
    """The wave that the bow throws to a side, its drops, and foam along the hull."""
    rng, paint = plate.rng(6), []
    back = np.linspace(0, 1, 300)
    line = side_of(1 - back, 0.17, side)
    curl, thin = np.exp(-((back / 0.15) ** 1.3)), 0.3 + 0.7 * np.exp(-back / 0.35)
    for layer, (share, colour) in enumerate(scheme["foam"]):
        rough = np.abs(np.sin(38 * back**0.6 + 1.1 * layer)) ** 0.6
        top, out = line + (0, 0.25 * side, 0), line.copy()
        rise = np.minimum(1, 0.3 + back / 0.035)
        top[:, 2] += share * (3.4 * curl * rise + thin * (0.3 + 0.9 * rough))
        wide = 0.4 + 9.0 * (1 - np.exp(-back / 0.1)) * np.exp(-back / 0.28) + 2.2 * rough
        out[:, 0] += 1.2 * share * curl
        out[:, 1] += side * share * thin * wide
        out[:, 2] += 1.2 * share * curl * rough - 0.3
        paint.append((np.concatenate([top, out[::-1]]), hexed(colour)))
    for _ in range(45):
        at = line[0] + (
            rng.uniform(-4, 2.5),
            side * rng.uniform(0.5, 6),
            0.3 + rng.exponential(1.1),
        )
        drop = rng.uniform(0.06, 0.26) * _AROUND[::20]
        paint.append((at + drop @ np.stack([view.right, (0, 0, 1)]), hexed(colour)))
    return paint
