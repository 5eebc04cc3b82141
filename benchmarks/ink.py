"""Ink: string art against greedy threads, and the tones of stipples and halftones.

The goal is the tone that `string` solves for with the preset `even` and `optical=false`. *Greedy*
winds on from nail to nail, each time along the chord that lowers the squared error most, as
programs for string art do. *Greedy, seen* lowers the error that ours does, that of the tone as seen
through a Gaussian. Both show the best of three widths of the thread at 4 pixels. All have the same
goal, nails and number of threads. *Relaxed* allows shares of threads, and any number of them at a
nail: what no thread is much above. Threads are drawn at 512 pixels and seen through a Gaussian of 4
or 8 pixels; the PSNR is that of the tone on the disc of the nails.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage import data
from skimage.transform import resize

from artgen import Canvas, Ink, ink
from artgen.families.ink.paint import coverage
from artgen_plugins import string
from artgen_plugins._chords import BLUR, View, relax
from artgen_plugins._chords import coverage as cross
from artgen_plugins._swaps import cheapest, toggle
from artgen_plugins.halftone import Halftone
from artgen_plugins.place import separate
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
REFRESHED = 20
"""Steps after which greedy threads compute the error anew."""

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
    canvas, rng = Canvas(SIDE, SIDE), np.random.default_rng(0)
    return ink.Sheet(amounts, canvas, count, rng, paper=PAPER)


def _seen(primitive: Ink, marks: ink.Marks, tone: Floats, blur: float) -> float:
    """The PSNR of marks against a tone [SIDE, SIDE], both blurred by pixels of the drawing."""
    drawn = coverage(primitive, primitive.pack(marks), Canvas(DRAWN, DRAWN))[0].astype(float)
    goal = np.kron(tone, np.ones((DRAWN // SIDE,) * 2))
    error = gaussian_filter(drawn, blur) - gaussian_filter(goal, blur)
    y, x = np.mgrid[-1 : 1 : DRAWN * 1j, -1 : 1 : DRAWN * 1j]
    return _decibels(error[np.hypot(x, y) < EDGE])


def _decibels(error: Any) -> float:
    return -10 * math.log10(float((error**2).mean()))


def _strings(names: tuple[str, ...], count: int, nails: int) -> Table:
    primitive, rows = string.String({"nails": nails, "optical": False}, preset="even"), []
    for name in names:
        sheet = _sheet(name, primitive, count)
        ours = primitive.place(sheet)
        width = 2 * float(ours.strokes[0, 4])
        places = primitive.find_nails(sheet.canvas)
        first, second = primitive.find_chords(places)
        matrix, cell, grid = cross(places, first, second)
        crossed = np.bincount(matrix.indices, minlength=matrix.shape[1]) > 0
        goal = primitive.tones(sheet)
        tone = crossed.reshape(grid[0].shape) * replace(sheet, amounts=goal).at(0, *grid)
        number = np.full((nails, nails), -1)
        number[first, second] = number[second, first] = np.arange(len(first))
        found = [[_seen(primitive, ours, goal[0], blur) for blur in (4, 8)]]
        for blur in (0.0, BLUR):
            tried = []
            for factor in WIDTHS:
                view = View(matrix, factor * width / cell, tone, blur=blur)
                path = _wind(view, number, len(ours))
                wound = ink.polyline(places[path], factor * width / 2)
                tried.append([_seen(primitive, wound, goal[0], seen) for seen in (4, 8)])
            found.append(max(tried))
        view = View(matrix, width / cell, tone)
        inside = np.hypot(*grid) < EDGE
        missed = 1 - view.error(relax(view, count))[3] - tone
        bounds = [_decibels(gaussian_filter(missed, BLUR * k)[inside]) for k in (1, 2)]
        gains = (found[0][k] - found[other][k] for k in (0, 1) for other in (1, 2))
        cells = [f"{pair[k]:.2f}" for k in (0, 1) for pair in (*found, bounds)]
        rows.append((name, str(len(ours)), *cells, *(f"{gain:+.2f}" for gain in gains)))
    titles = ("ours", "greedy", "greedy, seen", "relaxed")
    columns_of = [f"{title}, {blur} px" for blur in (4, 8) for title in titles]
    gains_of = [f"over {title}, {blur} px" for blur in (4, 8) for title in titles[1:3]]
    note = "dB of the tone."
    return Table(
        f"String art, {nails} nails", ("picture", "threads", *columns_of, *gains_of), rows, note
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
    columns = view.columns
    crossed = columns.indptr, columns.indices, 1 - np.exp(-columns.data)
    chosen, path = np.zeros(len(columns.indptr) - 1, np.float32), [0]
    stamp = view.stamp()
    for step in range(count):
        if step % REFRESHED == 0:
            _, slope, bend, left = view.error(chosen)
        field = left, slope, bend
        nails = np.nonzero(number[path[-1]] >= 0)[0]
        chords = number[path[-1], nails]
        best = cheapest(chords, crossed, field, chosen)
        chosen[best] = 1
        toggle(best, True, crossed, field, stamp)
        path.append(int(nails[chords == best][0]))
    return np.array(path)
