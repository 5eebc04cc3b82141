"""A diver's copper helmet in the sea, turned a little aside; through its window looks a fish."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._curves import directed, outlines_of, ribbon, spline, spread
from ._plate import Colours, Floats, Plate, hexed, over, ramp

_MIDDLE, _RADIUS = np.array((0, -0.32, 0)), 0.8
_YAW, _PITCH = -0.36, 0.16
_LAMP = np.array((-0.55, -0.6, 0.58))
_AROUND = directed(np.linspace(0, 2 * np.pi, 90))
_INK, _LINE = hexed("#160a12"), 0.0075
_HIGH, _FOOT, _WALL, _PANE = 0.13, 1.3, 1.14, 0.88
"""How high a window is; the sizes of its foot, of its wall and of its pane, in radii."""


def helmet(plate: Plate) -> Colours:
    """Draw it: water and bubbles, the suit, its collar, the dome, windows, the hose."""
    sheet, parts = _Sheet(plate), outlines_of("helmet")
    _sea(sheet, parts["bubbles"])
    _suit(sheet, parts)
    left, *others = (_Port(*port) for port in parts["ports"])
    _walls(sheet, left)
    _dome(sheet)
    for port in others:
        _walls(sheet, port)
        _window(sheet, port)
    _fish(sheet, others[-1], parts)
    hose = spline(parts["hose"], 20)
    sheet.lay(ribbon(hose, 0.16), "hose", (-1, 0), 0.011)
    for k in range(30, len(hose), 30):
        sheet.lay(ribbon(hose[k : k + 8], 0.22), "brass", (-1, 0), 0.011)
    return plate.faced(plate.finished(sheet.picture, 0.004, 0.2))


class _Sheet:
    """The picture as it grows."""

    def __init__(self, plate: Plate) -> None:
        self.plate = plate
        self.colours: dict[str, Any] = outlines_of("helmet")["colours"][plate.seed // 2 % 2]
        low, high = self.colours["sea"]
        self.picture = ramp(plate.y + 0.3 * plate.x, (-1.4, low), (1.3, high)).copy()

    def lay(
        self,
        outline: Floats,
        stuff: str,
        way: tuple[float, float] = (-0.4, -0.9),
        line: float = _LINE,
    ) -> None:
        """Lay an outline in a stuff that is lighter in a direction, with a dark line around it."""
        low, high = outline.min(0), outline.max(0)
        middle, half = (low + high) / 2, float((high - low).max()) / 2
        box, here = self.plate.around(outline, line)
        if 0 in here.x.shape:
            return
        light = ((here.x - middle[0]) * way[0] + (here.y - middle[1]) * way[1]) / half
        cover, edge = here.filled([outline]), ribbon(np.concatenate([outline, outline[:2]]), line)
        found = over(self.picture[box], ramp(0.5 + 0.5 * light, *self.colours[stuff]), cover)
        self.picture[box] = over(found, _INK, here.filled([edge]) * (line > 0))

    def ink(self, outlines: list[Floats]) -> None:
        """Fill outlines with the dark of lines."""
        self.picture = over(self.picture, _INK, self.plate.filled(outlines))


class _Port:
    """A round window of the helmet in a direction, given by angles to the right and up."""

    def __init__(self, right: float, up: float, radius: float) -> None:
        self.radius = radius
        self.out = np.array((np.sin(right) * np.cos(up), -np.sin(up), np.cos(right) * np.cos(up)))
        self.across = np.array((np.cos(right), 0, -np.sin(right)))
        self.down = np.cross(self.out, self.across)
        self.foot = np.sqrt(_RADIUS**2 - (_FOOT * radius) ** 2)

    def at(self, points: Floats, high: float = _HIGH) -> Floats:
        """Where points [K, 2] in radii on the window are, so high over its foot."""
        flat = self.radius * np.asarray(points, float)
        place = flat[:, :1] * self.across + flat[:, 1:] * self.down
        return _seen(_MIDDLE + (self.foot + high) * self.out + place)

    def wall(self, size: float, *heights: float) -> Floats:
        """The outline of a round wall of so many radii between heights."""
        return _hull(*(self.at(size * _AROUND, high) for high in heights))


def _seen(points: Floats) -> Floats:
    """Where points [..., 3] (right, down, towards the eye) are on the plate, [..., 2]."""
    x, y, z = np.moveaxis(np.asarray(points, float), -1, 0)
    c, s = np.cos(_YAW), np.sin(_YAW)
    x, z = x * c + z * s, z * c - x * s
    c, s = np.cos(_PITCH), np.sin(_PITCH)
    return np.stack([x, y * c + z * s], -1)


def _hull(*rings: Floats) -> Floats:
    """The outline around all points of rings."""
    from scipy.spatial import ConvexHull

    points = np.concatenate(rings)
    return np.asarray(points[ConvexHull(points).vertices])


def _sea(sheet: _Sheet, bubbles: list[tuple[float, float, float]]) -> None:
    """Bubbles with bright rims, each with a light on it."""
    plate, low, rim = sheet.plate, sheet.colours["sea"][0], sheet.colours["rim"]
    for x, y, size in bubbles:
        away = np.hypot(plate.x - x, plate.y - y) / size
        circle = plate.filled([size * _AROUND + (x, y)])
        sheet.picture = over(sheet.picture, ramp(away, (0.3, low), (1, rim)), 0.75 * circle)
        path = size * 0.66 * directed(np.linspace(3.2, 4.6, 20)) + (x, y)
        shine = ribbon(path, spread((0, 0.17 * size, 0), len(path)))
        sheet.picture = over(sheet.picture, "#ffffff", plate.filled([shine]))


def _suit(sheet: _Sheet, parts: dict[str, Any]) -> None:
    """Shoulders of cloth, the breastplate with its strap, bolts and an anchor, the collar."""
    for side in (-1, 1):
        sheet.lay(spline(parts["arm"], 8) * (side, 1), "cloth")
    sheet.lay(spline(parts["chest"], 8), "cloth")
    sheet.lay(spline(parts["breastplate"], 8), "copper", (-0.7, -0.5))
    edge = spline(parts["strap"], 12)
    sheet.lay(ribbon(edge, 0.15), "brass", (-0.8, -0.3), 0.005)
    for share in np.linspace(0.08, 0.92, 8):
        _bolt(sheet, edge[round(share * (len(edge) - 1))], 0.045)
    half = np.array(parts["anchor"])
    anchor = spline(np.concatenate([half, half[::-1] * (-1, 1)]), 6)
    sheet.lay(anchor + (-0.1, 0.83), "bolt", line=0.005)

    def ring(size: float, down: float) -> Floats:
        x, z = size * _AROUND.T * ((1,), (0.94,))
        return _seen(np.stack([x, 0 * x + down, z], 1))

    for low, high, size in parts["collar"]:
        sheet.lay(_hull(ring(size, low), ring(size, high)), "brass", (-0.5, 0))
    for angle in np.linspace(-0.3, np.pi - 0.42, 8):
        x, z = 0.76 * directed(angle) * (1, 0.94)
        _bolt(sheet, _seen(np.array((x, 0.5, z))), 0.035)


def _bolt(sheet: _Sheet, place: Floats, size: float) -> None:
    """A round head."""
    sheet.lay(place + size * _AROUND, "bolt")


def _dome(sheet: _Sheet) -> None:
    """The copper dome, round in the light; its shade is a crescent."""
    plate, middle = sheet.plate, _seen(_MIDDLE)
    outline = _RADIUS * _AROUND + middle
    x, y = (plate.x - middle[0]) / _RADIUS, (plate.y - middle[1]) / _RADIUS
    light = np.stack([x, y, np.sqrt(np.maximum(1 - x * x - y * y, 0))], -1) @ _LAMP
    cover = plate.filled([outline])
    shade = cover * (1 - plate.filled([0.98 * _RADIUS * _AROUND + middle - (0.13, 0.15)]))
    sheet.picture = over(sheet.picture, ramp(light, *sheet.colours["dome"]), cover)
    sheet.picture = over(sheet.picture, ramp(light, *sheet.colours["shade"]), shade)
    sheet.ink([ribbon(outline, 0.013)])


def _walls(sheet: _Sheet, port: _Port) -> None:
    """The foot and the wall of a window."""
    sheet.lay(port.wall(_FOOT, 0, 0.02), "copper")
    sheet.lay(port.wall(_WALL, 0, _HIGH), "brass", (-0.9, -0.4))


def _window(sheet: _Sheet, port: _Port) -> None:
    """The rim and the pane; bolts around the front one, bars before the others."""
    front = port.radius > 0.3
    sheet.lay(port.at(_WALL * _AROUND), "brass")
    sheet.lay(port.at(_PANE * _AROUND), "glass")
    for angle in 2 * np.pi * (np.arange(12) + 0.4) / 12 if front else ():
        sheet.lay(port.at(1.01 * directed(angle) + 0.065 * _AROUND), "bolt")
    for start in () if front else (-0.3, 0.3):
        for across in (False, True):
            bar = np.array([(start, -0.95), (start, 0.95)])[:, :: -1 if across else 1]
            sheet.lay(port.at(ribbon(bar, 0.16), _HIGH + 0.02), "brass")


def _fish(sheet: _Sheet, port: _Port, parts: dict[str, Any]) -> None:
    """The fish in the window, with its eye and its mouth."""
    for stuff, points in parts["fish"]:
        sheet.lay(port.at(spline([*points, points[0]], 8)), stuff)
    x, y, size = parts["eye"]
    for share, stuff in ((1, "white"), (0.6, "night")):
        sheet.lay(port.at(share * size * _AROUND + (x, y)), stuff)
    sheet.lay(port.at(0.2 * size * _AROUND + (x - 0.025, y - 0.03)), "white", line=0)
    mouth = spline(parts["mouth"], 8)
    sheet.ink([port.at(ribbon(mouth, 0.035))])
