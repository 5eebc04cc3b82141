"""Stippling: dots that are spread evenly and larger where the picture is darker.

Weighted Voronoi stippling (Secord: Weighted Voronoi stippling, NPAR 2002) moves every dot to the
centre of the ink of its Voronoi cell, again and again (Lloyd's relaxation). In the end each dot
covers as much of its cell as the tone asks: dots that meet leave corners between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from artgen import Ink, Preset, ink, option
from artgen.errors import UsageError
from artgen.ink import InkOptions
from artgen_plugins._presets import read_presets

Floats = NDArray[np.float64]

PIXELS, FINER, TAPER = 24, 96, 0.6
"""Sample points of the picture for each dot while they move, and for their size; how much thinner
one end of a long dot is."""
MOST = 2_000_000
"""The most dots of an ink: a dot takes two kilobytes while they are relaxed."""
LEAST = 0.1
"""The weight of pixels outside a focus; below it, a mask hides them."""


@dataclass(frozen=True)
class StippleOptions(InkOptions):
    """Options of a stipple."""

    stretch: float = option(
        1.0, "length of a dot along the contours of the picture, in widths", low=1, high=30
    )
    rounds: int = option(40, "rounds of Lloyd's relaxation", low=1, high=1000)
    optical: bool = option(
        True, "inks mix with paper as light does; if false as sRGB values, which is paler"
    )


class Stipple(Ink):
    """Dots in an even spread, larger and closer where the picture is darker."""

    Options: ClassVar[type[Any]] = StippleOptions
    defaults = Preset(count=12000, background="#f6f1e7")
    presets = read_presets("stipple")

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Relax the dots of each ink, and draw them in random order, one ink after the other."""
        layers = []
        for k, count in enumerate(sheet.counts()):
            points, radius = relax(sheet, k, count, self.options.rounds)
            order = sheet.rng.permutation(len(points))
            layers.append(self._marks(sheet, points[order], radius[order], k))
        return ink.joined(layers)

    def _marks(self, sheet: ink.Sheet, points: Floats, radius: Floats, k: int) -> ink.Marks:
        """Dots of these radii, or strokes of the same area that taper along the contours."""
        x, y = points.T
        if self.options.stretch == 1:
            return ink.dots(x, y, radius, k)
        long = self.options.stretch - 1
        thinner = TAPER * min(1, long)
        radius = radius * np.sqrt(np.pi / (np.pi * (1 + thinner**2) + 4 * long))
        width = 1.5 * np.sqrt(sheet.canvas.area / sheet.count)
        angle = sheet.contours(sheet.amounts[k], x, y, width)
        u, v = long * radius * np.cos(angle), long * radius * np.sin(angle)
        ends = [x - u, y - v, x + u, y + v, (1 + thinner) * radius, (1 - thinner) * radius]
        return ink.Marks(np.stack(ends, 1), np.full(len(x), k))


def lloyd(
    points: Floats, pixels: Floats, weight: Floats, rounds: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Move `points` [N, 2] to the weighted middles of their cells, again and again (Lloyd, 1982).

    A cell is the `pixels` [M, 2], of `weight` [M], that are nearest to a point. Returns the last
    cell of each pixel, and which points have any weight.
    """
    from scipy.spatial import cKDTree

    for _ in range(rounds + 1):
        cell = cKDTree(points).query(pixels, workers=torch.get_num_threads())[1]
        mass = np.bincount(cell, weight, len(points))
        sums = np.stack([np.bincount(cell, weight * axis, len(points)) for axis in pixels.T], 1)
        filled = mass > 0
        points[filled] = sums[filled] / mass[filled, None]
    return cell, filled


def shown(sheet: ink.Sheet, x: Floats, y: Floats) -> Floats:
    """Return 0 where a mask hides the sheet, 1 from `LEAST` on."""
    return np.asarray((sheet.weight_at(x, y) / LEAST).clip(0, 1))


def relax(sheet: ink.Sheet, k: int, count: int, rounds: int) -> tuple[Floats, Floats]:
    """Return the places [N, 2] of `count` dots of ink `k`, and their radii [N], in canvas units.

    Where pixels count more, dots are closer, and smaller for the same tone.
    """
    if count > MOST:
        raise UsageError(
            f"{count:,} dots of one ink take too much memory, at most {MOST:,}",
            hint="use a smaller --count",
        )
    x, y, pitch = sheet.grid(max(1, PIXELS * count))
    pixels = np.stack([x.ravel(), y.ravel()], 1)
    counted = sheet.weight_at(x, y).ravel()
    amount = sheet.at(k, x, y).ravel() * (counted > 0)
    weight = amount * counted
    if count == 0 or weight.sum() < 1e-9:
        return np.empty((0, 2)), np.empty(0)
    # In the limit, relaxed dots are as dense as the root of the weight (Du, Faber and Gunzburger:
    # Centroidal Voronoi tessellations, 1999), so they start so.
    density = np.sqrt(weight)
    chosen = sheet.rng.choice(len(pixels), count, p=density / density.sum())
    points = pixels[chosen] + pitch * (sheet.rng.random((count, 2)) - 0.5)
    _, filled = lloyd(points, pixels, weight, rounds)
    points = points[filled]
    return points, radii(sheet, k, points)


def radii(sheet: ink.Sheet, k: int, points: Floats) -> Floats:
    """Return the radii [N] with which dots at `points` [N, 2] cover their cells as ink `k` asks.

    The share of a cell is that of its nearest sample points which lie within the radius, so what a
    dot has outside of its cell, where others are nearer, does not count.
    """
    from scipy.spatial import cKDTree

    # Many dots have no more points than while they move, and so take no more memory.
    x, y, pitch = sheet.grid(max(1, min(FINER * len(points), PIXELS * MOST)))
    pixels = np.stack([x.ravel(), y.ravel()], 1)
    far, cell = cKDTree(points).query(pixels, workers=torch.get_num_threads())
    amount = sheet.at(k, x, y).ravel() * (sheet.weight_at(x, y).ravel() > 0)
    count = len(points)
    area = np.bincount(cell, minlength=count)
    asked = np.bincount(cell, amount, count).clip(0, area)
    order = np.lexsort((far, cell))
    begin = np.concatenate([[0], np.cumsum(area)])[:-1]
    last = np.minimum(begin + np.ceil(asked).astype(int), begin + area) - 1
    reached = np.where(asked > 0, far[order[last.clip(0)]], 0.0)
    # Small dots lie inside of their cells, and so few points would make them coarse.
    return np.maximum(reached, pitch * np.sqrt(asked / np.pi))
