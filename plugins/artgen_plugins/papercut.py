"""Pieces of coloured paper, one over another, each with a shadow on what is below.

The picture is cut along the edges of the things that it shows: its details are left out, its few
most frequent colours are found, and each takes the paper most like it of those in the shop. Sheets
lie in the order of their lightness, and each goes on below those in front of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas, Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen_plugins._contours import focused
from artgen_plugins._flow import marked
from artgen_plugins.hatch import abstracted, blurred, filled, spacing, tooth, without_specks
from artgen_plugins.regions import Floats, lab_of, means, seen_of
from artgen_plugins.wash import APART, OFF, Covers, spread, within

PAPERS = (
    "#fbf4e4,#f3e0bd,#e9dcd0,#d9d6cc,#b3bcc0,#7f8a93,#55565a,#2f2c3a,#1c1828,"
    "#f7d9c4,#edb795,#d98e6c,#b5654a,#7f4436,#4d2a2b,#e0b48f,#b88a66,#7a583f,"
    "#f9d7d3,#ef9a97,#dc5350,#b32b3a,#791f35,#f3b13c,#e5842c,#c9591f,#f5dc7c,"
    "#d5dca0,#a3b25c,#6d8a44,#41642f,#274230,#b7d3bd,#74a88b,#37745f,"
    "#cfe4ea,#95c3d6,#569bc0,#2c6a9c,#1f4274,#1b2a4a,#c9c4e0,#8f80b5,#574a86"
)
"""The papers of the shop."""
LIKE = (1.3, 1.0, 1.0)
"""How much lightness, and the two differences of hue, count where a paper is chosen."""
VIVID, LIGHTER = 1.45, (14.0, 62.0)
"""How much more chroma paper has than what it shows; by how much, and up to where, a dark median is
lighter."""
SMALLEST, SIMPLE = 0.007, 0.4
"""The least width of what is cut, in shorter sides; how much detail is left out."""
ROUNDS, SAMPLES = 12, 20000
"""Rounds in which the colours are found, and the most pixels that they are found from."""
AMBIENT, CAST, FIBRES = 0.2, 0.5, 0.05
"""How dark a sheet makes what is next to it, what lies in its shadow, and the fibres of paper."""
NEAR, FAR, MOST = 0.005, 0.008, 2.5
"""How far shadows are spread, and cast by each sheet that lies higher, in canvas units; the most
sheets that a shadow tells."""
CLEAR, DARKER, COLOURED = 1.2, 22.0, 40.0
"""How clear marks of a face are that are cut; how much darker than they are, in gray, and the
chroma from which on they are not."""
STEPS = 6
"""Places along the way to the light at which a shadow is looked for."""


@dataclass(frozen=True)
class PapercutOptions(InkOptions):
    """Options of `papercut`."""

    inks: str = option(
        "", "colours of the sheets, at most 16, separated by commas; none: of the papers of a shop"
    )
    margin: float = option(
        0.02, "width of the frame, as a share of the shorter side", low=0, high=0.4
    )
    overprint: bool = option(False, "inks multiply what is below them; sheets cover it")
    front: Literal["dark", "light"] = option("dark", "what is in front")
    sheets: int = option(11, "number of sheets where no inks are given", low=1, high=40)
    depth: float = option(
        1.0, "how far sheets lie from one another, which makes shadows", low=0, high=4
    )


class Papercut(Ink):
    """Sheets of paper, from the one at the back to the one in front."""

    Options: ClassVar[type[Any]] = PapercutOptions
    separation = "tone"
    known_deviations: ClassVar[Mapping[str, str]] = {
        "marks": "paper covers all; the tone decides which paper, not how much is covered"
    }
    defaults = Preset(count=80000, background="#fbf1dc")
    palettes: ClassVar[bool] = False
    """None: shadows lie on the sheets."""

    def take_options(self) -> None:
        """Order the papers, and add an ink for shadows. Raises UsageError."""
        if self.options.inks:
            super().take_options()
        else:
            levels = bytes.fromhex(PAPERS.replace("#", "").replace(",", ""))
            self.inks = np.frombuffer(levels, np.uint8).reshape(-1, 3) / 255
        order = np.argsort(self.inks @ [0.3, 0.6, 0.1], kind="stable")
        sheets = self.inks[order[::-1] if self.options.front == "dark" else order]
        self.inks = np.concatenate([sheets, 0.25 * sheets.mean(0)[None]])

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Cut the sheets, the one at the back first."""
        from scipy.ndimage import label

        o, seen = self.options, seen_of(sheet, 1 - sheet.amounts.mean(0))
        unit = 1 / sheet.canvas.pixel
        pitch = spacing(sheet.weight, seen.shape[1:], 1.0)
        fine = np.maximum(pitch * SMALLEST * unit, 1.0)
        lab = lab_of(np.stack([abstracted(each, pitch, SIMPLE) for each in seen]))
        colours = frequent(lab, sheet.weight, o.sheets if not o.inks else len(self.inks) - 1)
        x, y = sheet.canvas.pixel_centres()
        far = np.minimum(sheet.canvas.reach[0] - abs(x), sheet.canvas.reach[1] - abs(y)[:, None])
        frame = far < o.margin * 2 * min(sheet.canvas.reach) * (self.group is None)
        front = len(self.inks) - 2
        nearest = np.argmin([((lab - each) ** 2).sum(2) for each in colours], 0)
        paper = self._papers(lab, colours)[nearest]
        papers = np.unique(paper)
        # Eyes, brows and lips are pieces of their own, darker so that they are seen.
        fair = lab_of(seen)
        dark = marked(fair[..., 0], focused(sheet.weight, paper.shape)) > CLEAR
        marks = label(without_specks(dark, 1.6 * fine) & ~frame)[0]
        darker = means(fair, marks)
        darker[:, 0] -= DARKER * (1 - np.hypot(*darker[:, 1:].T) / COLOURED).clip(0)
        small = np.where(marks > 0, self._papers(lab, darker)[marks], -1)

        def drawn(coarser: float) -> ink.Marks:
            # Each place takes the paper of most around it. The mean of their colours would be that
            # of a third paper along an edge.
            shares = [blurred(np.where(paper == k, 1.0, 0.0), fine, 0.7 * coarser) for k in papers]
            top = papers[np.argmax(shares, 0)]
            top[frame] = front
            layers: list[ink.Marks] = []
            whole, top = top, np.where(small < 0, top, small)
            for k in np.unique(top).tolist():
                there = without_specks(whole >= k, 1.6 * coarser * fine)
                there = np.where(small < 0, there, top >= k)
                # A piece of which nothing is seen is not cut: all of it lies below those in front.
                pieces = label(there)[0]
                there &= np.isin(pieces, pieces[top == k])
                field = blurred(np.where(there, 1.0, 0.0), fine, 0.3 * coarser)
                field = np.where(frame, 1.0, field) if layers else np.ones(top.shape)
                layers.append(filled(sheet, field, 0.5, APART * coarser, k, OFF))
            return ink.joined(layers)

        return within(sheet, drawn)

    def settled(self, cover: Covers, canvas: Canvas) -> Covers:
        """Cast the shadows of sheets that lie higher, and show the fibres of the paper."""
        from scipy.ndimage import shift

        # Papers that are not used take no room.
        deep, height = self.options.depth, cover[:-1].sum(0)
        shadow = np.zeros_like(height)
        if deep:
            way = deep * FAR * MOST / canvas.pixel
            for share in np.arange(1, STEPS + 1) / STEPS:
                higher = shift(height, (share * way, 0.6 * share * way), order=1, mode="nearest")
                # What is higher by one sheet casts a shadow a third as far as by three.
                above = higher - height
                shadow = np.maximum(shadow, np.minimum(above, above - MOST * share + 1).clip(0, 1))
            shadow = CAST * spread(shadow, deep * 0.4 * NEAR / canvas.pixel)
            above = (spread(height, deep * NEAR / canvas.pixel) - height).clip(0, 1)
            shadow = np.maximum(shadow, AMBIENT * above)
        cover[-1] = 1 - (1 - shadow) * (1 - FIBRES * tooth(canvas))
        return cover

    def _papers(self, lab: Floats, colours: Floats) -> NDArray[np.int64]:
        """Return the paper of each of Lab colours [N, 3] of a picture [height, width, 3]."""
        papers, wanted = lab_of(self.inks[:-1].T), colours * [1, VIVID, VIVID]
        low, middle, high = np.percentile(lab[..., 0], [2, 50, 98])
        if high - low > 15:
            # The darkest takes the darkest paper, the lightest the lightest.
            most, top = LIGHTER
            lifted = max(middle, min(middle + most, top))
            span = papers[:, 0].min(), lifted, papers[:, 0].max()
            wanted[:, 0] = np.interp(wanted[:, 0], [low, middle, high], span)
        apart = (wanted[:, None] - papers) * LIKE
        return np.asarray((apart**2).sum(2).argmin(1))


