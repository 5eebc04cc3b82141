"""Mosaic: tiles of one colour each, side by side, which are stones or stitches.

Stones lie along the contours of the picture, as in Roman mosaics. They are the centroidal Voronoi
cells of a distance whose unit circle is a square turned with the contours (Hausner: Simulating
decorative mosaics, SIGGRAPH 2001), shrunk by the joints between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from artgen import Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen_plugins._presets import read_presets

Floats = NDArray[np.float64]

PIXELS, NEAR, ROUNDS = 24, 6, 18
"""Sample points for each stone, stones that a point may belong to, and rounds of relaxation."""


@dataclass(frozen=True)
class MosaicOptions(InkOptions):
    """Options of `mosaic`."""

    inks: str = option(
        "#22242c,#8c1c13,#d9822b,#e8c872,#f4ecd8,#3f6c51,#2f4b7c,#86a8cf",
        "colours of the tiles, separated by commas; --palette 16 takes them from the picture",
    )
    margin: float = option(0.0, "blank border, as a share of the shorter side", low=0, high=0.4)
    overprint: bool = option(False, "tiles multiply what is below them; if false they cover it")
    form: Literal["stone", "stitch"] = option(
        "stone", "squares along the contours, or slanted stitches on a grid"
    )
    joint: float = option(0.14, "gap between tiles, as a share of their side", low=0, high=0.9)


class Mosaic(Ink):
    """Square stones or stitches, each of the ink that is most frequent there."""

    Options: ClassVar[type[Any]] = MosaicOptions
    separation: ClassVar[Literal["mixed", "nearest"]] = "nearest"
    defaults = Preset(count=3200, background="#2f2b28")
    presets = read_presets("mosaic")

    @property
    def cap(self) -> Literal["round", "butt"]:
        """Stones have straight ends, stitches round ones."""
        return "butt" if self.options.form == "stone" else "round"

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Lay the tiles from top to bottom."""
        if self.options.form == "stone":
            return self._stones(sheet)
        x, y, pitch = sheet.grid()
        parts = pitch * np.array([-0.3, 0, 0.3])
        amounts = np.array(
            [
                sum(sheet.at(k, x + u, y + v).ravel() for u in parts for v in parts) / 9
                for k in range(len(self.inks))
            ]
        )
        amounts *= sheet.weight_at(x, y).ravel()
        half = pitch * (1 - self.options.joint) / np.sqrt(8)
        return _marks(x.ravel(), y.ravel(), -np.pi / 4, pitch * 0.36, half, amounts)

    def _stones(self, sheet: ink.Sheet) -> ink.Marks:
        tone = np.tensordot(self.inks @ [0.3, 0.6, 0.1], sheet.amounts, 1)
        x, y, step = sheet.grid(PIXELS * sheet.count)
        weight, side = sheet.weight_at(x, y).ravel(), step * np.sqrt(PIXELS)
        pixels = np.stack([x.ravel(), y.ravel()], 1)[weight > 0]
        weight = weight[weight > 0]
        count = min(sheet.count, len(pixels))
        if count == 0:
            return ink.Marks(np.zeros((0, 6)), np.zeros(0, np.int64))
        likely = None if sheet.weight is None else weight / weight.sum()
        points = pixels[sheet.rng.choice(len(pixels), count, replace=False, p=likely)]
        for _ in range(ROUNDS):
            angle = sheet.contours(tone, points[:, 0], points[:, 1], side)
            cell = owners(pixels, points, angle)
            mass = np.bincount(cell, weight, len(points))
            sums = [np.bincount(cell, weight * axis, len(points)) for axis in pixels.T]
            points = np.where(mass > 0, sums / np.maximum(mass, 1), points.T).T
        angle = sheet.contours(tone, points[:, 0], points[:, 1], side)
        cell = owners(pixels, points, angle)
        mass = np.bincount(cell, minlength=len(points))
        amounts = np.array(
            [
                np.bincount(cell, sheet.at(k, *pixels.T), len(points)) / np.maximum(mass, 1)
                for k in range(len(self.inks))
            ]
        )
        half = np.minimum(step * np.sqrt(mass), 1.12 * clearance(points, angle)) / 2
        half *= 1 - self.options.joint
        order = np.argsort(points[:, 1])
        x, y = points[order].T
        return _marks(x, y, angle[order], half[order], half[order], amounts[:, order])


def owners(pixels: Floats, points: Floats, angle: Floats) -> NDArray[np.intp]:
    """Return the stone at `points` [N, 2], turned by `angle` [N], that each pixel belongs to."""
    from scipy.spatial import cKDTree

    ranks, workers = range(1, min(NEAR, len(points)) + 1), torch.get_num_threads()
    near = cKDTree(points).query(pixels, ranks, workers=workers)[1]
    best = _apart(pixels[:, None] - points[near], angle[near]).argmin(1)
    found: NDArray[np.intp] = np.take_along_axis(near, best[:, None], 1)[:, 0]
    return found


def clearance(points: Floats, angle: Floats) -> Floats:
    """Return the distance of each stone from the nearest other one."""
    from scipy.spatial import cKDTree

    near = cKDTree(points).query(points, range(2, min(NEAR, len(points)) + 1))[1]
    found: Floats = _apart(points[near] - points[:, None], angle[:, None]).min(1, initial=np.inf)
    return found


def _apart(offset: Floats, angle: Floats) -> Floats:
    """The larger of the distances along and across the direction `angle`."""
    c, s = np.cos(angle), np.sin(angle)
    u, v = c * offset[..., 0] + s * offset[..., 1], c * offset[..., 1] - s * offset[..., 0]
    return np.maximum(abs(u), abs(v))


def _marks(x: Floats, y: Floats, angle: Any, half: Any, radius: Any, amounts: Floats) -> ink.Marks:
    """One stroke at each place, of the ink with the largest of `amounts` [inks, N].

    It is smaller where there is less ink than one tile of it.
    """
    scale = np.sqrt(amounts.sum(0).clip(0, 1))
    u, v = scale * half * np.cos(angle), scale * half * np.sin(angle)
    rows = np.stack([x - u, y - v, x + u, y + v, scale * radius, scale * radius], 1)
    shown = scale > 0.1
    return ink.Marks(rows[shown], amounts.argmax(0)[shown])
