"""String art: one thread around nails, so that its crossings show the picture.

Which chords the thread takes is a sparse least-squares problem with whole numbers (Birsak et al.:
String art: towards computational fabrication of string images, 2018), here of the tone as seen from
afar. Its relaxation is solved by projected gradients, rounded at random, and improved by exchanging
chords. A few short threads along the rim then make all nails even, and an Eulerian circuit is the
thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from artgen import Ink, InkOptions, Preset, ink, option

Floats = NDArray[np.float64]

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
        from artgen_plugins._chords import View, coverage, solve
        from artgen_plugins._tours import circuit

        nails = self.find_nails(sheet)
        first, second = np.triu_indices(len(nails), 1)
        reach = np.hypot(*(nails[first] - nails[second]).T)
        matrix, cell, grid = coverage(sheet, nails, first, second)
        crossed = (np.diff(matrix.indptr) > 0).reshape(grid[0].shape)
        tones = [DARKEST * crossed * sheet.at(k, *grid) for k in range(len(sheet.amounts))]
        totals = np.array([-np.log1p(-tone).sum() * cell for tone in tones])
        counts = (sheet.count * totals / max(totals.sum(), 1e-12)).astype(int)
        width = self.options.width or totals.sum() / max(1, counts.sum()) / reach.mean()
        layers, added = [], 0
        for k, tone in enumerate(tones):
            count = int(counts[k])
            if count < 3:
                continue
            # About half of the nails have an odd number of chords; what is too long is cut off.
            free = min(count - min(len(nails) // 3, count // 2), len(reach))
            used = solve(View(matrix * (width / cell), tone), free, sheet.rng)
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
