"""Ink: string art against greedy threads, and the tones of stipples and halftones.

*Greedy* winds on from nail to nail: each time along the chord that lowers the same squared error
most, as programs for string art do. *Greedy, free* adds the best chord anywhere, then exchanges the
worst for the best while that helps, and is made one thread as ours is. All have the same nails,
width and number of threads. They are drawn at 512 pixels and seen through a Gaussian of 4 or 8
pixels; the PSNR is that of the tone on the disc of the nails.
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
from artgen_plugins._tours import circuit
from artgen_plugins.halftone import Halftone
from artgen_plugins.stipple import Stipple
from benchmarks._report import Table, figure
from benchmarks._settings import Settings

PICTURES = ("astronaut", "cat", "camera", "coffee", "rocket")
PAPER = (0.97, 0.95, 0.91)
SIDE, DRAWN = 256, 512
EDGE = 0.9
"""The part of the radius of the disc on which tones are compared."""

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


def _seen(primitive: Ink, marks: ink.Marks, tone: Floats, blur: float) -> str:
    """The PSNR of marks against a tone [SIDE, SIDE], both blurred by pixels of the drawing."""
    drawn = coverage(primitive, primitive.pack(marks), Canvas(DRAWN, DRAWN))[0].astype(float)
    goal = np.kron(tone, np.ones((DRAWN // SIDE,) * 2))
    error = gaussian_filter(drawn, blur) - gaussian_filter(goal, blur)
    y, x = np.mgrid[-1 : 1 : DRAWN * 1j, -1 : 1 : DRAWN * 1j]
    return f"{-10 * math.log10(float((error[np.hypot(x, y) < EDGE] ** 2).mean())):.2f}"


def _strings(names: tuple[str, ...], count: int, nails: int) -> Table:
    primitive, rows = string.String({"nails": nails}), []
    for name in names:
        sheet = _sheet(name, primitive, count)
        ours = primitive.place(sheet)
        width = 2 * float(ours.strokes[0, 4])
        places = primitive.find_nails(sheet)
        first, second = np.triu_indices(nails, 1)
        matrix, cell, inside = string.coverage(sheet, places, first, second)
        tone = string.DARKEST * sheet.at(0, *inside.T)
        columns, wanted = string.weighed(matrix * (width / cell), tone)
        arrays = (columns.indptr, columns.indices, columns.data, wanted.astype(np.float32))
        number = np.full((nails, nails), -1)
        number[first, second] = number[second, first] = np.arange(len(first))
        wound = _wind(*arrays, number, len(ours))
        free = np.nonzero(_choose(*arrays, len(ours) - int(ours.notice.split()[0])))[0]
        thread = circuit(first[free], second[free], nails, np.random.default_rng(0))[0]
        kinds = (ours, *(ink.polyline(places[path], width / 2) for path in (wound, thread)))
        goal = string.DARKEST * sheet.amounts[0]
        seen = [_seen(primitive, marks, goal, blur) for blur in (4, 8) for marks in kinds]
        rows.append((name, str(len(ours)), ours.notice.split()[0], *seen))
    titles = ("ours", "greedy", "greedy, free")
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


@nb.njit(cache=True)
def _change(starts: Any, pixels: Any, shares: Any, residual: Any, j: int) -> Any:
    """The change of half the squared error by chord j, and by its removal."""
    slope = square = 0.0
    for p in range(starts[j], starts[j + 1]):
        slope += shares[p] * residual[pixels[p]]
        square += shares[p] * shares[p]
    return slope + square / 2, -slope + square / 2


@nb.njit(cache=True)
def _wind(starts: Any, pixels: Any, shares: Any, wanted: Any, number: Any, count: int) -> Any:
    """The nails of a greedy thread that takes no chord twice."""
    residual, used = -wanted, np.zeros(len(starts) - 1, np.bool_)
    path = np.zeros(count + 1, np.int64)
    for step in range(count):
        best, chord = np.inf, -1
        for nail in range(len(number)):
            j = number[path[step], nail]
            if j >= 0 and not used[j]:
                change = _change(starts, pixels, shares, residual, j)[0]
                if change < best:
                    best, chord, path[step + 1] = change, j, nail
        used[chord] = True
        for p in range(starts[chord], starts[chord + 1]):
            residual[pixels[p]] += shares[p]
    return path


@nb.njit(cache=True)
def _choose(starts: Any, pixels: Any, shares: Any, wanted: Any, count: int) -> Any:
    """Chords that are added one by one, the best anywhere; then exchanges while they help."""
    residual, used = -wanted, np.zeros(len(starts) - 1, np.bool_)
    total, exchanges, taken = 0, 0, np.inf
    while total < count or exchanges < count // 4:
        removes = total == count
        best, chord = np.inf, -1
        for j in range(len(used)):
            if used[j] == removes:
                change = _change(starts, pixels, shares, residual, j)[1 if removes else 0]
                if change < best:
                    best, chord = change, j
        sign = np.float32(-1 if removes else 1)
        used[chord], total = not removes, total + int(sign)
        for p in range(starts[chord], starts[chord + 1]):
            residual[pixels[p]] += sign * shares[p]
        if removes:
            exchanges, taken = exchanges + 1, best
        elif exchanges and best + taken > -1e-6:
            break
    return used
