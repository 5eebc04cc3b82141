"""String art: one thread around nails, so that its crossings show the picture.

Which chords the thread takes is a sparse least-squares problem with whole numbers (Birsak et al.:
String art: towards computational fabrication of string images, 2018). Its relaxation is solved by
projected gradients, rounded, and improved by exchanging chords. A few short threads along the rim
then make all nails even, and an Eulerian circuit is the thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from artgen import Ink, InkOptions, Preset, ink, option

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SIDE = 120
"""Pixels across the picture that is solved for."""
DARKEST = 0.65
"""The share that threads cover where an ink should cover all: beyond, they hide each other."""


@dataclass(frozen=True)
class StringOptions(InkOptions):
    """Options of string art."""

    nails: int = option(280, "number of nails", low=3, high=2000)
    frame: Literal["circle", "rectangle"] = option("circle", "what the nails are on")
    width: float = option(0.0, "width in canvas units; 0: as the tone asks", low=0, high=0.1)


class String(Ink):
    """A thread of each ink around nails."""

    Options: ClassVar[type[Any]] = StringOptions
    defaults = Preset(count=5000, background="#f7f3ea")
    presets: ClassVar = {
        "night": Preset(options={"inks": "#f4ead2"}, background="#10131c"),
        "colour": Preset(options={"inks": "#00a3d7,#e6237e,#ffd800,#1d1b20"}, background="#fbf8f0"),
    }

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Solve for the chords of each ink, and order them as a thread."""
        from artgen_plugins._tours import circuit

        nails = self.find_nails(sheet)
        first, second = np.triu_indices(len(nails), 1)
        reach = np.hypot(*(nails[first] - nails[second]).T)
        matrix, cell, inside = coverage(sheet, nails, first, second)
        tones = [DARKEST * sheet.at(k, *inside.T) for k in range(len(sheet.amounts))]
        totals = np.array([-np.log1p(-tone).sum() * cell for tone in tones])
        counts = (sheet.count * totals / max(totals.sum(), 1e-12)).astype(int)
        width = self.options.width or totals.sum() / max(1, counts.sum()) / (0.8 * reach.mean())
        layers, added = [], 0
        for k, tone in enumerate(tones):
            count = int(counts[k])
            if count < 3:
                continue
            # About half of the nails have an odd number of chords; what is too long is cut off.
            free = min(count - min(len(nails) // 3, count // 2), len(reach))
            used = solve(matrix * (width / cell), tone, free)
            thread, more = circuit(first[used], second[used], len(nails), sheet.rng)
            added += more
            layers.append(ink.polyline(nails[thread[: count + 1]], width / 2, k))
        note = f"{added} of the threads lie along the rim"
        return replace(ink.joined(layers), notice=note)

    def find_nails(self, sheet: ink.Sheet) -> Floats:
        """Return the places of the nails, [N, 2]: in order around the frame, equally spaced."""
        x, y = (side - 2 * self.options.margin for side in sheet.canvas.reach)
        turn = np.arange(self.options.nails) / self.options.nails
        if self.options.frame == "circle":
            circle: Floats = np.exp(2j * np.pi * turn)[:, None].view(np.float64)
            circle *= min(x, y)
            return circle
        corners = np.array([[-x, -y], [x, -y], [x, y], [-x, y], [-x, -y]])
        along = np.concatenate([[0.0], np.hypot(*np.diff(corners, axis=0).T).cumsum()])
        return np.stack([np.interp(turn * along[-1], along, axis) for axis in corners.T], 1)


def coverage(sheet: ink.Sheet, nails: Floats, first: Ints, second: Ints) -> tuple[Any, float, Any]:
    """Return the length of each chord in each pixel [pixels, chords], their area and middles."""
    from scipy.sparse import csr_matrix

    low, high = nails.min(0), nails.max(0)
    pixel = float((high - low).min()) / SIDE
    columns, rows = np.ceil((high - low) / pixel).astype(int)
    share = (np.arange(2 * max(columns, rows)) + 0.5) / (2 * max(columns, rows))
    along = nails[second] - nails[first]
    places = nails[first][:, None] + along[:, None] * share[:, None] - low
    column, row = np.moveaxis((places / pixel).astype(np.int32), 2, 0)
    place = row.clip(0, rows - 1) * columns + column.clip(0, columns - 1)
    length = np.repeat(np.hypot(*along.T) / len(share), len(share)).astype(np.float32)
    chord = np.repeat(np.arange(len(first), dtype=np.int32), len(share))
    matrix = csr_matrix((length, (place.ravel(), chord)), (rows * columns, len(first)))
    seen = np.nonzero(np.diff(matrix.indptr))[0]
    middles = low + pixel * (np.stack([seen % columns, seen // columns], 1) + 0.5)
    return matrix[seen], pixel * pixel, middles


def weighed(matrix: Any, tone: Floats) -> tuple[Any, Any]:
    """Return the problem of least squares: chords [chords, pixels] and what they are to sum to.

    Threads that cover a share d of a pixel in total, at random, leave e^-d of the paper. So d is
    fitted to -ln(1 - tone), and the error counts as much as it changes the tone.
    """
    weight = (1 - tone).astype(np.float32)
    wanted = weight * -np.log1p(-tone).astype(np.float32)
    return matrix.multiply(weight[:, None]).T.tocsr(), wanted


def solve(matrix: Any, tone: Floats, count: int) -> Ints:
    """Return the indices of the `count` chords that come closest to a tone [pixels]."""
    columns, wanted = weighed(matrix, tone)
    scaled = columns.T.tocsr()
    squares = np.asarray(columns.multiply(columns).sum(1)).ravel()
    probe = np.ones(scaled.shape[1], np.float32)
    for _ in range(20):
        probe = columns @ (scaled @ (probe / np.linalg.norm(probe)))
    step = 1 / float(np.linalg.norm(probe))
    x = np.full(len(probe), count / len(probe), np.float32)
    ahead, momentum = x, 1.0
    for _ in range(150):  # FISTA, Beck and Teboulle 2009
        moved = capped(ahead - step * (columns @ (scaled @ ahead - wanted)), count)
        following = (1 + (1 + 4 * momentum * momentum) ** 0.5) / 2
        ahead = moved + (momentum - 1) / following * (moved - x)
        x, momentum = moved, following
    chosen = np.zeros(len(x), bool)
    chosen[np.argsort(-x, kind="stable")[:count]] = True
    residual, pairs = scaled @ chosen.astype(np.float32) - wanted, max(1, count // 20)
    while pairs:
        slope = columns @ residual
        gain = np.where(chosen, slope, -slope) - squares / 2
        out = np.argsort(np.where(chosen, -gain, np.inf), kind="stable")[:pairs]
        new = np.argsort(np.where(chosen, np.inf, -gain), kind="stable")[:pairs]
        trial = chosen.copy()
        trial[out], trial[new] = False, True
        found = scaled @ trial.astype(np.float32) - wanted
        if trial.sum() == count and found @ found < residual @ residual * (1 - 1e-6):
            chosen, residual = trial, found
        else:
            pairs //= 2
    return np.nonzero(chosen)[0]


def capped(x: Any, total: int) -> Any:
    """Project on the vectors from 0 to 1 with this sum, by bisection of their offset."""
    low, high = float(x.min()) - 1, float(x.max())
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if (x - middle).clip(0, 1).sum() > total else (low, middle)
    return (x - high).clip(0, 1)
