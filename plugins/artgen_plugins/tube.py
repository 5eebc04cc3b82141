"""Tubes of light: long clean lines along the edges of the picture, with a halo around each.

Edges are where the Laplacian of the smoothed picture changes its sign (Marr and Hildreth: Theory of
edge detection, 1980). Faint rows of light, wider where the picture is lighter, keep its masses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from artgen import Ink, Preset, ink, option
from artgen.ink import InkOptions

Floats = NDArray[np.float64]

GLOW = ((0.16, 7.0), (0.3, 4.2), (0.55, 2.3), (1.0, 1.0))
"""Light and radius of each ring of a halo, as shares of those of the tube, which comes last."""
AROUND, FAINT, RIM = 0.06, 0.6, 0.015
"""How wide what is around an edge is, in shorter sides; how much fainter edges may be where all is
faint; how near to the sides of the picture there is no tube."""
ROW = 0.24
"""The light of rows, as a share of that of a tube."""


@dataclass(frozen=True)
class TubeOptions(InkOptions):
    """Options of `tube`."""

    inks: str = option(
        "#7a1cff,#19e3ff,#ff2bd1,#ffb13d", "colours of the tubes, separated by commas, at most 16"
    )
    margin: float = option(0.0, "blank border, as a share of the shorter side", low=0, high=0.4)
    overprint: bool = option(False, "inks multiply what is below them; if false they cover it")
    width: float = option(0.006, "radius of a tube in canvas units", low=0.001, high=0.1)
    detail: float = option(
        0.016, "distance over which the picture is smoothed, in canvas units", low=0.002, high=0.2
    )
    strength: float = option(
        0.12, "share of the strongest edges below which there is no tube", low=0, high=1
    )


class Tube(Ink):
    """Glowing lines along the contours, and rows of faint light."""

    Options: ClassVar[type[Any]] = TubeOptions
    separation: ClassVar[Literal["mixed", "nearest"]] = "nearest"
    defaults = Preset(count=16000, background="#07050f")

    def take_options(self) -> None:
        """Add the colours of rows and of halos, which lie behind."""
        super().take_options()
        self.tubes = self.inks
        self.inks = np.concatenate([ROW * self.tubes, *(share * self.tubes for share, _ in GLOW)])

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Draw the rows, then line after line from the longest, with its halo."""
        if sheet.target is None:
            light = np.repeat(sheet.amounts.sum(0)[None].clip(0, 1), 3, 0)
        else:
            light = sheet.target
        tone = np.tensordot([0.3, 0.6, 0.1], light, 1)
        rows = _rows(sheet, tone, light, self.tubes)
        return _first(rows, self._lines(sheet, tone, light), sheet.count)

    def _lines(self, sheet: ink.Sheet, tone: Floats, light: Floats) -> list[ink.Marks]:
        from scipy.ndimage import map_coordinates

        lines = edges(sheet, tone, self.options.detail, self.options.strength)
        found = []
        for line in sorted(lines, key=len, reverse=True):
            place = (line[:, ::-1] + sheet.canvas.reach[::-1]) / sheet.canvas.pixel - 0.5
            colour = [map_coordinates(each, place.T, order=1, mode="nearest") for each in light]
            hue = _likest(np.mean(colour, 1)[:, None], self.tubes, light)[0]
            # Ends of tubes are thinner.
            way = np.linspace(0, 1, len(line))
            taper = 0.55 + 0.45 * np.minimum(1, 8 * np.minimum(way, 1 - way))
            if sheet.weight is not None:
                taper *= 0.5 + 0.5 * (sheet.weight_at(*line.T) < sheet.weight.mean() + 0.2)
            found.append(
                ink.joined(
                    [
                        ink.polyline(
                            line, self.options.width * wide * taper, level * len(self.tubes) + hue
                        )
                        for level, (_, wide) in enumerate(GLOW, 1)
                    ]
                )
            )
        return found


