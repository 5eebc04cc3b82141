"""Drafting: clean lines along the contours, ruled hatching where it is light, and a grid behind.

As a draughtsman would on a blueprint: what is clear is drawn with the wide pen, the rest with the
fine one, and lights are ruled lines that end at the contours: far apart, then closer, then crossed.
What is dark is bare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from artgen import Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen_plugins._contours import FACE, Contour, contours, enclosed, within
from artgen_plugins.hatch import levelled, stretched, without_specks

Floats = NDArray[np.float64]

TONES = (0.5, 0.66, 0.82)
"""The lightness from which lines are ruled, twice as many, and crossed."""
PENS = (1.0, 0.25), (0.7, 0.6), (0.5, 1.0)
"""How wide each pen is, next to the wide one, and the share of all lines that it and wider ones
draw: those of the largest masses first."""
RULER, GRID = 0.42, (0.1, 5)
"""How wide the pen of ruled lines is; the distance of lines of the grid in canvas units, and how
many there are from one wide line to the next."""
LONGEST, BENT, BESIDE, CLEAR = 60.0, 0.0065, 2.2, 0.07
"""How long lines are in all, in canvas units; the tightest bend; how far lines are from one another
at least, in widths of the pen; the least difference that is drawn."""
CALM, FINE, LOCAL = 0.12, 0.2, 0.2
"""How far tones are smoothed between lines, in canvas units, and how much less in the focus; how
much they are relative to those around."""


@dataclass(frozen=True)
class DraftOptions(InkOptions):
    """Options of `draft`."""

    inks: str = option(
        "#f4f8ff,#a8c4ee,#3a69b0", "colours of lines, of ruled lines and of the grid"
    )
    margin: float = option(0.0, "blank border, as a share of the shorter side", low=0, high=0.4)
    overprint: bool = option(False, "inks multiply what is below them; if false they cover it")
    pen: float = option(0.0042, "radius of the wide pen in canvas units", low=0.0005, high=0.05)
    ruled: float = option(
        0.0105, "distance of ruled lines where they are densest, in canvas units", low=0.002, high=1
    )
    angle: float = option(45.0, "degrees of ruled lines", low=-180, high=180)


class Draft(Ink):
    """A grid, ruled tones, and lines of three pens."""

    Options: ClassVar[type[Any]] = DraftOptions
    separation = "tone"
    known_deviations: ClassVar[Mapping[str, str]] = {
        "marks": "tones are a few steps of ruled lines; between two steps there is no more ink"
    }
    defaults = Preset(count=36000, background="#17468c")

    def take_options(self) -> None:
        """Put the grid at the back and the lines in front. Raises UsageError."""
        super().take_options()
        self.inks = self.inks[::-1]

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Draw the grid, the ruled lines and then line after line, the clearest first."""
        o, seen = self.options, sheet.target
        if seen is None:
            seen = sheet.amounts[0][None].repeat(3, 0)
        front = len(self.inks) - 1
        layers, coarser = [grid(sheet, 0, RULER * o.pen)], 1.0
        lines = []
        found = contours(seen, sheet.weight, sheet.canvas, BENT, CLEAR, BESIDE * o.pen, LONGEST)
        for rank, (points, _) in enumerate(found):
            wide = next((share for share, most in PENS if rank < most * len(found)), PENS[-1][0])
            if sheet.weight is not None and np.ptp(sheet.weight):
                wide *= 1 - 0.2 * float(sheet.weight_at(*points.T).mean() / sheet.weight.max())
            # The pen is lifted, not stopped.
            ends = np.minimum(np.arange(len(points)), np.arange(len(points))[::-1])
            radius = o.pen * wide * (0.5 + 0.5 * np.minimum(1, ends / 6))
            step = slice(None, None, 2 if len(points) > 8 else 1)
            lines.append(ink.polyline(points[step], radius[step], front))
        tones = self._tones(seen, sheet, found)
        while True:
            ruled = self._ruled(sheet, tones, coarser, max(0, front - 1))
            if len(ruled) + len(layers[0]) <= sheet.count // 2 or coarser > 50:
                break
            coarser *= 1.3
        total = len(layers[0]) + len(ruled) + np.cumsum([len(each) for each in lines])
        kept = lines[: int((total <= sheet.count).sum())]
        marks = ink.joined([layers[0], ruled, *kept])
        return ink.Marks(marks.strokes[: sheet.count], marks.ink[: sheet.count])

    def _tones(self, seen: Floats, sheet: ink.Sheet, lines: list[Contour]) -> Floats:
        """Return the lightness of each shape between lines, [height, width]; none of the ground."""
        light = stretched(np.tensordot([0.3, 0.6, 0.1], seen, 1), sheet.weight, 0.5)
        shapes = enclosed(lines, sheet.canvas)
        light, calm = levelled(light, 0.5, LOCAL), CALM / sheet.canvas.pixel
        tones = within(light, shapes, calm)
        if sheet.weight is not None and np.ptp(sheet.weight):
            near = sheet.weight / sheet.weight.max()
            tones += near * (within(light, shapes, FINE * calm) - tones)
            tones *= near < FACE
        return np.where(shapes > 0, tones, 0.0)

    def _ruled(self, sheet: ink.Sheet, tones: Floats, coarser: float, k: int) -> ink.Marks:
        o, layers = self.options, []
        apart, border = o.ruled * coarser, np.ones((1, *tones.shape))
        self.clear_margin(border)
        fine = np.full(tones.shape, max(1.0, 3 * apart / sheet.canvas.pixel))
        for n, level in enumerate(TONES):
            mask = without_specks(tones > level, fine) & (border[0] > 0)
            # The second step puts a line between two of the first, the third crosses both.
            angle, shift = np.radians(o.angle + 90 * (n == 2)), apart * (n == 1)
            layers.append(rule(sheet, mask, angle, 2 * apart, shift, RULER * o.pen, k))
        return ink.joined(layers)


