"""A sun with a face between its rays, and a moon in profile, over clouds, as on an old card.

By night or, without outlines, at dawn; or one of the two alone, as on a foil of its own; or the sun
alone, in the middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._curves import directed, outlines_of, ribbon, spline, turned
from ._paint import Paint, painted
from ._plate import Colours, Floats, Plate, hexed

_SUN, _RADIUS, _RAYS = np.array((0.14, -0.23)), 0.545, 12
_FACE = 1.12
"""How much larger the features are than they are drawn, so that they fill the disc."""
_MOON, _SIZE, _LEAN = np.array((-0.43, 0.065)), 0.69, -0.34
_BACK, _BOW, _HORN = np.array((0.22, 0.0)), 0.95, np.pi / 3
"""The middle and the radius of the moon's back, and the angle at which its horns end."""
_ANGLE = np.linspace(0, 2 * np.pi, 120)
_AROUND = directed(_ANGLE)


@dataclass
class _Card:
    """What is drawn, and in what colours."""

    paint: Paint
    colours: dict[str, Any]
    scale: float = 1.0
    """How much smaller it is drawn, around the sun; below 1 that is in the middle."""

    def lay(self, points: ArrayLike, colour: str) -> None:
        """A shape in a colour, or in one that has a name."""
        named = self.colours.get(colour, colour)
        points = np.asarray(points, float)
        moved = points if self.scale == 1 else self.scale * (points - _SUN)
        self.paint.append((moved, hexed(named)))

    def rim(self, points: ArrayLike) -> None:
        """A shape a little larger than the next one, which it outlines."""
        if self.colours["outlined"]:
            self.lay(points, "ink")

    def stroke(self, path: Floats, wide: float, ends: float = 0.15, colour: str = "ink") -> None:
        """A line that is thin at its ends."""
        swell = np.sin(np.linspace(0, np.pi, len(path))).clip(0) ** 0.7
        self.lay(ribbon(path, wide * (ends + (1 - ends) * swell)), colour)


def sun(plate: Plate) -> Colours:
    """Draw it: the sky, stars, rays, the face, the moon, clouds."""
    parts, kind = outlines_of("sun"), plate.seed // 2 % 5
    colours = {**parts["colours"], **parts["hours"][kind == 1], **parts["middle"][kind == 4]}
    card = _Card([], colours, 0.88 if kind == 4 else 1.0)
    sky = card.colours["sky"]
    if kind not in (3, 4):
        card.lay(_SUN + 1.13 * _AROUND, sky[1])
        card.lay(_SUN + 0.8 * _AROUND, sky[2])
    if kind not in (2, 4):
        _lay_stars(card)
    if kind != 3:
        _lay_rays(card)
        _lay_face(card)
    if kind not in (2, 4):
        _lay_moon(card)
        _lay_clouds(card)
    ground = np.broadcast_to(hexed(sky[0]), (*plate.x.shape, 3))
    # Without grain: foils would show it.
    return plate.faced(painted(plate, ground, card.paint))


def _lay_stars(card: _Card) -> None:
    """Stars whose points have a light and a dark side."""
    for x, y, size, points in outlines_of("sun")["stars"]:
        at, odd = np.array((x, y)), np.arange(2 * points + 1) % 2
        ways = directed(np.arange(2 * points + 1) * np.pi / points - np.pi / 2)
        inner = size * (0.4 if points == 4 else 0.58 - 0.02 * points)
        card.rim(at + np.where(odd, inner + 0.01, size + 0.03)[:, None] * ways)
        corners = at + np.where(odd, inner, size)[:, None] * ways
        for k in range(2 * points):
            card.lay(np.stack([at, *corners[k : k + 2]]), card.colours["star"][k % 2])


