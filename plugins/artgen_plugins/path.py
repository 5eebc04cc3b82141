"""One line that never lifts: its thickness and its density are the tone of the picture.

`tsp` visits stippled dots in a short tour (Kaplan and Bosch: TSP art, Bridges 2005): nearest
neighbours, then 2-opt and Or-opt moves among near dots (Bentley: Fast algorithms for geometric
traveling salesman problems, 1992). `spiral` winds out of the middle; `flow` runs to and fro in rows
that bend with the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from artgen import Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen_plugins._presets import read_presets
from artgen_plugins.stipple import relax

Floats = NDArray[np.float64]

NEAR = 10
"""Neighbours to which a tour may be changed."""
STRIDE = 0.35
"""Length of a stroke of a spiral or a row, in distances of the lines."""
THIN, THICK = 0.04, 0.48
"""Least and largest radius of the line, in distances of the lines."""


@dataclass(frozen=True)
class PathOptions(InkOptions):
    """Options of a path."""

    form: Literal["flow", "spiral", "tsp"] = option("flow", "the way that the line takes")


class Path(Ink):
    """One line of each ink."""

    Options: ClassVar[type[Any]] = PathOptions
    defaults = Preset(count=24000, background="#f6f1e7")
    presets = read_presets("path")

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Draw the line of one ink after the other."""
        draw = {"tsp": short_tour, "spiral": spiral, "flow": flow}[self.options.form]
        lines = [draw(sheet, k, count) for k, count in enumerate(sheet.counts()) if count > 8]
        return ink.joined(lines)


def short_tour(sheet: ink.Sheet, k: int, count: int) -> ink.Marks:
    """Return a closed tour through stippled dots, each with the ink of its dot."""
    from scipy.spatial import cKDTree

    from artgen_plugins._tours import nearest_first, shorten

    points, radius = relax(sheet, k, count, 30)
    if len(points) < 3:
        return ink.dots([], [], [], k)
    near = cKDTree(points).query(points, min(NEAR + 1, len(points)))[1][:, 1:]
    order = shorten(points, near, nearest_first(points))
    line, mass = points[order], np.pi * radius[order] ** 2
    after = np.hypot(*(np.roll(line, -1, axis=0) - line).T)
    length = (after + np.roll(after, 1)) / 2
    mass, length = (sum(np.roll(each, s) for s in range(-2, 3)) for each in (mass, length))
    half = (mass / length / 2).clip(0, 1.2 * np.median(mass / length))
    return ink.polyline(np.append(line, line[:1], 0), np.append(half, half[:1]), k)


def spiral(sheet: ink.Sheet, k: int, count: int) -> ink.Marks:
    """Return a spiral of Archimedes from the middle to the nearer sides."""
    reach = 0.96 * min(sheet.canvas.reach)
    pitch = reach * np.sqrt(np.pi / (STRIDE * count))
    way = np.linspace(0, 1, count + 1) * np.pi * reach**2 / pitch
    turn = np.sqrt(4 * np.pi * way / pitch)
    away = pitch * turn / (2 * np.pi)
    points = np.stack([away * np.cos(turn), away * np.sin(turn)], 1)
    return toned(sheet, k, points, pitch)


def flow(sheet: ink.Sheet, k: int, count: int) -> ink.Marks:
    """Return rows from side to side, joined at their ends, that rise where the picture is dark."""
    from scipy.ndimage import gaussian_filter

    x, y = (0.94 * side for side in sheet.canvas.reach)
    pitch = np.sqrt(4 * x * y / (STRIDE * count))
    rows = max(2, int(2 * y / pitch))
    columns, pitch = max(2, count // rows), 2 * y / (rows - 1)
    across, down = np.meshgrid(np.linspace(-x, x, columns), np.linspace(-y, y, rows))
    smooth = gaussian_filter(sheet.at(k, across, down), (3, 3 / STRIDE), mode="nearest")
    down = down - 2.5 * pitch * (smooth - smooth.mean())
    across[1::2], down[1::2] = across[1::2, ::-1], down[1::2, ::-1].copy()
    return toned(sheet, k, np.stack([across.ravel(), down.ravel()], 1), pitch)


def toned(sheet: ink.Sheet, k: int, points: Floats, pitch: float) -> ink.Marks:
    """Return a line through `points` that covers the tone of a strip of width `pitch`."""
    half = sheet.at(k, *points.T) * sheet.weight_at(*points.T) / 2
    return ink.polyline(points, pitch * half.clip(THIN, THICK), k)
