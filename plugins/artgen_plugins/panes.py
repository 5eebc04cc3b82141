"""Panes of coloured glass in lead, with what is too fine for lead painted on the glass.

Leads run along the borders of regions that follow the picture, and are wider between dark panes.
Panes are no smaller where pixels count more: leads would cut a face. What is painted is finer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas, Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen_plugins.hatch import abstracted, filled, without_specks
from artgen_plugins.regions import chains, cut, lab_of, means, smoothed

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

JEWEL, CONTRAST = 1.9, 1.3
"""How much more chroma and difference of lightness glass has than what it shows."""
CALM, BENT, FOCUS = 0.5, 0.016, 0.5
"""How much detail leads leave out; the radius below which they do not bend, in canvas units; the
weight, as a share of the largest, from which no lead runs between panes of one glass."""
STREAKS, MIDDLE = 0.1, 0.42
"""How much light comes through streaks, and through the middle of a pane."""
WAVES = ((23.0, 4.0, 0.3), (41.0, -7.0, 1.7), (67.0, 9.0, 4.1))
"""The rate, slant and phase of each wave of streaks."""
JEWELS = (
    "#8e1220,#d1281e,#ea6a1c,#f3a72b,#f8d873,#fbf1cf,#efc3a2,#c07d58,"
    "#6b1a3c,#8fae3c,#2f7d3c,#0f4a45,#1b8a9a,#8fc9e6,#2a479f"
)


@dataclass(frozen=True)
class PanesOptions(InkOptions):
    """Options of `panes`."""

    inks: str = option(
        f"{JEWELS},#17141b",
        "colours of the glass, separated by commas; the darkest is that of the leads",
    )
    margin: float = option(0.0, "blank border, as a share of the shorter side", low=0, high=0.4)
    overprint: bool = option(False, "inks multiply what is below them; if false they cover it")
    panes: int = option(200, "number of panes", low=1, high=2000)
    lead: float = option(0.005, "radius of a lead in canvas units", low=0.0005, high=0.1)
    painted: float = option(0.6, "how much fine detail is painted on the glass", low=0, high=1)


class Panes(Ink):
    """Panes of glass, leads between them, and dark lines painted on them."""

    Options: ClassVar[type[Any]] = PanesOptions
    separation: ClassVar[Literal["mixed", "nearest"]] = "nearest"
    defaults = Preset(count=40000, background="#fffdf2")

    def take_options(self) -> None:
        """Put the darkest ink last, over all others: that of the leads."""
        super().take_options()
        self.inks = self.inks[np.argsort(-self.inks @ [0.3, 0.6, 0.1], kind="stable")]

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Draw the leads, then glass from the largest pane on, and what is painted on it."""
        seen = sheet.target
        shown = (1 - sheet.amounts.sum(0)[None]).repeat(3, 0) if seen is None else seen
        lab, even = lab_of(shown), np.ones(shown.shape[1:])
        calm = lab_of(np.stack([abstracted(each, even, CALM) for each in shown]))
        last, panes, apart = len(self.inks) - 1, float(self.options.panes), 2.0
        while True:
            labels = cut(calm, None, max(1, round(panes)))
            labels = smoothed(labels, max(1.0, BENT / sheet.canvas.pixel))
            labels = self._without_leads(labels, lab, sheet.weight)
            colours = means(lab, labels)
            dark = 1 - colours[:, 0] / 100
            size = np.bincount(labels.ravel()) * panes / labels.size
            radius = self.options.lead * (0.7 + 0.5 * dark) * size.clip(0.15, 1) ** 0.4
            layers = [borders(sheet, labels, radius, last)]
            layers.append(fill(sheet, labels, self._glass(colours), apart))
            # Few marks are for leads and glass.
            many = panes > 0.3 * self.options.panes
            if self.options.painted and seen is not None and many:
                layers.append(self._painted(sheet, lab[..., 0] / 100, apart, last))
            marks = ink.joined(layers)
            if len(marks) <= sheet.count:
                return marks
            panes, apart = panes * 0.8, apart * 1.25

    def settled(self, cover: NDArray[np.float32], canvas: Canvas) -> NDArray[np.float32]:
        """Let light through the middle of each pane, and through streaks in the glass."""
        from scipy.ndimage import gaussian_filter

        wide = 6 * self.options.lead / canvas.pixel
        near = gaussian_filter(cover[-1], wide, mode="nearest")
        middle = (1 - 3 * near).clip(0, 1)
        light = streaks(canvas)
        clear = MIDDLE * middle * (0.4 + 0.6 * light) + STREAKS * light**2
        glass = cover[:-1] * (1 - clear)
        return np.concatenate([glass, cover[-1:]]).astype(np.float32)

    def _without_leads(self, labels: Labels, lab: Floats, weight: Floats | None) -> Labels:
        """Return labels [height, width] where neighbours of one glass are one pane in the focus."""
        from skimage.measure import label

        if weight is None or weight.max() <= 0:
            return labels
        own, glass = labels.ravel(), self._glass(means(lab, labels))
        shares = np.bincount(own, weight.ravel()) / np.maximum(np.bincount(own), 1)
        near = shares > FOCUS * weight.max()
        joined = np.where(near, len(near) + glass, np.arange(len(near)))[labels]
        found: Labels = label(joined + 1, connectivity=1)  # type: ignore[no-untyped-call]
        return found - 1

    def _glass(self, colours: Floats) -> Labels:
        """Return the ink of each pane, of Lab colours [N, 3]: more vivid, with more contrast."""
        vivid = colours.copy()
        vivid[:, 1:] *= JEWEL
        vivid[:, 0] = 55 + CONTRAST * (vivid[:, 0] - 55)
        glass = lab_of(self.inks[: max(1, len(self.inks) - 1)].T)
        # Lightness makes a face; hue may be off.
        apart = (vivid[:, None] - glass) * [1.3, 1, 1]
        found: Labels = (apart**2).sum(2).argmin(1)
        return found

    def _painted(self, sheet: ink.Sheet, tone: Floats, apart: float, last: int) -> ink.Marks:
        """Return marks where the picture is darker than around, by an amount that stands out."""
        from scipy.ndimage import gaussian_filter

        unit = 1 / sheet.canvas.pixel
        fine = gaussian_filter(tone, max(0.6, 0.004 * unit), mode="nearest")
        wide = gaussian_filter(tone, max(1.5, 0.02 * unit), mode="nearest")
        least = 0.3 - 0.22 * self.options.painted
        if sheet.weight is not None:
            least = least / (0.5 + 0.5 * (sheet.weight / sheet.weight.mean()).clip(0, 4))
        field = (wide - fine) / least
        kept = without_specks(field > 1, np.full(tone.shape, max(1.5, 0.009 * unit)))
        return filled(sheet, np.where(kept, field, np.minimum(field, 0.9)), 1.0, apart, last)


