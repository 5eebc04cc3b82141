"""Sheets of coloured paper, one over another, each with a shadow on what is below.

A sheet has paper where the picture is as dark as its tone or darker, and around it as a frame. The
tones are chosen so that every sheet shows as much of itself (quantiles of the picture's tones).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas, Ink, Preset, ink, option
from artgen.errors import UsageError
from artgen.ink import InkOptions
from artgen_plugins.hatch import (
    abstracted,
    blurred,
    filled,
    levelled,
    spacing,
    strengthened,
    tooth,
    without_specks,
)
from artgen_plugins.wash import APART, OFF, spread, within

Floats = NDArray[np.float64]
Covers = NDArray[np.float32]

SHEETS = "#f3dcb6,#eeb27a,#df7b5f,#b04d64,#6d3763,#2a2346"
MOST_SHEETS = 7
SMALLEST, SIMPLE = 0.009, 2.4
"""The least width of what is cut, in shorter sides; how much simpler than a wash sheets are."""
AMBIENT, CAST, FIBRES = 0.22, 0.5, 0.06
"""How dark a sheet makes what is next to it, what lies in its shadow, and the fibres of paper."""
NEAR, FAR = 0.006, 0.014
"""How far shadows are spread and cast, in canvas units, by a sheet on the next."""


@dataclass(frozen=True)
class PapercutOptions(InkOptions):
    """Options of `papercut`."""

    inks: str = option(SHEETS, "colours of the sheets; the lightest is at the back")
    margin: float = option(
        0.02, "width of the frame, as a share of the shorter side", low=0, high=0.4
    )
    overprint: bool = option(False, "inks multiply what is below them; sheets cover it")
    front: str = option("dark", "what is in front: dark or light")
    local: float = option(0.25, "how much tones are relative to those around", low=0, high=1)
    crisp: float = option(1.0, "how much stronger edges are", low=0, high=10)
    depth: float = option(
        1.0, "how far sheets lie from one another, which makes shadows", low=0, high=4
    )


class Papercut(Ink):
    """Sheets of paper, from the one at the back to the one in front."""

    Options: ClassVar[type[Any]] = PapercutOptions
    separation = "tone"
    defaults = Preset(count=40000, background="#fbf1dc")

    @property
    def palettes(self) -> bool:
        """None: shadows lie on the sheets."""
        return False

    def take_options(self) -> None:
        """Give each sheet an ink for its shadow, before its own. Raises UsageError."""
        super().take_options()
        if len(self.inks) > MOST_SHEETS:
            raise UsageError(f"there are at most {MOST_SHEETS} sheets, got {len(self.inks)}")
        if self.options.front not in ("dark", "light"):
            raise UsageError(f"front={self.options.front} is unknown", hint="use dark or light")
        order = np.argsort(self.inks @ [0.3, 0.6, 0.1], kind="stable")
        sheets = self.inks[order[::-1] if self.options.front == "dark" else order]
        shadows = 0.25 * sheets.mean(0) * np.ones_like(sheets)
        self.inks = np.concatenate([np.stack([shadows, sheets], 1).reshape(-1, 3), shadows[:1]])

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Cut the sheets, the one at the back first."""
        o, shape = self.options, sheet.amounts.shape[1:]
        number, unit = len(self.inks) // 2, 1 / sheet.canvas.pixel
        pitch = spacing(sheet.weight, shape, SMALLEST * unit)
        seen = sheet.target
        dark = (
            sheet.amounts.mean(0)
            if seen is None
            else 1 - np.tensordot([0.2126, 0.7152, 0.0722], seen, 1)
        )
        tone = dark if o.front == "dark" else 1 - dark
        tone = strengthened(levelled(tone, float(np.median(tone)), o.local), pitch, o.crisp)
        tone = abstracted(tone, pitch * SIMPLE / (SMALLEST * unit), 0.35)
        tone = blurred(tone, pitch, 0.6)
        order = np.argsort(tone, axis=None)
        counted = np.cumsum(
            np.ones(tone.size) if sheet.weight is None else sheet.weight.ravel()[order]
        )
        shares = np.arange(1, number) / number
        levels = tone.ravel()[order[np.searchsorted(counted, counted[-1] * shares)]]
        if np.ptp(tone) < 0.2:
            levels = np.arange(1, number) / (number + 1)
        x, y = sheet.canvas.pixel_centres()
        far = np.minimum(sheet.canvas.reach[0] - abs(x), sheet.canvas.reach[1] - abs(y)[:, None])

        def drawn(coarser: float) -> ink.Marks:
            soft = blurred(tone, pitch, 0.3 * (coarser - 1))
            layers = []
            for k in range(number):
                frame = o.margin * 2 * min(sheet.canvas.reach) * (1 + 0.4 * (number - 1 - k))
                field = soft - levels[k - 1] if k else np.ones(shape)
                cut = without_specks(field > 0, 5.0 * coarser * pitch)
                field = np.where(cut, np.maximum(field, 0.01), np.minimum(field, -0.01))
                field = np.where(far < frame, 1.0, field).clip(-0.2, 0.2)
                layers.append(filled(sheet, field, 0.0, APART * coarser, 2 * k + 1, OFF))
            return ink.joined(layers)

        return within(sheet, drawn)

    def settled(self, cover: Covers, canvas: Canvas) -> Covers:
        """Cast the shadow of every sheet, and show the fibres of the paper."""
        from scipy.ndimage import shift

        deep, pixel = self.options.depth, canvas.pixel
        for k in range(1, len(cover), 2):
            if deep and k > 1 and cover[k].any():
                move = deep * FAR / pixel
                cast = shift(cover[k], (move, 0.6 * move), order=1, mode="nearest")
                cast = spread(cast, deep * 0.5 * NEAR / pixel)
                near = spread(cover[k], deep * 2 * NEAR / pixel)
                cover[k - 1] = np.maximum(CAST * cast, AMBIENT * near)
        cover[-1] = FIBRES * tooth(canvas)
        return cover
