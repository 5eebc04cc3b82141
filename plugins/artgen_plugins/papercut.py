"""Pieces of coloured paper, one over another, each with a shadow on what is below.

The picture is cut along the edges of the things that it shows: its details are left out, its few
most frequent colours are found, what differs little from what is around it is a part of that, and
each takes the paper most like it of those in the shop. Sheets lie in the order of their lightness,
and each goes on below those in front of it. Skin of a face is a few layers of one hue, with eyes,
brows and lips on them, and strips along the lines of one that is small or has a mouth; its
lightness decides which of the papers for skin these are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from artgen import Canvas, Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen_plugins._contours import cells_of, focused
from artgen_plugins._flow import flow_lines, marked
from artgen_plugins._skin import calm, lips_of, outlined, skins
from artgen_plugins._subject import heart, subject_of
from artgen_plugins.hatch import abstracted, blurred, filled, spacing, tooth, without_specks
from artgen_plugins.panes import together
from artgen_plugins.regions import Floats, Labels, Mask, lab_of, means, merged, seen_of, separated
from artgen_plugins.wash import APART, OFF, Covers, spread, within

PAPERS = (
    "#fbf6ea,#f0e5d0,#dac8ab,#b7a083,#8e7357,#5e4637,#eaf0e6,#bac7d0,#8c9ca9,#647280,#434e5b,#2c3341,"
    "#1a191f,#f3e0bb,#e3c491,#c8a06a,#9c7444,#6b4a2c,#ffe38a,#f8c342,#ef982f,#d7702a,#a84c1f,"
    "#f5b4a8,#e67468,#cf3b3b,#9e2231,#641a2c,#f6cfd8,#e190ad,#b5517f,#74305b,#d4cde9,#a394ce,"
    "#7259a7,#44316e,#cfe6f2,#93c5df,#509bca,#2a6ca5,#1f457b,#172a4d,#bfe2db,#70b8ad,#30847f,"
    "#17504f,#d5dca0,#a3b25c,#6d8a44,#41642f,#274230"
)
"""The papers of the shop."""
SKIN = "#fdeee0,#f9dcc4,#f0bf9c,#dd9f78,#c07c58,#995a3f,#70402f,#4a2a22,#3b221b"
"""Its papers for skin, one hue from light to dark."""
LIKE = (1.3, 1.0, 1.0)
"""How much lightness, and the two differences of hue, count where a paper is chosen."""
VIVID, SAND, LIGHTER = 1.45, (60.0, 25.0), (16.0, 64.0)
"""How much more chroma paper has than what it shows; from which lightness on, and up to which
chroma, yellow is no greener than that; by how much, and up to where, a dark median is lighter."""
SMALLEST, SIMPLE = 0.007, 0.4
"""The least width of what is cut, in shorter sides; how much detail is left out."""
ROUNDS, SAMPLES = 12, 20000
"""Rounds in which the colours are found, and the most pixels that they are found from."""
AMBIENT, CAST, ON_SKIN, FIBRES = 0.16, 0.55, 0.72, 0.05
"""How dark a sheet makes what is next to it and what lies in its shadow, how much less so on skin,
and the fibres of paper."""
NEAR, FAR, MOST = 0.009, 0.011, 2.5
"""How far shadows are spread, and cast by each sheet that lies higher, in canvas units; the most
sheets that a shadow tells."""
CLEAR, DARKER, COLOURED = 1.2, 22.0, 40.0
"""How clear marks of a face are that are cut; how much darker than they are, in gray, and the
chroma from which on they are not."""
SIZES, STRIP, BESIDE = (0.07, 0.35, 0.9), 0.0055, 0.012
"""The radii of faces whose lips and lines are strips of paper, from the middle one on only where a
mouth is found; half the width of strips and how far they are apart, in canvas units."""
SHORT, INWARD, LIPS, REDS, WIDER = 0.3, 0.5, (0.85, 1.6, 1.6), (0.15, 0.7, 18.0), 8.0
"""How long strips are at least, and how far in from the border of a face its middle is, where they
are, in radii; the lightness and the colour of lips, next to what they show; the hues of their
papers, in radians, and the least chroma; how much larger what is red around lips is, if it is none
of them."""
PIECES, ALIKE, LEAST, CLOSE = 300, (22.0, 2.4), 0.03, 80.0
"""Pieces to which others are compared; how much one differs from what is around it, in CIELAB,
squared, for its area, and how much less whatever that is than a pane of glass; the smallest, in
shares of the mean; the squared difference up to which no more colours are found."""
GROUND, EVEN, PLAIN = ((0.7, 0.7, 0.7), (0.35, 0.45, 0.45)), (0.8, 1.5, 3.0), 0.7
"""How much lightness and the two differences of hue count in the ground, without people and behind
them; how smooth the edges of pieces are in the subject and in either ground, and how smooth they
all are without calm."""
LEVEL, FAIR, LAYERS, SHARES, ROUND = 0.5, (30.0, 0.74), (2.0, 12.0), (88, 4), (0.015, 0.06)
"""How much light and shadow of the halves of a face are made even; its lightness, for black skin
and for each unit more; how many layers skin has: of the smallest faces, and more for each shorter
side that one is wide; the shares of a face below which its first layer and its last are; how round
the last and the first are, in radii."""
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
    calm: float = option(
        1.0, "how much may differ from what is around it and be no piece; 0: nothing", low=0, high=2
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
            levels = bytes.fromhex(f"{PAPERS}{SKIN}".replace("#", "").replace(",", ""))
            self.inks = np.frombuffer(levels, np.uint8).reshape(-1, 3) / 255
        order = np.argsort(self.inks @ [0.3, 0.6, 0.1], kind="stable")
        order = order[::-1] if self.options.front == "dark" else order
        self.skin = np.argsort(order)[len(order) - SKIN.count("#") * (not self.options.inks) :]
        """The papers of faces, from light to dark; none where inks are given."""
        self.inks = np.concatenate([self.inks[order], 0.25 * self.inks.mean(0)[None]])

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Cut the sheets, the one at the back first."""
        from scipy.ndimage import label

        seen = seen_of(sheet, 1 - sheet.amounts.mean(0))
        pitch = spacing(sheet.weight, seen.shape[1:], 1.0)
        fine = np.maximum(pitch * SMALLEST / sheet.canvas.pixel, 1.0)
        x, y = sheet.canvas.pixel_centres()
        far = np.minimum(sheet.canvas.reach[0] - abs(x), sheet.canvas.reach[1] - abs(y)[:, None])
        frame = far < self.options.margin * 2 * min(sheet.canvas.reach) * (self.group is None)
        inner, fair = focused(sheet.weight, frame.shape), lab_of(seen)
        small = np.where(frame, -1, self._faces(fair, inner))
        lab = lab_of(np.stack([abstracted(each, pitch, SIMPLE) for each in seen]))
        place = np.where(subject_of(lab, inner), 0, 1 + bool((small >= 0).any()))
        paper = self._pieces(sheet, lab, place, fine)
        even = PLAIN + self.options.calm * (np.array(EVEN) - PLAIN)
        # Eyes, brows and lips are pieces of their own, darker so that they are seen.
        marks = without_specks(marked(fair[..., 0], inner) > CLEAR, 1.6 * fine) & ~frame
        strips = self._strips(sheet, seen, fair, inner, marks, small < 0)
        marks = label(marks)[0]
        darker = means(fair, marks)
        darker[:, 0] -= DARKER * (1 - np.hypot(*darker[:, 1:].T) / COLOURED).clip(0)
        small = np.where(marks > 0, self._papers(lab, darker)[marks], small)
        small = np.where(strips < 0, small, strips)

        def drawn(coarser: float) -> ink.Marks:
            # Each place takes the paper of most around it. The mean of their colours would be that
            # of a third paper along an edge.
            top = majority(paper, even[place] * coarser * fine)
            top[frame] = len(self.inks) - 2
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

    def _strips(
        self,
        sheet: ink.Sheet,
        seen: Floats,
        lab: Floats,
        inner: Floats,
        marks: Mask,
        bare: Mask,
    ) -> Labels:
        """Return the papers of lips and of strips along the lines of faces; elsewhere -1.

        `inner` [height, width] is near to 1 in faces of the picture `seen`, which is `lab` in
        CIELAB, `marks` is what is dark on them, and `bare` what is no skin.
        """
        from scipy.ndimage import binary_propagation, distance_transform_edt, label

        canvas, found = sheet.canvas, np.full(inner.shape, -1)
        faces = outlined(lab, inner) if len(self.skin) else np.zeros(inner.shape, np.int64)
        sizes = np.sqrt(np.bincount(faces.ravel())[1:] / np.pi)
        low, high, most = np.array(SIZES) / canvas.pixel
        drawn = [k for k, size in enumerate(sizes, 1) if low < size < most]
        lines = flow_lines(seen, inner, canvas, BESIDE) if drawn else []
        papers, middle = lab_of(self.inks[:-1].T), heart(inner, INWARD) > 0
        hue, rich = np.arctan2(papers[:, 2], papers[:, 1]), np.hypot(papers[:, 1], papers[:, 2])
        reds = np.nonzero((hue > REDS[0]) & (hue < REDS[1]) & (rich > REDS[2]))[0]
        reds = np.setdiff1d(reds, self.skin)
        for k in drawn:
            mine, size, away = faces == k, sizes[k - 1], np.ones(inner.shape)
            for line in lines:
                cells = cells_of(line, canvas)
                if (mine & middle)[cells].mean() > 0.8 and len(line.points) > SHORT * size:
                    away[cells] = 0
            if away.all():
                continue
            # Lips have a line between them, along most of their width.
            lips = lips_of(lab, mine, marks)
            told = (lips & (away == 0)).any(0).sum() > lips.any(0).sum() / 2 > 0
            if size > high and not told:
                continue
            strips = label(distance_transform_edt(away) < STRIP / canvas.pixel)[0]
            light = means(lab, strips)[:, 0] - DARKER / 2
            paper = self.skin[abs(papers[self.skin, 0][:, None] - light).argmin(0)]
            found = np.where((strips > 0) & ~marks, paper[strips], found)
            if told:
                # What goes on beside them is of them too where it is as red, as teeth are not.
                red = lab[..., 1] > (np.median(lab[mine, 1]) + np.median(lab[lips, 1])) / 2
                whole = binary_propagation(lips, mask=lips | (mine & bare & red))
                lips = whole if whole.sum() < WIDER * lips.sum() else lips
                colour = lab[lips].mean(0)[None] * LIPS
                found[lips] = reds[nearest(colour, papers[reds])]
        return found

    def _pieces(self, sheet: ink.Sheet, lab: Floats, place: Labels, fine: Floats) -> Labels:
        """Return the paper of each pixel of a picture in CIELAB, [height, width].

        `place` is 0 in the subject, and 1 or 2 in the ground; `fine` is the least width of a piece.
        """
        o = self.options
        count = o.sheets if not o.inks else len(self.inks) - 1
        colours = frequent(lab, sheet.weight, count, max(1.0, CLOSE * o.calm))
        if not o.calm:
            return self._papers(lab, colours)[nearest(lab, colours)]
        plain = lab * np.array([(1, 1, 1), *GROUND])[place]
        # What differs little from what is around it is no piece, nor is what is small.
        pieces = separated(majority(nearest(lab, colours), PLAIN * fine))
        pieces = merged(pieces, plain, 1 / fine**2, PIECES, 0.0, ALIKE[0] * o.calm, LEAST * o.calm)
        pieces = together(pieces, ALIKE[1] * plain, np.zeros(pieces.max() + 1, np.int64))
        return self._papers(lab, colours)[nearest(means(lab, pieces), colours)][pieces]

    def _faces(self, lab: Floats, inner: Floats) -> Labels:
        """Return the papers of skin in faces of a picture in CIELAB, [height, width]; else -1.

        `inner` [height, width] is near to 1 in faces.
        """
        found, ramp = np.full(inner.shape, -1), lab_of(self.inks[self.skin].T)[:, 0]
        for wide, skin, _, size in skins(lab, inner) if len(ramp) else ():
            light = lab[wide][..., 0]
            many = int(np.clip(LAYERS[0] + LAYERS[1] * size / min(inner.shape), 3, 5))
            first = abs(ramp - FAIR[0] - FAIR[1] * np.median(light[skin])).argmin() - many // 2
            depth, under = np.full(skin.shape, np.clip(first, 0, len(ramp) - many - 1)), ~skin
            # The half in the shadow has features too.
            light = light - LEVEL * calm(light, 0.35 * size, skin)
            levels = np.percentile(light[skin], np.linspace(*SHARES, many))[::-1]
            for level, round_ in zip(levels, size * np.linspace(*ROUND, many), strict=True):
                under = under | (calm(light, max(0.5, round_), skin) < level)
                under = without_specks(under, np.full(skin.shape, max(1.0, 0.7 * round_)))
                depth += under
            found[wide] = np.where(skin, self.skin[depth], found[wide])
        return found

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
        skin = np.zeros_like(height)
        for k, layer in enumerate(cover[:-1]):
            skin += layer * ((k in self.skin) - skin)
        cover[-1] = 1 - (1 - (1 - ON_SKIN * skin) * shadow) * (1 - FIBRES * tooth(canvas))
        return cover

    def _papers(self, lab: Floats, colours: Floats) -> Labels:
        """Return the paper of each of Lab colours [N, 3] of a picture [height, width, 3]."""
        papers, wanted = lab_of(self.inks[:-1].T), colours * [1, VIVID, VIVID]
        # What is light and a little green, as sand, is no lawn.
        light, green, yellow = colours.T
        sand = (light > SAND[0]) & (np.hypot(green, yellow) < SAND[1]) & (green < 0) & (yellow > 0)
        wanted[sand, 1] = green[sand]
        low, middle, high = np.percentile(lab[..., 0], [2, 50, 98])
        if high - low > 15:
            # The darkest takes the darkest paper, the lightest the lightest.
            most, top = LIGHTER
            lifted = max(middle, min(middle + most, top))
            span = papers[:, 0].min(), lifted, papers[:, 0].max()
            wanted[:, 0] = np.interp(wanted[:, 0], [low, middle, high], span)
        return nearest(wanted * LIKE, papers * LIKE)


