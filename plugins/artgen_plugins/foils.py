"""Three pictures on two foils: each foil shows one, and both together a third that neither has.

Both foils are screens of lines of one distance. The clear stripe of the first is as wide as the
first picture is bright, m, that of the second n; at the shift s of one against the other, light
passes through both in (m + n) / 2 - s of the distance, from max(0, m + n - 1) to min(m, n). So
the shift is free to carry the third picture, in those bounds, while the widths carry the others:
``artgen fit BOTH -p foils --view pose=1:FIRST --view pose=-1:SECOND``. In a pose the other foil is
pulled away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

import artgen
from artgen import Canvas, Ink, Preset, ink, option
from artgen.errors import UsageError
from artgen.ink import InkOptions
from artgen.targets import LUMA
from artgen_plugins.regions import Floats, seen_of

BLACK = "#1d1b20"

APART = 0.9
"""Points of a line per distance of lines."""

ENDS = 1.0, 99.0
"""The percentiles of each picture that become its darkest and its brightest."""

FLAT = 0.01
"""A picture of a narrower range keeps its tones."""

FEW, SLACK, LEVELS = 5.0, 0.02, 33
"""The percentage of places that may miss the tone that both foils shall show, by how much each may,
and how many levels are tried as the least and the greatest tone."""

FINE = 16
"""Pixels per distance of lines in which lines are laid over one another."""

AWAY = 1.08
"""How far the other foil is pulled away, in widths of the canvas."""


@dataclass(frozen=True)
class FoilsOptions(InkOptions):
    """Options of `foils`."""

    inks: str = option(f"{BLACK},{BLACK}", "the ink of each foil")
    margin: float = option(0.0, "blank border, as a share of the shorter side", low=0, high=0.4)
    dark: float = option(0.34, "the least clear share of one foil", low=0.05, high=0.5)
    light: float = option(0.66, "the greatest clear share of one foil", low=0.5, high=1)
    even: float = option(0.5, "how much all tones are equally frequent", low=0, high=1)


class Foils(Ink):
    """Two screens of lines, of two inks."""

    Options: ClassVar[type[Any]] = FoilsOptions
    cap = "butt"
    defaults = Preset(count=100_000, background="#ffffff")

    def take_options(self) -> None:
        """Read the inks. Raises UsageError where they are not two."""
        super().take_options()
        if len(self.inks) != 2:
            raise UsageError("foils need two inks", hint=f"use inks={BLACK},{BLACK}")

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Draw the lines of the first foil, then those of the second."""
        canvas, target = sheet.canvas, seen_of(sheet, 1 - sheet.amounts.max(0))
        # What repeats has no border.
        border = 2 * self.options.margin * (self.group is None)
        half_width, half_height = (side - border for side in canvas.reach)
        rows = max(2, round(np.sqrt(sheet.count * half_height / (2 * APART * half_width))))
        pitch = 2 * half_height / rows
        # What repeats has its lowest line above the first as well.
        middle = pitch * np.arange(self.group is not None, rows + 1) - half_height
        points = max(3, int(sheet.count / (2 * len(middle))) + 1)
        x = np.linspace(-half_width, half_width, points)
        # The pose says by how much a foil is pulled away, and its sign which one.
        singles = (
            next((goal for pose, goal in sheet.goals.items() if pose * sign > 0), target)
            for sign in (1, -1)
        )
        both, first, second = (_tones(sheet, each, pitch, x, middle) for each in (target, *singles))
        dark, light, even = self.options.dark, self.options.light, self.options.even
        # Inks lighter than the paper, such as gold on black, lie where a picture is bright.
        if (self.inks @ LUMA > np.dot(LUMA, sheet.paper)).all():
            both, first, second = 1 - both, 1 - first, 1 - second
        m, n = (dark + (light - dark) * _equalised(each, even) for each in (first, second))
        least, most = np.maximum(0, m + n - 1), np.minimum(m, n)
        # Where a place cannot show its tone, single pictures shine through.
        low, high = _widest(both, least, most)
        wanted = low + (high - low) * both
        shown = wanted.clip(least, most)
        shift = (m + n) / 2 - shown
        lines = []
        for which, (clear, moved) in enumerate(((m, -shift / 2), (n, shift / 2))):
            for row in range(len(middle)):
                y = middle[row] + pitch * moved[row]
                marks = ink.polyline(np.stack([x, y], 1), pitch * (1 - clear[row]) / 2)
                lines.append(ink.Marks(marks.strokes, np.full(len(marks), which)))
        found = ink.joined(lines)
        one, two = f"{dark:.0%} to {light:.0%}", f"{low:.0%} to {high:.0%}"
        bound = f"foils: {one} of the light passes through one, {two} through both"
        return ink.Marks(found.strokes, found.ink, bound).first(sheet.count)


