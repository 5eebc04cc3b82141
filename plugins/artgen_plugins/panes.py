"""Panes of coloured glass in lead, with shadows and fine lines painted on them.

As in a workshop: glass has the hue of a thing, leads run along its contours, and what is fine, such
as a face, is painted on the glass in brown enamel, in a few tones (grisaille) and with lines. Large
pieces are cut across. Leads between things are wider than those inside of one. Where glass is
clear, panes are of the subject or of the ground, and the skin of a face is one pane, which has its
shadows and lips in enamel; elsewhere lines alone are painted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from artgen import Canvas, Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen_plugins._contours import Contour, cells_of, focused
from artgen_plugins._flow import flow_lines, marked
from artgen_plugins._skin import calm, faces_of, lips_of, outlined
from artgen_plugins._subject import subject_of
from artgen_plugins.draft import parted as cut_near
from artgen_plugins.hatch import abstracted, blurred, cropped, filled, inside_margin, without_specks
from artgen_plugins.regions import (
    Floats,
    Labels,
    Mask,
    chains,
    lab_of,
    means,
    merged,
    neighbours,
    seen_of,
    separated,
    smoothed,
    watershed,
)
from artgen_plugins.wash import Covers, spread, waves

GLASS = (
    "#fff6dc,#f6e3b4,#e8e4dc,#c9d3d6,#9fb0b8,#6c7d88,#424f5c,#232a36,"
    "#f7d3b0,#eab48c,#d8916a,#b66f4c,#8a4a32,#5a2e24,#331d1c,"
    "#ffe27a,#ffc93c,#f7a823,#ee7d1b,#df4a1c,#c81e1e,#8f1220,#5a0f22,"
    "#f29ab0,#d24a76,#93245e,#5c2a70,#8b5fae,#cfdcf0,"
    "#bfe4f5,#7cc4ea,#3596d4,#1f62b4,#1c3c8c,#16235a,"
    "#a6e0d0,#3fb5a2,#147a76,#0d4648,"
    "#d8e884,#a4c63f,#5f9e35,#2f7436,#17482c"
)
"""The glass of the shop."""
JEWELS = (
    "#fffbee,#eff6fb,#fbdcc0,#f3bd92,#de9868,#b66b40,#7d3d22,#3a1a10,#0e1238,"
    "#5c0614,#a00d1e,#d9232e,#f2807c,#b93c12,#ee6a20,#f8a468,#743607,#c06a08,#f39a12,#fac266,"
    "#86600a,#cf9c0e,#fcca22,#fde48c,#2f4a0c,#5f8f14,#a3cc2a,#dcec88,#123e16,#1d7a26,#3fae3a,"
    "#9cd876,#0b7c5a,#1eb286,#90e0c2,#053a46,#0a7288,#1ba8c0,#8cdce8,#0a2f60,#125fae,#2c8fe2,"
    "#96ccf6,#101c66,#203eae,#4c6ae0,#2a1160,#6a3ab4,#c0a8ee,#86207e,#e6a6d8,#aa1c58,#f6a8c0,"
    "#22364f,#40618c,#7398c2,#b4cde6,#543e26,#876642,#b8966a,#f4e8cc"
)
"""Glass without grays: whites, skin and the darkest, then hue after hue, and the least vivid."""
LEAD = "#100e12"
ENAMEL, LINE = ((0.74, 0.67, 0.6), (0.62, 0.55, 0.48), (0.5, 0.44, 0.4)), (0.16, 0.11, 0.09)
"""What comes through each layer of enamel, and through a painted line: red, green and blue."""
STAINS = (0.9, 0.77, 0.68), (0.8, 0.64, 0.55), (0.93, 0.62, 0.58)
"""Where glass is clear: the same of what shades skin, once and twice, and of the red of lips."""
SHADES, LEVEL, INWARD = ((38, 0.05, 3.0), (14, 0.035, 8.0)), 0.5, 0.16
"""Where glass is clear: the share of skin that each layer shades, how round it is, in radii, and
how much darker than the middle it is at least; how much the halves of a face are made even; how
far in its marks are."""
DENSE = (0.3, 0.75, 1.3)
"""How much darker than its glass, in logarithms of light, each layer of enamel makes a picture."""
LIGHT = 0.5
"""How much fewer shadows are painted out of the focus, in logarithms of light."""
SOFT = (0.024, 0.014, 0.005)
"""How far each layer of enamel is stippled out with a brush, in canvas units."""
JEWEL, TINT, HUE = 1.5, 8.0, 0.6
"""How much more chroma glass has than what it shows, and how much what is nearly gray; how much
lightness counts in what is a thing, next to hue."""
STRONG = (0.15, 0.6)
"""How long a painted line is at least out of the focus, in canvas units where it is clear and all
is painted; the same where glass is clear."""
BRUSH, BESIDE, CLOSE = 0.0055, 1.5, 2.5
"""The radius of a painted line in canvas units; how far it is from the next one, and from leads, in
radii of leads."""
SEEDS, ROUNDS = 2500, 3
"""Regions from which panes are joined, and rounds in which their borders are made smooth."""
ALIKE, LEAST, LARGEST = 100.0, 0.2, 6.0
"""The difference up to which neighbours are one pane; the least and the largest size of a pane,
in shares of the mean."""
CALM, BENT, FACES, SHADE = 0.5, 0.02, 16.0, 0.15
"""How much detail leads leave out; the radius below which they do not bend, in canvas units; how
much larger panes are in the focus, as leads would cut a face; how wide shadows are there, in
shorter sides."""
SKIN, TONED = (0.45, 1.0, 1.0, 1.0), 11.0
"""How much lightness counts next to hue in the focus, and the difference up to which neighbours are
one pane there."""
APART = 11.0
"""How much pieces of one glass differ at least where a lead divides them."""
HELD = 25.0
"""The difference up to which what lies within a pane is a part of it."""
STRAIGHT, CREASE, FAINT = 8000.0, 0.008, 200.0
"""How straight leads are that cut a piece across; how wide the creases are that they follow, in
shorter sides, and how steep at least, in lightness for each."""
SMALL, LYING = 50, (0.7, 0.2)
"""The least area of a part of what is cut across, in pixels; how much it counts how far to the side
parts are, which are the wider the less it does, and how much in the ground."""
THINGS, LEADS = 5, (1.35, 0.7)
"""How many panes a thing has; how wide leads are around things, and inside of them."""
ASUNDER, SHARE, FEW, HEAVY, SAME, GROUND = 200.0, 0.12, 0.3, (1.9, 0.75), 30.0, 0.5
"""Where glass is clear: how much the subject and each piece of skin differ from all else, in
CIELAB; to which power of its area the subject has panes, and how few the ground; how wide leads are
around it and elsewhere; the difference up to which neighbours are one pane, and how much that
counts in the ground."""
FAIR, BROAD, BENDS, FACED = (0.006, 0.013), (14.0, 9.0), 2.0, 5.0
"""Where glass is clear: below which radius leads of the subject and the ground do not bend, in
shorter sides; the largest pane, in shares of the mean; how soon what is not convex is cut; how much
larger panes are in faces."""
VARIED, TURNED, FLESHY, RELATED = (3.0, 1.5, 1.5), 0.25, (2, 7), (22.0, 14.0, 20)
"""Where glass is clear: how much panes of the ground vary in CIELAB, and the hue of what is nearly
gray, in radians; which glass of the shop is for skin; up to which difference from the median of a
thing its colours have the hue of that, up to which chroma whatever hue they have, and how soon not
where they have another."""
RICH, LEAN, PALE, BLACK = 36.0, 8.0, (74.0, 90.0), (28.0, 16.0)
"""Where glass is clear: its least chroma; how much grays lean to blue, or to amber where they are
light; between which lights what is gray is nearly white; up to which light and chroma what is
nearly black is blue."""
FLESH, FAIREST, BRIGHT = (1.2, 5.0), (40.0, 0.68), 65.0
"""How much more chroma skin has; its lightness, for black skin and for each unit more; that of the
median of clear glass."""
MUCH, ODD, HONEY = (0.025, 0.5), (0.02, 26.0, 0.5, 0.8), (1.25, 0.3, 0.4, 12.0, 20.0)
"""Where glass is clear: the shares of a picture and of a thing that are blue where black; the
largest pane and chroma that take the hue of their neighbours, how like one has to be that they do
not, and how much those agree; which hue amber has and how far from it the ground is amber too, in
radians, how much more vivid and lighter that is, and up to which chroma."""
FINE, WHOLE, CLEAN = 1.0, 16.0, (0.006, 0.012)
"""Where glass is clear: how far apart its rows are, in pixels; how much pieces of one glass differ
at least where a lead divides them. How wide a painted mark is at least, in canvas units; the same
where glass is clear."""
EYE, PUPIL, SLIGHT = (0.03, 0.12), 1.8, 0.24
"""Where glass is clear: how wide what is round and dark, as an eye, is at least and at most, in
canvas units, and how dark; the radius of a face of which all marks are painted."""
DRAWN = 0.87
"""Where glass is clear: how close the lines of a subject are, next to those of a face."""
SHINE, SHADED = 0.12, 0.3
"""Where glass is clear: how much more light comes through the middle of a pane, and how dark it is
next to lead."""
WAYS, STREAKS, LONG = (0.3, 1.9, 1.1, 2.7, 0.0), ((1.4, 0.09), (0.8, 0.03)), 5.0
"""The angles of streaks in clear glass, how strong they are and how wide, in canvas units, and how
much longer than wide."""
MOTTLED, GLOW, RIM = 0.16, 0.25, 0.3
"""How uneven glass is, how much more light comes through the middle of a pane, and how dark it is
next to lead."""


@dataclass(frozen=True)
class PanesOptions(InkOptions):
    """Options of `panes`."""

    inks: str = option(
        "",
        "colours of the glass, at most 16, separated by commas, the darkest that of the leads;"
        " none: the glass of a shop",
    )
    margin: float = option(0.0, "blank border, as a share of the shorter side", low=0, high=0.4)
    panes: int = option(150, "number of panes", low=1, high=2000)
    lead: float = option(0.006, "radius of a lead in canvas units", low=0.0005, high=0.1)
    detail: float = option(1.0, "how closely leads follow what is small", low=0.2, high=5)
    painted: float = option(0.7, "how much is painted on the glass", low=0, high=1)
    clear: bool = option(
        False,
        "glass is clear and vivid, grays lean to a colour, more panes are in the subject, which has"
        " heavy leads around, a face is one pane, and lines alone are painted but on skin",
    )


class Panes(Ink):
    """Panes of glass, leads between them, and what is painted on the glass."""

    Options: ClassVar[type[Any]] = PanesOptions
    separation = "tone"
    known_deviations: ClassVar[Mapping[str, str]] = {
        "marks": "glass covers all; the tone decides which glass, not how much is covered"
    }
    defaults = Preset(count=40000, background="#fffdf2")
    palettes: ClassVar[bool] = False
    """None: light mixes in glass and enamel."""

    def take_options(self) -> None:
        """Put the leads over the glass, and the enamel over both. Raises UsageError."""
        if self.options.inks:
            super().take_options()
            inks = self.inks[np.argsort(-self.inks @ [0.3, 0.6, 0.1], kind="stable")]
        else:
            shop = JEWELS if self.options.clear else GLASS
            levels = bytes.fromhex(f"{shop}{LEAD}".replace("#", "").replace(",", ""))
            inks = np.frombuffer(levels, np.uint8).reshape(-1, 3) / 255
        self.last = len(inks) - 1
        """The ink of the leads; the layers of enamel and painted lines follow."""
        enamel = STAINS if self.options.clear else ENAMEL
        self.inks = np.concatenate([inks, [*enamel, LINE]])

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Draw the leads, and glass from the largest pane on, then what is painted on it."""
        from scipy.ndimage import label

        sheet = cropped(self, sheet)
        shown = vivid(seen_of(sheet, 1 - sheet.amounts.mean(0)))
        even = np.ones(shown.shape[1:])
        lab = lab_of(shown)
        detail = self.options.detail
        calm = lab_of(np.stack([abstracted(each, even, CALM / detail) for each in shown]))
        regions = watershed(calm, min(round(SEEDS * detail), even.size // 9 + 1))
        apart, panes = FINE if self.options.clear else 2.0, float(self.options.panes)
        inner = focused(sheet.weight, even.shape)
        seen, subject, skin = inner, np.zeros(even.shape, bool), np.zeros(even.shape, np.int64)
        if self.options.clear:
            skin = outlined(lab_of(seen_of(sheet, 1 - sheet.amounts.mean(0))), inner)
            subject = subject_of(calm, inner) | (skin > 0)
            bodies = label(subject & (skin == 0))[0]
            lab, calm = (related(each, bodies) for each in (lab, calm))
            # Of faces only skin is painted, where it is told.
            faces = faces_of(inner)
            untold = ~np.isin(faces, np.append(faces[skin > 0], 0)) | ~skin.any()
            seen = np.maximum(inner * ((skin > 0) | untold), DRAWN * subject)
        drawn = flow_lines(shown, seen, sheet.canvas, BESIDE * self.options.lead)
        while True:
            if self.options.clear:
                labels = self._glazed(regions, calm, subject + skin, inner, panes)
                glass, things, wide = self._jewels(lab, labels, subject + skin), subject * 1, HEAVY
            else:
                labels, whole, things = self._cut(regions, calm, inner, sheet.canvas, panes)
                # Parts of what was one piece are of one glass.
                firsts = np.unique(labels, return_index=True)[1]
                glass, wide = self._glass(lab, whole)[whole.ravel()[firsts]], LEADS
            # In files of what covers, as PDF, the leads are on top where they come later.
            layers = [
                borders(sheet, labels, things, self.options.lead, wide, self.last),
                fill(sheet, labels, glass, apart, FINE * self.options.clear / 2),
            ][:: 1 if self.options.overprint else -1]
            # Few marks are for leads and glass.
            if self.options.painted and panes > 0.3 * self.options.panes:
                layers += self._painted(sheet, shown, labels, glass, seen, skin, apart)
                layers += self._lines(sheet, drawn, labels, seen)
            marks = ink.joined(layers)
            # One pane has a frame and a row at least.
            if len(marks) <= sheet.count or (panes < 1 and apart > max(labels.shape)):
                return marks.first(sheet.count)
            panes, apart = panes * 0.8, apart * 1.25

    def settled(self, cover: Covers, canvas: Canvas) -> Covers:
        """Let more light through the middle of panes, and unevenly, as through blown glass."""
        lead = cover[self.last]
        if self.options.clear:
            return self._lit(cover, canvas)
        wide = spread(lead, 5 * self.options.lead / canvas.pixel)
        close = spread(lead, 1.6 * self.options.lead / canvas.pixel)
        uneven = sum(waves(canvas, size, 40 + k) - 0.5 for k, size in enumerate((0.3, 0.11)))
        light = GLOW * (1 - 3 * wide).clip(0, 1) + MOTTLED * uneven - RIM * close
        cover[: self.last] *= (1 - light).clip(0.5, 1.25).astype(np.float32)
        for k, soft in enumerate(SOFT, self.last + 1):
            cover[k] = spread(cover[k], soft / canvas.pixel)
        return cover * inside_margin(self, cover.shape[1:])

    def _lit(self, cover: Covers, canvas: Canvas) -> Covers:
        """Let more light through the middle of panes, and unevenly, each glass in its own way."""
        lead = cover[self.last]
        wide = spread(lead, 5 * self.options.lead / canvas.pixel)
        close = spread(lead, 1.2 * self.options.lead / canvas.pixel)
        light = SHINE * (1 - 2.2 * wide).clip(0, 1) - SHADED * close
        streaks = [streaked(canvas, angle, 60 + k) for k, angle in enumerate(WAYS)]
        for k in np.flatnonzero(cover[: self.last].any((1, 2))).tolist():
            uneven = MOTTLED * streaks[k % len(streaks)]
            cover[k] *= (1 - light - uneven).clip(0.5, 1.25).astype(np.float32)
        for k in range(self.last + 1, len(cover) - 1):
            cover[k] = spread(cover[k], SOFT[-1] / canvas.pixel)
        return cover * inside_margin(self, cover.shape[1:])

    def _cut(
        self, regions: Labels, lab: Floats, inner: Floats, canvas: Canvas, panes: float
    ) -> tuple[Labels, Labels, Labels]:
        """Return panes, panes before the large ones are cut, and things: [height, width]."""
        wanted = max(1, round(panes))
        apart = lab * [HUE, 1, 1]
        # One thing of light and shadow is one pane in the focus: enamel has the shadow.
        wide = blurred(apart[..., 0], np.full(inner.shape, SHADE * min(inner.shape)), 1.0)
        apart[..., 0] += 0.6 * inner * (wide - apart[..., 0])
        size = 1 / (1 + (FACES - 1) * inner)
        labels = merged(regions, apart, size, wanted, 0.0, ALIKE, LEAST)
        for _ in range(ROUNDS):
            labels = smoothed(labels, max(1.0, BENT / self.options.detail / canvas.pixel))
        labels = merged(separated(labels), apart, size, wanted, 0.0, ALIKE, LEAST)
        labels = one_glass(labels, lab, inner)
        # A lead between two pieces of one glass would be for nothing, and no piece has a hole.
        labels = together(labels, lab, self._glass(lab, labels))
        labels = without_holes(separated(labels), lab)
        things = merged(labels, apart, size, max(1, wanted // THINGS), 0.0, 0.0, 0.0)
        # No straight lead crosses a face.
        share = (1 - inner) * wanted / LARGEST / inner.size
        return parted(labels, share, lab, inner), labels, things

    def _glass(self, lab: Floats, labels: Labels) -> Labels:
        """Return the glass of each pane: more vivid than what it shows, light where that is."""
        colours = means(lab, labels)
        light = colours[:, 0] + 0.6 * spread_of(lab[..., 0], labels)
        chroma = np.hypot(*colours[:, 1:].T)[:, None]
        tint = TINT * (1.3 - light[:, None] / 100).clip(0, 1)
        more = JEWEL + tint * (1 - np.exp(-chroma / 4)) / np.maximum(chroma, 1e-3)
        wanted = np.stack([light, *(more * colours[:, 1:]).T], 1)
        glass = lab_of(self.inks[: max(1, self.last)].T)
        return np.asarray(((wanted[:, None] - glass) ** 2).sum(2).argmin(1))

    def _glazed(
        self, regions: Labels, lab: Floats, kinds: Labels, inner: Floats, panes: float
    ) -> Labels:
        """Return panes [height, width], each of the subject, of one piece of skin or the ground."""
        from scipy.ndimage import distance_transform_edt, morphological_gradient

        wanted, side, subject = max(1, round(panes)), min(inner.shape), kinds > 0
        # A piece of skin is one pane from the beginning.
        regions = separated(np.where(kinds > 1, regions.max() + kinds, regions))
        # The ground has few panes.
        plain = lab * np.where(subject, 1.0, GROUND)[..., None]
        apart = np.concatenate([plain, ASUNDER * kinds[..., None]], 2)
        part = subject.mean() ** SHARE
        part /= part + FEW * (1 - subject.mean()) ** SHARE
        shares = part / max(subject.mean(), 1e-9), (1 - part) / max((~subject).mean(), 1e-9)
        size = np.where(subject, *shares) / (1 + inner * subject * (FACED - 1))
        labels = merged(regions, apart, size, wanted, 0.0, SAME, LEAST)
        for _ in range(2):
            labels = separated(self._fair(labels, kinds, side))
            # What is thin is no pane.
            deep = distance_transform_edt(morphological_gradient(labels, 2) == 0) + 0.1
            mass = size * np.where(subject, deep**0.3, deep)
            labels = merged(labels, apart, mass, wanted, 0.0, SAME / 2, LEAST)
            # Light and shadow of one thing are one pane.
            glass = self._jewels(lab, labels, kinds, 0)
            labels = together(labels, apart * [HUE, 1, 1, 1], glass, WHOLE)
        broad = np.where(subject, *BROAD)
        share = size / size.mean() * (1 - inner) * (kinds < 2) * wanted / broad / inner.size
        return parted(labels, share, lab, inner, ~subject)

    def _fair(self, labels: Labels, kinds: Labels, side: int) -> Labels:
        """Return panes with smooth borders, those of the ground more so, up to other kinds."""
        from scipy.ndimage import distance_transform_edt

        found = labels.copy()
        for kind in np.unique(kinds).tolist():
            mine, soft = kinds == kind, FAIR[not kind]
            near = distance_transform_edt(~mine, return_distances=False, return_indices=True)
            each = labels[tuple(near)]
            for _ in range(ROUNDS):
                each = smoothed(each, max(1.0, soft * side / self.options.detail))
            found[mine] = each[mine]
        return found

    def _jewels(self, lab: Floats, labels: Labels, kinds: Labels, vary: float = 1) -> Labels:
        """Return the glass of each pane, a little varied; skin is of glass for skin."""
        flesh = means(np.where(kinds > 1, 1.0, 0.0)[..., None], labels)[:, 0] > 0.5
        ground = means(np.where(kinds > 0, 0.0, 1.0)[..., None], labels)[:, 0].round()
        turned = vary * ground * TURNED * np.random.default_rng(5).uniform(-1, 1, len(flesh))
        colours, size = means(lab, labels), np.bincount(labels.ravel()) / labels.size
        chroma, (a, b) = np.hypot(*colours[:, 1:].T), neighbours(labels)
        near = (ground[a] == ground[b]) & (flesh[a] == flesh[b])
        a, b = a[near], b[near]
        black = mostly((colours[:, 0] < BLACK[0]) & (chroma < BLACK[1]), size, a, b)
        wanted = clear(colours, lab, flesh, turned, black)
        small = (size < ODD[0]) & (chroma < ODD[1]) & ~flesh
        wanted[:, 1:] = fitting(wanted[:, 1:], small, a, b)
        dull = np.exp(-((chroma / HONEY[4]) ** 4))
        amber = vary * HONEY[2] * ground * warmth(wanted[:, 1:]) * dull
        wanted += amber[:, None] * np.insert(wanted[:, 1:], 0, HONEY[3], 1)
        noise = np.random.default_rng(7).normal(0, 1, (len(wanted), 3)) * VARIED
        wanted += vary * noise * ground[:, None]
        glass = lab_of(self.inks[: max(1, self.last)].T)
        far = ((wanted[:, None] - glass) ** 2).sum(2)
        if not self.options.inks and flesh.any():
            own = (np.arange(len(glass)) >= FLESHY[0]) & (np.arange(len(glass)) < FLESHY[1])
            # Nothing else is of glass for skin.
            far += 1e6 * (flesh[:, None] != own)
        return np.asarray(far.argmin(1))

    def _painted(
        self,
        sheet: ink.Sheet,
        shown: Floats,
        labels: Labels,
        glass: Labels,
        inner: Floats,
        skin: Labels,
        apart: float,
    ) -> list[ink.Marks]:
        """Return the layers of enamel and marks of eyes, brows and lips."""
        unit, layers = 1 / sheet.canvas.pixel, []
        # Enamel darkens glass; where inks cover one another, as in PDF, there are lines alone.
        if self.options.overprint and not self.options.clear:
            layers = self._enamel(sheet, shown, self.inks[glass[labels]], inner, apart)
        # Eyes, brows and lips are drawn with the brush of lines, and sharp.
        marks = marked(lab_of(shown)[..., 0], inner / max(inner.max(), DRAWN))
        if self.options.clear:
            marks = self._bare(marks, labels, skin, inner, sheet.canvas)
        least = CLEAN[self.options.clear] * unit
        kept = without_specks(marks > 1, np.full(marks.shape, max(least, 1.0)))
        layers += self._shaded(sheet, lab_of(shown), skin, kept, apart) * self.options.overprint
        field = np.where(kept, np.maximum(marks, 1.01), np.minimum(marks, 0.99))
        layers.append(filled(sheet, field, 1.0, apart, len(self.inks) - 1, 0.25))
        return layers

    def _enamel(
        self, sheet: ink.Sheet, shown: Floats, lit: Floats, inner: Floats, apart: float
    ) -> list[ink.Marks]:
        """Return the layers that shade glass whose colours are `lit` [height, width, 3]."""
        unit, share = 1 / sheet.canvas.pixel, self.options.painted
        pitch, luma = 0.65 - 0.4 * inner, np.array([0.3, 0.6, 0.1])
        calm = abstracted(np.tensordot(luma, shown, 1), pitch, 0.5)
        light = np.tensordot(luma, np.moveaxis(lit, 2, 0), 1)
        dense = np.log(light.clip(0.02, 1)) - np.log(calm.clip(0.02, 1))
        # Shadows are broad out of the focus; what is darkest, as an eye, is as fine as in it.
        broad = blurred(dense, np.maximum((pitch - 0.22) * 0.05 * unit, 0.8), 1.0)
        broad -= LIGHT * (pitch - 0.25)
        dense = blurred(dense, np.maximum(pitch * 0.006 * unit, 0.8), 1.0)
        layers = []
        for k, level in enumerate(DENSE):
            last = k == len(DENSE) - 1
            specks = np.maximum((0.02 if last else 0.12) * (pitch - 0.15) * unit, 1.0)
            kept = without_specks((dense if last else broad) * share / 0.7 > level, specks)
            field = blurred(np.where(kept, 1.0, 0.0), np.maximum(pitch * 0.006 * unit, 0.7), 1.0)
            layers.append(filled(sheet, field, 0.5, apart, self.last + 1 + k, 0.25))
        return layers

    def _shaded(
        self, sheet: ink.Sheet, lab: Floats, skin: Labels, marks: Mask, apart: float
    ) -> list[ink.Marks]:
        """Return the shadows of faces, in two layers, and the red of their lips."""
        fields = np.zeros((len(STAINS), *skin.shape))
        for mine in (skin == k for k in range(1, int(skin.max()) + 1)):
            size = np.sqrt(mine.sum() / np.pi)
            light = lab[..., 0] - LEVEL * calm(lab[..., 0], 0.35 * size, mine)
            for field, (share, soft, least) in zip(fields, SHADES, strict=False):
                even = calm(light, max(0.7, soft * size), mine)
                level = min(np.percentile(even[mine], share), np.median(even[mine]) - least)
                dark = mine & (even < level)
                field += without_specks(dark, np.full(dark.shape, max(1.0, 2 * soft * size)))
            fields[-1] += lips_of(lab, mine, marks)
        return [
            filled(sheet, blurred(field, np.full(field.shape, 1.0), 1.0), 0.5, apart, k, 0.25)
            for k, field in enumerate(fields, self.last + 1)
        ]

    def _bare(
        self, marks: Floats, labels: Labels, skin: Labels, inner: Floats, canvas: Canvas
    ) -> Floats:
        """Return what is painted of marks: on skin in faces, and what is round, as eyes are."""
        from scipy.ndimage import distance_transform_edt, maximum, morphological_gradient
        from skimage.measure import label, regionprops

        away = distance_transform_edt(morphological_gradient(labels, 2) == 0) * canvas.pixel
        face, deep = inner > 0.9, distance_transform_edt(skin > 0)
        deepest = maximum(deep, skin, np.arange(skin.max() + 1))[skin]
        # What is dark in a small face is shadow for the most part.
        marks = marks * np.where(skin > 0, (deepest * canvas.pixel / SLIGHT).clip(0.75, 1), 1.0)
        dark = label(marks > 1)  # type: ignore[no-untyped-call]
        # What is dark along the outline of a face is hair, or a shadow.
        within = means(np.stack([deep, deepest], 2), dark)
        face &= (within[:, 0] >= INWARD * within[:, 1])[dark]
        found = np.where(face & (away > CLOSE * self.options.lead), marks, 0.0)
        for each in regionprops(dark):  # type: ignore[no-untyped-call]
            wide = each.equivalent_diameter_area * canvas.pixel
            strong = float(marks[each.slice][each.image].max())
            round_ = each.solidity > 0.85 and each.axis_minor_length > 0.5 * each.axis_major_length
            elsewhere = float(inner[each.slice].max()) < 0.9
            if elsewhere and round_ and strong > PUPIL and EYE[0] < wide < EYE[1]:
                found[dark == each.label] = marks[dark == each.label]
        return found

    def _lines(
        self, sheet: ink.Sheet, drawn: list[Contour], labels: Labels, inner: Floats
    ) -> list[ink.Marks]:
        """Return painted lines, those of the focus and the clearest elsewhere, beside no lead."""
        from scipy.ndimage import distance_transform_edt, gaussian_filter1d, morphological_gradient

        canvas, layers, clear = sheet.canvas, [], self.options.clear
        away = distance_transform_edt(morphological_gradient(labels, 2) == 0) * canvas.pixel
        close = (1.5 if clear else CLOSE) * self.options.lead
        for line in cut_near(drawn, away, canvas, close):
            free = 1 - float(inner[cells_of(line, canvas)].mean())
            faint = line.contrast.sum() * canvas.pixel * self.options.painted < STRONG[clear] * free
            if faint or (clear and free > 1 - DRAWN / 2):
                continue
            ends = np.minimum(np.arange(len(line.points)), np.arange(len(line.points))[::-1])
            firm = (gaussian_filter1d(line.contrast, 6.0, mode="nearest") / 1.5).clip(0.5, 1.2)
            wide = BRUSH * firm * (0.25 + 0.75 * np.minimum(1, ends / 10))
            layers.append(ink.polyline(line.points, wide, len(self.inks) - 1))
        return layers


def vivid(seen: Floats) -> Floats:
    """Return a picture [3, height, width] whose tones reach from black to white."""
    low, high = np.percentile(seen.mean(0), [1, 98])
    if high - low < 0.2:
        return seen
    return np.asarray(((seen - low) / (high - low)).clip(0, 1))


def clear(colours: Floats, lab: Floats, skin: Mask, turned: Floats, black: Mask) -> Floats:
    """Return which glass [N, 3] is wanted for colours [N, 3] of a picture in CIELAB.

    Glass is vivid and luminous; what is gray leans to blue where it is cold, else to amber. What is
    `skin` [N] is lighter than it is seen, and hardly more vivid; what is `black` [N] is blue.
    """
    middle = max(float(np.median(lab[..., 0])), 5.0) / 100
    curve = np.clip(np.log(BRIGHT / 100) / np.log(min(middle, 0.95)), 0.6, 1.0)
    light, hue = 100 * (colours[:, 0].clip(0, 100) / 100) ** curve, colours[:, 1:]
    chroma = np.hypot(*hue.T)
    pale = np.interp(light, PALE, [0, 1])
    cold = np.where((hue[:, 1] < 2.0)[:, None], [-0.1, -1.0], [0.3, 1.0])
    near_gray = np.exp(-((chroma / 14) ** 2))[:, None]
    lean = hue * (1 - near_gray * [1.0, 0.0]) + LEAN * near_gray * cold
    lean[black] = [1.0, -8.0]
    white, more = pale * np.exp(-chroma / 10), RICH * (0.45 + 0.55 * np.tanh(chroma / 12))
    vivid = (1 - white) * (more + 1.1 * chroma) + white * chroma
    vivid = np.where(skin, FLESH[0] * chroma + FLESH[1], vivid)
    # What is nearly gray has no hue that it must keep.
    angle = np.arctan2(*lean.T[::-1]) + turned * near_gray[:, 0]
    lean = np.stack([np.cos(angle), np.sin(angle)], 1)
    way = np.where(skin[:, None], hue, lean)
    way /= np.maximum(np.hypot(*way.T), 1e-6)[:, None]
    light = np.where(skin, FAIREST[0] + FAIREST[1] * colours[:, 0], light)
    return np.concatenate([light[:, None], vivid[:, None] * way], 1)


def mostly(dark: Mask, size: Floats, a: Labels, b: Labels) -> Mask:
    """Return which of what is `dark` [N] is large, or half of its thing: what neighbours join."""
    spots, things = (linked(len(size), a[each], b[each]) for each in (dark[a] & dark[b], a >= 0))
    spot, thing = (np.bincount(each, size)[each] for each in (spots, things))
    return dark & ((spot > MUCH[0]) | (spot > MUCH[1] * thing))


def fitting(hues: Floats, small: Mask, a: Labels, b: Labels) -> Floats:
    """Return hues [N, 2] where what is `small` and unlike all of its neighbours has their hue.

    Those are alike: a black beak between a red bird and a green one stays black.
    """
    ways = hues / np.maximum(np.hypot(*hues.T), 1e-6)[:, None]
    like, around, most = np.full(len(hues), -1.0), np.zeros_like(hues), np.zeros(len(hues))
    for one, other in ((a, b), (b, a)):
        np.maximum.at(like, one, (ways[one] * ways[other]).sum(1))
        np.add.at(around, one, hues[other])
        np.add.at(most, one, np.hypot(*hues[other].T))
    total = np.hypot(*around.T)
    odd = small & (like < ODD[2]) & (total > ODD[3] * most)
    share = np.hypot(*hues.T)[odd] / total[odd]
    found = hues.copy()
    found[odd] = share[:, None] * around[odd]
    return found


def warmth(hues: Floats) -> Floats:
    """Return how near hues [N, 2] are to that of amber, 0 to 1."""
    return np.asarray(np.exp(-(((np.arctan2(*hues.T[::-1]) - HONEY[0]) / HONEY[1]) ** 2)))


def related(lab: Floats, things: Labels) -> Floats:
    """Return a picture in CIELAB where what differs little from the hue of its thing has that hue.

    `things` [height, width] are numbered from 1 on; the hue of one is the median. What is not dull
    keeps another hue.
    """
    from scipy.ndimage import median

    hue, numbers = lab[..., 1:], np.arange(things.max() + 1)
    middle = np.stack([median(lab[..., k], things, numbers) for k in (1, 2)], 1)[things]
    chroma, light = np.hypot(*np.moveaxis(hue, 2, 0)), np.interp(lab[..., 0], (45, 65), (1, 0))
    away = middle - hue
    near = np.exp(-(((away**2).sum(2) / RELATED[0] ** 2) ** 2))
    both = chroma * np.hypot(*np.moveaxis(middle, 2, 0))
    alike = ((hue * middle).sum(2) / np.maximum(both, 1e-6)).clip(0) ** RELATED[2]
    near *= np.maximum(light * np.exp(-((chroma / RELATED[1]) ** 4)), alike) * (things > 0)
    found = lab.copy()
    found[..., 1:] += near[..., None] * away
    return found


def streaked(canvas: Canvas, angle: float, seed: int) -> Floats:
    """Return noise [height, width] of streaks, as drawn glass has, in -0.5 to 0.5 and an angle."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    x, y = np.meshgrid(*canvas.pixel_centres())
    across, along = y * np.cos(angle) - x * np.sin(angle), x * np.cos(angle) + y * np.sin(angle)
    across += 0.05 * np.sin(3.1 * along + seed)
    # Four cells of the lattice are one wave, so that it is smooth between them.
    lattice = np.random.default_rng(seed).random((256, 256)) - 0.5
    lattice = 4 * gaussian_filter(lattice, 1.6, mode="wrap")
    total = np.zeros(x.shape)
    for share, size in STREAKS:
        place = [4 * across / size, 4 * along / (LONG * size)]
        total += share * map_coordinates(lattice, place, order=1, mode="grid-wrap")
    return total


def spread_of(values: Floats, labels: Labels) -> Floats:
    """Return the standard deviation of values [height, width] in each region, [N]."""
    own = labels.ravel()
    many = np.maximum(np.bincount(own), 1)
    mean = np.bincount(own, values.ravel()) / many
    return np.asarray(np.sqrt((np.bincount(own, values.ravel() ** 2) / many - mean**2).clip(0)))


def one_glass(labels: Labels, lab: Floats, inner: Floats) -> Labels:
    """Return labels [height, width] where neighbours in the focus that differ in light are one."""
    a, b = neighbours(labels)
    colours, focus = means(lab * SKIN[: lab.shape[2]], labels), means(inner[..., None], labels)
    alike = np.hypot.reduce(colours[a] - colours[b], axis=1) < TONED
    return united(labels, a, b, alike & (np.minimum(focus[a], focus[b])[:, 0] > 0.5))


def together(labels: Labels, lab: Floats, glass: Labels, least: float = APART) -> Labels:
    """Return labels [height, width] where neighbours of one glass are one, if they are alike.

    A face or a coat in front of a ground of its colour has a lead around it.
    """
    a, b = neighbours(labels)
    colours = means(lab, labels)
    differ = np.hypot.reduce(colours[a] - colours[b], axis=1)
    return united(labels, a, b, (glass[a] == glass[b]) & (differ < least))


def united(labels: Labels, a: Labels, b: Labels, alike: Mask) -> Labels:
    """Return labels [height, width] where those of `a` and `b` [N] that are alike are one."""
    return linked(int(labels.max()) + 1, a[alike], b[alike])[labels]


def linked(count: int, a: Labels, b: Labels) -> Labels:
    """Return which piece each of a `count` of regions is of, where `a` and `b` [N] are linked."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(a)), (a, b)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1].astype(np.int64))


def without_holes(labels: Labels, lab: Floats) -> Labels:
    """Return labels [height, width] where what lies within another and is like it is a part of it.

    A piece of glass with a hole breaks; what stands out, such as a badge, is worth the skill.
    """
    from scipy.ndimage import binary_dilation, find_objects

    found, colours = labels.copy(), means(lab, labels)
    framed = np.pad(labels, 1, constant_values=-1)
    for own, box in enumerate(find_objects(labels + 1)):
        around = framed[tuple(slice(side.start, side.stop + 2) for side in box)]
        mine = around == own
        others = np.unique(around[binary_dilation(mine) & ~mine])
        differ = np.hypot.reduce((colours[own] - colours[others[0]]) * SKIN[:3], axis=-1)
        if len(others) == 1 and differ < HELD:
            found[box][labels[box] == own] = others[0]
    return separated(found)


def parted(
    labels: Labels, size: Floats, lab: Floats, inner: Floats, ground: Mask | None = None
) -> Labels:
    """Cut regions whose `size` [height, width] is more than 1 across, into parts of even area.

    Parts grow from the middles of centroidal Voronoi cells (Lloyd 1982) up to the edges that a
    picture in CIELAB has, and meet straight where there is none. What is in the focus stays whole.
    With a `ground`, all cuts are straight, those in it lie, and what is bent is cut more.
    """
    from scipy.cluster.vq import kmeans2, vq
    from scipy.ndimage import center_of_mass, gaussian_gradient_magnitude, label
    from skimage import measure, segmentation

    side = min(labels.shape)
    slope = side * gaussian_gradient_magnitude(lab[..., 0], CREASE * side) - FAINT
    found, following = labels.copy(), int(labels.max()) + 1
    total = np.bincount(labels.ravel(), size.ravel())
    if ground is not None:
        for each in measure.regionprops(labels + 1):  # type: ignore[no-untyped-call]
            if total[each.label - 1] > 0.1:
                total[each.label - 1] += (1 / max(each.solidity, 0.2) - 1) * BENDS
    for value in np.flatnonzero(total > 1).tolist():
        places, count = np.argwhere(labels == value), int(np.ceil(total[value]))
        if len(places) < SMALL * count:
            continue
        lying = [1.0, LYING[0 if ground is None else int(ground[tuple(places[0])])]]
        scaled = places * lying
        middles, _ = kmeans2(scaled[:: max(1, len(scaled) // 4000)], count, 30, minit="++", seed=7)
        seeds, inside = np.zeros_like(labels), labels == value
        seeds[tuple(places[vq(middles, scaled)[0]].T)] = np.arange(1, count + 1)
        blocks, many = label(inside & (inner > 0.5))
        for k, middle in enumerate(center_of_mass(blocks > 0, blocks, range(1, many + 1)), 1):
            nearest = np.hypot(*((middles / lying - middle) ** 2).T).argmin()
            seeds[blocks == k] = nearest + 1
        rough = slope.clip(0) * (ground is None)
        own = segmentation.watershed(rough, seeds, mask=inside, compactness=STRAIGHT / side)  # type: ignore[no-untyped-call]
        found[inside] = np.where(own == 1, value, following + own)[inside]
        following += count + 1
    return separated(found)


def borders(
    sheet: ink.Sheet,
    labels: Labels,
    things: Labels,
    radius: float,
    shares: tuple[float, float],
    k: int,
) -> ink.Marks:
    """Return leads between regions, wider between things, with solder where they meet."""
    layers = []
    for points in chains(labels):
        row, column = np.clip(np.rint(points).astype(int), 1, np.array(labels.shape) - 1).T
        sides = np.stack([things[row - n, column - m] for n in (0, 1) for m in (0, 1)])
        wide = radius * shares[0 if np.mean((sides != sides[0]).any(0)) > 0.5 else 1]
        place = points[:, ::-1] * sheet.canvas.pixel - sheet.canvas.reach
        layers.append(ink.polyline(place, wide, k))
        layers.append(ink.dots(place[[0, -1], 0], place[[0, -1], 1], 1.3 * wide, k))
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]) * sheet.canvas.reach
    layers.append(ink.polyline(corners, 2 * radius, k))
    return ink.joined(layers)


def fill(
    sheet: ink.Sheet, labels: Labels, glass: Labels, apart: float, short: float = 0
) -> ink.Marks:
    """Return rows of strokes, `apart` pixels from one another, the largest region first.

    They are `short` by some pixels on both sides, so that their round ends are under the leads.
    """
    height, width = labels.shape
    rows = np.arange(min(apart, height) / 2, height, apart)
    runs = labels[rows.astype(int)]
    change = np.concatenate([np.ones((len(rows), 1), bool), runs[:, 1:] != runs[:, :-1]], 1)
    row, begin = np.nonzero(change)
    value = runs[row, begin]
    end = np.append(begin[1:], width)
    end[end == 0] = width
    less = np.minimum(short, (end - begin) / 2)
    strokes = np.stack([begin + less, rows[row], end - less, rows[row]], 1) * sheet.canvas.pixel
    strokes -= np.tile(sheet.canvas.reach, 2)
    radius = np.full((len(strokes), 2), 0.75 * apart * sheet.canvas.pixel)
    order = np.argsort(-np.bincount(labels.ravel())[value], kind="stable")
    return ink.Marks(np.concatenate([strokes, radius], 1)[order], glass[value[order]])