def borders(sheet: ink.Sheet, labels: Labels, radius: Floats, k: int) -> ink.Marks:
    """Return lines between regions. `radius` [N] of each is in canvas units; two share the mean."""
    layers = []
    for points in chains(labels):
        row, column = (
            np.clip(np.rint(points.T[axis]).astype(int), 1, labels.shape[axis] - 1)
            for axis in (0, 1)
        )
        wide = (radius[labels[row, column]] + radius[labels[row - 1, column - 1]]) / 2
        place = points[:, ::-1] * sheet.canvas.pixel - sheet.canvas.reach
        layers.append(ink.polyline(place, wide.mean(), k))
    return ink.joined(layers)


def fill(sheet: ink.Sheet, labels: Labels, glass: Labels, apart: float) -> ink.Marks:
    """Return rows of strokes, `apart` pixels from one another, the largest region first."""
    height, width = labels.shape
    rows = np.arange(min(apart, height) / 2, height, apart)
    runs = labels[rows.astype(int)]
    change = np.concatenate([np.ones((len(rows), 1), bool), runs[:, 1:] != runs[:, :-1]], 1)
    row, begin = np.nonzero(change)
    value = runs[row, begin]
    end = np.append(begin[1:], width)
    end[end == 0] = width
    strokes = np.stack([begin, rows[row], end, rows[row]], 1) * sheet.canvas.pixel
    strokes -= np.tile(sheet.canvas.reach, 2)
    radius = np.full((len(strokes), 2), 0.75 * apart * sheet.canvas.pixel)
    order = np.argsort(-np.bincount(labels.ravel())[value], kind="stable")
    return ink.Marks(np.concatenate([strokes, radius], 1)[order], glass[value[order]])


def streaks(canvas: Canvas) -> Floats:
    """Return how light the glass is at each pixel, [height, width] in 0 to 1: wavy streaks."""
    x, y = np.meshgrid(*canvas.pixel_centres())
    bend = y + 0.06 * np.sin(5 * x + 2 * np.sin(3 * y)) + 0.25 * x
    found: Floats = (
        sum(np.sin(rate * bend + turn * x + shift) for rate, turn, shift in WAVES)
        / (2 * len(WAVES))
        + 0.5
    )
    return found