def nearest(lab: Floats, colours: Floats) -> Labels:
    """Return which of colours [N, 3] each place of a picture [..., 3] is nearest to."""
    return np.asarray(np.argmin([((lab - each) ** 2).sum(-1) for each in colours], 0))


def majority(labels: Labels, soft: Floats) -> Labels:
    """Return labels [height, width] of which each is that of most around it, `soft` pixels wide."""
    values = np.unique(labels)
    shares = [blurred(np.where(labels == k, 1.0, 0.0), soft, 1.0) for k in values]
    return np.asarray(values[np.argmax(shares, 0)])


def frequent(lab: Floats, weight: Floats | None, count: int, close: float = CLOSE) -> Floats:
    """Return at most `count` colours, [N, 3], that are nearest to a picture [height, width, 3].

    K-means (Lloyd 1982) of pixels at even distances. It begins with the mean, then again and again
    with the pixel that is farthest from all so far, of a hundredth of the picture at least, while
    that is more than the square root of `close` away in CIELAB.
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
        if least < close:
            break
        found = np.concatenate([found, pixels[far >= least].mean(0)[None]])
        for _ in range(ROUNDS):
            own = ((pixels[:, None] - found) ** 2).sum(2).argmin(1)
            mass = np.bincount(own, share, len(found))
            sums = np.stack([np.bincount(own, share * each, len(found)) for each in pixels.T], 1)
            found = np.where(mass[:, None] > 0, sums / np.maximum(mass, 1e-12)[:, None], found)
    return found