def _lay_rays(card: _Card) -> None:
    """Flames, and over them straight rays, each of two halves."""
    share = np.linspace(0, 1, 40)
    wave = 0.035 * np.sin(2.2 * np.pi * share + 0.3) * (0.3 + share)
    axis = np.stack([0.5 + 0.395 * share, wave], 1)
    half = np.stack([0 * share, 0.105 * (1 - share) ** 0.8], 1)
    rim = ribbon(np.concatenate([axis, axis[-1:] + (0.02, 0)]), [*2 * half[:, 1] + 0.02, 0])
    flame = rim, *(np.concatenate([axis, (axis - side * half)[::-1]]) for side in (1, -1))
    root, tip, aside = np.array((0.45, 0)), np.array((0.985, 0)), np.array((0, 0.108))
    rim = np.stack([root - 1.1 * aside, tip + (0.044, 0), root + 1.1 * aside])
    ray = rim, *(np.stack([root - side * aside, tip, root]) for side in (1, -1))
    for name, shapes, first in (("flame", flame, 0.5), ("ray", ray, 0.0)):
        for way in (np.arange(_RAYS) + first) * 2 * np.pi / _RAYS - np.pi / 2:
            rim, light, dark = (turned(shape, way) + _SUN for shape in shapes)
            card.rim(rim)
            card.lay(light, card.colours[name][0])
            card.lay(dark, card.colours[name][1])


def _put(points: ArrayLike, side: float = 1) -> Floats:
    """Where a feature of the sun is, or its mirror image."""
    return np.asarray((np.asarray(points) * _FACE - (0, 0.02)) * (side, 1) * _RADIUS + _SUN)


@cache
def _features() -> dict[str, Floats]:
    """The curves of the sun's face."""
    return {name: spline(points) for name, points in outlines_of("sun")["face"].items()}


def _lay_face(card: _Card) -> None:
    """The ring and the disc, eyes and cheeks, the nose, the mouth, the hair."""
    parts = _features()

    def disc(radius: float, colour: str, middle: ArrayLike = (0, 0)) -> None:
        card.lay(_SUN + _RADIUS * (np.asarray(middle) + radius * _AROUND), colour)

    card.rim(_SUN + 1.15 * _RADIUS * _AROUND)
    disc(1.12, "ring")
    for way in np.arange(card.colours["beads"]) * 2 * np.pi / 48:
        disc(0.0165, "bead", 1.075 * directed(way))
    card.rim(_SUN + 1.03 * _RADIUS * _AROUND)
    disc(1.0, "ochre")
    disc(0.91, "gold", (-0.07, -0.06))
    for radius, start, end in ((0.93, -0.7, 1.35), (0.87, -0.35, 1.2), (0.81, 0.0, 1.0)):
        shade = radius * directed(np.linspace(start, end, 60))
        card.stroke(_SUN + _RADIUS * shade, 0.012, 0, "bronze")
    for side, socket, lid in ((1, "bronze", "gold"), (-1, "amber", "gleam")):
        brow, fold = parts["brow"], parts["fold"]
        card.lay(_put(np.concatenate([brow[:60], fold[12:]]), side), socket)
        card.lay(_put(np.concatenate([fold, parts["upper"][::-1]]), side), lid)
        card.lay(_put((0.49, 0.265) + 0.125 * _AROUND, side), "cheek")
        _lay_eye(card, side)
        for name, wide in (("upper", 0.022), ("lower", 0.012), ("fold", 0.014), ("bag", 0.012), ("smile", 0.012)):  # fmt: skip
            card.stroke(_put(parts[name], side), wide)
    wing = parts["wing"]
    ridge = (0.0, 0.28), (0.02, -0.05), (0.06, -0.3)
    card.lay(_put(np.concatenate([brow[48:], wing, parts["base"][:25], ridge])), "bronze")
    card.lay(_put(parts["gleam"]), "gleam")
    for side in (1, -1):
        card.stroke(_put(brow, side), 0.02)
        card.stroke(_put(wing, side), 0.02)
        card.lay(_put((0.062, 0.308) + (0.033, 0.016) * _AROUND, side), "ink")
    _lay_mouth(card)
    _lay_hair(card)


def _lay_mouth(card: _Card) -> None:
    """The lips and the lines of them, below the nose and on the chin."""
    parts = _features()
    mouth = parts["mouth"][12:-12][::-1]
    card.lay(_put(np.concatenate([parts["lip"], mouth])), "lip")
    card.lay(_put(np.concatenate([parts["chin"], mouth])), "chin")
    card.lay(_put((-0.07, 0.58) + (0.055, 0.018) * _AROUND), "shine")
    for name, wide in (("base", 0.012), ("mouth", 0.014), ("lip", 0.009), ("chin", 0.01), ("dimple", 0.016)):  # fmt: skip
        card.stroke(_put(parts[name]), wide)