def frequent(lab: Floats, weight: Floats | None, count: int) -> Floats:
    """Return at most `count` colours, [N, 3], that are nearest to a picture [height, width, 3].

    K-means (Lloyd 1982) of pixels at even distances. It begins with the mean, then again and again
    with the pixel that is farthest from all so far, of a hundredth of the picture at least.
    """
    step = max(1, int(np.sqrt(lab[..., 0].size / SAMPLES)))
    pixels = lab[::step, ::step].reshape(-1, 3)
    share = np.ones(len(pixels)) if weight is None else weight[::step, ::step].ravel()
    if not share.any():  # all that counts lies between
        share = np.ones(len(pixels))
    found = np.average(pixels, 0, share)[None]
    while len(found) < count:
        far = ((pixels[:, None] - found) ** 2).sum(2).min(1)
        least = np.quantile(far, 0.99)
        if least < 1.0:
            break
        found = np.concatenate([found, pixels[far >= least].mean(0)[None]])
        for _ in range(ROUNDS):
            own = ((pixels[:, None] - found) ** 2).sum(2).argmin(1)
            mass = np.bincount(own, share, len(found))
            sums = np.stack([np.bincount(own, share * each, len(found)) for each in pixels.T], 1)
            found = np.where(mass[:, None] > 0, sums / np.maximum(mass, 1e-12)[:, None], found)
    return found
