"""A full-rigged ship in space: x forward, y to port, z up from the sea, in metres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._curves import directed, outlined, outlines_of, paired, spline
from ._paint import Paint
from ._plate import Colours, Floats, hexed, ramp
from ._relief import patches_of

_FAR, _EYE = 84.0, 7.0
_HEEL, _PITCH = np.radians((4.0, 1.5))
_UP = np.array((0.0, 0.0, 1.0))
_DARK, _ROPE = "#1b2138", "#6b3f3a"


@dataclass(frozen=True)
class View:
    """A ship seen from her port bow: how far off it, what is in the middle, her trim, her cloth."""

    way: float
    """Radians from ahead."""
    zoom: float
    middle: float
    horizon: float
    brace: float
    """Radians by which her yards are turned to port."""
    ink: str
    """The colour of rigging."""
    seam: str
    band: str
    """The colour of what holds reef points."""
    cloth: list[tuple[float, str]]
    """Colours of sails, from shade to light."""

    @property
    def right(self) -> Floats:
        """The unit vector to the right of the plate."""
        return np.array((-np.sin(self.way), np.cos(self.way), 0))

    @property
    def back(self) -> Floats:
        """The unit vector from the ship to the eye."""
        return np.array((np.cos(self.way), np.sin(self.way), 0))

    def seen(self, points: Floats, up: float = 1.0) -> Floats:
        """Where points [K, 3] are on the plate; as the sea mirrors them if `up` is -1."""
        x, y, z = np.asarray(points, float).T
        x, z = x * np.cos(_PITCH) - z * np.sin(_PITCH), x * np.sin(_PITCH) + z * np.cos(_PITCH)
        y, z = y * np.cos(_HEEL) + z * np.sin(_HEEL), z * np.cos(_HEEL) - y * np.sin(_HEEL)
        placed = np.array([x - self.middle, y, up * z - _EYE]).T
        near = self.zoom / (_FAR - placed @ self.back)
        return paired(near * (placed @ self.right), self.horizon - near * placed[:, 2])

    def shown(self, paint: Paint, up: float = 1.0) -> Paint:
        """What is painted of outlines [K, 3], where it is on the plate."""
        ends = np.cumsum([len(points) for points, _ in paint])[:-1]
        outlines = np.split(self.seen(np.concatenate([points for points, _ in paint]), up), ends)
        return [*zip(outlines, (tone for _, tone in paint), strict=True)]

    def lit(self, points: Floats) -> Floats:
        """How much patches between points [rows, columns, 3] face the light: -1 to 1."""
        normal = np.cross(np.diff(points, axis=1)[:-1], np.diff(points, axis=0)[:, :-1])
        normal *= np.sign(normal @ self.back)[..., None]
        lamp = -0.8 * self.right + 0.25 * self.back + 0.5 * _UP
        length = np.linalg.norm(normal, axis=-1) * np.linalg.norm(lamp)
        return np.asarray(normal @ lamp / np.maximum(length, 1e-9))

    def line(self, points: ArrayLike, wide: ArrayLike, colour: str) -> tuple[Floats, Colours]:
        """A line of a width, as seen: its outline."""
        path = np.asarray(points, float)
        aside = np.cross(np.gradient(path, axis=0), self.back)
        aside /= np.maximum(np.linalg.norm(aside, axis=-1, keepdims=True), 1e-9)
        half = aside * np.broadcast_to(wide, len(path))[:, None] / 2
        return outlined(path, half), hexed(colour)

    def spar(self, start: Floats, end: Floats, wide: ArrayLike, wood: str = "#c57f43") -> Paint:
        """A round spar: dark, lit along its left and upper side."""
        path, widths = np.stack([start, end]), np.asarray(wide, float)
        lit = path + np.outer(widths, 0.1 * _UP - 0.2 * self.right)
        return [self.line(path, widths, "#3a1f22"), self.line(lit, 0.45 * widths, wood)]

    def sail(
        self, points: Floats, shade: Floats, seams: list[Floats], edges: list[Floats]
    ) -> Paint:
        """A sail between points [rows, columns, 3]: its patches, seams and bolt ropes."""
        lines = [self.line(each, 0.07, self.seam) for each in seams]
        ropes = [self.line(each, 0.16, _ROPE) for each in edges]
        return [*patches(points, ramp(shade, *self.cloth)), *lines, *ropes]


def patches(points: Floats, tones: Colours) -> Paint:
    """A surface between points [rows, columns, 3], each patch in its colour."""
    return [*zip(patches_of(points).reshape(-1, 4, 3), tones.reshape(-1, 3), strict=True)]


def rig(view: View) -> Paint:
    """Masts from the last to the first, each with its shrouds, yards and sails, then the jibs."""
    parts, paint = outlines_of("ship"), []
    masts = parts["masts"]
    for number, (x, top, size, flag) in enumerate(masts):
        foot, truck = np.array((x, 0, 3.0)), np.array((x - 0.02 * top, 0, top))
        paint += _shrouds(view, foot, truck, size)
        paint += view.spar(foot, truck, (1.1 * size, 0.3))
        for share in (0.42, 0.74):
            at = foot + (truck - foot) * share
            paint.append(view.line([at - (0.8 * size, 0, 0), at + (0.9 * size, 0, 0)], 0.5, _DARK))
        last = number + 1 == len(masts)
        if not number:
            paint += _spanker(view, foot)
        if not last:
            ahead = masts[number + 1]
            for mine, there in ((0.44, 0.1), (0.76, 0.42), (0.95, 0.74)):
                end = (ahead[0], 0, 3 + (ahead[1] - 3) * there)
                paint.append(view.line([foot + (truck - foot) * mine, end], 0.13, view.ink))
        for square in parts["squares"]:
            paint += _square(view, foot, truck, size, square, 0 if last else 0.5)
        paint += _pennant(view, truck, flag) if flag else []
    return paint + _jibs(view, parts)


def _shrouds(view: View, foot: Floats, truck: Floats, size: float) -> Paint:
    """Shrouds with ratlines and backstays, from both sides up a mast."""
    paint, mast = [], truck - foot
    for side in (-1, 1):
        lows = [foot + (-0.2 - k, 5.3 * side, 3.0) for k in range(6)]
        top = foot + 0.42 * mast
        paint += [view.line([low, top], 0.13, view.ink) for low in lows]
        for share in np.linspace(0.06, 0.9, 16):
            rung = [low + (top - low) * share for low in (lows[0], lows[-1])]
            paint.append(view.line(rung, 0.08, view.ink))
        for back, share in ((-6.5, 0.74), (-7.5, 0.76), (-8.5, 0.95)):
            low = foot + (back, 5.2 * side, 3.0)
            paint.append(view.line([low, foot + share * mast], 0.1, view.ink))
        for back in (-1.3, -0.4, 0.5):
            low = top + (back, 1.8 * side * size, 0)
            paint.append(view.line([low, foot + 0.74 * mast], 0.09, view.ink))
    return paint


def _square(
    view: View, foot: Floats, truck: Floats, size: float, square: list[float], dim: float
) -> Paint:
    """A square sail under its yard, sheeted to that below, and the lifts of the yard."""
    high, low, head, base, swell = square
    ahead, beside = np.pad(directed([view.brace, view.brace + np.pi / 2]), ((0, 0), (0, 1)))
    u, v = np.meshgrid(np.linspace(-1, 1, 49), np.linspace(0, 1, 37))
    middle = foot + (truck - foot) * high + ahead * 0.9 * size
    tall = (high - low) * float(np.linalg.norm(truck - foot))
    half = size * (head + (base - head) * v)
    # Wind fills it most below its middle, and on the lee side.
    belly = (1 - np.abs(u) ** 2.4) * np.sin(2.25 * v**0.9) + 0.22 * np.sin(2.25 * v) * (1 - u)
    rise = 0.13 * tall * (1 - u**2) * v**3
    points = (
        middle
        + (u * half)[..., None] * beside
        + (size * swell * belly)[..., None] * ahead
        + (rise - v * tall)[..., None] * _UP
    )
    shade = 1.45 * view.lit(points) - 0.5
    # It is darker under its yard, and where it is behind the sail of the mast ahead.
    shade -= 0.3 * np.exp(-((v[1:, 1:] / 0.12) ** 2)) + dim * np.clip(-u[1:, 1:] - 0.15, 0, 1)
    edges = [points[:, 0], points[:, -1], points[-1], points[0]]
    paint = view.sail(points, shade, [points[:, k] for k in range(6, 48, 6)], edges)
    for row in (7, 13) if tall > 9 else (9,) if tall > 6 else ():
        paint.append(view.line(points[row], 0.12, view.band))
        for column in range(2, 48, 2):
            paint.append(view.line(points[row : row + 3, column], 0.08, view.band))
    wide = 0.375 * size * (1 + head / 10)
    for side in (-1.08, 1.08):
        end = middle + 0.2 * _UP + beside * side * size * head
        paint += view.spar(middle + 0.2 * _UP, end, (wide, 0.45 * wide))
        paint.append(view.line([end, middle + 0.32 * tall * _UP], 0.08, view.ink))
    return paint


def _jibs(view: View, parts: dict[str, Any]) -> Paint:
    """Headsails, the inmost first: each on its stay, full on the lee side, its sheet led aft."""
    paint = []
    u, v = np.meshgrid(np.linspace(0, 1, 25), np.linspace(0, 1, 31))
    swell = np.sin(np.pi * u) * np.sin(0.93 * np.pi * v**0.8)
    for low, high, clew, start, end in parts["jibs"]:
        stay = np.array((low, high))
        tack, head = (stay[0] + (stay[1] - stay[0]) * share for share in (start, end))
        luff, leech = (head + v[..., None] * (corner - head) for corner in (tack, np.array(clew)))
        points = luff + (leech - luff) * u[..., None] + swell[..., None] * np.array((0.4, 2.4, 0))
        points[..., 2] -= np.sin(np.pi * u) * v**3
        shade = 1.2 * view.lit(points) + 0.2 * (0.5 - u[1:, 1:]) + 0.1
        paint.append(view.line(stay, 0.1, view.ink))
        edges = [points[:, 0], points[:, -1], points[-1]]
        paint += view.sail(points, shade, [points[row] for row in range(6, 30, 5)], edges)
        paint.append(view.line([clew, (12, 5.0, 7.0)], 0.1, view.ink))
    return paint


def _spanker(view: View, foot: Floats) -> Paint:
    """The fore-and-aft sail of the last mast, between its gaff and its boom."""
    boom, gaff = foot + (-15, 3.0, 5.4), foot + (-11.5, 3.4, 22)
    u, v = (each[..., None] for each in np.meshgrid(np.linspace(0, 1, 17), np.linspace(0, 1, 25)))
    luff = foot + (-0.5, 0, 15.5) - 10 * v * _UP
    leech = gaff + v * (boom - gaff)
    points = luff + u * (leech - luff) + 1.8 * np.sin(np.pi * u) * np.array((0.3, 1, 0))
    edges = [points[:, 0], points[:, -1], points[-1]]
    return [
        *view.spar(foot + 5 * _UP, boom, (0.6, 0.35)),
        *view.sail(points, 1.2 * view.lit(points) + 0.5, [*points[6::6]], edges),
        *view.spar(foot + 16 * _UP, gaff, (0.5, 0.3)),
    ]


def _pennant(view: View, truck: Floats, long: float) -> Paint:
    """A flag of the masthead: before the wind it blows ahead."""
    share = np.linspace(0, 1, 24)
    wave = 1.1 * np.sin(10 * share) * share**0.7 - 1.2 * share
    path = truck - np.outer(long * share, view.right) + np.outer(wave, _UP)
    return [(outlined(path, np.outer(0.9 - 0.7 * share, _UP)), hexed("#d8352c"))]


def side_of(t: ArrayLike, s: ArrayLike, side: float = 1) -> Floats:
    """Points of the hull: t from the stern 0 to the stem 1, s from below the sea 0 to the rail 1."""
    t, s = np.broadcast_arrays(np.asarray(t, float), np.asarray(s, float))
    aft, fore = np.clip(0.4 - t, 0, 1), np.clip(t - 0.45, 0, 1)
    x = -23 + 44 * t + 12.8 * np.clip(t - 0.5, 0, 1) ** 2 * s**1.6 - 2.2 * (1 - t) ** 6 * s
    rail = 6.2 + 8.6 * fore**2 + 11.8 * aft**1.5
    deck = 5.6 * (1 - np.clip((t - 0.62) / 0.38, 0, 1) ** 2.6) ** 0.75
    deck *= 1 - 0.22 * np.clip((0.35 - t) / 0.35, 0, 1) ** 2
    keel = 5.4 * (1 - np.clip((t - 0.5) / 0.48, 0, 1) ** 2)
    keel *= 1 - 0.65 * np.clip((0.3 - t) / 0.3, 0, 1) ** 2
    return np.stack([x, side * (keel + (deck - keel) * s**0.8), (rail + 1.6) * s - 1.6], -1)


def hull(view: View) -> Paint:
    """Planks in strakes of their colours, gun ports under their lids, windows aft, the rail."""
    parts, paint = outlines_of("ship"), []
    t = np.linspace(0, 1, 61)
    for low, high, dark, light in parts["strakes"]:
        points = side_of(t, np.linspace(low, high, 4)[:, None])
        paint += patches(points, ramp(view.lit(points), (-0.3, dark), (0.75, light)))
    for level, wide in parts["rails"]:
        paint.append(view.line(side_of(t, level), wide, "#e9c98c"))
    for at in np.linspace(0.13, 0.86, 13):
        ends = at + np.array((0, 0.026, 0.026, 0))
        paint.append((side_of(ends, [0.6, 0.6, 0.73, 0.73]), hexed("#120f18")))
        lid = side_of(ends, [0.735, 0.735, 0.8, 0.8]) + np.outer((0, 0, 1, 1), (0, 0.8, -0.15))
        paint.append((lid, hexed("#c23a2c")))
    for at in (0.015, 0.05, 0.085):
        ends = at + np.array((0, 0.022, 0.022, 0))
        paint.append((side_of(ends, [0.59, 0.59, 0.75, 0.75]), hexed("#ffe9a0")))
        paint += [view.line(side_of(ends[:2], s), 0.16, _DARK) for s in (0.59, 0.67, 0.75)]
    return paint


def bow(view: View) -> Paint:
    """The bowsprit and its stays, and under it the figurehead before her knee and rails."""
    parts = outlines_of("ship")
    paint = [view.line(stay, 0.12, view.ink) for stay in parts["bobstays"]]
    for colour, outline in parts["figure"]:
        x, z = spline(outline, 6).T
        paint.append((np.stack([x, 0 * x + 0.35, z], 1), hexed(colour)))
    paint += [view.line(spline(rail, 8), 0.3, "#e9c98c") for rail in parts["head rails"]]
    for start, end, wide in parts["bowsprit"]:
        paint += view.spar(np.array(start), np.array(end), wide, "#e8b76a")
    return paint