def _lay_hair(card: _Card) -> None:
    """Hair that is parted in the middle."""
    line = _features()["hair"]
    crown = 0.99 * directed(np.linspace(-np.pi / 2, 0.135, len(line)))
    for side, colour in zip((1, -1), card.colours["locks"], strict=True):
        scale = _RADIUS * np.array((side, 1))
        card.lay(_SUN + scale * np.concatenate([line, crown[::-1]]), colour)
        for share, wide in ((0.0, 0.018), (0.33, 0.014), (0.66, 0.014)):
            wave = 0.015 * np.sin(np.linspace(0, 9, len(line)) + 6 * share) * (share > 0)
            strand = (1 - share) * line + share * crown + wave[:, None]
            if card.colours["outlined"]:
                card.stroke(_SUN + scale * strand, wide, 0.2)


def _lay_eye(card: _Card, side: float) -> None:
    """The white between the lids; iris and pupil, where the lids leave them free; a glint."""
    upper, lower = _features()["upper"], _features()["lower"]
    card.lay(_put(np.concatenate([upper, lower[::-1]]), side), "white")
    middle = np.array((0.385, -0.095))
    for radius, colour in ((0.112, "ink"), (0.094, "iris"), (0.05, "ink")):
        x, y = (middle + radius * _AROUND).T
        y = y.clip(np.interp(x, *upper.T), np.interp(x, *lower.T))
        card.lay(_put(np.stack([x, y], 1), side), colour)
    # Both eyes have it on the same side.
    card.lay(_put(middle + (-0.04 * side, -0.035) + 0.02 * _AROUND, side), "glint")


def _lay_moon(card: _Card) -> None:
    """A crescent whose inner edge is a face."""
    parts = {name: spline(points, 10) for name, points in outlines_of("sun")["moon"].items()}

    def put(points: ArrayLike) -> Floats:
        return np.asarray(turned(np.asarray(points), _LEAN) * _SIZE + _MOON)

    edge = spline(outlines_of("sun")["profile"], 8)
    ways = directed(np.linspace(_HORN, 2 * np.pi - _HORN, 90))
    swell = np.sin(np.linspace(0, np.pi, 90)).clip(0)[:, None] ** 0.8
    back = _BACK + _BOW * ways
    if card.colours["outlined"]:
        card.stroke(put(back), 0.032, 0.3)
    card.lay(put(np.concatenate([edge, back])), "ivory")
    for deep, colour in zip((0.3, 0.2, 0.1), card.colours["rim"], strict=True):
        inner = _BACK + (_BOW - deep * swell) * ways
        card.lay(put(np.concatenate([back, inner[::-1]])), colour)
        if deep == 0.2 and card.colours["outlined"]:
            card.stroke(put(inner), 0.008, 0)
    upper, lines = parts["upper"], [("lower", 0.022)]
    if card.colours["awake"]:
        card.lay(put(np.concatenate([parts["lid"], upper[::-1]])), card.colours["rim"][0])
        card.lay(put(np.concatenate([upper, parts["lower"][::-1]])), "glint")
        x, y = (np.array((0.0, -0.068)) + (0.042, 0.052) * _AROUND).T
        card.lay(put(np.stack([x, y.clip(np.interp(x, *upper.T))], 1)), "ink")
        lines = [("upper", 0.022), ("lower", 0.01)]
    card.lay(put((-0.14, 0.16) + 0.075 * _AROUND), "blush")
    for name in ("lip", "chin"):
        card.lay(put(np.concatenate([parts[name], parts["mouth"][::-1]])), name)
    for name, wide in (*lines, ("lid", 0.011), ("brow", 0.022), ("mouth", 0.016), ("wing", 0.018)):
        card.stroke(put(parts[name]), wide)
    if card.colours["outlined"]:
        card.stroke(put(edge), 0.019, 0.3)


def _lay_clouds(card: _Card) -> None:
    """Banks of round clouds, ring in ring."""
    for bank, colours in zip(outlines_of("sun")["clouds"], card.colours["clouds"], strict=True):
        for x, y, radius in bank:
            for share, colour in zip((1, 0.72, 0.42), colours, strict=True):
                card.rim((x, y) + (share * radius + 0.011) * _AROUND)
                card.lay((x, y) + share * radius * _AROUND, colour)
