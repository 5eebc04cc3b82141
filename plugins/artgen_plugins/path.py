"""One line that never lifts: its thickness and its density are the tone of the picture.

`tsp` visits stippled dots in a short tour (Kaplan and Bosch: TSP art, Bridges 2005): nearest
neighbours, then 2-opt and Or-opt moves among near dots (Bentley: Fast algorithms for geometric
traveling salesman problems, 1992). `spiral` winds out of the middle; `flow` runs to and fro in rows
that bend with the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from artgen import Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen_plugins._presets import read_presets
from artgen_plugins.hatch import spacing, strengthened, stretched
from artgen_plugins.stipple import LEAST, relax, shown

Floats = NDArray[np.float64]

NEAR = 10
"""Neighbours to which a tour may be changed."""
CLOSER = 0.28
"""The exponent of the weight of pixels in the density of rows: half as many again in the focus."""
STRIDE = 0.35
"""Length of a stroke of a spiral or a row, in distances of the lines."""
PALE = 0.13
"""What the lighter tones of a focus become."""
THIN, THICK = 0.04, 0.48
"""Least and largest radius of the line, in distances of the lines."""


@dataclass(frozen=True)
class PathOptions(InkOptions):
    """Options of a path."""

    form: Literal["flow", "spiral", "tsp"] = option("flow", "the way that the line takes")
    middle: float = option(
        0.0, "share of ink at the median tone; 0: tones as they are", low=0, high=0.9
    )
    crisp: float = option(0.0, "how much stronger edges are", low=0, high=10)


class Path(Ink):
    """One line of each ink."""

    Options: ClassVar[type[Any]] = PathOptions
    defaults = Preset(count=24000, background="#f6f1e7")
    presets = read_presets("path")

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Draw the line of one ink after the other."""
        if self.options.middle:
            how = sheet.weight, self.options.middle, PALE
            sheet = replace(sheet, amounts=np.stack([stretched(a, *how) for a in sheet.amounts]))
        if self.options.crisp:
            apart = np.sqrt(sheet.amounts[0].size / (STRIDE * sheet.count))
            pitch = spacing(sheet.weight, sheet.amounts[0].shape, apart, CLOSER)
            tones = [strengthened(a, pitch, self.options.crisp) for a in sheet.amounts]
            sheet = replace(sheet, amounts=np.stack(tones).clip(0, 1))
        lines = [self.line(sheet, k, count) for k, count in enumerate(sheet.counts()) if count > 8]
        few = "there is no line: no ink gets nine strokes, the fewest of one"
        return replace(ink.joined(lines), notice="" if lines else few)

    def line(self, sheet: ink.Sheet, k: int, count: int) -> ink.Marks:
        """Return the line of ink `k`, of at most `count` strokes."""
        if self.options.form == "flow":
            # What repeats has no border.
            return flow(sheet, k, count, 1.0 if self.group else 0.94)
        return (short_tour if self.options.form == "tsp" else spiral)(sheet, k, count)


def short_tour(sheet: ink.Sheet, k: int, count: int) -> ink.Marks:
    """Return a closed tour through stippled dots, each with the ink of its dot."""
    from scipy.spatial import cKDTree

    from artgen_plugins._tours import nearest_first, shorten

    points, radius = relax(sheet, k, count, 30)
    if len(points) < 3:
        return ink.dots([], [], [], k)
    near = cKDTree(points).query(points, min(NEAR + 1, len(points)))[1][:, 1:]
    order = shorten(points, near, nearest_first(points, near))
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


def flow(sheet: ink.Sheet, k: int, count: int, wide: float) -> ink.Marks:
    """Return rows over a share of each side, joined at their ends, that rise where it is dark."""
    from scipy.ndimage import gaussian_filter

    x, y = (wide * side for side in sheet.canvas.reach)
    pitch = np.sqrt(4 * x * y / (STRIDE * count))
    # Each row of a tall sheet has two points at least.
    rows = max(2, min(int(2 * y / pitch), count // 2))
    columns, pitch = max(2, count // rows), 2 * y / (rows - 1)
    across, down = np.meshgrid(np.linspace(-x, x, columns), np.linspace(-y, y, rows))
    apart: float | Floats = pitch
    if sheet.weight is not None:
        down, apart = gathered(sheet, across, down)
    smooth = gaussian_filter(sheet.at(k, across, down), (3, 3 / STRIDE), mode="nearest")
    down = down - 2.5 * pitch * (smooth - smooth.mean())
    across[1::2], down[1::2] = across[1::2, ::-1], down[1::2, ::-1].copy()
    if not isinstance(apart, float):
        apart[1::2] = apart[1::2, ::-1].copy()
        apart = apart.ravel()
    return toned(sheet, k, np.stack([across.ravel(), down.ravel()], 1), apart)


def gathered(sheet: ink.Sheet, across: Floats, down: Floats) -> tuple[Floats, Floats]:
    """Return the heights of rows that are closer where pixels count more, and their distances."""
    from scipy.ndimage import gaussian_filter

    fine = np.linspace(down[0, 0], down[-1, 0], 4 * len(down))
    dense = np.maximum(sheet.weight_at(across[0], fine[:, None]), LEAST) ** CLOSER
    dense = gaussian_filter(dense, (8, 2 / STRIDE), mode="nearest")
    way = np.cumsum(dense, 0) - dense / 2
    way = (way - way[0]) / (way[-1] - way[0])
    steps = np.linspace(0, 1, len(down))
    down = np.stack([np.interp(steps, each, fine) for each in way.T], 1)
    return down, np.gradient(down, axis=0)


def toned(sheet: ink.Sheet, k: int, points: Floats, pitch: float | Floats) -> ink.Marks:
    """Return a line through `points` that covers the tone of a strip of width `pitch`."""
    half = sheet.at(k, *points.T) * shown(sheet, *points.T) / 2
    return ink.polyline(points, pitch * half.clip(THIN, THICK), k)
