"""What the subjects are drawn on: coordinates, noise, colour ramps, coverage, blur, grain."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[Any]
Colours = NDArray[Any]
"""sRGB-encoded, 0 to 1; the last axis has three values."""

FINER = 3
"""Supersampling of outlines along each axis."""
_PERIOD = 64
"""Of noise, in units; a power of 2."""
_WRAPPED = np.pad(np.arange(_PERIOD**2).reshape(_PERIOD, _PERIOD), (0, 1), "wrap").ravel()
"""Entries of a table with its first row and column once more: each has a neighbour below."""
_PART = 8192
"""Positions of noise that are computed at a time: all that is needed fits into a cache."""


@dataclass(frozen=True, eq=False)
class Plate:
    """A canvas of `width` x `height` pixels with a seed: x right, y down, shorter side -1 to 1."""

    width: int
    height: int
    seed: int
    x: Floats
    """Of pixel centres, [rows, columns], as `y`: of all, or of a window."""
    y: Floats

    @classmethod
    def of(cls, width: int, height: int, seed: int = 0) -> Plate:
        """The whole plate."""
        row, column = np.mgrid[:height, :width].astype(np.float32)
        shorter = min(width, height)
        x, y = (2 * column + 1 - width) / shorter, (2 * row + 1 - height) / shorter
        return cls(width, height, seed, x, y)

    def box(self, left: float, top: float, right: float, bottom: float) -> tuple[slice, slice]:
        """The rows and columns of pixels between these positions."""
        rows = np.searchsorted(self.y[:, 0], (top, bottom))
        columns = np.searchsorted(self.x[0], (left, right))
        return slice(*rows.tolist()), slice(*columns.tolist())

    def window(self, box: tuple[slice, slice]) -> Plate:
        """A plate of the same pixels and seed that draws those of `box` alone."""
        return replace(self, x=self.x[box], y=self.y[box])

    def around(self, points: Floats, rim: ArrayLike) -> tuple[tuple[slice, slice], Plate]:
        """The rows and columns of pixels within `rim` of points [K, 2], and a plate of those."""
        box = self.box(*(points.min(0) - rim), *(points.max(0) + rim))
        return box, self.window(box)

    @property
    def right(self) -> float:
        """x of the right edge."""
        return self.width / min(self.width, self.height)

    @property
    def bottom(self) -> float:
        """y of the bottom edge."""
        return self.height / min(self.width, self.height)

    @property
    def pixel(self) -> float:
        """The side of a pixel."""
        return 2 / min(self.width, self.height)

    def place(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """The row and the column of positions, in pixels from the middle of the first one."""
        row, column = np.subtract(y, self.y[0, 0]), np.subtract(x, self.x[0, 0])
        return row / self.pixel, column / self.pixel

    def turned(self, middle: Floats, angle: float, size: float = 1) -> tuple[Floats, Floats]:
        """x and y of pixels as a thing sees them that is turned by `angle` around its middle."""
        x, y = (self.x - middle[0]) / size, (self.y - middle[1]) / size
        c, s = np.cos(angle), np.sin(angle)
        return x * c + y * s, y * c - x * s

    def rng(self, stream: int) -> np.random.Generator:
        """Random numbers that no other `stream` of the plate shares."""
        return np.random.default_rng([self.seed, stream])

    def noise(
        self, x: ArrayLike, y: ArrayLike, stream: int, octaves: int = 5, gain: float = 0.5
    ) -> Floats:
        """Fractal noise at positions of one shape, mostly within -1 and 1; about a unit wide."""
        u, v = np.broadcast_arrays(np.asarray(x, np.float32), np.asarray(y, np.float32))
        rng, weight, power, layers = self.rng(stream), 1.0, 0.0, []
        for _ in range(octaves):
            table = rng.uniform(-1, 1, _PERIOD**2).astype(np.float32)
            layers.append((np.float32(weight), table.take(_WRAPPED)))
            power += weight**2
            weight *= gain
        ends = range(_PART, u.size, _PART)
        parts = zip(np.split(u.ravel(), ends), np.split(v.ravel(), ends), strict=True)
        total = np.concatenate([_octaves(layers, *part) for part in parts])
        return (total / (0.75 * math.sqrt(power))).reshape(u.shape)

    def filled(
        self, outlines: Iterable[ArrayLike], shades: Iterable[float] | None = None
    ) -> Floats:
        """Coverage [height, width] of closed polygons [K, 2], each 1 or its shade, later on top."""
        return coverage(self.x.shape, self.corners(outlines), shades)

    def corners(self, outlines: Iterable[ArrayLike]) -> list[Floats]:
        """Polygons [K, 2] in thirds of a pixel, as `coverage` takes them."""
        scale = FINER / self.pixel
        middle = FINER / 2 - 0.5 - scale * np.array([self.x[0, 0], self.y[0, 0]])
        return [np.asarray(outline, float) * scale + middle for outline in outlines]

    def dots(self, dots: Iterable[tuple[float, float, float, float]]) -> Floats:
        """Light [height, width] of soft round dots, each (x, y, radius, brightness)."""
        light = np.zeros(self.x.shape, np.float32)
        for x, y, size, bright in dots:
            near = self.box(x - 4 * size, y - 4 * size, x + 4 * size, y + 4 * size)
            away = (self.x[near] - x) ** 2 + (self.y[near] - y) ** 2
            light[near] += bright * np.exp(-away / size**2)
        return light

    def blur(self, picture: Floats, radius: float) -> Floats:
        """`picture` blurred by a Gaussian whose standard deviation is `radius`."""
        from PIL import Image
        from scipy.ndimage import gaussian_filter

        if picture.ndim == 3:
            return _of_planes([self.blur(channel, radius) for channel in _planes(picture)])
        sigma = radius / self.pixel
        # Nothing fine is left after a wide blur, so it is made of a smaller picture.
        step = max(1, int(sigma / 5))
        image = Image.fromarray(np.asarray(picture, np.float32))
        small = gaussian_filter(
            np.asarray(image.reduce(step)), sigma / step, mode="nearest", truncate=3
        )
        return np.asarray(Image.fromarray(small).resize(image.size, Image.Resampling.BICUBIC))

    def faced(self, picture: Colours) -> Colours:
        """`picture`, mirrored where the seed is odd."""
        return picture[:, ::-1] if self.seed % 2 else picture

    def finished(self, picture: Colours, grain: float = 0.012, vignette: float = 0.0) -> Colours:
        """`picture` with film grain and corners darkened by a share."""
        reach = (self.x / self.right) ** 2 + (self.y / self.bottom) ** 2
        speckle = self.rng(999).normal(0, grain, self.x.shape).astype(np.float32)
        return picture * (1 - vignette * (reach / 2) ** 1.5)[..., None] + speckle[..., None]


def coverage(
    shape: tuple[int, ...], corners: Sequence[Floats], shades: Iterable[float] | None = None
) -> Floats:
    """Coverage [height, width] of polygons, `corners` [K, 2] of each in thirds of a pixel."""
    from PIL import Image, ImageDraw

    rows, columns = shape
    large = Image.new("L", (columns * FINER, rows * FINER))
    draw = ImageDraw.Draw(large)
    for outline, shade in zip(corners, shades or [1.0] * len(corners), strict=True):
        draw.polygon(outline.ravel().tolist(), fill=round(255 * shade))
    return np.asarray(large.reduce(FINER), np.float32) / 255


def _octaves(layers: Iterable[tuple[np.float32, Floats]], u: Floats, v: Floats) -> Floats:
    """The sum of tables at positions, each times its weight."""
    total: Any = 0
    for weight, table in layers:
        total = total + weight * _smooth_lookup(table, u, v)
        # Twice as fine and turned by 37 degrees, so that no grid shows.
        u, v = 1.6 * u + 1.2 * v + 17.3, 1.6 * v - 1.2 * u + 5.1
    return np.asarray(total)


def _smooth_lookup(table: Floats, u: Floats, v: Floats) -> Floats:
    """The periodic `table` between its entries, smoothly."""
    column, row = np.floor(u), np.floor(v)
    s, t = u - column, v - row
    s, t = s * s * s * (s * (6 * s - 15) + 10), t * t * t * (t * (6 * t - 15) + 10)
    left, top = (each.astype(np.int32) & (_PERIOD - 1) for each in (column, row))
    at = (top * (_PERIOD + 1) + left).astype(np.intp)
    right, below = table[1:], table[_PERIOD + 1 :]
    upper = table.take(at) * (1 - s) + right.take(at) * s
    return np.asarray(upper * (1 - t) + (below.take(at) * (1 - s) + below[1:].take(at) * s) * t)


def sampled(picture: Floats, row: Floats, column: Floats, mode: str = "nearest") -> Colours:
    """The colours [..., 3] at places in pixels; beyond the edges as `mode` of SciPy says."""
    from scipy.ndimage import map_coordinates

    found = [map_coordinates(each, [row, column], order=1, mode=mode) for each in _planes(picture)]
    return np.stack(found, axis=-1)


def hexed(colour: str) -> Colours:
    """The three values of ``#rrggbb``."""
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def ramp(at: float | Floats, *stops: tuple[float, str]) -> Colours:
    """The colour at each number, between stops (number, colour) in ascending order."""
    places, channels = _stops(tuple(map(tuple, stops)))
    return _of_planes([np.interp(at, places, each) for each in channels]).astype(np.float32)


