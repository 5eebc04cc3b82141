"""Halftone: a screen of dots, lines or rings for each ink, larger where the picture is darker.

The size of a dot is the inverse of the area that it covers of its cell, overlaps with neighbours
included, so that the tone of the picture is that of the print.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from artgen import Ink, Preset, ink, option
from artgen.editing import numbers
from artgen.errors import UsageError
from artgen.ink import InkOptions
from artgen_plugins._presets import read_presets
from artgen_plugins.stipple import relax, shown

Floats = NDArray[np.float64]

SAMPLES = 3
"""Sample points of the picture across a cell."""
MARKS, NEAR, GAP = 120, 12, 0.04
"""Marks of the rings around one middle; middles whose rings may lie over a place; in distances of
rings, the least paper between two."""
ENDS = (0, 0.7, 1), (0, 0.1, -0.3)
"""By tone, how far from the disc above it a ring ends, in distances of rings: its round end adds
ink; in the dark it runs below that disc, as else paper is left in the corners."""


@dataclass(frozen=True)
class HalftoneOptions(InkOptions):
    """Options of a halftone."""

    shape: Literal["round", "line", "square", "diamond", "ring"] = option(
        "round", "shape of the dots; rings and lines run through"
    )
    angles: float | str = option("45,75,15,0", "angles of the screens in degrees, with commas")
    optical: bool = option(
        True, "inks mix with paper as light does; if false as sRGB values, which is paler"
    )


class Halftone(Ink):
    """Dots, lines or rings on the screens of a few inks."""

    Options: ClassVar[type[Any]] = HalftoneOptions
    defaults = Preset(count=9000, background="#f6f1e7")
    presets = read_presets("halftone")

    @property
    def cap(self) -> Literal["round", "butt"]:
        """Round dots and rings have round ends, all others straight ones."""
        return "round" if self.options.shape in ("round", "ring") else "butt"

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Screen the inks one after the other, from top to bottom."""
        angles = numbers(str(self.options.angles))
        if not angles or not np.isfinite(angles).all():
            raise UsageError(
                f"angles = {self.options.angles!r} are not numbers", hint="write angles=15,75,0,45"
            )
        if self.options.shape == "ring":
            middles = busy_places(sheet)
            return self._fitted(sheet, lambda k, pitch: rings(sheet, k, middles, pitch))
        number = len(self.inks)
        turns = np.radians([angles[k % len(angles)] for k in range(number)])
        return self._fitted(sheet, lambda k, pitch: self.screen(sheet, k, turns[k], pitch))

    def _fitted(self, sheet: ink.Sheet, draw: Callable[[int, float], ink.Marks]) -> ink.Marks:
        """Draw the inks so finely that there are as many marks as there may be."""
        number = len(self.inks)
        pitch = np.sqrt(sheet.canvas.area * number / sheet.count)
        while True:
            # Cells at the border may be too many.
            marks = ink.joined([draw(k, pitch) for k in range(number)])
            if len(marks) <= sheet.count or pitch > 4 * max(sheet.canvas.reach):
                return marks.first(sheet.count)
            pitch *= 1.01

    def screen(self, sheet: ink.Sheet, k: int, turn: float, pitch: float) -> ink.Marks:
        """Return the marks of ink `k`: the cells are `pitch` wide and turned by an angle."""
        reach = np.hypot(*sheet.canvas.reach)
        steps = pitch * np.arange(-np.ceil(reach / pitch), np.ceil(reach / pitch) + 1)
        along = np.array([np.cos(turn), -np.sin(turn)])
        across = np.array([np.sin(turn), np.cos(turn)])
        middles = steps[:, None, None] * across + steps[:, None] * along
        parts = pitch * ((np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5)
        amount = np.zeros(middles.shape[:2])
        # Of a strip, or of what is turned, most of the square around it lies outside.
        near = (abs(middles) < np.array(sheet.canvas.reach) + pitch).all(2)
        for u in parts:
            for v in parts:
                x, y = (middles[near] + u * along + v * across).T
                inside = (abs(x) < sheet.canvas.reach[0]) & (abs(y) < sheet.canvas.reach[1])
                tone = sheet.at(k, x, y) * shown(sheet, x, y)
                amount[near] += np.where(inside, tone, 0) / SAMPLES**2
        if self.options.shape == "line":
            ends = np.concatenate([middles[:, :-1], middles[:, 1:]], 2)
            radii = pitch / 2 * np.stack([amount[:, :-1], amount[:, 1:]], 2)
        else:
            size = pitch * sizes(amount, self.options.shape)[..., None]
            if self.options.shape == "diamond":
                along = (along + across) * np.sqrt(0.5)
            arm = 0 if self.options.shape == "round" else along * size
            ends = np.concatenate([middles - arm, middles + arm], 2)
            radii = np.concatenate([size, size], 2)
        rows = np.concatenate([ends, radii], 2).reshape(-1, 6)
        rows = rows[rows[:, 4:].max(1) > 1e-3 * pitch]
        return ink.Marks(rows, np.full(len(rows), k))


def busy_places(sheet: ink.Sheet) -> Floats:
    """Return middles of rings [N, 2]: closer where the picture changes, in an even spread.

    They are in order from top to bottom, so that rings lie over each other like scales.
    """
    from scipy.ndimage import gaussian_gradient_magnitude

    # The inks end at the margin, where the picture goes on.
    tone = sheet.amounts.sum(0) if sheet.target is None else sheet.target.mean(0)
    change = gaussian_gradient_magnitude(tone, max(1, min(tone.shape) / 100), mode="nearest")
    weight = (change + 0.3 * change.mean() + 1e-6) ** 2
    busy = replace(sheet, amounts=(weight / weight.max())[None])
    middles = relax(busy, 0, max(1, sheet.count // MARKS), 20)[0]
    return middles[middles[:, 1].argsort()]


def rings(sheet: ink.Sheet, k: int, middles: Floats, pitch: float) -> ink.Marks:
    """Return the rings of ink `k`, `pitch` wide, around each of `middles`.

    They fill discs, each as large as the places that are nearest to its middle ask. The last disc
    lies on top, and rings end where one above begins, so that nowhere is ink twice or lacking.
    Marks are as long as a ring is wide, so a sheet takes one for each square of the pitch.
    """
    from scipy.spatial import cKDTree

    tree, reach = cKDTree(middles), np.array(sheet.canvas.reach)
    if not len(middles):
        return ink.joined([])
    x, y, side = sheet.grid(200 * len(middles))
    far, nearest = tree.query(np.stack([x.ravel(), y.ravel()], 1))
    number = np.zeros(len(middles))
    np.maximum.at(number, nearest, np.ceil((far + side / 2) / pitch))
    layers, owners = [np.empty((0, 6))], [np.empty(0, np.int64)]
    for turn in range(int(number.max())):
        # Of all places at once the rings of this radius.
        radius = pitch * (turn + 0.5)
        around = np.flatnonzero(number > turn)
        angle = np.linspace(0, 2 * np.pi, max(6, round(2 * np.pi * radius / pitch)) + 1)
        points = middles[around, None] + radius * np.stack([np.cos(angle), np.sin(angle)], 1)
        x, y = np.moveaxis(points, 2, 0)
        tone = (sheet.at(k, x, y) * shown(sheet, x, y)).clip(0, 1 - GAP)
        # How far they are from discs above and from the end of the sheet; less than 0 is hidden.
        far, near = tree.query(points, range(1, min(NEAR, len(middles)) + 1))
        over = near > around[:, None, None]
        free = np.where(over, far - pitch * number[near], np.inf).min(2)
        free = np.minimum(free - pitch * np.interp(tone, *ENDS), (reach - abs(points)).min(2))
        rows = np.concatenate([points, pitch / 2 * tone[..., None]], 2)
        # The hidden part of a mark is cut off.
        first, last, u, v = rows[:, :-1], rows[:, 1:], free[:, :-1, None], free[:, 1:, None]
        cut = (last - first) / (abs(u) + abs(v) + 1e-12)
        first, last = first - cut * u.clip(None, 0), last + cut * v.clip(None, 0)
        strokes = np.concatenate([first[..., :2], last[..., :2], first[..., 2:], last[..., 2:]], 2)
        drawn = (np.maximum(u, v)[..., 0] > 0) & (strokes[..., 4:].max(2) > 0.02 * pitch)
        layers.append(strokes[drawn])
        owners.append(around.repeat(drawn.sum(1)))
    order = np.concatenate(owners).argsort(kind="stable")
    return ink.Marks(np.concatenate(layers)[order], np.full(len(order), k))


def sizes(amount: Floats, shape: str) -> Floats:
    """Return the radius, or half the side, with which dots cover a share of cells of side 1."""
    amount = amount.clip(0, 1)
    if shape == "square":
        return np.asarray(np.sqrt(amount) / 2)
    if shape == "diamond":
        # Half the diagonal; beyond one half the paper that is left shrinks as dots grew before.
        grown = np.where(amount < 0.5, np.sqrt(amount / 2), 1 - np.sqrt((1 - amount) / 2))
        return np.asarray(grown * np.sqrt(0.5))
    radius = np.linspace(0, np.sqrt(0.5), 1001)
    beyond = np.maximum(radius, 0.5)
    segment = beyond**2 * np.arccos(0.5 / beyond) - 0.5 * np.sqrt(beyond**2 - 0.25)
    return np.interp(amount, np.pi * radius**2 - 4 * segment, radius)
