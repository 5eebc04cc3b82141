"""Marks of ink, the sheet of paper that they are placed on, and the options of inks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from artgen.base.options import option
from artgen.values.canvas import Canvas

__all__ = ["InkOptions", "Marks", "Sheet", "dots", "joined", "mix", "polyline"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class InkOptions:
    """Options of every ink drawing. The options of a plugin are a subclass."""

    inks: str = option("#1d1b20", "colours of the inks, separated by commas: #00a0c8,crimson")
    margin: float = option(0.03, "blank border, as a share of the shorter side", low=0, high=0.4)
    overprint: bool = option(True, "inks multiply what is below them; if false they cover it")
    contrast: float = option(
        0.0, "how much of the local contrast is equalised before inks are chosen", low=0, high=1
    )
    optical: bool = option(
        False, "inks mix with paper as light does; if false as sRGB values, which is paler"
    )
    brilliant: float = option(
        0.0, "how much lighter and more vivid it is made before inks are chosen", low=0, high=1
    )


@dataclass(frozen=True, eq=False)
class Marks:
    """Marks in the order in which they are drawn.

    `strokes`, float64 [N, 6], are x and y of the beginning, of the end, and the radius at both, in
    canvas units. `ink`, int64 [N], is the index of the ink of each. The `notice` is for the user.
    """

    strokes: Floats
    ink: NDArray[np.int64]
    notice: str = ""

    def __len__(self) -> int:
        return len(self.strokes)

    def first(self, count: int) -> Marks:
        """Return the marks that are drawn first, at most `count`."""
        return replace(self, strokes=self.strokes[:count], ink=self.ink[:count])


def dots(x: ArrayLike, y: ArrayLike, radius: ArrayLike, ink: int = 0) -> Marks:
    """Return dots of one ink; numbers and arrays [N] broadcast."""
    x, y, radius = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (x, y, radius)))
    return Marks(np.stack([x, y, x, y, radius, radius], -1).reshape(-1, 6), _same(x.size, ink))


def polyline(points: Floats, radius: ArrayLike, ink: int = 0) -> Marks:
    """Return the strokes between consecutive `points` [N, 2], with a radius at each point."""
    radii = np.broadcast_to(np.asarray(radius, np.float64), len(points))[:, None]
    rows = np.concatenate([points[:-1], points[1:], radii[:-1], radii[1:]], 1)
    return Marks(rows, _same(len(rows), ink))


def joined(marks: Sequence[Marks]) -> Marks:
    """Return the marks of all, in order."""
    strokes = np.concatenate([each.strokes for each in marks] or [np.empty((0, 6))])
    return Marks(strokes, np.concatenate([each.ink for each in marks] or [_same(0, 0)]))


def _same(count: int, ink: int) -> NDArray[np.int64]:
    return np.full(count, ink, np.int64)


@dataclass(frozen=True, eq=False)
class Sheet:
    """The input of `Ink.place`.

    `amounts`, float64 [inks, height, width], is the share of the paper, 0 to 1, that each ink has
    to cover at each pixel so that the picture has the colours of the target. `count` is the number
    of marks there may be; `rng` is the only source of randomness. `weight`, [height, width] in 0 to
    1, is how much each pixel counts, as masks and the focus say; None: all the same.
    `target`, float64 [3, height, width], sRGB, is the picture itself; None where there is none.
    `goals` are what other poses of the marks shall show, like `target`, by the pose. `paper` is its
    colour, sRGB.
    """

    amounts: Floats
    canvas: Canvas
    count: int
    rng: np.random.Generator
    weight: Floats | None = None
    target: Floats | None = None
    goals: Mapping[float, Floats] = field(default_factory=dict)
    paper: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def at(self, ink: int, x: ArrayLike, y: ArrayLike) -> Floats:
        """Interpolate the amount of an ink at points in canvas units; outside, that of the edge."""
        return self._sample(self.amounts[ink], x, y)

    def contours(self, tone: Floats, x: ArrayLike, y: ArrayLike, width: float) -> Floats:
        """Return the angle, in radians, at which the contours of `tone` run at points.

        `tone` is float64 [height, width]; points and `width` are in canvas units. It is the
        direction of least change, averaged over `width` and, where little changes, over multiples
        of it (a structure tensor at several scales).
        """
        from scipy.ndimage import gaussian_filter, sobel

        pixels = width / self.canvas.pixel
        smooth = gaussian_filter(tone, max(1.0, pixels / 3), mode="nearest")
        across, down = (sobel(smooth, axis) for axis in (1, 0))
        parts = across * across - down * down, 2 * across * down
        totals = [
            sum(gaussian_filter(part, scale * pixels) / scale for scale in (1, 2, 4, 8))
            for part in parts
        ]
        cosine, sine = (self._sample(total, x, y) for total in totals)
        return np.arctan2(sine, cosine) / 2 + np.pi / 2

    def weight_at(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """Interpolate the weight at points in canvas units; outside, that of the edge."""
        if self.weight is None:
            return np.ones(np.broadcast_shapes(np.shape(x), np.shape(y)))
        return self._sample(self.weight, x, y)

    def counts(self, totals: ArrayLike | None = None) -> list[int]:
        """Divide the number of marks among the inks in proportion to `totals` [inks].

        By default, these are the amounts of the inks where pixels count.
        """
        if totals is None:
            totals = (self.amounts * (1 if self.weight is None else self.weight)).sum((1, 2))
        totals = np.asarray(totals, np.float64)
        counts: list[int] = (self.count * totals / max(totals.sum(), 1e-12)).astype(int).tolist()
        return counts

    def _sample(self, picture: Floats, x: ArrayLike, y: ArrayLike) -> Floats:
        from scipy.ndimage import map_coordinates

        half_width, half_height = self.canvas.reach
        column = (np.asarray(x, np.float64) + half_width) / self.canvas.pixel - 0.5
        row = (np.asarray(y, np.float64) + half_height) / self.canvas.pixel - 0.5
        place = np.stack(np.broadcast_arrays(row, column))
        found: Floats = map_coordinates(picture, place, order=1, mode="nearest")
        return found

    def grid(self, count: int | None = None) -> tuple[Floats, Floats, float]:
        """Return x and y of the middles of about `count` squares, [rows, columns], and their side.

        There are at most `count` squares, by default the number of marks, and at least one.
        """
        half_width, half_height = self.canvas.reach
        count = self.count if count is None else count
        pitch = (self.canvas.area / max(1, count)) ** 0.5
        columns = max(1, min(count, int(2 * half_width / pitch)))
        rows = max(1, min(count // columns, round(2 * half_height / pitch)))
        x = half_width * ((2 * np.arange(columns) + 1) / columns - 1)
        y = half_height * ((2 * np.arange(rows) + 1) / rows - 1)
        side = min(2 * half_width / columns, 2 * half_height / rows)
        across, down = np.meshgrid(x, y)
        return across, down, side


def mix(cover: Any, inks: Any, paper: Any, overprint: bool) -> Any:
    """Return the colours [3, ...] of paper [3] that `inks` [inks, 3] cover by shares [inks, ...].

    All are either light or encoded.
    """
    shape = (3, *(1,) * (cover.ndim - 1))
    picture = np.broadcast_to(paper.reshape(shape), (3, *cover.shape[1:])).astype(cover.dtype)
    for share_covered, ink in zip(cover, inks.astype(cover.dtype), strict=True):
        colour = ink.reshape(shape)
        below = picture * colour if overprint else colour
        picture = picture + share_covered * (below - picture)
    return picture
