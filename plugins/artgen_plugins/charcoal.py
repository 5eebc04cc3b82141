"""Charcoal: tones rubbed into the grain of paper, strokes over them, and lines where it is dark.

A drawing is a few layers, each where the picture is darker than the one before; stills and films
rub them into one another, but for the last, which are drawn over what is rubbed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from artgen import Canvas, Ink, Preset, ink, option
from artgen.errors import UsageError
from artgen.ink import InkOptions
from artgen_plugins.hatch import (
    abstracted,
    blurred,
    filled,
    inside_margin,
    levelled,
    spacing,
    strengthened,
    stretched,
    tooth,
    without_specks,
)
from artgen_plugins.wash import (
    APART,
    OFF,
    Covers,
    closeness,
    coarsely,
    rising,
    shaded,
    spread,
    waves,
    within,
)

TONES = "0.04,0.1,0.16,0.22,0.28,0.34,0.4,0.46,0.53,0.6,0.66,0.72,0.8,0.9"
LINES = 2
"""The last layers, which are drawn and not rubbed."""
SOFT, STEP = 0.01 / 0.12, 0.007 / 0.12**2
"""How far charcoal is rubbed, in canvas units, and the variance of tones that it is no more than,
if a mean layer were the darkest tone: thin layers are rubbed less far."""
CELL, FAR = 0.008, 0.08
"""The cells in which steps become slopes, and how far a step is at most, in canvas units."""
PRESSED, ROUGH, FINER = 0.6, 0.7, 2.0
"""The tone at which a stroke is pressed into the hollows of the paper; how soft the rims of grains
are, and how much finer they are than those of other papers."""
BODY = 0.5
"""The share of a light tone that is rubbed in, without grain."""
DARKEST, CURVE = 0.92, 0.6
"""The tone of the darkest mass; how much dark masses close and lights are lifted."""
FAIR, CLOSE = 0.35, 0.8
"""The tone to which what is lighter darkens where it is seen closely; how much finer details are
there."""
STROKE, SLANT, HAND = (0.05, 0.3), 50.0, 0.1
"""The width and length of the strokes of a hand, their angle in degrees, and how much they show."""
LINE, LEAST_LINE, SPECKS = 0.006, 0.11, 0.012
"""The width of a line in canvas units, how much darker than what is around it a line is, and
the least width of a patch."""


@dataclass(frozen=True)
class CharcoalOptions(InkOptions):
    """Options of `charcoal`."""

    inks: str = option("#211e1e", "the colour of the charcoal")
    margin: float = option(0.0, "blank border, as a share of the shorter side", low=0, high=0.4)
    tones: str = option(TONES, "the tones from which layers are laid, 1 the darkest, by commas")
    middle: float = option(0.42, "share of charcoal at the median tone", low=0.05, high=0.9)
    local: float = option(0.3, "how much tones are relative to those around", low=0, high=1)
    loose: float = option(0.2, "how much detail is left out", low=0, high=1)
    crisp: float = option(2.0, "how much stronger edges are", low=0, high=10)
    rubbed: float = option(0.92, "how much tones are rubbed into one another", low=0, high=1)
    grain: float = option(0.65, "how much the paper's grain shows", low=0, high=1)


class Charcoal(Ink):
    """Tones of charcoal, the lightest first, and lines over them."""

    Options: ClassVar[type[Any]] = CharcoalOptions
    separation = "tone"
    defaults = Preset(count=120000, background="#e6dfd2")
    palettes: ClassVar[bool] = False
    """None: tones of one colour."""

    def take_options(self) -> None:
        """Make an ink of each layer, and one for what becomes of them all. Raises UsageError."""
        super().take_options()
        if len(self.inks) != 1:
            raise UsageError(f"charcoal has one ink, got {len(self.inks)}")
        full = self.inks[0]
        self.tones = rising("tones", self.options.tones)
        if len(self.tones) <= LINES or self.tones[-1] >= 1:
            raise UsageError(f"tones are more than {LINES}, below 1, got {self.options.tones!r}")
        # Layers multiply to the tones that they stand for.
        left = 1 - (1 - full) * np.append(self.tones, 1.0)[:, None]
        self.inks = np.concatenate([left[:1], left[1:-1] / left[:-2], full[None]]).clip(0, 1)

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Fill what is darker than each layer, the lightest first."""
        o, unit = self.options, 1 / sheet.canvas.pixel
        pitch = spacing(sheet.weight, sheet.amounts[-1].shape, 1.0)
        tone = stretched(sheet.amounts[-1], sheet.weight, o.middle)
        tone = 1 - shaded(1 - tone, sheet.weight, 1 - FAIR)
        if o.loose:
            tone = abstracted(tone, pitch * (1 - CLOSE * closeness(sheet.weight)), o.loose)
        tone = levelled(tone, o.middle, o.local)
        fine = np.maximum(pitch * LINE * unit, 1.0)
        lines = strengthened(tone, fine, o.crisp)
        # What is darker than all around it is a line, in a light face too.
        apart = blurred(tone, fine, 0.4) - blurred(tone, fine, 3.0)
        lines = np.maximum(lines, self.tones[-LINES] + o.crisp * (apart - LEAST_LINE))
        clear = inside_margin(self, tone.shape)

        def drawn(coarser: float) -> ink.Marks:
            layers = []
            for k, level in enumerate(self.tones):
                field = lines if k >= len(self.tones) - LINES else tone
                soft = coarser - 1 if k >= len(self.tones) - LINES else 0.002 * unit + coarser - 1
                field = blurred(field, pitch, soft) * clear
                specks = coarser * np.maximum(pitch * SPECKS * unit, 1.0)
                kept = without_specks(field > level, specks)
                field = np.where(
                    kept, np.maximum(field, level + 0.02), np.minimum(field, level - 0.02)
                )
                layers.append(filled(sheet, field, level, APART * coarser, k, OFF))
            return ink.joined(layers)

        return within(sheet, drawn)

    def settled(self, cover: Covers, canvas: Canvas) -> Covers:
        """Rub the tones, and leave charcoal where the grain of the paper is high."""
        o, steps = self.options, np.diff(self.tones, prepend=0).astype(np.float32)
        drawn = len(self.tones) - LINES
        steps[:drawn] *= np.float32(DARKEST / self.tones[drawn - 1])
        tone: Covers = np.tensordot(steps[:drawn], cover[:drawn], 1)
        tone += sloped(cover[:drawn].sum(0), np.append(0, steps[:drawn].cumsum()), canvas)
        layer = self.tones[drawn - 1] / drawn
        tone = tone + o.rubbed * (rubbed(tone, SOFT * layer / canvas.pixel, layer) - tone)
        # Dark masses close, and lights are lifted.
        tone = tone + CURVE * (tone**2 * (3 - 2 * tone) - tone)
        # A hand presses more here and less there, and lifts where the paper is light.
        tone *= 1 + HAND * strokes(canvas) * (4 * tone * (1 - tone)).clip(0, 1)
        dark = np.tensordot(steps[drawn:], cover[drawn:-1], 1) / steps[drawn:].sum()
        # The lightest strokes touch the heights of the paper alone, pressed ones all of it.
        high = 1 - tooth(canvas, FINER)
        taken = ((tone / PRESSED - high) / ROUGH + 0.5 * tone).clip(0, 1)
        taken *= 0.35 + 0.65 * tone
        body = BODY + (1 - BODY) * tone**2
        tone = tone + o.grain * (body * tone + (1 - body) * taken - tone)
        cover[:-1] = 0
        cover[-1] = 1 - (1 - tone) * (1 - dark * (1 - 0.3 * o.grain * high**3))
        return cover.clip(0, 1)


