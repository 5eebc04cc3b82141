"""Ink: string art against greedy threads, and the tones of stipples and halftones.

*Greedy* winds on from nail to nail, each time along the chord that lowers the squared error of the
tone most, as programs for string art do. *Greedy, seen* lowers the error that ours does, that of
the tone as seen through a Gaussian. Both are made with three widths of the thread, and the best at
4 pixels is shown. All have the same goal, nails and number of threads. They are drawn at 512 pixels
and seen through a Gaussian of 4 or 8 pixels; the PSNR is that of the tone on the disc of the nails.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numba as nb
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage import data
from skimage.transform import resize

from artgen import Canvas, Ink, ink
from artgen.raster.inks import coverage, separate
from artgen_plugins import string
from artgen_plugins._chords import BLUR, View
from artgen_plugins._chords import coverage as cross
from artgen_plugins.halftone import Halftone
from artgen_plugins.stipple import Stipple
from benchmarks._report import Table, figure
from benchmarks._settings import Settings

PICTURES = ("astronaut", "cat", "camera", "coffee", "rocket")
PAPER = (0.97, 0.95, 0.91)
SIDE, DRAWN = 256, 512
EDGE = 0.9
"""The part of the radius of the disc on which tones are compared."""
WIDTHS = (0.85, 1.0, 1.25)
"""Widths of greedy threads, as multiples of ours."""

Floats = NDArray[np.float64]


def run(settings: Settings) -> Iterator[Table]:
    names = PICTURES[:1] if settings.quick else PICTURES
    count, nails = (300, 60) if settings.quick else (4000, 240)
    yield _strings(names, count, nails)
    yield _tones(names, 500 if settings.quick else 9000)


def _sheet(name: str, primitive: Ink, count: int) -> ink.Sheet:
    """The middle of a picture, as amounts of one ink."""
    picture = getattr(data, "chelsea" if name == "cat" else name)()
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    square = picture[top : top + side, left : left + side] / 255
    square = np.dstack([square] * 3) if square.ndim == 2 else square
    small = resize(square, (SIDE, SIDE), anti_aliasing=True)
    amounts = separate(torch.from_numpy(small).permute(2, 0, 1), primitive, PAPER)
    return ink.Sheet(amounts, Canvas(SIDE, SIDE), count, np.random.default_rng(0))


def _seen(primitive: Ink, marks: ink.Marks, tone: Floats, blur: float) -> float:
    """The PSNR of marks against a tone [SIDE, SIDE], both blurred by pixels of the drawing."""
    drawn = coverage(primitive, primitive.pack(marks), Canvas(DRAWN, DRAWN))[0].astype(float)
    goal = np.kron(tone, np.ones((DRAWN // SIDE,) * 2))
    error = gaussian_filter(drawn, blur) - gaussian_filter(goal, blur)
    y, x = np.mgrid[-1 : 1 : DRAWN * 1j, -1 : 1 : DRAWN * 1j]
    return -10 * math.log10(float((error[np.hypot(x, y) < EDGE] ** 2).mean()))


def _strings(names: tuple[str, ...], count: int, nails: int) -> Table:
    primitive, rows = string.String({"nails": nails}), []
    for name in names:
        sheet = _sheet(name, primitive, count)
        ours = primitive.place(sheet)
        width = 2 * float(ours.strokes[0, 4])
        places = primitive.find_nails(sheet)
        first, second = np.triu_indices(nails, 1)
        matrix, cell, grid = cross(sheet, places, first, second)
        crossed = (np.diff(matrix.indptr) > 0).reshape(grid[0].shape)
        tone = string.DARKEST * crossed * sheet.at(0, *grid)
        number = np.full((nails, nails), -1)
        number[first, second] = number[second, first] = np.arange(len(first))
        goal = string.DARKEST * sheet.amounts[0]
        found = [[_seen(primitive, ours, goal, blur) for blur in (4, 8)]]
        for blur in (0.0, BLUR):
            tried = []
            for factor in WIDTHS:
                path = _wind(View(matrix * (factor * width / cell), tone, blur), number, len(ours))
                wound = ink.polyline(places[path], factor * width / 2)
                tried.append([_seen(primitive, wound, goal, seen) for seen in (4, 8)])
            found.append(max(tried))
        cells = (f"{pair[k]:.2f}" for k in (0, 1) for pair in found)
        rows.append((name, str(len(ours)), ours.notice.split()[0], *cells))
    titles = ("ours", "greedy", "greedy, seen")
    columns_of = [f"{title}, {blur} px" for blur in (4, 8) for title in titles]
    note = "dB of the tone. *Added* threads lie along the rim, so that all are one."
    return Table(
        f"String art, {nails} nails", ("picture", "threads", "added", *columns_of), rows, note
    )


def _tones(names: tuple[str, ...], count: int) -> Table:
    rows = []
    kinds: dict[str, Ink] = {"stipple": Stipple()}
    kinds |= {f"halftone, {s}": Halftone({"shape": s}) for s in ("round", "line", "diamond")}
    for label, primitive in kinds.items():
        errors, far = [], []
        for name in names:
            sheet = _sheet(name, primitive, count)
            marks = primitive.place(sheet)
            drawn = coverage(primitive, primitive.pack(marks), Canvas(DRAWN, DRAWN))[0]
            gap = drawn.astype(float) - np.kron(sheet.amounts[0], np.ones((DRAWN // SIDE,) * 2))
            errors.append(float(gap.mean()))
            far.append(float(np.abs(gaussian_filter(gap, 8)).mean()))
        worst = max(errors, key=abs)
        rows.append((label, figure(float(np.mean(errors))), figure(worst), figure(np.mean(far))))
    columns = ("", "mean error of the tone", "largest of a picture", "mean, seen through 8 px")
    note = "Tones are shares of the paper, 0 to 1; the first two columns are signed."
    return Table(f"Tone of {count:,} dots or cells, {len(names)} pictures", columns, rows, note)


def _wind(view: View, number: Any, count: int) -> Any:
    """Return the nails of a greedy thread that takes no chord twice."""
    chords, path = np.zeros(len(view.columns.indptr) - 1, np.float32), [0]
    arrays = (view.columns.indptr, view.columns.indices, view.columns.data, view.squares.data)
    for _ in range(count):
        _, slope, left = view.error(chords)
        chord, nail = _best(*arrays, slope, left * left, number[path[-1]], chords)
        chords[chord] = 1
        path.append(nail)
    return np.array(path)


@nb.njit(cache=True)
def _best(
    starts: Any, pixels: Any, shares: Any, squares: Any, slope: Any, bend: Any, row: Any, used: Any
) -> Any:
    """Return the unused chord of a row of chords that lowers the error most, and its end."""
    best, chord, end = np.inf, -1, -1
    for nail in range(len(row)):
        j = row[nail]
        if j < 0 or used[j] > 0:
            continue
        change = 0.0
        for p in range(starts[j], starts[j + 1]):
            change += shares[p] * slope[pixels[p]] + squares[p] * bend[pixels[p]] / 2
        if change < best:
            best, chord, end = change, j, nail
    return chord, end