@lru_cache
def _stops(stops: tuple[tuple[float, str], ...]) -> tuple[Floats, Floats]:
    """The numbers [K] of a ramp, and its colours [3, K]: hairs by the thousand share one."""
    colours = np.stack([hexed(colour) for _, colour in stops])
    return np.array([place for place, _ in stops], float), np.array(colours.T, float)


def over(below: Colours, colour: str | Colours, share: ArrayLike) -> Colours:
    """`colour` laid over a picture where `share` [height, width] says, 0 to 1."""
    above = hexed(colour) if isinstance(colour, str) else colour
    weight = np.asarray(share, np.float32)
    under, upper = (np.broadcast_to(each, (*weight.shape, 3)) for each in (below, above))
    mixed = _of_planes([*_planes(under)]).astype(np.result_type(under, upper, weight), copy=False)
    # Most shapes cover a small part of the picture.
    rows = np.flatnonzero(weight.any(1))
    if len(rows):
        box = slice(rows[0], rows[-1] + 1)
        for channel in range(3):
            part = under[box, :, channel]
            mixed[box, :, channel] = part + (upper[box, :, channel] - part) * weight[box]
    return mixed


def _planes(picture: Colours) -> Colours:
    """The channels of a picture, one after the other."""
    return np.moveaxis(picture, -1, 0)


def _of_planes(planes: Sequence[Floats]) -> Colours:
    """The picture of three channels, which stay apart in memory: work on whole rows is faster."""
    return np.moveaxis(np.stack(planes), 0, -1)


def screen(below: Colours, light: Colours) -> Colours:
    """`light` added as a projector would, never beyond white."""
    return np.asarray(1 - (1 - below) * (1 - np.clip(light, 0, 1)))


def smooth(low: float, high: float, at: ArrayLike) -> Floats:
    """0 up to `low`, 1 from `high`, smooth between; falling where `high` is less."""
    share = np.clip((np.asarray(at, np.float32) - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))