def edges(sheet: ink.Sheet, tone: Floats, detail: float, strength: float) -> list[Floats]:
    """Return the lines, [N, 2] in canvas units, along the edges of `tone` [height, width].

    Where pixels count more the picture is smoothed by half of `detail`.
    """
    from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude, gaussian_laplace
    from skimage import measure

    if min(tone.shape) < 2:
        return []
    weight = np.ones_like(tone) if sheet.weight is None else sheet.weight
    fine = gaussian_filter((weight > 0.5 * (1 + weight.min())).astype(float), 4)
    scales = [max(0.8, part * detail / sheet.canvas.pixel) for part in (1, 0.5)]
    second, slope = (
        [scale**power * of(tone, scale, mode="nearest") for scale in scales]
        for power, of in ((2, gaussian_laplace), (1, gaussian_gradient_magnitude))
    )
    second, slope = ((1 - fine) * pair[0] + fine * pair[1] for pair in (second, slope))
    least = strength * max(float(np.quantile(slope, 0.99)), 0.02)
    # Where all is faint, and in the focus, fainter edges count.
    around = gaussian_filter(slope, AROUND * min(tone.shape), mode="nearest")
    needed = least * (around / max(least, 1e-9)).clip(FAINT, 1) * (1 - (1 - FAINT) * fine)
    rim = max(3.0, RIM * min(tone.shape))
    shortest = 4 * detail / sheet.canvas.pixel
    lines: list[Floats] = []
    find: Any = measure.find_contours
    for contour in find(second, 0.0):
        row, column = contour.T.round().astype(int)
        inside = (np.minimum(contour, np.array(tone.shape) - 1 - contour) > rim).all(1)
        steep = gaussian_filter(slope[row, column], 3.0, mode="nearest")
        enough = steep > needed[row, column]
        steps = np.diff(np.concatenate([[0], enough & inside, [0]]).astype(int))
        for begin, end in zip(*(np.flatnonzero(steps == sign) for sign in (1, -1)), strict=True):
            # Edges far above the threshold may be short, faint ones have to be long.
            wanted = float(needed[row[begin:end], column[begin:end]].mean())
            faint = wanted / max(float(steep[begin:end].mean()), 1e-9)
            if end - begin > shortest * (0.5 + 2 * faint) * (
                1 - 0.6 * fine[row[begin], column[begin]]
            ):
                line = gaussian_filter(contour[begin:end], (2.0, 0), mode="nearest")[::3, ::-1]
                lines.append((line + 0.5) * sheet.canvas.pixel - sheet.canvas.reach)
    return [line for line in lines if len(line) > 1]


def _rows(sheet: ink.Sheet, tone: Floats, light: Floats, tubes: Floats) -> ink.Marks:
    """Short butt-to-butt pieces of rows, whose radius follows the tone."""
    x, y, pitch = sheet.grid(max(1, sheet.count // 3))
    across, down = (
        np.clip(((each + reach) / sheet.canvas.pixel).astype(int), 0, size - 1)
        for each, reach, size in zip((x, y), sheet.canvas.reach, tone.shape[::-1], strict=True)
    )
    bright = tone[down, across].ravel()
    radius = 0.46 * pitch * bright.clip(0, 1)
    hue = _likest(light[:, down, across].reshape(3, -1), tubes, light)
    u, v = x.ravel(), y.ravel()
    half = (pitch / 2 - radius).clip(0) + 0.25 * pitch * (radius > 0.25 * pitch)
    strokes = np.stack([u - half, v, u + half, v, radius, radius], 1)
    return ink.Marks(strokes[bright > 0.12], hue[bright > 0.12])


def _likest(colours: Floats, tubes: Floats, light: Floats) -> NDArray[np.int64]:
    """Return the index of the tube whose hue is nearest to each of `colours` [3, N].

    Hues are told from the mean of the picture `light`, so that a warm one has cold tubes too.
    """
    from skimage.color import rgb2lab

    mean = light.reshape(3, -1).mean(1)[None]
    near, of, middle = (rgb2lab(each.clip(0, 1))[..., 1:] for each in (colours.T, tubes, mean))
    of = of / np.maximum(np.hypot(*of.T), 1e-9)[:, None]
    found: NDArray[np.int64] = ((near - middle) @ of.T).argmax(1)
    return found


def _first(rows: ink.Marks, lines: list[ink.Marks], count: int) -> ink.Marks:
    """Return the rows and the first lines, whole, so that there are at most `count` marks."""
    total = len(rows) + np.cumsum([len(line) for line in lines])
    return ink.joined([rows, *lines[: int((total <= count).sum())]])