@artgen.family.posed.register(Foils)
def pulled(foils: Foils, tensors: Mapping[str, Tensor], pose: float) -> Mapping[str, Tensor]:
    """The second foil pulled away to the right (1), or the first to the left (-1)."""
    strokes, which = tensors["strokes"], tensors["ink"]
    gone = which.round() == (1 if pose > 0 else 0)
    # Wider than any canvas that can be shown whole.
    by = torch.zeros_like(strokes)
    by[0], by[2] = AWAY, AWAY
    span = float(strokes[2].max() - strokes[0].min()) if strokes.shape[1] else 0.0
    return {**tensors, "strokes": strokes + pose * span * by * gone}


@artgen.family.paint.register(Foils)
def painted(foils: Foils, tensors: Mapping[str, Tensor], canvas: Canvas, **how: Any) -> Tensor:
    """Draw as finely as lines are: shares of pixels would overlap at random. [3, height, width]."""
    starts = tensors["strokes"][0][tensors["ink"].round() == 0]
    rows = int((starts == starts.min()).sum()) if len(starts) else 1
    finer = min(8, max(1, math.ceil(FINE * rows / canvas.height)))
    drawn: Tensor = artgen.family.paint.dispatch(Ink)(foils, tensors, canvas.enlarged(finer), **how)
    return torch.nn.functional.avg_pool2d(drawn, finer)


def _equalised(tones: Floats, share: float) -> Floats:
    """Tones a share of the way to those of which all are equally frequent."""
    ranks = np.searchsorted(np.sort(tones, axis=None), tones, side="right") / tones.size
    return np.asarray((1 - share) * tones + share * ranks)


def _widest(wanted: Floats, least: Floats, most: Floats) -> tuple[float, float]:
    """The widest range in which all but a few places can show their tone, `wanted` of it.

    It is wider where the pictures agree than where each may differ from the others.
    """
    best = float(np.percentile(least, 100 - FEW)), float(np.percentile(most, FEW))
    for low in np.linspace(least.min(), most.max(), LEVELS):
        for high in np.linspace(most.max(), low, LEVELS):
            if high - low <= best[1] - best[0]:
                break
            tone = low + (high - low) * wanted
            missed = (tone < least - SLACK) | (tone > most + SLACK)
            if 100 * missed.mean() <= FEW:
                best = float(low), float(high)
    return best


def _tones(sheet: ink.Sheet, picture: Floats, pitch: float, x: Floats, y: Floats) -> Floats:
    """The brightness of a picture, 0 to 1, at rows `y` and columns `x`: [rows, columns]."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    luma = np.tensordot(LUMA, picture, 1)
    scale = luma.shape[0] / (2 * sheet.canvas.reach[1])  # pixels of this picture per unit
    smooth = gaussian_filter(luma, 0.5 * pitch * scale, mode="nearest")
    low, high = np.percentile(smooth, ENDS)
    if high - low < FLAT:
        low, high = 0.0, 1.0
    column = (x + sheet.canvas.reach[0]) * scale - 0.5
    row = (y + sheet.canvas.reach[1]) * scale - 0.5
    place = np.stack(np.meshgrid(row, column, indexing="ij"))
    tones: Floats = map_coordinates(smooth, place, order=1, mode="nearest")
    return np.asarray(((tones - low) / (high - low)).clip(0, 1))
