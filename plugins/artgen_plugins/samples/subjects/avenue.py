"""Two walk under one umbrella down an avenue in autumn, after rain, towards a low sun: in dabs."""

from __future__ import annotations

import numpy as np

from ._curves import outlines_of
from ._grove import END, EYE, Wood, barked, grove, grown, seen
from ._paint import colours_at, dabs, painted
from ._plate import Colours, Floats, Plate, hexed, over, ramp, sampled, screen, smooth
from ._walkers import walkers

_PATH = 2.1
"""How far its edge is from its middle, in metres."""
_PLACE = -0.98, 2.55
"""Of the two: how far to the side and ahead."""


def avenue(plate: Plate) -> Colours:
    """Draw it: light, trees, the wet path that mirrors them, leaves on the ground, the two."""
    stems, boughs = grove(plate.rng(20))
    picture = _leaved(plate, grown(plate, _air(plate), [*stems, *boughs]), boughs[-20:])
    picture = barked(plate, _ground(plate, picture, stems), stems)
    picture = walkers(plate, picture, seen(_PLACE[0], 0, _PLACE[1]), 1 / _PLACE[1])
    away = np.hypot(plate.x - END[0], plate.y - END[1] + 0.06)
    halo = 0.42 * np.exp(-((away / 0.15) ** 2)) + 0.2 * np.exp(-((away / 0.5) ** 2))
    glow = halo + 0.6 * smooth(0.062, 0.045, away)
    picture = screen(picture, glow[..., None] * hexed("#ffd98a"))
    picture = plate.finished(_falling(plate, picture), 0.008, 0.25)
    return plate.faced(picture)


def _leaves(tone: Floats, gold: Floats) -> Colours:
    """Their colours, red or gold."""
    colours = outlines_of("avenue")["colours"]
    red = ramp(tone, *colours["red"])
    return np.asarray(red + gold[..., None] * (ramp(tone, *colours["gold"]) - red))


def _air(plate: Plate) -> Colours:
    """The light at the end of the avenue, a cool sky above, dim woods to the sides."""
    x, y, colours = plate.x, plate.y, outlines_of("avenue")["colours"]
    aside = np.abs(x - END[0])
    soft = plate.noise(x * 2.5, y * 2.5, 1, 5)
    away = np.hypot(0.9 * aside, 0.75 * (y - END[1] + 0.08)) + 0.08 * soft
    woods = ramp(aside + 0.15 * soft, *colours["woods"])
    low = smooth(-0.12, 0.1, y - END[1] + 0.5 * aside + 0.12 * soft)
    return over(ramp(away, *colours["sky"]), woods, low)


def _vault(plate: Plate, x: Floats, y: Floats) -> tuple[Floats, Colours]:
    """Where leaves are, beyond 0, and their colours: one vault, open above the path."""
    right, up = x - END[0], END[1] - y
    away = np.hypot(right, up)
    clump, fine = plate.noise(x * 2.2, y * 2.2, 5, 2), plate.noise(x * 7, y * 7, 6, 3)
    gap = np.abs(right + 0.1 * up) - 0.03 - 0.1 * up
    inside = np.minimum(gap, up - 0.4 * np.abs(right) + 0.02) + 0.08 * clump + 0.05 * fine
    tone = 0.22 + 0.75 * np.exp(-away / 0.55) + 0.24 * clump + 0.1 * fine
    tone = tone + 0.3 * np.exp(-np.maximum(gap, 0) / 0.12) - 0.1 * smooth(0.6, 1.3, np.abs(right))
    kind = 0.7 * plate.noise(x * 0.9 + 3, y * 0.9, 7, 2) + 0.9 * right + 0.06
    haze = 0.6 * np.exp(-away / 0.3)[..., None]
    colours = _leaves(tone, smooth(-0.25, 0.25, kind)) * (1 - haze) + haze * hexed("#ffe2a0")
    return inside, np.asarray(colours)


def _leaved(plate: Plate, picture: Colours, boughs: list[Wood]) -> Colours:
    """Undergrowth, and leaves under and over the nearest boughs."""
    rng, count = plate.rng(21), 900
    places = np.stack([rng.uniform(-1.1, 1.1, count), rng.normal(-0.05, 0.05, count)], axis=1)
    away = np.abs(places[:, 0] - END[0])
    places[:, 1] = END[1] + places[:, 1] * (0.3 + away)
    tone = 0.1 + 0.7 * np.exp(-away / 0.3) + rng.normal(0, 0.1, count)
    long = (0.015 + 0.04 * away) * rng.uniform(0.6, 1.3, count)
    shapes = dabs(places, rng.normal(0, 1, count), long, 0.6 * long)
    picture = painted(plate, picture, zip(shapes, _leaves(tone, np.zeros(count)), strict=True))
    inside, colours = _vault(plate, plate.x, plate.y)
    picture = over(picture, colours, 0.85 * smooth(0.0, 0.1, inside))
    count = 5400
    places = rng.uniform((-1.1, -1.35), (1.1, 0.2), (count, 2))
    away = np.hypot(*(places - END).T)
    inside, colours = _vault(plate, *places.T)
    # The dabs get smaller towards the sun, and lie closer.
    kept = rng.random(count) < 0.25 + 0.6 / (0.5 + away)
    kept &= inside + rng.normal(0, 0.04, count) > 0.03
    long = (0.02 + 0.032 * away) * rng.uniform(0.6, 1.3, count)
    colours = colours * rng.uniform(0.82, 1.14, (count, 1)) + rng.normal(0, 0.03, (count, 3))
    ways = rng.normal(0.5 * np.sign(places[:, 0] - END[0]), 0.6)
    shapes = dabs(places, ways, long, 0.6 * long)
    under = rng.random(count) < 0.6
    below, above = (
        zip(shapes[each], colours[each], strict=True) for each in (kept & under, kept & ~under)
    )
    picture = grown(plate, painted(plate, picture, below), boughs)
    return painted(plate, picture, above)