def rule(
    sheet: ink.Sheet,
    mask: NDArray[np.bool_],
    angle: float,
    gap: float,
    shift: float,
    radius: float,
    k: int,
) -> ink.Marks:
    """Return straight lines, `gap` canvas units apart, where a mask [height, width] is true."""
    far, pixel = float(np.hypot(*sheet.canvas.reach)), sheet.canvas.pixel
    along = np.arange(-far, far, pixel)
    across = np.arange(-far + shift, far, gap)[:, None]
    c, s = np.cos(angle), -np.sin(angle)
    x, y = along * c - across * s, along * s + across * c
    height, width = mask.shape
    column, row = (
        np.floor((at + reach) / pixel).astype(int)
        for at, reach in zip((x, y), sheet.canvas.reach, strict=True)
    )
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    seen = inside & mask[row.clip(0, height - 1), column.clip(0, width - 1)]
    steps = np.diff(np.pad(seen, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (line, begin), (_, end) = np.nonzero(steps == 1), np.nonzero(steps == -1)
    long = end - begin > 3
    line, begin, end = line[long], begin[long], end[long] - 1
    strokes = np.stack([x[line, begin], y[line, begin], x[line, end], y[line, end]], 1)
    strokes = np.concatenate([strokes, np.full((len(strokes), 2), radius)], 1)
    return ink.Marks(strokes, np.full(len(strokes), k))


def grid(sheet: ink.Sheet, k: int, radius: float) -> ink.Marks:
    """Return squared lines over the sheet, each fifth wider, and a frame."""
    apart, often = GRID
    right, bottom = sheet.canvas.reach
    layers = []
    for reach, other, turn in ((right, bottom, False), (bottom, right, True)):
        for n in range(-int(reach / apart), int(reach / apart) + 1):
            ends = np.array([(n * apart, -other), (n * apart, other)])
            wide = radius * (1.6 if n % often == 0 else 0.8)
            layers.append(ink.polyline(ends[:, ::-1] if turn else ends, wide, k))
    return ink.joined(layers)
