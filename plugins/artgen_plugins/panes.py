"""Panes of coloured glass in lead, with shadows and fine lines painted on them.

As in a workshop: glass has the hue of a thing, leads run along its contours, and what is fine, such
as a face, is painted on the glass in brown enamel, in a few tones (grisaille) and with lines. Large
pieces are cut across. Leads between things are wider than those inside of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas, Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen_plugins._contours import Contour, cells_of, focused
from artgen_plugins._flow import flow_lines, marked
from artgen_plugins.draft import parted as cut_near
from artgen_plugins.hatch import abstracted, blurred, cropped, filled, inside_margin, without_specks
from artgen_plugins.regions import chains, lab_of, means, merged, seen_of, smoothed, watershed

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Covers = NDArray[np.float32]

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
LEAD = "#100e12"
ENAMEL, LINE = ((0.74, 0.67, 0.6), (0.62, 0.55, 0.48), (0.5, 0.44, 0.4)), (0.16, 0.11, 0.09)
"""What comes through each layer of enamel, and through a painted line: red, green and blue."""
DENSE = (0.3, 0.75, 1.3)
"""How much darker than its glass, in logarithms of light, each layer of enamel makes a picture."""
LIGHT = 0.5
"""How much fewer shadows are painted out of the focus, in logarithms of light."""
SOFT = (0.024, 0.014, 0.005)
"""How far each layer of enamel is stippled out with a brush, in canvas units."""
JEWEL, TINT, HUE = 1.5, 8.0, 0.6
"""How much more chroma glass has than what it shows, and how much what is nearly gray; how much
lightness counts in what is a thing, next to hue."""
STRONG = 0.15
"""How long a painted line is at least out of the focus, in canvas units where it is clear and all
is painted."""
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
SKIN, TONED = (0.45, 1.0, 1.0), 11.0
"""How much lightness counts next to hue in the focus, and the difference up to which neighbours are
one pane there."""
APART = 11.0
"""How much pieces of one glass differ at least where a lead divides them."""
HELD = 25.0
"""The difference up to which what lies within a pane is a part of it."""
STRAIGHT, CREASE, FAINT = 8000.0, 0.008, 200.0
"""How straight leads are that cut a piece across; how wide the creases are that they follow, in
shorter sides, and how steep at least, in lightness for each."""
SMALL = 50
"""The least area of a part of what is cut across, in pixels."""
THINGS = 5
"""How many panes a thing has, of those with wide leads around."""
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


class Panes(Ink):
    """Panes of glass, leads between them, and what is painted on the glass."""

    Options: ClassVar[type[Any]] = PanesOptions
    separation = "tone"
    known_deviations: ClassVar[Mapping[str, str]] = {
        "marks": "glass covers all; the tone decides which glass, not how much is covered"
    }
    defaults = Preset(count=40000, background="#fffdf2")

    @property
    def palettes(self) -> bool:
        """None: light mixes in glass and enamel."""
        return False

    def take_options(self) -> None:
        """Put the leads over the glass, and the enamel over both. Raises UsageError."""
        if self.options.inks:
            super().take_options()
            inks = self.inks[np.argsort(-self.inks @ [0.3, 0.6, 0.1], kind="stable")]
        else:
            levels = bytes.fromhex(f"{GLASS}{LEAD}".replace("#", "").replace(",", ""))
            inks = np.frombuffer(levels, np.uint8).reshape(-1, 3) / 255
        self.last = len(inks) - 1
        """The ink of the leads; the layers of enamel and painted lines follow."""
        self.inks = np.concatenate([inks, ENAMEL, [LINE]])

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Draw the leads, and glass from the largest pane on, then what is painted on it."""
        sheet = cropped(self, sheet)
        shown = vivid(seen_of(sheet, 1 - sheet.amounts.mean(0)))
        even = np.ones(shown.shape[1:])
        lab = lab_of(shown)
        detail = self.options.detail
        calm = lab_of(np.stack([abstracted(each, even, CALM / detail) for each in shown]))
        regions = watershed(calm, min(round(SEEDS * detail), even.size // 9 + 1))
        apart, panes = 2.0, float(self.options.panes)
        inner = focused(sheet.weight, even.shape)
        drawn = flow_lines(shown, inner, sheet.canvas, BESIDE * self.options.lead)
        while True:
            labels, whole, things = self._cut(regions, calm, inner, sheet.canvas, panes)
            # Parts of what was one piece are of one glass.
            firsts = np.unique(labels, return_index=True)[1]
            glass = self._glass(lab, whole)[whole.ravel()[firsts]]
            # In files of what covers, as PDF, the leads are on top where they come later.
            layers = [
                borders(sheet, labels, things, self.options.lead, self.last),
                fill(sheet, labels, glass, apart),
            ][:: 1 if self.options.overprint else -1]
            # Few marks are for leads and glass.
            if self.options.painted and panes > 0.3 * self.options.panes:
                layers += self._painted(sheet, shown, labels, glass, inner, apart)
                layers += self._lines(sheet, drawn, labels, inner)
            marks = ink.joined(layers)
            # One pane has a frame and a row at least.
            if len(marks) <= sheet.count or (panes < 1 and apart > max(labels.shape)):
                return marks.first(sheet.count)
            panes, apart = panes * 0.8, apart * 1.25

    def settled(self, cover: Covers, canvas: Canvas) -> Covers:
        """Let more light through the middle of panes, and unevenly, as through blown glass."""
        from artgen_plugins.wash import spread, waves

        lead = cover[self.last]
        wide = spread(lead, 5 * self.options.lead / canvas.pixel)
        close = spread(lead, 1.6 * self.options.lead / canvas.pixel)
        uneven = sum(waves(canvas, size, 40 + k) - 0.5 for k, size in enumerate((0.3, 0.11)))
        light = GLOW * (1 - 3 * wide).clip(0, 1) + MOTTLED * uneven - RIM * close
        cover[: self.last] *= (1 - light).clip(0.5, 1.25).astype(np.float32)
        for k, soft in enumerate(SOFT, self.last + 1):
            cover[k] = spread(cover[k], soft / canvas.pixel)
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
        labels = merged(pieces(labels), apart, size, wanted, 0.0, ALIKE, LEAST)
        labels = one_glass(labels, lab, inner)
        # A lead between two pieces of one glass would be for nothing, and no piece has a hole.
        labels = together(labels, lab, self._glass(lab, labels))
        labels = without_holes(pieces(labels), lab)
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
        found: Labels = ((wanted[:, None] - glass) ** 2).sum(2).argmin(1)
        return found

    def _painted(
        self,
        sheet: ink.Sheet,
        shown: Floats,
        labels: Labels,
        glass: Labels,
        inner: Floats,
        apart: float,
    ) -> list[ink.Marks]:
        """Return the layers of enamel."""
        unit, share = 1 / sheet.canvas.pixel, self.options.painted
        pitch = 0.65 - 0.4 * inner
        luma = np.array([0.3, 0.6, 0.1])
        tone = np.tensordot(luma, shown, 1)
        calm = abstracted(tone, pitch, 0.5)
        lit = np.tensordot(luma, np.moveaxis(self.inks[glass[labels]], 2, 0), 1)
        dense = np.log(lit.clip(0.02, 1)) - np.log(calm.clip(0.02, 1))
        # Shadows are broad out of the focus; what is darkest, as an eye, is as fine as in it.
        broad = blurred(dense, np.maximum((pitch - 0.22) * 0.05 * unit, 0.8), 1.0)
        broad -= LIGHT * (pitch - 0.25)
        dense = blurred(dense, np.maximum(pitch * 0.006 * unit, 0.8), 1.0)
        layers = []
        # Enamel darkens glass; where inks cover one another, as in PDF, there are lines alone.
        for k, level in enumerate(DENSE if self.options.overprint else ()):
            last = k == len(DENSE) - 1
            specks = np.maximum((0.02 if last else 0.12) * (pitch - 0.15) * unit, 1.0)
            kept = without_specks((dense if last else broad) * share / 0.7 > level, specks)
            field = blurred(np.where(kept, 1.0, 0.0), np.maximum(pitch * 0.006 * unit, 0.7), 1.0)
            layers.append(filled(sheet, field, 0.5, apart, self.last + 1 + k, 0.25))
        # Eyes, brows and lips are drawn with the brush of lines, and sharp.
        marks = marked(lab_of(shown)[..., 0], inner)
        kept = without_specks(marks > 1, np.full(marks.shape, max(0.006 * unit, 1.0)))
        field = np.where(kept, np.maximum(marks, 1.01), np.minimum(marks, 0.99))
        layers.append(filled(sheet, field, 1.0, apart, len(self.inks) - 1, 0.25))
        return layers

    def _lines(
        self, sheet: ink.Sheet, drawn: list[Contour], labels: Labels, inner: Floats
    ) -> list[ink.Marks]:
        """Return painted lines, those of the focus and the clearest elsewhere, beside no lead."""
        from scipy.ndimage import distance_transform_edt, gaussian_filter1d, morphological_gradient

        canvas, layers = sheet.canvas, []
        away = distance_transform_edt(morphological_gradient(labels, 2) == 0) * canvas.pixel
        for line in cut_near(drawn, away, canvas, CLOSE * self.options.lead):
            free = 1 - float(inner[cells_of(line, canvas)].mean())
            if line.contrast.sum() * canvas.pixel * self.options.painted < STRONG * free:
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
    found: Floats = ((seen - low) / (high - low)).clip(0, 1)
    return found


def spread_of(values: Floats, labels: Labels) -> Floats:
    """Return the standard deviation of values [height, width] in each region, [N]."""
    own = labels.ravel()
    many = np.maximum(np.bincount(own), 1)
    mean = np.bincount(own, values.ravel()) / many
    found: Floats = np.sqrt((np.bincount(own, values.ravel() ** 2) / many - mean**2).clip(0))
    return found


def one_glass(labels: Labels, lab: Floats, inner: Floats) -> Labels:
    """Return labels [height, width] where neighbours in the focus that differ in light are one."""
    a, b = neighbours(labels)
    colours, focus = means(lab * SKIN, labels), means(inner[..., None], labels)[:, 0]
    alike = np.hypot.reduce(colours[a] - colours[b], axis=1) < TONED
    return united(labels, a, b, alike & (np.minimum(focus[a], focus[b]) > 0.5))


def together(labels: Labels, lab: Floats, glass: Labels) -> Labels:
    """Return labels [height, width] where neighbours of one glass are one, if they are alike.

    A face or a coat in front of a ground of its colour has a lead around it.
    """
    a, b = neighbours(labels)
    colours = means(lab, labels)
    differ = np.hypot.reduce(colours[a] - colours[b], axis=1)
    return united(labels, a, b, (glass[a] == glass[b]) & (differ < APART))


def neighbours(labels: Labels) -> tuple[Labels, Labels]:
    """Return the labels, [N] each, on both sides of each border between pixels."""
    sides = [(labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])]
    a, b = np.concatenate([np.stack([one.ravel(), two.ravel()]) for one, two in sides], 1)
    return a[a != b], b[a != b]


def united(labels: Labels, a: Labels, b: Labels, alike: NDArray[np.bool_]) -> Labels:
    """Return labels [height, width] where those of `a` and `b` [N] that are alike are one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones, size = np.ones(int(alike.sum())), int(labels.max()) + 1
    graph = coo_array((ones, (a[alike], b[alike])), shape=(size, size))
    found: Labels = connected_components(graph, directed=False)[1][labels].astype(np.int64)
    return found


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
        if len(others) == 1 and np.hypot.reduce((colours[own] - colours[others[0]]) * SKIN) < HELD:
            found[box][labels[box] == own] = others[0]
    return pieces(found)


def pieces(labels: Labels) -> Labels:
    """Return labels [height, width] of which each is of one piece, from 0 on."""
    from skimage.measure import label

    found: Labels = label(labels + 1, connectivity=1, background=-1)  # type: ignore[no-untyped-call]
    return found - 1


def parted(labels: Labels, size: Floats, lab: Floats, inner: Floats) -> Labels:
    """Cut regions whose `size` [height, width] is more than 1 across, into parts of even area.

    Parts grow from the middles of centroidal Voronoi cells (Lloyd 1982) up to the edges that a
    picture in CIELAB has, and meet straight where there is none. What is in the focus stays whole.
    """
    from scipy.cluster.vq import kmeans2, vq
    from scipy.ndimage import center_of_mass, gaussian_gradient_magnitude, label
    from skimage import segmentation

    side = min(labels.shape)
    slope = side * gaussian_gradient_magnitude(lab[..., 0], CREASE * side) - FAINT
    found, following = labels.copy(), int(labels.max()) + 1
    total = np.bincount(labels.ravel(), size.ravel())
    for value in np.flatnonzero(total > 1).tolist():
        places, count = np.argwhere(labels == value), int(np.ceil(total[value]))
        if len(places) < SMALL * count:
            continue
        scaled = places * [1.0, 0.7]
        middles, _ = kmeans2(scaled[:: max(1, len(scaled) // 4000)], count, 30, minit="++", seed=7)
        seeds, inside = np.zeros_like(labels), labels == value
        seeds[tuple(places[vq(middles, scaled)[0]].T)] = np.arange(1, count + 1)
        blocks, many = label(inside & (inner > 0.5))
        for k, middle in enumerate(center_of_mass(blocks > 0, blocks, range(1, many + 1)), 1):
            nearest = np.hypot(*((middles / [1.0, 0.7] - middle) ** 2).T).argmin()
            seeds[blocks == k] = nearest + 1
        own = segmentation.watershed(slope.clip(0), seeds, mask=inside, compactness=STRAIGHT / side)  # type: ignore[no-untyped-call]
        found[inside] = np.where(own == 1, value, following + own)[inside]
        following += count + 1
    return pieces(found)


def borders(sheet: ink.Sheet, labels: Labels, things: Labels, radius: float, k: int) -> ink.Marks:
    """Return leads between regions, wider between things, with solder where they meet."""
    layers = []
    for points in chains(labels):
        row, column = (
            np.clip(np.rint(points.T[axis]).astype(int), 1, labels.shape[axis] - 1)
            for axis in (0, 1)
        )
        sides = np.stack([things[row - n, column - m] for n in (0, 1) for m in (0, 1)])
        wide = radius * (1.35 if np.mean((sides != sides[0]).any(0)) > 0.5 else 0.7)
        place = points[:, ::-1] * sheet.canvas.pixel - sheet.canvas.reach
        layers.append(ink.polyline(place, wide, k))
        layers.append(ink.dots(place[[0, -1], 0], place[[0, -1], 1], 1.3 * wide, k))
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]) * sheet.canvas.reach
    layers.append(ink.polyline(corners, 2 * radius, k))
    return ink.joined(layers)


def fill(sheet: ink.Sheet, labels: Labels, glass: Labels, apart: float) -> ink.Marks:
    """Return rows of strokes, `apart` pixels from one another, the largest region first."""
    height, width = labels.shape
    rows = np.arange(min(apart, height) / 2, height, apart)
    runs = labels[rows.astype(int)]
    change = np.concatenate([np.ones((len(rows), 1), bool), runs[:, 1:] != runs[:, :-1]], 1)
    row, begin = np.nonzero(change)
    value = runs[row, begin]
    end = np.append(begin[1:], width)
    end[end == 0] = width
    strokes = np.stack([begin, rows[row], end, rows[row]], 1) * sheet.canvas.pixel
    strokes -= np.tile(sheet.canvas.reach, 2)
    radius = np.full((len(strokes), 2), 0.75 * apart * sheet.canvas.pixel)
    order = np.argsort(-np.bincount(labels.ravel())[value], kind="stable")
    return ink.Marks(np.concatenate([strokes, radius], 1)[order], glass[value[order]])