def _ground(plate: Plate, picture: Colours, stems: list[Wood]) -> Colours:
    """Verges and a wet path that mirrors the light, with shadows of trunks; all in dabs."""
    x, y, rng = plate.x, plate.y, plate.rng(40)
    depth, right = np.maximum(y - END[1], 1e-3), x - END[0]
    wave = plate.noise(x * 8, depth * 28, 41, 3)
    place = plate.place(x + 0.02 * wave, END[1] - 0.9 * depth + 0.02 * wave)
    mirror = sampled(plate.blur(picture, 0.014), *place)
    path = over(0.95 * mirror, "#372f62", np.clip(0.1 + 0.45 * depth, 0, 0.6))
    shine = np.exp(-((right / (0.05 + 0.17 * depth)) ** 2) - 0.8 * depth) * (0.56 + 0.4 * wave)
    path = screen(path, np.clip(shine, 0, 1)[..., None] * hexed("#ffdf9c"))
    tone = 0.22 + 0.8 * np.exp(-np.hypot(right, depth) / 0.5) + 0.14 * wave
    verge = _leaves(tone, smooth(-0.2, 0.5, plate.noise(x * 3, depth * 12, 42, 3)))
    verge = over(verge, "#7a3f60", 0.7 * np.exp(-depth / 0.05))
    side = smooth(_PATH - 0.2, _PATH + 0.1, np.abs(right * EYE / depth) + 0.2 * wave)
    shadows = []
    for stem in stems:
        foot, half = stem.way[0], np.array((stem.wide[0] / 3, 0))
        end = foot + 1.8 * (foot - END)
        shadows.append(np.array((foot - half, end - 3 * half, end + 3 * half, foot + half)))
    shade = plate.blur(plate.filled(shadows), 0.01) * (0.45 + 0.4 * side)
    ground = over(path, verge, side) * (1 - shade[..., None] * (1 - hexed("#6a4f98")))
    picture = over(picture, ground, smooth(-0.015, 0.03, y - END[1] + 0.012 * wave))
    count = 4200
    low = 1.16 * rng.random(count) ** 1.2
    places = np.stack([rng.uniform(-1.1, 1.1, count), END[1] + low], axis=1)
    aside = places[:, 0] - END[0]
    colours = colours_at(plate, picture, places) * rng.uniform(0.88, 1.14, (count, 1))
    is_verge = np.abs(aside) * EYE / low > _PATH + rng.normal(0, 0.2, count)
    is_leaf = rng.random(count) < np.where(is_verge, 0.6, 0.045)
    tone = 0.3 + 0.7 * np.exp(-np.hypot(low, aside) / 0.6) + rng.normal(0, 0.14, count)
    shaded = 0.4 + 0.6 * np.minimum(2.2 * colours.mean(1, keepdims=True), 1)
    leaves = _leaves(tone, rng.random(count) < 0.45) * shaded
    long = np.where(is_leaf, 0.006 + 0.055 * low, 0.02 + 0.11 * low) * rng.uniform(0.6, 1.2, count)
    wide = np.where(is_leaf, 0.42, 0.16) * long
    shapes = dabs(places, rng.normal(0, 0.1 + 0.2 * is_leaf), long, wide)
    return painted(
        plate, picture, zip(shapes, np.where(is_leaf[:, None], leaves, colours), strict=True)
    )


def _falling(plate: Plate, picture: Colours) -> Colours:
    """Leaves in the air, lit from behind; none before the two."""
    rng = plate.rng(60)
    places = rng.uniform((-0.95, -0.5), (0.95, 0.7), (34, 2))
    places = places[np.abs(places[:, 0] - seen(_PLACE[0], 0, _PLACE[1])[0]) > 0.27]
    count = len(places)
    long = rng.uniform(0.018, 0.045, count)
    colours = _leaves(rng.uniform(0.55, 1, count), np.ones(count))
    shapes = dabs(places, rng.uniform(0, 3.1, count), long, 0.55 * long)
    return painted(plate, picture, zip(shapes, colours, strict=True), 0.9)
