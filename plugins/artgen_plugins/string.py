"""String art: one thread around nails, so that its crossings show the picture.

Which chords the thread takes is a sparse least-squares problem with whole numbers (Birsak et al.:
String art: towards computational fabrication of string images, 2018), here of the lightness as seen
from afar: threads and board mix as light does, and in the dark the eye sees smaller differences.
Its relaxation is solved by projected gradients, rounded at random, and improved by taking chords
out, one by one, for better ones. A few short threads along the rim then make all nails even, and an
Eulerian circuit is the thread.

Threads of several inks are as uneven as each other: the darkest, keyed, is threaded last and makes
up for the light that the others leave, as the black of a print does, so that faces stay.

Threads only darken, and those of the dark places cross the light ones. A tone with a veil, darker
in its lightest places where there is more to darken, has less contrast and more shades.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas, Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen.targets import LUMA, srgb_to_linear
from artgen_plugins._presets import read_presets

Floats = NDArray[np.float64]

CONVEX = ("circle", "ellipse", "rectangle")
"""Frames that are named; all of their chords stay inside."""
GOLDEN, UNEVEN = 0.618034, 0.5
"""Nails are moved by shares of their distance: between even ones, threads would leave moiré."""
SCATTERED, DRIFT = 0.3, 0.2
"""How far scattered nails are moved; how much their distance grows and falls on the way around."""
BRISK = (60, 30)
"""Steps and rounds of the search for several threads: each hides what others leave uneven."""
SOLID = 0.9
"""The most that counts of a tone for the width of a thread that is as wide as tones ask."""
FADES = 0.5
"""Where tones begin to fade, in ways from the middle to the nails."""
EDGE = 0.02
"""Standard deviation of the Gaussian whose difference is an edge, in shorter sides."""
SAME = 0.02
"""A thread whose light differs less from that of the board shows no lightness."""


@dataclass(frozen=True)
class StringOptions(InkOptions):
    """Options of string art."""

    nails: int = option(280, "number of nails", low=3, high=2000)
    frame: str = option(
        "circle",
        "outline of the nails: circle, ellipse, rectangle, SVG path data, or an SVG or picture",
    )
    width: float = option(
        0.0,
        "width in canvas units, in which no more lines are drawn than tones ask; 0: as tones ask",
        low=0,
        high=0.1,
    )
    darkest: float = option(
        0.98, "share that threads cover where an ink should cover all", low=0.1, high=0.98
    )
    veil: float = option(
        0.0, "what they cover where it should cover nothing, in mean tones", low=0, high=1
    )
    fade: float = option(
        0.0, "how much tones fade towards the nails: a subject stands free", low=0, high=1
    )
    contrast: float = option(
        0.3, "how much of the local contrast is equalised before inks are chosen", low=0, high=1
    )
    optical: bool = option(
        True, "threads mix with the board as light does; if false as sRGB values, which is paler"
    )
    detail: int = option(
        121, "pixels across the picture that threads are chosen by", low=32, high=400
    )
    crisp: float = option(0.0, "how much stronger edges are", low=0, high=10)
    keyed: bool = option(
        False, "the darkest of several inks makes up for the light that threads of the others leave"
    )
    scattered: bool = option(
        False, "nails at irregular distances: straight rows that face each other leave no gaps"
    )


class String(Ink):
    """A thread of each ink around nails."""

    Options: ClassVar[type[Any]] = StringOptions
    defaults = Preset(count=4000, background="#f7f3ea")
    presets = read_presets("string")

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Solve for the chords of each ink, and order them as a thread."""
        from artgen_plugins._chords import SIDE, View, coverage, solve
        from artgen_plugins._tours import circuit

        nails = self.find_nails(sheet.canvas)
        first, second = self.find_chords(nails)
        reach = np.hypot(*(nails[first] - nails[second]).T)
        matrix, cell, grid = coverage(nails, first, second, self.options.detail)
        crossed = np.bincount(matrix.indices, minlength=matrix.shape[1]) > 0
        crossed = crossed.reshape(grid[0].shape)
        goal = replace(sheet, amounts=self.tones(sheet))
        inside = crossed * self.kept(nails, *grid)
        tones = [inside * goal.at(k, *grid) for k in range(len(self.inks))]
        totals = np.array([-np.log1p(-tone.clip(0, SOLID)).sum() * cell for tone in tones])
        counts = sheet.counts(totals)
        width = self.options.width or totals.sum() / max(1, sum(counts)) / reach.mean()
        if self.options.width:
            asked = np.ceil(totals / reach.mean() / width).astype(int).tolist()
            counts = [min(pair) for pair in zip(counts, asked, strict=True)]
        brisk = BRISK if self.options.detail > SIDE and len(self.inks) > 1 else ()
        layers, added, laid = [], 0, np.zeros((len(tones), *crossed.shape))
        keyed = self.options.keyed and self.options.optical
        key = int(np.argmin(LUMA @ self.inks.T)) if keyed else -1
        for k in sorted(range(len(tones)), key=lambda each: each == key):
            tone, count = tones[k], counts[k]
            if count < 3:
                continue
            # About half of the nails have an odd number of chords; what is too long is cut off.
            free = min(count - min(len(nails) // 3, count // 2), len(reach))
            light, hurry = None, brisk
            if k == key:
                (tone, light), hurry = self.rest(sheet, k, tones, laid), ()
            elif self.options.optical:
                light = self.lights(sheet.paper, self.inks[k])
            weight = sheet.weight_at(*grid)
            view = View(matrix, width / cell, tone, weight, light=light)
            used = solve(view, free, sheet.rng, *hurry)
            if keyed:
                laid[k] = 1 - view.left(np.bincount(used, minlength=len(reach)).astype(np.float32))
            thread, more = circuit(first[used], second[used], len(nails), sheet.rng)
            added += more
            layers.append(ink.polyline(nails[thread[: count + 1]], width / 2, k))
        note = f"{added} of the threads lie along the rim"
        few = "there is no thread: no ink gets three chords, the fewest of one"
        return replace(ink.joined(layers), notice=note if layers else few)

    def kept(self, nails: Floats, x: Floats, y: Floats) -> Floats:
        """Return the share of the tone that is kept at points: all in the middle of the nails."""
        from scipy.spatial import cKDTree

        away = cKDTree(nails).query(np.stack([x, y], -1))[0]
        near = (1 - away / away.max() - FADES) / (1 - FADES)
        near = near.clip(0, 1)
        return np.asarray(1 - self.options.fade * near * near * (3 - 2 * near))

    def lights(self, *colours: Any) -> tuple[float, float] | None:
        """Return the luminance of the board and of a thread; None where they are the same."""
        board, thread = (float(LUMA @ srgb_to_linear(np.array(each))) for each in colours)
        return (board, thread) if abs(board - thread) > SAME else None

    def rest(self, sheet: ink.Sheet, key: int, tones: Any, laid: Floats) -> tuple[Floats, Any]:
        """Return the tone that an ink shall have, and the luminance without it and where it is all.

        With what the others cover, `laid`, that is as light as the `tones` of all.
        """
        from scipy.ndimage import gaussian_filter

        paper, inks = (srgb_to_linear(np.array(each)) for each in (sheet.paper, self.inks))
        own = np.reshape(np.arange(len(inks)) == key, (-1, 1, 1))
        wanted, board, thread = (
            LUMA @ ink.mix(each, inks, paper, self.options.overprint).swapaxes(0, 1)
            for each in (np.array(tones), np.where(own, 0, laid), np.where(own, 1, laid))
        )
        # As it is seen from afar, not thread by thread.
        board, thread = (
            gaussian_filter(each, 1, mode="nearest").astype(np.float32) for each in (board, thread)
        )
        tone = (board - wanted) / np.maximum(board - thread, SAME)
        return tone.clip(0, self.options.darkest), (board, thread)

    def tones(self, sheet: ink.Sheet) -> Floats:
        """Return the share of each pixel that threads shall cover, [inks, height, width]."""
        amounts = sheet.amounts
        if self.options.crisp:
            from scipy.ndimage import gaussian_filter

            wide = EDGE * min(amounts.shape[1:])
            soft = gaussian_filter(amounts, (0, wide, wide), mode="nearest")
            amounts = (amounts + self.options.crisp * (amounts - soft)).clip(0, 1)
        veil = self.options.veil * amounts.mean((1, 2), keepdims=True)
        return np.asarray(self.options.darkest * (veil + (1 - veil) * amounts))

    def resolve_options(self, canvas: Canvas) -> None:
        """Replace the name of a file by its outline, so that a drawing needs no file."""
        from artgen_plugins._outlines import read_outline

        if self.options.frame not in CONVEX:
            self.options = replace(self.options, frame=read_outline(self.options.frame))

    def find_nails(self, canvas: Canvas) -> Floats:
        """Return the places of the nails, [N, 2]: in order around the frame, nearly even."""
        from artgen_plugins._outlines import largest

        # What repeats has no border.
        half = np.array(canvas.reach) - 2 * self.options.margin * (self.group is None)
        if self.options.frame in ("circle", "ellipse"):
            ring = np.exp(2j * np.pi * np.arange(720) / 720)[:, None].view(np.float64)
            ring = ring * (half if self.options.frame == "ellipse" else min(half))
        elif self.options.frame == "rectangle":
            ring = half * [[-1, -1], [1, -1], [1, 1], [-1, 1]]
        else:
            ring = largest([self.options.frame], "frame")
            size = np.ptp(ring, 0)
            ring = (ring - ring.min(0) - size / 2) * (2 * half / size).min()
        ring = np.append(ring, ring[:1], 0)
        along = np.concatenate([[0.0], np.hypot(*np.diff(ring, axis=0).T).cumsum()])
        number = np.arange(self.options.nails)
        # The sum of two golden shares depends on that of their numbers, which is alike for nails
        # that face each other: all their threads meet in few places. That of squares does not.
        power, far = (2, SCATTERED) if self.options.scattered else (1, UNEVEN)
        moved = far * (number**power * GOLDEN % 1 - 0.5)
        places = along[-1] * (number + 0.25 + moved) / self.options.nails
        if self.options.scattered:
            # Rows that face each other have other distances: their middles are no row of points.
            turn = 2 * np.pi / along[-1]
            places += DRIFT * np.sin(turn * places) / turn
        return np.stack([np.interp(places, along, axis) for axis in ring.T], 1)

    def find_chords(self, nails: Floats) -> tuple[Any, Any]:
        """Return the nails at both ends of the chords that stay inside of the frame."""
        first, second = np.triu_indices(len(nails), 1)
        if self.options.frame in CONVEX:
            return first, second
        from matplotlib.path import Path

        # Chords of neighbours lie along the outline.
        inside = ((second - first) % (len(nails) - 1)) <= 1
        inside |= np.all(
            [
                Path(nails).contains_points(nails[first] + t * (nails[second] - nails[first]))
                for t in np.linspace(0.02, 0.98, 25)
            ],
            axis=0,
        )
        return first[inside], second[inside]
