"""Yachts in a fresh wind, seen in planes: their edges go on as light through sails, sky and sea."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ._curves import directed, outlines_of, turned
from ._plate import Colours, Floats, Plate, hexed, over, ramp, sampled, screen, smooth

_HORIZON = 0.36
_SUN = np.array((-0.3, -0.1))
_Stops = tuple[tuple[float, str], ...]
_CLOTHS: dict[str, _Stops] = {
    "white": ((0, "#33607c"), (0.3, "#86a3ad"), (0.55, "#d9d3bd"), (0.8, "#fbeccb"), (1, "#fffaf0")),
    "ochre": ((0, "#5a3040"), (0.3, "#a85f35"), (0.55, "#dc9838"), (0.8, "#f4c766"), (1, "#fff0c0")),
    "coral": ((0, "#4a2142"), (0.3, "#9c3440"), (0.55, "#dc5a42"), (0.8, "#f58f66"), (1, "#ffd3a4")),
    "teal": ((0, "#0b2b3e"), (0.3, "#17566a"), (0.55, "#338d93"), (0.8, "#83c3b4"), (1, "#dcefd2")),
}  # fmt: skip
"""Colours of sails, from their shade to their light."""


@dataclass(frozen=True)
class _Scheme:
    """Colours of a picture."""

    sky: _Stops
    """By the distance from the sun."""
    sea: _Stops
    """By the tone of a wave."""
    light: str
    dark: str
    cloths: tuple[tuple[str, str], ...]
    """Of the main sail and the jib of each boat."""


_SCHEMES = (
    _Scheme(
        ((0, "#fff3cf"), (0.25, "#f3dfae"), (0.5, "#a9cfb9"), (0.9, "#4b9a9f"), (1.4, "#1d6077"), (2, "#0f3550")),
        ((0, "#06243a"), (0.3, "#0d4358"), (0.55, "#1f7280"), (0.8, "#63aca2"), (1, "#f0e6bd")),
        "#ffeec2", "#0d3a52",
        (("ochre", "white"), ("coral", "white"), ("white", "ochre"), ("ochre", "coral"), ("white", "white")),
    ),
    _Scheme(
        ((0, "#fff0b8"), (0.25, "#fbc878"), (0.5, "#ee9866"), (0.9, "#9c6f84"), (1.4, "#41517f"), (2, "#1b2752")),
        ((0, "#121a40"), (0.3, "#22356a"), (0.55, "#4a5f8f"), (0.8, "#c98f86"), (1, "#ffdf9c")),
        "#ffe0a0", "#241f52",
        (("teal", "white"), ("white", "coral"), ("coral", "ochre"), ("white", "teal"), ("ochre", "white")),
    ),
    _Scheme(
        ((0, "#fffbe8"), (0.25, "#e6eedd"), (0.5, "#b3d3d6"), (0.9, "#6aa5c0"), (1.4, "#2f6a9a"), (2, "#173f70")),
        ((0, "#0a2449"), (0.3, "#134a78"), (0.55, "#2c7fa0"), (0.8, "#86bfc2"), (1, "#fff6dc")),
        "#fffbe0", "#123a6a",
        (("coral", "white"), ("ochre", "white"), ("white", "coral"), ("white", "ochre"), ("coral", "white")),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class _Boat:
    """Where the middle of the waterline is, its size, and how far the wind lays it over."""

    x: float
    y: float
    size: float
    lean: float
    pitch: float

    def placed(self, points: Floats, level: float = 1) -> Floats:
        """Points on the plate; upside down in the water where `level` is negative."""
        x, y = turned(np.asarray(points, float), self.pitch).T
        return np.stack([self.x + self.size * (x - self.lean * y), self.y + self.size * level * y], 1)


def regatta(plate: Plate) -> Colours:
    """Draw it: sky, sea with mirrored sails, waves, boats from far to near, planes of light."""
    scheme, rng = _SCHEMES[plate.seed % len(_SCHEMES)], plate.rng(1)
    stands = outlines_of("regatta")["boats"]
    boats = [_Boat(x + rng.normal(0, 0.02), y, size * rng.uniform(0.96, 1.04), lean + rng.normal(0, 0.015), pitch)
             for x, y, size, lean, pitch in stands]  # fmt: skip
    picture = _sky(plate, scheme)
    echoes = [np.array(boats[a].placed(outlines_of("regatta")[name])) * scale + shift for a, name, scale, shift in (
        (0, "jib", 0.86, (-0.3, 0.02)), (0, "main", 0.7, (-0.42, -0.1)), (1, "main", 1.25, (0.42, 0.02)), (1, "jib", 1.2, (-0.1, 0.05)))]
    for echo, share in zip(echoes, (0.3, 0.16, 0.16, 0.22), strict=True):
        fall = smooth(-1, 0.4, plate.y)
        picture = over(picture, scheme.light, share * fall * plate.filled([echo]))
    picture = _sea(plate, picture, scheme, boats)
    for number in np.argsort([boat.y for boat in boats]):
        picture = _boat(plate, picture, scheme, boats[number], scheme.cloths[number])
    picture = _planes(plate, picture, scheme, boats)
    cloth = plate.noise(plate.x * 60, plate.y * 60, 9, 2)
    picture = plate.finished(picture * (1 + 0.01 * cloth[..., None]), 0.008, 0.25)
    return picture[:, ::-1] if plate.seed % 2 else picture


def _edge(plate: Plate, inside: Floats) -> Floats:
    """Coverage of what lies inside an edge, by the distance from it."""
    return np.clip(inside / plate.pixel + 0.5, 0, 1)


def _sky(plate: Plate, scheme: _Scheme) -> Colours:
    """Light around the sun, and a low shore."""
    x, y = plate.x, plate.y
    away = np.hypot(0.8 * (x - _SUN[0]), 1.1 * (y - _SUN[1]))
    brushed = plate.noise(x * 3 + y, y * 9, 2, 4)
    picture = ramp(away + 0.03 * brushed, *scheme.sky)
    disc = _edge(plate, 0.13 - np.hypot(x - _SUN[0], y - _SUN[1]))
    picture = over(picture, "#fffbe6", 0.9 * disc)
    picture = screen(picture, 0.45 * np.exp(-((away / 0.42) ** 2))[..., None] * hexed(scheme.light))
    shore = [np.array(each) for each in outlines_of("regatta")["shore"]]
    return over(picture, scheme.dark, 0.5 * plate.filled(shore))


def _sea(plate: Plate, picture: Colours, scheme: _Scheme, boats: list[_Boat]) -> Colours:
    """Rows of waves with a lit and a dark side each, which break what they mirror."""
    x, y, rng = plate.x, plate.y, plate.rng(3)
    near = np.clip((y - _HORIZON) / (plate.bottom - _HORIZON), 0, 1)
    glitter = np.exp(-(((x - _SUN[0]) / (0.22 + 0.5 * near)) ** 2))
    base = 0.62 - 0.5 * near**0.6 + 0.4 * glitter * (1 - 0.4 * near)
    facets: list[Floats] = []
    tones: list[float] = []
    level = _HORIZON + 0.01
    while level < plate.bottom + 0.2:
        tall = 0.03 + 0.34 * (level - _HORIZON)
        at = -plate.right - 0.3 + rng.uniform(-0.3, 0)
        while at < plate.right + 0.3:
            long = tall * rng.uniform(3, 9)
            crest = np.array((at + long * rng.uniform(0.3, 0.45), level - tall * rng.uniform(0.2, 0.6)))
            left, right = np.array((at, level + 0.2 * tall)), np.array((at + long, level + 0.1 * tall))
            low = np.array((crest[0] + 0.3 * long, level + 1.1 * tall))
            facets += [np.array([left, crest, low]), np.array([crest, right, low])]
            tones += [rng.uniform(0.55, 0.95), rng.uniform(0.15, 0.45)]
            at += long * rng.uniform(0.7, 0.95)
        level += 0.55 * tall
    covered = plate.filled(facets)
    tone = plate.filled(facets, tones) + 0.5 * (1 - covered)
    sea = ramp(base, *scheme.sea)
    for boat, cloths in zip(boats, scheme.cloths, strict=True):
        for name, cloth in zip(("main", "jib"), cloths, strict=True):
            image = boat.placed(outlines_of("regatta")[name], -0.5)
            sea = over(sea, ramp(0.75 - 0.3 * near, *_CLOTHS[cloth]), 0.85 * plate.filled([image]))
    shift = 0.35 * (tone - 0.5) * (0.15 + near)
    row = (y + 0.2 * shift) / plate.pixel + (plate.height - 1) / 2
    column = (x + shift) / plate.pixel + (plate.width - 1) / 2
    broken = sampled(sea, row, column, "nearest")
    broken = over(broken, ramp(np.clip(base + 0.9 * (tone - 0.5), 0, 1), *scheme.sea), 0.3 + 0.5 * np.abs(tone - 0.5))
    return over(picture, broken, _edge(plate, y - _HORIZON))


def _boat(plate: Plate, picture: Colours, scheme: _Scheme, boat: _Boat, cloths: tuple[str, str]) -> Colours:
    """Sails in panels, mast, hull, crew and the wave at the bow."""
    parts = outlines_of("regatta")
    for name, cloth in zip(("main", "jib"), cloths, strict=True):
        picture = _sail(plate, picture, boat.placed(parts[name]), cloth, parts[name + "_tones"])
    for name, colour in (("spars", "#2b1c26"), ("crew", "#2a1a2a"), ("backs", "#e8e0c8"), ("heads", "#8a4638"),
                         ("hull", "#0b1a2a"), ("bow", "#1d4154"), ("plank", "#f3e2bd"), ("foam", "#e9ecd9"), ("spray", "#fff9e8")):  # fmt: skip
        shapes = [boat.placed(each) for each in parts[name]]
        picture = over(picture, colour, plate.filled(shapes))
    return picture


def _sail(plate: Plate, picture: Colours, outline: Floats, cloth: str, tones: list[list[float]]) -> Colours:
    """Panels that meet at the head: each goes from its own shade to its own light."""
    head, tack, clew = outline[0], outline[1], outline[2]
    leech = outline[3:]
    foot = np.linspace(0, 1, len(tones) + 1)
    way = np.arctan2(plate.y - head[1], plate.x - head[0])
    low, high = (np.arctan2(*(each - head)[::-1]) for each in (tack, clew))
    share = (way - low) / (high - low)
    down = (plate.y - head[1]) / (tack[1] - head[1])
    grain = plate.noise(share * 6, down * 2, 12, 3)
    for (start, end), (dark, light) in zip(pairwise(foot), tones, strict=True):
        corners = [head, tack + (clew - tack) * start, tack + (clew - tack) * end]
        if end == 1:
            corners += list(leech)
        lit = dark + (light - dark) * np.clip((share - start) / (end - start), 0, 1)
        lit = lit + 0.16 * (down - 0.5) + 0.04 * grain
        mask = plate.filled([np.array(corners)])
        picture = over(picture, ramp(lit, *_CLOTHS[cloth]), 0.94 * mask)
    return picture


def _planes(plate: Plate, picture: Colours, scheme: _Scheme, boats: list[_Boat]) -> Colours:
    """Edges of sails and rays of the sun go on across the picture: light on one side of each."""
    rng, parts = plate.rng(5), outlines_of("regatta")
    x, y = plate.x, plate.y
    # The sun outshines what would darken it.
    away = smooth(0.1, 0.75, np.hypot(x - _SUN[0], y - _SUN[1]))
    lines = [(boats[0].placed(parts["jib"])[:2], -0.5, 0), (boats[0].placed(parts["main"])[:2], 0.3, 0),
             (boats[1].placed(parts["main"])[:2], 0.35, 0), (boats[1].placed(parts["jib"])[:2], -0.3, 0)]  # fmt: skip
    for angle, reach in ((0.5, -0.35), (-0.75, 0.4), (-2.62, 0.35), (-1.75, 0.3), (2.2, 0.3)):
        lines.append((np.stack([_SUN, _SUN + directed(angle + rng.normal(0, 0.06))]), reach, 1))
    for (start, end), reach, is_ray in lines:
        along = (end - start) / np.hypot(*(end - start))
        aside = ((x - start[0]) * -along[1] + (y - start[1]) * along[0]) * np.sign(reach)
        ahead = (x - start[0]) * along[0] + (y - start[1]) * along[1]
        fade = np.exp(-np.abs(aside) / abs(reach))
        if is_ray:
            fade = fade * smooth(0.02, 0.5, ahead)
        edge = _edge(plate, aside)
        picture = over(picture, scheme.light, 0.2 * edge * fade)
        shade = (0.42 * (1 - edge) * fade * away)[..., None]
        picture = picture * (1 - shade * (1 - hexed(scheme.dark)))
    return picture
