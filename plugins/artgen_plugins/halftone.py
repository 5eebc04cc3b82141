"""Halftone: a screen of dots, lines or rings for each ink, larger where the picture is darker.

The size of a dot is the inverse of the area that it covers of its cell, overlaps with neighbours
included, so that the tone of the picture is that of the print. Rings are lighter, so that each is
seen, and lie in circles that touch, as of a packing from the largest on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from artgen import Ink, Preset, ink, option
from artgen.editing import numbers
from artgen.errors import UsageError
from artgen.ink import InkOptions
from artgen_plugins._contours import focused
from artgen_plugins._presets import read_presets
from artgen_plugins.hatch import cropped
from artgen_plugins.stipple import shown

Floats = NDArray[np.float64]

SAMPLES = 3
"""Sample points of the picture across a cell."""
FINE, FULL = 0.5, 0.9
"""The share of its squares that a sheet has marks of rings for, at most; how wide a line is where
an ink covers all, in distances of rings, so that paper is seen between them."""
LEAST, LARGE, UNEVEN, LEVELS = 2.6, 0.06, 0.25, 10
"""The radius of the smallest circles in distances of their rings, and of the largest in shorter
sides; how much they vary; how many radii what is busy is told apart by."""
SOFT, BUSY, CALM, FACE = 0.006, 70, 0.75, 0.5
"""How soft the picture is in which busy places are looked for, in shorter sides; the percentile of
its slope where circles are smallest; how near to that of faces what is busy elsewhere comes, and
how much less that is of faces that fill the picture."""
WIDER, AROUND, CORNERS = 0.5, 3, 1.4
"""With which power of their radius the rings of circles are wider; rings beyond a circle; the
length of a stroke in distances of rings."""


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
            sheet = cropped(self, sheet)
            lucky = sheet.rng.uniform(1 - UNEVEN, 1, sheet.amounts.shape[1:])
            return self._fitted(sheet, FINE, lambda pitch: rings(sheet, pitch, lucky), 0.99)
        number = len(self.inks)
        turns = np.radians([angles[k % len(angles)] for k in range(number)])
        screens = [partial(self.screen, sheet, k, turns[k]) for k in range(number)]
        return self._fitted(sheet, number, lambda pitch: ink.joined([s(pitch) for s in screens]))

    def _fitted(
        self,
        sheet: ink.Sheet,
        share: float,
        draw: Callable[[float], ink.Marks],
        leap: float = 0.0,
    ) -> ink.Marks:
        """Draw so finely that there are as many marks as there may be.

        Begin with cells of a `share` of the sheet, and leap by a share of what was too fine.
        """
        pitch = np.sqrt(sheet.canvas.area * share / sheet.count)
        while True:
            # Cells at the border may be too many.
            marks = draw(pitch)
            if len(marks) <= sheet.count or pitch > 4 * max(sheet.canvas.reach):
                return marks.first(sheet.count)
            pitch *= max(1.01, leap * math.sqrt(len(marks) / sheet.count))

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


def packed(sheet: ink.Sheet, least: float, lucky: Floats) -> tuple[Floats, Floats]:
    """Return circles [N, 3] that touch, as row, column and radius in pixels, the largest first.

    Radii are at least about `least`, which they are in the focus and where the picture changes, and
    vary by `lucky` [height, width]. Also returns how far from the nearest circle each pixel is.
    """
    from scipy.ndimage import distance_transform_edt, gaussian_gradient_magnitude

    shape = lucky.shape
    soft, most = max(1.0, SOFT * min(shape)), max(least, LARGE * min(shape))
    change = sum(gaussian_gradient_magnitude(each, soft, mode="nearest") for each in sheet.amounts)
    busy = change / max(float(np.percentile(change, BUSY)), 1e-9)
    inner = focused(sheet.weight, shape)
    busy = np.maximum(CALM * busy.clip(0, 1), (1 - FACE * inner.mean()) * inner)
    # A circle may reach no farther over what is busy than one there does.
    room = np.full(shape, most)
    for share in np.linspace(0, 1, LEVELS, endpoint=False):
        calm = busy < 1 - share
        if not calm.all():
            near = distance_transform_edt(calm) + least * (most / least) ** share
            room = np.minimum(room, near)
    room *= lucky
    free, found = np.full(shape, np.inf), []
    y, x = np.ogrid[: shape[0], : shape[1]]
    best = room.max(1)
    while best.max() >= least * (1 - UNEVEN):
        row = int(best.argmax())
        column = int(room[row].argmax())
        radius = float(best[row])
        found.append((row, column, radius))
        # No room is larger than this one.
        reach = int(2 * radius + least) + 2
        box = tuple(slice(max(0, n - reach), n + reach) for n in (row, column))
        away = np.hypot(y[box[0]] - row, x[:, box[1]] - column) - radius
        free[box] = np.minimum(free[box], away)
        room[box] = np.minimum(room[box], away)
        best[box[0]] = room[box[0]].max(1)
    return np.array(found).reshape(-1, 3), free


def rings(sheet: ink.Sheet, pitch: float, lucky: Floats) -> ink.Marks:
    """Return rings in circles, and around them up to those that are nearer; `pitch` the closest.

    Lines of all inks have the same middles.
    """
    unit = sheet.canvas.pixel
    circles, free = packed(sheet, max(1.0, LEAST * pitch / unit), lucky)
    size, middles = circles[:, 2] * unit, (circles[:, 1::-1] + 0.5) * unit - sheet.canvas.reach
    wide = size / np.ceil(size / pitch * (size.min() / size) ** WIDER - 0.5).clip(1)
    turns = np.ceil((size + AROUND * pitch) / wide).astype(int)
    owner, turn = counted(turns)
    radius = wide[owner] * (turn + 0.5)
    corners = np.maximum(8, np.rint(2 * np.pi * radius / (CORNERS * pitch))).astype(int)
    ring, corner = counted(corners)
    angle = 2 * np.pi * (corner + np.array([[0], [1]])) / corners[ring]
    ends = middles[owner[ring]] + radius[ring, None] * np.stack([np.cos(angle), np.sin(angle)], 2)
    # Arcs beyond their circle end where another is nearer.
    beyond = (radius - size[owner])[ring]
    spare = replace(sheet, amounts=free[None] * unit).at(0, *np.moveaxis(ends, 2, 0)) - beyond
    spare = np.where(beyond < 0, 1.0, spare)
    kept = (abs(ends) < sheet.canvas.reach).all((0, 2)) & (spare > 0).any(0)
    other = spare[::-1]
    share = np.where(spare < 0, other / np.maximum(other - spare, 1e-12), 1.0).clip(0, 1)
    ends = ends[::-1] + share[..., None] * (ends - ends[::-1])
    layers = []
    for k in range(len(sheet.amounts)):
        tone = sheet.at(k, *np.moveaxis(ends, 2, 0)) * shown(sheet, *np.moveaxis(ends, 2, 0))
        radii = wide[owner[ring]] / 2 * FULL * tone
        drawn = kept & (radii.max(0) > 0.01 * pitch)
        strokes = np.concatenate([*ends, radii.T], 1)[drawn]
        layers.append(ink.Marks(strokes, np.full(len(strokes), k)))
    return ink.joined(layers)


def counted(numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the index of each of `numbers` [N] as often as it says, and the count from 0 on."""
    of = np.repeat(np.arange(len(numbers)), numbers)
    return of, np.arange(len(of)) - (np.cumsum(numbers) - numbers)[of]


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