def sloped(laid: Covers, tones: Covers, canvas: Canvas) -> Covers:
    """Return what is added to the tone of each pixel, [height, width], so that steps are slopes.

    `laid` says how many layers lie on a pixel, and `tones` what tone each number of them has. A
    pixel has a tone between those of the steps to fewer and to more layers, by how far both are.
    """
    from scipy.ndimage import distance_transform_edt

    cell = max(1, round(CELL / canvas.pixel))
    far = max(1.0, FAR / (cell * canvas.pixel))
    ends = np.concatenate([[0, 0], (tones[1:-1] + tones[2:]) / 2, tones[-1:]])

    def more(laid: Covers) -> Covers:
        level, found = laid.round().astype(np.intp), np.zeros(laid.shape, np.float32)
        for k in range(1, len(tones)):
            here = level == k
            if not here.any():
                continue
            less, beyond = (
                distance_transform_edt(~each).clip(0.5, far)[here] if each.any() else far
                for each in (level < k, level > k)
            )
            found[here] = ends[k] + less / (less + beyond) * (ends[k + 1] - ends[k]) - tones[k]
        return found

    return coarsely(laid, cell, more)


def rubbed(tone: Covers, sigma: float, layer: float) -> Covers:
    """Return tones rubbed into one another, but not over edges (He, Sun and Tang, 2010)."""
    squared: Covers = (tone * tone).astype(np.float32)
    mean = spread(tone, sigma)
    step = np.float32(STEP * layer**2)
    beyond = (spread(squared, sigma) - mean * mean - step).clip(0)
    slope: Covers = (beyond / (beyond + step)).astype(np.float32)
    rest: Covers = ((1 - slope) * mean).astype(np.float32)
    return spread(slope, sigma) * tone + spread(rest, sigma)


def strokes(canvas: Canvas) -> Covers:
    """Return the strokes of a hand, about -1 to 1, [height, width]: noise along an angle."""
    from scipy.ndimage import map_coordinates

    turn = np.radians(SLANT)
    x, y = np.meshgrid(*canvas.pixel_centres())
    along, across = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    far = float(np.hypot(*canvas.reach))
    size = [int(2 * far / each) + 4 for each in STROKE]
    lattice = np.random.default_rng(11).random(size) * 2 - 1
    place = np.stack([(across + far) / STROKE[0] + 1, (along + far) / STROKE[1] + 1])
    found: Covers = map_coordinates(lattice, place, order=1, mode="nearest").astype(np.float32)
    return found * (0.4 + 0.6 * waves(canvas, 0.25, 12))
