"""Mosaic: tiles of one colour each, side by side, which are stones or stitches.

Stones lie in rows along the contours of the picture, as in Roman mosaics (the andamento), smaller
in the focus. Rows are evenly spaced streamlines; then stones move to the middles of the centroidal
Voronoi cells of a distance whose unit circle is a square turned with the contours (Hausner:
Simulating decorative mosaics, SIGGRAPH 2001), and grow there until only joints are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from artgen import Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen.targets import LUMA, hex_colour, parse_colour
from artgen_plugins._contours import focused
from artgen_plugins._presets import read_presets
from artgen_plugins._skin import skins
from artgen_plugins._streams import STEP, streams
from artgen_plugins.hatch import abstracted, directions, spacing, to_canvas
from artgen_plugins.place import brightened
from artgen_plugins.regions import Floats, lab_of, rgb_of
from artgen_plugins.stipple import shown

PIXELS, NEAR, ROUNDS = 24, 6, 5
"""Sample points for each stone, stones that a point may belong to, and rounds of relaxation."""
TOGETHER = 1 << 18
"""Sample points whose stones are found at a time: each takes a kilobyte."""
SHADE, GROWN, BESIDE = (0.72, 4.0), 1.6, 5
"""How light the bed of tiles is next to them, and how much that counts next to its hue; how large
it is next to a tile; how many others it may touch."""
BUSY, MORE, EVEN = 85, 0.14, 0.05
"""The percentile of detail that busy places have, how much more weight they get, and that of all
where there is no focus."""
CALM, BEND, LONGEST, LONG = 0.4, 0.97, 1000.0, 1.02
"""How much detail rows leave out and how much they bend; the length of the longest row and of a
stone, in distances."""
UNLIKE, VARIED = 30.0, 3.0
"""The difference in CIELAB from which a colour is that of another stone, and how much stones of one
kind differ."""
AROUND, ALIKE, FEW, CALMED, NEARLY = 8, 22.0, 1, 2, 7.0
"""How many neighbours a stone has, the difference in CIELAB up to which they are alike, how many
such it needs to be no stray; rounds, and the difference within which colours become nearer."""
CUT, LARGEST, GROWING = 0.4, (2.0, 1.6), (0, 1, 0, 1)
"""How wide a stone is before it grows, how long and wide it is at most, in sides, and in which
direction it grows first, along its row or across, and then."""
BROAD, CRISP, SPECK = 24, (0.5, 1.0), 0.7
"""Of how many neighbours a stone is lighter or darker, and how much more it becomes so: elsewhere
and in a face; how much less where it is lighter, if stones are calm."""
FACE = (0.6, 0.9)
"""The share of the largest weight where a face begins, and where it is whole."""
SKIN, HUES, TAN = 58.0, (12.0, 36.0, 105.0, 125.0), 20.0
"""The hue of stones for skin, in degrees; those of photographs of it, the outer ones hardly; how
much more chroma stones of glass have."""
HEALTHY, WARMED, SEEN, ASIDE = 6.0, 3.0, 0.5, 0.2
"""How much more chroma other inks of skin have; the difference in CIELAB from which there are
some, and from which they are used; how far beyond what is surely skin, in radii of a face."""
LIGHT = (8.0, 24.0, 82.0, 94.0)
"""How light skin is: what is darker is hair, and what is lighter a tooth or the white of an eye."""
MINT, BRIGHT, WEAK, WHITE = (100.0, 120.0, 190.0, 210.0), (70.0, 82.0), (24.0, 34.0), 0.9
"""The hue, lightness and chroma of what is white in a green light, and how much less it has."""
GRAY, VIVID, PALE = (3.5, 7.5), (36.0, 48.0), (8.0, 20.0)
"""Chroma in a face: from gray to skin, from skin to what is painted, from gray to other things."""
SMALTI = (
    "#fbf6e8,#efe6cf,#d9cfba,#b9b2a6,#94918c,#6f7074,#4c4f57,#30333b,#191a20,"
    "#f9dcc0,#f0c09a,#e0a077,#c98259,#a8633f,#7e452e,#552d22,#341d1a,"
    "#f7e29a,#f2c64e,#e3a02e,#d57a26,#cc5526,#b9301f,#8c1d1f,#5c1420,"
    "#f2c3bd,#d98580,#b0525c,#743049,#4b2a55,#8f7fae,"
    "#dbe9f0,#b3d2e4,#7fb0d2,#4d88b8,#2c6196,#1f3f6e,#15244a,"
    "#c3dcc6,#8db795,#55906f,#2c6450,#173f36,"
    "#d7dc98,#adba5a,#7d9640,#52702f,#314a26"
)
"""The colours of enamelled glass that is cut into stones."""


@dataclass(frozen=True)
class MosaicOptions(InkOptions):
    """Options of `mosaic`."""

    inks: str = option(
        "#22242c,#8c1c13,#d9822b,#e8c872,#f4ecd8,#3f6c51,#2f4b7c,#86a8cf",
        "colours of the tiles, separated by commas; --palette 16 takes them from the picture; none:"
        " those of glass for mosaics",
    )
    margin: float = option(0.0, "blank border, as a share of the shorter side", low=0, high=0.4)
    overprint: bool = option(False, "tiles multiply what is below them; if false they cover it")
    form: Literal["stone", "stitch"] = option(
        "stone", "squares along the contours, or slanted stitches on a grid"
    )
    calm: float = option(
        0.0, "how much stones of a row are alike, and larger where little is seen", low=0, high=1
    )
    bed: bool = option(
        False, "tiles lie on larger ones, half of all, of darker inks, which show in the joints"
    )
    skin: bool = option(
        False, "a palette has warm colours also, which skin in a face has instead of its grays"
    )
    joint: float = option(0.14, "gap between tiles, as a share of their side", low=0, high=0.9)


class Mosaic(Ink):
    """Square stones or stitches, each of the ink that is most frequent there."""

    Options: ClassVar[type[Any]] = MosaicOptions
    separation: ClassVar[Literal["mixed", "nearest"]] = "nearest"
    defaults = Preset(count=3200, background="#2f2b28")
    presets = read_presets("mosaic")

    def take_options(self) -> None:
        """Read the inks, of which there may be more than of printed ones."""
        names = (self.options.inks or SMALTI).split(",")
        self.inks = np.array([parse_colour(each) for each in names])
        self.warm = np.zeros(len(self.inks), bool)
        """Which inks are for faces alone."""

    def take_palette(self, colours: Sequence[str]) -> None:
        """Use these colours as inks, dark ones below light ones, and those of skin also warm."""
        given = set(colours)
        if self.options.skin:
            plain = lab_of(np.array([parse_colour(each) for each in colours]).T)
            warm = whitened(tanned(plain, plain, np.ones(len(plain)), HEALTHY))
            more = rgb_of(warm[np.hypot.reduce(warm - plain, axis=1) > WARMED])
            colours = list(dict.fromkeys([*colours, *(hex_colour(each) for each in more)]))
        if self.options.bed:
            colours = sorted(colours, key=lambda each: np.dot(LUMA, parse_colour(each)))
        super().take_palette(colours)
        self.warm = np.array([each not in given for each in colours])

    @property
    def cap(self) -> Literal["round", "butt"]:
        """Stones have straight ends, stitches round ones."""
        return "butt" if self.options.form == "stone" else "round"

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Lay the tiles from top to bottom, on their bed."""
        if self.options.skin:
            sheet = self._healthy(sheet)
        if not self.options.bed:
            return self._tiles(sheet)
        tiles = self._tiles(replace(sheet, count=max(1, sheet.count // 2)))
        return ink.joined([self._below(tiles).first(sheet.count - len(tiles)), tiles])

    def _healthy(self, sheet: ink.Sheet) -> ink.Sheet:
        """Return a sheet where skin of faces has the warm ones of the inks, and white is white."""
        from scipy.ndimage import gaussian_filter
        from scipy.spatial import KDTree

        if sheet.target is None:
            return sheet
        lab = lab_of(brightened(sheet.target.clip(0, 1), self.options.brilliant))
        face = np.zeros(lab.shape[:2])
        for box, skin, core, size in skins(lab, focused(sheet.weight, face.shape)):
            near = 2 * gaussian_filter((skin | core) * 1.0, ASIDE * size)
            face[box] = np.maximum(face[box], near.clip(0, 1))
        better = whitened(tanned(lab, lab, face, HEALTHY)) if face.any() else lab
        differs = np.hypot.reduce(better - lab, axis=2) > SEEN
        colours, amounts = lab_of(self.inks.T), sheet.amounts.copy()
        astray = ~differs & amounts[self.warm].any(0)
        for some, own in ((differs, np.ones_like(self.warm)), (astray, ~self.warm)):
            chosen = np.flatnonzero(own)[KDTree(colours[own]).query(better[some])[1]]
            this = np.arange(len(colours))[:, None] == chosen
            amounts[:, some] = this * amounts[:, some].sum(0)
        return replace(sheet, amounts=amounts)

    def _below(self, tiles: ink.Marks) -> ink.Marks:
        """Return the bed of tiles: darker than each of those around, or none."""
        ends = tiles.strokes[:, :4].reshape(-1, 2, 2)
        middles, colours = ends.mean(1, keepdims=True), lab_of(self.inks.T)
        beside = neighbours(middles[:, 0], BESIDE)
        near = tiles.ink[beside]
        wanted = colours * [SHADE[0], 1, 1]
        apart = ((wanted[:, None] - colours) ** 2 @ [SHADE[1], 1, 1])[tiles.ink]
        # Inks lie on those before them.
        lowest = np.minimum(tiles.ink, near.min(1, initial=len(colours)))
        apart[np.arange(len(colours)) >= lowest[:, None]] = np.inf
        apart[np.multiply.outer(~self.warm[tiles.ink], self.warm)] = np.inf
        spread = (middles + GROWN * (ends - middles)).reshape(-1, 4)
        strokes, some = np.hstack([spread, GROWN * tiles.strokes[:, 4:]]), apart.min(1) < np.inf
        return ink.Marks(strokes[some], apart.argmin(1)[some])

    def _tiles(self, sheet: ink.Sheet) -> ink.Marks:
        """Lay the tiles from top to bottom."""
        if self.options.form == "stone":
            return self._stones(sheet)
        x, y, pitch = sheet.grid()
        parts = pitch * np.array([-0.3, 0, 0.3])
        amounts = np.array(
            [
                sum(sheet.at(k, x + u, y + v).ravel() for u in parts for v in parts) / 9
                for k in range(len(self.inks))
            ]
        )
        amounts *= shown(sheet, x, y).ravel()
        half = pitch * (1 - self.options.joint) / np.sqrt(8)
        return _marks(x.ravel(), y.ravel(), -np.pi / 4, pitch * 0.36, half, amounts)

    def _stones(self, sheet: ink.Sheet) -> ink.Marks:
        """Lay rows along the contours, move stones until they are evenly apart, and colour them."""
        tone = np.tensordot(self.inks @ [0.3, 0.6, 0.1], sheet.amounts, 1)
        allowed = sheet.amounts.sum(0) > 0
        if sheet.weight is not None:
            allowed &= sheet.weight > 0
        if not allowed.any():
            return ink.Marks(np.zeros((0, 6)), np.zeros(0, np.int64))
        finer = busier(sheet, tone, self.options.calm) if self.options.calm else sheet
        points, pitch, angle = rows(finer, tone, allowed)
        # The cosine and sine of twice the angle may be interpolated.
        turned = np.cos(2 * angle), np.sin(2 * angle)
        facts = np.stack([pitch * sheet.canvas.pixel, *turned, allowed * 1.0])
        field = replace(sheet, amounts=facts)
        x, y, _ = sheet.grid(PIXELS * sheet.count)
        pixels = np.stack([x.ravel(), y.ravel()], 1)
        pixels = pixels[field.at(3, *pixels.T) > 0.5]
        share = field.at(0, *pixels.T) ** -2.0
        for _ in range(ROUNDS if len(pixels) else 0):
            cell = owners(pixels, points, along(field, points))
            mass = np.bincount(cell, share, len(points))
            sums = [np.bincount(cell, share * axis, len(points)) for axis in pixels.T]
            points = np.where(mass > 0, sums / np.maximum(mass, 1e-12), points.T).T
        points = points[np.argsort(points[:, 1])]
        turn, side = along(field, points), field.at(0, *points.T)
        points, long, wide = fitted(points, turn, side, self.options.joint)
        # Corners, sides and the middle say what a stone shows.
        at = [
            points + 0.6 * np.stack([c * u - s * v, s * u + c * v], 1)
            for c, s in [(np.cos(turn), np.sin(turn))]
            for u in (-long, 0 * long, long)
            for v in (-wide, 0 * wide, wide)
        ]
        seen = np.stack([[sheet.at(k, *each.T) for k in range(len(self.inks))] for each in at])
        amounts = seen.mean(0)
        if self.options.calm or not self.options.inks:
            amounts = self._varied(amounts, points, turn, sheet)
        return _marks(points[:, 0], points[:, 1], turn, long, wide, amounts)

    def _varied(self, amounts: Floats, points: Floats, turn: Floats, sheet: ink.Sheet) -> Floats:
        """Return amounts [inks, N] of stones at points [N, 2]: alike, as stones of one kind are.

        `turn` [N] is the angle of their rows.
        """
        calm = self.options.calm
        colours, most = lab_of(self.inks.T), amounts.argmax(0)
        apart = np.hypot.reduce(colours[:, None] - colours[most], axis=2)
        # What is unlike the rest of a stone belongs to the next one.
        share = amounts * (apart < UNLIKE)
        mean = share.T @ colours / np.maximum(share.sum(0), 1e-9)[:, None]
        face = np.zeros(len(points))
        if sheet.weight is not None and sheet.target is not None and np.ptp(sheet.weight):
            face = np.interp(sheet.weight_at(*points.T) / sheet.weight.max(), FACE, [0, 1])
            shown = replace(sheet, amounts=sheet.target)
            # Inks that are learned have skin among them.
            if not self.options.inks:
                seen = lab_of(np.stack([shown.at(k, *points.T) for k in range(3)]))
                mean = tanned(mean, seen, face, TAN)
        # Without it, eyes and mouths of a few stones are half as dark as they look.
        broad = neighbours(points, BROAD)
        around = mean[broad].mean(1) if broad.size else mean
        more = (mean - around)[:, 0]
        mean[:, 0] += np.interp(face, [0, 1], CRISP) * (more - SPECK * calm * more.clip(0))
        near = neighbours(points, AROUND)
        along, across = _apart(points[near] - points[:, None], turn[:, None])
        row = 1 - calm * across**2 / np.maximum(along**2 + across**2, 1e-12)
        mean = calmed(mean, near, NEARLY * (1 + calm - (0.5 + calm) * face), row)
        mean += (1 - calm) * VARIED * sheet.rng.standard_normal(mean.shape) * [1, 0.6, 0.6]
        differs = ((mean[:, None] - colours) ** 2).sum(2)
        # Ground is not of the colours of skin.
        differs[np.multiply.outer(amounts[self.warm].sum(0) == 0, self.warm)] = np.inf
        chosen = differs.argmin(1)
        # A single stone may be an eye.
        chosen = np.where(face > 0.5, chosen, joined(chosen, mean, colours, near))
        found = np.zeros_like(amounts)
        found[chosen, np.arange(len(chosen))] = amounts.sum(0)
        return found


def neighbours(points: Floats, most: int) -> NDArray[np.intp]:
    """Return the nearest points of each of points [N, 2] without itself: [N, at most `most`]."""
    from scipy.spatial import cKDTree

    ranks = range(2, min(most + 1, len(points)) + 1)
    if not ranks:
        return np.zeros((len(points), 0), np.intp)
    return np.asarray(cKDTree(points).query(points, ranks)[1])


def tanned(lab: Floats, seen: Floats, face: Floats, more: float) -> Floats:
    """Return colours [..., 3] in CIELAB with the hue of skin where `seen` may be skin of a face.

    `seen` is in CIELAB too, and `face` [...] is 0 to 1; `more` is the chroma that skin gains. What
    is pale there, such as a shadow on a cheek or a tooth, would be gray and green.
    """
    a, b = np.moveaxis(seen[..., 1:], -1, 0)
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a))
    skin = np.interp(hue, HUES, [0, 1, 1, 0]) * np.interp(chroma, VIVID, [1, 0])
    skin *= np.interp(lab[..., 0], LIGHT, [0, 1, 1, 0.2])
    pale = (1 - skin) * np.interp(chroma, PALE, [0.8, 0])
    rich = skin * (chroma + more * np.interp(chroma, GRAY, [0, 1])) + pale * chroma / 2
    # Rosy skin keeps its hue.
    turn = np.radians(SKIN + skin * (hue - SKIN) * np.where(hue < SKIN, 0.75, 0.25))
    warm = rich[..., None] * np.stack([np.cos(turn), np.sin(turn)], -1)
    found = lab.copy()
    found[..., 1:] += face[..., None] * (warm - (skin + pale)[..., None] * lab[..., 1:])
    return found


def whitened(lab: Floats) -> Floats:
    """Return colours [..., 3] in CIELAB where what is light and mint is nearly white."""
    a, b = np.moveaxis(lab[..., 1:], -1, 0)
    mint = np.interp(np.degrees(np.arctan2(b, a)) % 360, MINT, [0, 1, 1, 0])
    mint *= np.interp(lab[..., 0], BRIGHT, [0, 1]) * np.interp(np.hypot(a, b), WEAK, [1, 0])
    return np.asarray(lab * np.stack([np.ones_like(mint), *[1 - WHITE * mint] * 2], -1))


def busier(sheet: ink.Sheet, tone: Floats, share: float) -> ink.Sheet:
    """Return a sheet that has more weight where tones change, outside of its focus."""
    from scipy.ndimage import gaussian_filter

    wide = 1.5 * np.sqrt(tone.size / sheet.count)
    change = np.hypot(*np.gradient(gaussian_filter(tone, wide / 3, mode="nearest")))
    busy = gaussian_filter(change, wide, mode="nearest")
    busy = (busy / max(np.percentile(busy, BUSY), 1e-9)).clip(0, 1)
    weight = np.full(tone.shape, EVEN) if sheet.weight is None else sheet.weight
    return replace(sheet, weight=weight + share * MORE * busy * (1 - weight))


def calmed(
    lab: Floats, near: NDArray[np.intp], alike: Floats, share: float | Floats = 1.0
) -> Floats:
    """Return colours [N, 3] nearer to those of neighbours that differ by `alike` [N] or less.

    `share` [N, neighbours] is how much each counts.
    """
    for _ in range(CALMED):
        apart = ((lab[near] - lab[:, None]) ** 2).sum(2)
        like = share * np.exp(-apart / (2 * alike[:, None] ** 2))
        lab = (lab + (like[..., None] * lab[near]).sum(1)) / (1 + like.sum(1))[:, None]
    return lab


def joined(
    chosen: NDArray[np.intp], lab: Floats, colours: Floats, near: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return which of `colours` each stone has, where strays take one that their neighbours share.

    `lab` [N, 3] is the colour that a stone should have: the most like it is taken.
    """
    apart = np.hypot.reduce(colours[:, None] - colours, axis=2)
    for _ in range(CALMED if near.size else 0):
        others = chosen[near]
        alone = (apart[chosen[:, None], others] < ALIKE).sum(1) < FEW
        shared = (apart[others[:, :, None], others[:, None]] < ALIKE).sum(2) > FEW
        cost = np.where(shared, np.hypot.reduce(lab[:, None] - colours[others], axis=2), np.inf)
        best = np.take_along_axis(others, cost.argmin(1)[:, None], 1)[:, 0]
        chosen = np.where(alone & shared.any(1), best, chosen)
    return chosen


def rows(
    sheet: ink.Sheet, tone: Floats, allowed: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Return stones in rows along the contours, level where there are none: points [N, 2].

    Also the distance of rows in pixels, less in the focus, and their angle, [height, width].
    """
    seeds = np.stack(np.nonzero(allowed)[::-1], 1) + 0.5
    seeds = sheet.rng.permutation(seeds)[: 4 * sheet.count]
    scale = np.sqrt(allowed.sum() / sheet.count)
    while True:
        pitch = spacing(sheet.weight, tone.shape, scale)
        even = pitch / pitch.mean()
        calm = abstracted(tone, even, CALM)
        angle = directions(calm, 1.4 * pitch, 0.0, BEND)
        points, starts = streams(angle, calm, allowed, pitch, seeds, LONGEST)
        found = []
        for line in np.split(points, starts[1:-1]):
            if len(line) < 2:
                continue
            many = max(1, round(STEP * (len(line) - 1) / LONG))
            way = (np.arange(many) + 0.5) / many * (len(line) - 1)
            found.append([np.interp(way, np.arange(len(line)), axis) for axis in line.T])
        stones: Floats = np.asarray(np.concatenate(found, 1).T if found else seeds[:1], np.float64)
        if len(stones) <= sheet.count:
            return to_canvas(sheet, stones), pitch, angle
        scale *= max(1.02, np.sqrt(len(stones) / sheet.count))


def along(field: ink.Sheet, points: Floats) -> Floats:
    """Return the angle of rows at points [N, 2]."""
    return np.arctan2(field.at(2, *points.T), field.at(1, *points.T)) / 2


def owners(pixels: Floats, points: Floats, angle: Floats) -> NDArray[np.intp]:
    """Return the stone at `points` [N, 2], turned by `angle` [N], that each pixel belongs to."""
    from scipy.spatial import cKDTree

    ranks, workers = range(1, min(NEAR, len(points)) + 1), torch.get_num_threads()
    tree, found = cKDTree(points), []
    for some in np.array_split(pixels, len(pixels) // TOGETHER + 1):
        near = tree.query(some, ranks, workers=workers)[1]
        best = _apart(some[:, None] - points[near], angle[near]).max(0).argmin(1)
        found.append(np.take_along_axis(near, best[:, None], 1)[:, 0])
    return np.concatenate(found)


def fitted(
    points: Floats, turn: Floats, side: Floats, joint: float
) -> tuple[Floats, Floats, Floats]:
    """Return the middles [N, 2] of stones, and half their lengths and widths, [N].

    Their room grows at `points` [N, 2], along rows, whose angle is `turn` [N], and across, until it
    meets that of the next one; rows are `side` [N] wide. A `joint` stays free, as a share of the
    shorter side of the room.
    """
    near, half = neighbours(points, AROUND), np.stack([side, side]) * CUT / 2
    for k in GROWING:
        ways = _turned(points[near] - points[:, None], turn[:, None])
        reach = half[:, :, None] + half[:, near]
        is_next = (abs(ways[1 - k]) < reach[1 - k]) & (abs(ways[k]) >= abs(ways[1 - k]))
        most = (LARGEST[k] * side / 2 - half[k]).clip(0)
        # Each of two neighbours takes half of what is free.
        more, less = (
            np.where(is_next & (sign * ways[k] > 0), (abs(ways[k]) - reach[k]) / 2, np.inf)
            .min(1, initial=np.inf)
            .clip(0, most)
            for sign in (1, -1)
        )
        half[k] += (more + less) / 2
        way = turn + k * np.pi / 2
        points = points + (more - less)[:, None] / 2 * np.stack([np.cos(way), np.sin(way)], 1)
    return points, *(half - joint * half.min(0))


def _turned(offset: Floats, angle: Floats) -> Floats:
    """How far offsets [..., 2] are along and across the direction `angle`, [2, ...]."""
    c, s = np.cos(angle), np.sin(angle)
    u, v = c * offset[..., 0] + s * offset[..., 1], c * offset[..., 1] - s * offset[..., 0]
    return np.stack([u, v])


def _apart(offset: Floats, angle: Floats) -> Floats:
    """The distances along and across the direction `angle`, [2, ...]."""
    return np.abs(_turned(offset, angle))


def _marks(x: Floats, y: Floats, angle: Any, half: Any, radius: Any, amounts: Floats) -> ink.Marks:
    """One stroke at each place, of the ink with the largest of `amounts` [inks, N].

    It is smaller where there is less ink than one tile of it.
    """
    scale = np.sqrt(amounts.sum(0).clip(0, 1))
    u, v = scale * half * np.cos(angle), scale * half * np.sin(angle)
    rows = np.stack([x - u, y - v, x + u, y + v, scale * radius, scale * radius], 1)
    shown = scale > 0.1
    return ink.Marks(rows[shown], amounts.argmax(0)[shown])
