"""Yachts in a fresh wind, seen in planes: their edges go on as light through sails, sky and sea."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ._curves import directed, outlines_of, turned
from ._paint import painted
from ._plate import Colours, Floats, Plate, hexed, over, ramp, sampled, screen, smooth

_HORIZON = 0.36
_SUN = np.array((-0.3, -0.1))
_Scheme = dict[str, Any]


@dataclass(frozen=True)
class _Boat:
    """Where the middle of its waterline is, its size, how far it leans, how far its bow is up."""

    x: float
    y: float
    size: float
    lean: float
    pitch: float

    def placed(self, points: Floats, level: float = 1) -> Floats:
        """Points on the plate; upside down in the water where `level` is negative."""
        x, y = turned(np.asarray(points, float), self.pitch).T
        right = self.x + self.size * (x - self.lean * y)
        return np.stack([right, self.y + self.size * level * y], axis=1)


def regatta(plate: Plate) -> Colours:
    """Draw it: sky, sea with mirrored sails, waves, boats from far to near, planes of light."""
    parts, rng = outlines_of("regatta"), plate.rng(1)
    scheme = parts["schemes"][plate.seed % len(parts["schemes"])]
    boats = [_Boat(x + rng.normal(0, 0.035), y, size * rng.uniform(0.95, 1.05), lean + rng.normal(0, 0.02), pitch)
             for x, y, size, lean, pitch in parts["boats"]]  # fmt: skip
    away = np.hypot(0.8 * (plate.x - _SUN[0]), 1.1 * (plate.y - _SUN[1]))
    brushed = plate.noise(plate.x * 3 + plate.y, plate.y * 9, 2, 4)
    picture = ramp(away + 0.03 * brushed, *scheme["sky"])
    disc = _inside(plate, 0.13 - np.hypot(plate.x - _SUN[0], plate.y - _SUN[1]))
    picture = over(picture, "#fffbe6", 0.9 * disc)
    glow = 0.4 * np.exp(-((away / 0.42) ** 2))
    picture = screen(picture, glow[..., None] * hexed(scheme["light"]))
    shore = [np.array(each) for each in parts["shore"]]
    picture = over(picture, scheme["dark"], 0.5 * plate.filled(shore))
    picture = _sea(plate, picture, scheme, boats)
    for boat, cloths in reversed([*zip(boats, scheme["sails"], strict=True)]):
        picture = _boat(plate, picture, boat, cloths)
    picture = _planes(plate, picture, scheme, boats)
    cloth = plate.noise(plate.x * 60, plate.y * 60, 9, 2)
    picture = plate.finished(picture * (1 + 0.01 * cloth[..., None]), 0.008, 0.16)
    return plate.faced(picture)


def _inside(plate: Plate, depth: Floats) -> Floats:
    """Coverage of what lies inside an edge, by the distance from it."""
    return np.clip(depth / plate.pixel + 0.5, 0, 1)


def _sea(plate: Plate, picture: Colours, scheme: _Scheme, boats: list[_Boat]) -> Colours:
    """Rows of waves with a lit and a dark side each, which break what they mirror."""
    x, y, rng, parts = plate.x, plate.y, plate.rng(3), outlines_of("regatta")
    near = np.clip((y - _HORIZON) / (plate.bottom - _HORIZON), 0, 1)
    glitter = np.exp(-(((x - _SUN[0]) / (0.2 + 0.5 * near)) ** 2))
    base = 0.62 - 0.5 * near**0.6 + 0.55 * glitter * (1 - 0.4 * near)
    facets, level = [], _HORIZON + 0.01
    while level < plate.bottom + 0.2:
        tall = 0.03 + 0.34 * (level - _HORIZON)
        at = -plate.right - 0.3 + rng.uniform(-0.3, 0)
        while at < plate.right + 0.3:
            long = tall * rng.uniform(3, 9)
            crest = np.array(
                (at + long * rng.uniform(0.3, 0.45), level - tall * rng.uniform(0.2, 0.6))
            )
            left, right, low = crest + (
                (at - crest[0], 0.5 * tall),
                (0.65 * long, 0.5 * tall),
                (0.3 * long, 1.4 * tall),
            )
            facets.append((np.array((left, crest, low)), rng.uniform(0.55, 0.95)))
            facets.append((np.array((crest, right, low)), rng.uniform(0.15, 0.45)))
            at += long * rng.uniform(0.7, 0.95)
        level += 0.55 * tall
    shapes, tones = zip(*facets, strict=True)
    tone = plate.filled(shapes, tones) + 0.5 * (1 - plate.filled(shapes))
    sea = ramp(base, *scheme["sea"])
    for boat, cloths in zip(boats, scheme["sails"], strict=True):
        for name, cloth in zip(("main", "jib"), cloths, strict=True):
            image = boat.placed(parts[name], -0.5)
            colours = ramp(0.85 - 0.3 * near, *parts["cloths"][cloth])
            sea = over(sea, colours, 0.85 * plate.filled([image]))
    shift = 0.35 * (tone - 0.5) * (0.15 + near)
    broken = sampled(sea, *plate.place(x + shift, y + 0.2 * shift))
    own = ramp(np.clip(base + 0.9 * (tone - 0.5), 0, 1), *scheme["sea"])
    broken = over(broken, own, 0.3 + 0.5 * np.abs(tone - 0.5))
    return over(picture, broken, _inside(plate, y - _HORIZON))


def _boat(plate: Plate, picture: Colours, boat: _Boat, cloths: list[str]) -> Colours:
    """Sails; spars, crew, hull and the wave at the bow."""
    parts = outlines_of("regatta")
    right, down = 1.6 * boat.size, 0.2 * boat.size
    box = plate.box(boat.x - right, boat.y - 12 * down, boat.x + right, boat.y + down)
    whole, plate, picture = picture, plate.window(box), picture[box]
    for name, cloth in zip(("main", "jib"), cloths, strict=True):
        colours, tones = parts["cloths"][cloth], parts[name + "_tones"]
        picture = _sail(plate, picture, boat.placed(parts[name]), colours, tones)
    shapes = [(np.array(outline), hexed(colour)) for colour, outline in parts["spars"]]
    for tone, outline in parts["crew"] if boat.size > 0.3 else ():
        for seat, jacket in zip(parts["seats"], ("ochre", "coral", "white"), strict=True):
            colour = hexed(tone) if isinstance(tone, str) else ramp(tone, *parts["cloths"][jacket])
            shapes.append((np.array(outline) + seat, colour))
    shapes += [(np.array(outline), hexed(colour)) for colour, outline in parts["hull"]]
    placed = [(boat.placed(shape), colour) for shape, colour in shapes]
    whole[box] = painted(plate, picture, placed)
    return whole


def _sail(
    plate: Plate,
    picture: Colours,
    outline: Floats,
    cloth: list[tuple[float, str]],
    tones: list[list[float]],
) -> Colours:
    """Panels that meet at the head: each goes from its own shade to its own light."""
    head, tack, clew = outline[:3]
    way = np.arctan2(plate.y - head[1], plate.x - head[0])
    low, high = (np.arctan2(*(each - head)[::-1]) for each in (tack, clew))
    share, down = (way - low) / (high - low), (plate.y - head[1]) / (tack[1] - head[1])
    grain = 0.16 * (down - 0.5) + 0.04 * plate.noise(share * 6, down * 2, 12, 3)
    ends = pairwise(np.linspace(0, 1, len(tones) + 1))
    for (start, end), (dark, light) in zip(ends, tones, strict=True):
        corners = [head, tack + (clew - tack) * start, tack + (clew - tack) * end]
        lit = dark + (light - dark) * np.clip((share - start) / (end - start), 0, 1) + grain
        mask = plate.filled([np.array([*corners, *(outline[3:] if end == 1 else [])])])
        picture = over(picture, ramp(lit, *cloth), mask)
    return picture


def _planes(plate: Plate, picture: Colours, scheme: _Scheme, boats: list[_Boat]) -> Colours:
    """Edges of sails and rays of the sun go on across the picture: light on one side of each."""
    x, y, rng, parts = plate.x, plate.y, plate.rng(5), outlines_of("regatta")
    # The sun outshines what would darken it.
    away = smooth(0.1, 0.75, np.hypot(x - _SUN[0], y - _SUN[1]))
    lines = [(boats[number].placed(parts[name])[:2], reach, False) for number, name, reach in
             ((0, "jib", -0.5), (0, "main", 0.3), (1, "main", 0.35), (1, "jib", -0.3))]  # fmt: skip
    rays = ((0.5, -0.35), (-0.24, 0.22), (-0.75, 0.4), (-2.62, 0.35), (-1.75, 0.3), (2.2, 0.3))
    for angle, reach in rays:
        lines.append((_SUN + (np.zeros(2), directed(angle + rng.normal(0, 0.08))), reach, True))
    for (start, end), reach, is_ray in lines:
        along = (end - start) / np.hypot(*(end - start))
        aside = ((y - start[1]) * along[0] - (x - start[0]) * along[1]) * np.sign(reach)
        fade = np.exp(-np.abs(aside) / abs(reach))
        if is_ray:
            fade *= smooth(0.02, 0.5, (x - start[0]) * along[0] + (y - start[1]) * along[1])
        edge = _inside(plate, aside)
        picture = over(picture, np.clip(picture, 0, 1) ** 0.65, 0.45 * edge * fade)
        picture = over(picture, scheme["light"], 0.07 * edge * fade)
        shade = (0.42 * (1 - edge) * fade * away)[..., None]
        picture = picture * (1 - shade * (1 - hexed(scheme["dark"])))
    return picture
