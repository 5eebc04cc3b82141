"""Washes of watercolour on white paper, from pale to dark, one over another.

Each pigment is laid in a few washes. The first covers all that has some of it, the last what has
most, and glazes multiply, so that paint is thick where many washes meet. What makes them look wet
are rims where the pigment dries last, edges that run, back-runs, and grains that settle in the
hollows of the paper (Curtis and others: Computer-generated watercolor, SIGGRAPH 1997; here each is
a function of what a wash covers: Bousseau and others, Interactive watercolor rendering, 2006).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas, Ink, Preset, ink, option
from artgen.errors import UsageError
from artgen.ink import InkOptions
from artgen_plugins._flow import mean_along
from artgen_plugins.hatch import (
    abstracted,
    blurred,
    directions,
    filled,
    levelled,
    spacing,
    strengthened,
    tooth,
    without_specks,
)
from artgen_plugins.regions import Floats, seen_of

Covers = NDArray[np.float32]

PIGMENTS = "#f8c72d,#e0456f,#3f90cf,#584c5e"
"""A yellow, a rose, a blue and a gray."""
WASHES = "0.06,0.16,0.3,0.48,0.7,1.0,1.6"
LIGHT, DARK = 0.94, 0.05
"""What is as light stays paper; the darkest that paint gets."""
GRAY, PALE = 0.9, 0.25
"""How much of what is gray in a colour the grayest pigment shows, where it is denser than pale."""
ACCENT, DEEP, PALER = 0.008, 0.9, 0.84
TIP, REACH = 8.0, 4.0
"""The width of what the tip of the brush draws, in canvas units, how dark that is somewhere and
everywhere, the least area of it, in squares of that width, and over how many widths it is even."""
SHARES = [math.exp(-2 * (k / 8) ** 2) for k in range(1, 9)]
"""How much places along a line count, from the middle on."""
ROUNDS = 30
"""Rounds of coordinate descent that find the pigments of a colour."""
APART, OFF = 1.5, 0.2
"""The distance of strokes that fill, and how far outlines may be off, in pixels."""
COARSEST = 16.0
"""How many times coarser a drawing may get to have few marks: with fewer, some are left out."""
WAVER = ((0.09, 0.22), (0.03, 0.06))
"""The size of the waves of edges in canvas units, and how far they shift them, of a wash."""
CLOSE = 0.6
"""How much finer the details are that are kept where the picture is seen closely."""
FAIR, NEAR = 0.62, 0.6
"""The tone to which what is lighter darkens there, and how much."""
PURE = 0.2
"""The least share of its tone that each channel of a colour keeps: purer ones are no mix of paint,
and the paint that came nearest was of another hue."""
ROSY = 0.08
"""How much what is warm and dull leans to rose, of how much warmer it is than gray."""
GENTLE = 0.006
"""How far the border of a wash is drawn smooth, in canvas units."""
MOST_PIGMENTS = 4
SMALL = 0.014
"""The least width of a piece of a wash, in canvas units."""
RUNS = (0.1, 0.3, 0.6, 1.0, 1.6), (0.95, 0.85, 0.65, 0.4, 0.2)
"""How wet the paper is where there is so much paint: pale washes run into each other, dark ones end
at an edge."""
ONE = 0.09765625
"""The variance of all densities at the border of one wash, which is no edge of the picture, for a
mean wash of the full strength."""
FINE, SOFT, WIDE = 0.0035, 0.016, 0.022
"""How far rims reach, edges run, and pigment is drawn from, in shorter sides."""
RIM, FLOW, GRAINS, BLOOM = 1.2, 0.3, 0.13, 0.2
"""How much darker rims are; how uneven washes, how grainy, and how dark the rim of a back-run."""


@dataclass(frozen=True)
class WashOptions(InkOptions):
    """Options of `wash`."""

    inks: str = option(PIGMENTS, "one to four pigments, separated by commas")
    washes: str = option(WASHES, "how much of a pigment is laid up to each wash, by commas")
    margin: float = option(0.025, "blank border, as a share of the shorter side", low=0, high=0.4)
    loose: float = option(0.25, "how much detail is left out", low=0, high=1)
    vivid: float = option(1.3, "how much more chroma paint has than the picture", low=0, high=3)
    wet: float = option(0.5, "how much edges run and washes are uneven", low=0, high=1)
    grain: float = option(0.6, "how much pigment settles in the paper", low=0, high=1)


class Wash(Ink):
    """Washes of a few pigments, the pale ones first."""

    Options: ClassVar[type[Any]] = WashOptions
    # Pigments are found by `place`, from the picture itself.
    separation = "tone"
    defaults = Preset(count=100000, background="#fdfbf5")
    palettes: ClassVar[bool] = False
    """None: pigments mix."""

    def take_options(self) -> None:
        """Make an ink of each wash of each pigment. Raises UsageError if there are too many."""
        super().take_options()
        if len(self.inks) > MOST_PIGMENTS:
            raise UsageError(f"there are at most {MOST_PIGMENTS} pigments, got {len(self.inks)}")
        self.strength: Floats = -np.log(self.inks.clip(0.02, 0.98))
        self.washes = rising("washes", self.options.washes)
        self.steps = np.diff(self.washes, prepend=0)
        self.inks = np.exp(-np.concatenate([step * self.strength for step in self.steps]))

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Fill what each wash covers, the pale washes first."""
        seen = seen_of(sheet, 1 - sheet.amounts.mean(0))
        clear = self._painted(sheet.canvas)
        pitch = spacing(sheet.weight, seen.shape[1:], 1.0)
        amounts = self._amounts(seen, pitch, sheet.weight)
        accents = self._accents(seen, pitch * ACCENT / sheet.canvas.pixel, sheet.weight)

        def drawn(coarser: float) -> ink.Marks:
            softer = [blurred(each, pitch, coarser - 1) for each in (*amounts, accents)]
            layers = [
                self._wash(sheet, softer[p], clear, level, p, coarser, pitch)
                for level in range(len(self.washes))
                for p in range(len(amounts))
            ]
            tip = np.where(clear, softer[-1], 0)
            layers.append(filled(sheet, tip, 1.0, APART * coarser, len(self.inks) - 1, OFF))
            return ink.joined(layers)

        return within(sheet, drawn)

    def settled(self, cover: Covers, canvas: Canvas) -> Covers:
        """Let edges run and dry, and pigment settle: the strength of each wash where it is."""
        o, pixel = self.options, canvas.pixel
        hollow = (1 - 2 * tooth(canvas)).astype(np.float32)
        grains = 1 + o.grain * GRAINS * hollow
        bloom = back_runs(canvas)
        # Where many washes end the picture has an edge, and the paper was dry.
        dark = (
            np.repeat(self.steps, len(self.strength))
            * np.tile(self.strength.mean(1), len(self.washes))
        ).astype(np.float32)
        whole = np.tensordot(dark, cover, 1)
        varied = spread(whole**2, SOFT / pixel) - spread(whole, SOFT / pixel) ** 2
        one = np.float32(ONE * self.steps.mean() ** 2)
        beyond = (varied - one).clip(0)
        dry = beyond / (beyond + one)
        runs = np.interp(self.washes, *RUNS)
        for k, layer in enumerate(cover):
            if not layer.any():
                continue
            uneven = waves(canvas, 0.22, k)
            run = float(runs[k // len(self.strength)])
            wet = (2 * o.wet * run * (0.6 + 0.8 * uneven)).clip(0, 1) * (1 - dry)
            soft = spread(layer, (0.4 + run) * SOFT / pixel)
            layer += wet * (soft - layer)
            rim = (layer - spread(layer, WIDE / pixel)).clip(0, 1) * (1 - wet)
            fine = (layer - spread(layer, FINE / pixel)).clip(0, 1)
            drawn = 0.86 + RIM * (0.35 * rim + 0.9 * fine)
            drawn += o.wet * (FLOW * waves(canvas, 0.35, k + 100) + BLOOM * bloom)
            layer *= drawn * grains
        return cover.clip(0, 1.4)

    def _painted(self, canvas: Canvas) -> NDArray[np.bool_]:
        """Return what a hand that paints up to the margin reaches, [height, width]."""
        x, y = canvas.pixel_centres()
        far = np.minimum(canvas.reach[0] - abs(x), canvas.reach[1] - abs(y)[:, None])
        margin = self.options.margin * 2 * min(canvas.reach) * (self.group is None)
        uneven = 0.6 + 0.6 * waves(canvas, 0.3, 400) + 0.2 * waves(canvas, 0.05, 401)
        return np.asarray(far > margin * uneven)

    def _amounts(self, seen: Floats, pitch: Floats, weight: Floats | None) -> Floats:
        """Return how much of each pigment there is: [pigments, height, width]."""
        colour = lightened(seen, self.options.vivid, weight)
        tone = colour.mean(0)
        pitch = pitch * (1 - CLOSE * closeness(weight))
        smooth = abstracted(tone, pitch, self.options.loose)
        # Colours may run further than tones, which make the drawing.
        chroma = [abstracted(each, 3 * pitch, self.options.loose) for each in colour - tone]
        smooth = smooth + np.stack(chroma)
        density = -np.log((smooth / LIGHT).clip(DARK, 1)).reshape(3, -1)
        # The least squares of densities, of which none is negative.
        gram, goal = self.strength @ self.strength.T, self.strength @ density
        found = np.zeros((len(gram), density.shape[1]))
        # What is gray is laid in the grayest pigment, which draws; the others tint.
        gray = int(np.ptp(self.strength, 1).argmin())
        gray_part = (density / self.strength[gray][:, None]).min(0)
        found[gray] = GRAY * (gray_part - PALE).clip(0)
        for _ in range(ROUNDS):
            for p in range(len(gram)):
                rest = goal[p] - gram[p] @ found + gram[p, p] * found[p]
                found[p] = np.maximum(rest / gram[p, p], 0)
        return found.reshape(-1, *seen.shape[1:])

    def _accents(self, seen: Floats, pitch: Floats, weight: Floats | None) -> Floats:
        """Return where the tip of the brush draws, above 1: what is darker than all around it."""
        from skimage.filters import apply_hysteresis_threshold

        dark = 1 - lightened(seen, 0.0)[0]
        width = np.maximum(pitch, 1.5)
        found: Floats = strengthened(dark, width, 4 - 2 * self.options.loose)
        angle, far = directions(dark, width, 0.0, 1.0), REACH * (1 - closeness(weight))
        way = np.stack([np.sin(angle), np.cos(angle)])
        found = mean_along(found, way, SHARES, far * width / len(SHARES))
        kept = apply_hysteresis_threshold(found, PALER, DEEP)  # type: ignore[no-untyped-call]
        kept = without_specks(kept, np.sqrt(TIP) * width)
        found = np.where(kept, np.maximum(found, 1.01 * PALER), np.minimum(found, 0.97 * PALER))
        return found / PALER

    def _wash(
        self,
        sheet: ink.Sheet,
        amount: Floats,
        clear: NDArray[np.bool_],
        level: int,
        p: int,
        coarser: float,
        pitch: Floats,
    ) -> ink.Marks:
        """Return marks that fill where there is as much of a pigment as a wash asks for."""
        k = level * len(self.strength) + p
        last = self.washes[level - 1] if level else 0.0
        field = (amount - last) / self.steps[level]
        for n, (size, shift) in enumerate(WAVER):
            field = field + shift / coarser * (waves(sheet.canvas, size, 7 * k + n) - 0.5)
        field = np.where(clear, field, 0)
        smallest = coarser * np.maximum(1.0, SMALL * pitch / sheet.canvas.pixel)
        kept = without_specks(field > 0.5, smallest)
        gentle = np.full(field.shape, coarser * GENTLE / sheet.canvas.pixel)
        if sheet.weight is not None:
            gentle = gentle * (1 - 0.7 * sheet.weight / sheet.weight.max())
        field = blurred(np.where(kept, 1.0, 0.0), np.maximum(gentle, 0.6), 1.0)
        return filled(sheet, field, 0.5, APART * coarser, k, OFF)


def rising(name: str, text: str) -> tuple[float, ...]:
    """Return the numbers above 0 of an option, each above the one before. Raises UsageError."""
    try:
        found = tuple(float(each) for each in text.split(","))
    except ValueError:
        found = ()
    if not found or not (np.isfinite(found) & (np.diff(found, prepend=0) > 0)).all():
        raise UsageError(f"{name} are rising numbers, separated by commas, got {text!r}")
    return found


def within(sheet: ink.Sheet, drawn: Callable[[float], ink.Marks]) -> ink.Marks:
    """Return what is drawn, coarser and coarser until there are as few marks as the sheet takes."""
    coarser = 1.0
    while True:
        marks = drawn(coarser)
        if len(marks) <= sheet.count or coarser > COARSEST:
            return marks.first(sheet.count)
        coarser *= min(2.0, 0.03 + (len(marks) / sheet.count) ** 0.8)


def lightened(seen: Floats, vivid: float, weight: Floats | None = None) -> Floats:
    """Return a picture [3, height, width] whose tones reach from dark to paper, more vivid."""
    gray = seen.mean(0)
    low, high = np.percentile(gray, [1, 97])
    stretched = gray.clip(0.02, 1)
    if high - low > 0.2:
        # A picture of light colours stays light, one of a night dark.
        darkest, lightest = 0.06 + 0.7 * low, min(1.0, 0.2 + 0.85 * high)
        stretched = ((gray - low) * (lightest - darkest) / (high - low) + darkest).clip(0.02, 1)
    median = np.clip(np.median(stretched), 0.1, 0.8)
    least = np.interp(median, [0.2, 0.4], [1.0, 0.8])
    lifted = stretched ** np.clip(np.log(0.52) / np.log(median), least, 1.2)
    lifted = shaded(lifted, weight, FAIR).clip(0.02, 1)
    chroma = (seen - gray) * vivid * (lifted / np.maximum(gray, 0.05)).clip(0.5, 2) ** 0.7
    # Skin that is mixed of a yellow and a blue is khaki: what is warm and dull leans to rose.
    warm = (seen[0] - np.maximum(seen[1], seen[2])).clip(0)
    dull = (1.5 - 2 * warm / np.maximum(seen[0], 0.05)).clip(0, 1)
    chroma += vivid * ROSY * (warm * dull) * np.array([0.4, -1.0, 0.6])[:, None, None]
    # Paint gets no purer: what is too pure gets paler, and keeps its hue.
    room = (1 - PURE) * lifted / np.maximum(-chroma.min(0), 1e-6)
    return np.asarray((lifted + room.clip(0, 1) * chroma).clip(0, 1))


def closeness(weight: Floats | None) -> Floats | float:
    """Return how closely each pixel is looked at, 0 to 1."""
    return 0.0 if weight is None else (weight / weight.max()) ** 2


def shaded(light: Floats, weight: Floats | None, fair: float) -> Floats:
    """Return tones, 1 for paper, that are darker where they are seen closely and lighter than fair.

    A face in full light was bare paper: its mass gets a tone, on which eyes and mouth are seen.
    """
    darker = (levelled(light, fair, 1.0) - light).clip(None, 0)
    return light + NEAR * closeness(weight) * darker


def waves(canvas: Canvas, size: float, seed: int) -> Covers:
    """Return smooth noise in 0 to 1, of waves of a size in canvas units, [height, width].

    Random heights lie on a lattice; between them is a cubic B-spline, stretched to fill the range.
    """
    # As many points at any size of the canvas: random heights depend on their number.
    down, across = (
        _spline(np.asarray((at + reach) / size, np.float64), math.ceil(2 * reach / size - 1e-9) + 3)
        for at, reach in zip(canvas.pixel_centres()[::-1], canvas.reach[::-1], strict=True)
    )
    lattice = np.random.default_rng(seed).random((down.shape[1], across.shape[1]))
    return ((down @ lattice @ across.T - 0.5) * 1.8 + 0.5).astype(np.float32)


def _spline(place: Floats, many: int) -> Floats:
    """Return the weights of `many` lattice points at places, [N, points], each 1 from the next."""
    from scipy.interpolate import BSpline

    return np.asarray(BSpline.design_matrix(place + 3, np.arange(many + 4.0), 3).toarray())


def back_runs(canvas: Canvas) -> Covers:
    """Return where pigment was pushed aside, below 0, and where it was left, above 0."""
    height = (
        waves(canvas, 0.3, 501) + 0.25 * waves(canvas, 0.05, 502) + 0.1 * waves(canvas, 0.016, 503)
    )
    place = (height - 0.98) / 0.03
    found = np.exp(-(place**2)) - 0.5 * (place > 0) * np.exp(-place / 5)
    return np.asarray(found.astype(np.float32))


def spread(layer: Covers, sigma: float) -> Covers:
    """Return a layer blurred by a Gaussian, on a coarser grid where it is wide."""
    from scipy.ndimage import gaussian_filter

    coarse = int(sigma / 3)
    if coarse < 2 or min(layer.shape) < 4 * coarse:
        return np.asarray(gaussian_filter(layer, max(sigma, 0.3), mode="nearest"))
    return coarsely(layer, coarse, partial(gaussian_filter, sigma=sigma / coarse, mode="nearest"))


def coarsely(layer: Covers, cell: int, change: Callable[[Covers], Covers]) -> Covers:
    """Return what becomes of the means of cells of so many pixels, as large as the layer."""
    from scipy.ndimage import zoom

    height, width = layer.shape
    padded = np.pad(layer, ((0, -height % cell), (0, -width % cell)), mode="edge")
    small = change(padded.reshape(padded.shape[0] // cell, cell, -1, cell).mean((1, 3)))
    return np.asarray(zoom(small, cell, order=1, mode="nearest", grid_mode=True)[:height, :width])
