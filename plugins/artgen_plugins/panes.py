"""Panes of coloured glass in lead, with what is too fine for lead painted on the glass.

The picture is cut by a watershed with seeds that lie closer where it has more detail (Neubert and
Protzel: Compact watershed, 2014). Regions are merged by Ward's rule (1963), with a price for those
that get too large. Leads run along the borders, and are wider between darker panes.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas, Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen_plugins.hatch import filled, without_specks

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

SEEDS = 3
"""Regions of the watershed for each pane."""
JEWEL, CONTRAST = 1.9, 1.3
"""How much more chroma and difference of lightness glass has than what it shows."""
STREAKS, MIDDLE = 0.22, 0.3
"""How much light comes through streaks, and through the middle of a pane."""
PRICE = 25.0
"""The price of a pane as large as the mean, in squared differences of colour."""
SMOOTH = 4.0
"""Standard deviation of what smooths borders, in pixels."""
FLAT = 1.0
"""The slope, in units of CIELAB for each pixel, that is no edge."""
WAVES = ((23.0, 4.0, 0.3), (41.0, -7.0, 1.7), (67.0, 9.0, 4.1))
"""The rate, slant and phase of each wave of streaks."""
JEWELS = (
    "#8e1220,#d1281e,#ea6a1c,#f3a72b,#f8d873,#fbf1cf,#efc3a2,#c07d58,"
    "#5b2a1c,#8fae3c,#2f7d3c,#0f4a45,#1b8a9a,#8fc9e6,#2a479f"
)


@dataclass(frozen=True)
class PanesOptions(InkOptions):
    """Options of `panes`."""

    inks: str = option(
        f"{JEWELS},#17141b",
        "colours of the glass, separated by commas; the darkest is that of the leads",
    )
    margin: float = option(0.0, "blank border, as a share of the shorter side", low=0, high=0.4)
    overprint: bool = option(False, "inks multiply what is below them; if false they cover it")
    panes: int = option(360, "number of panes", low=1, high=2000)
    lead: float = option(0.005, "radius of a lead in canvas units", low=0.0005, high=0.1)
    painted: float = option(0.6, "how much fine detail is painted on the glass", low=0, high=1)


class Panes(Ink):
    """Panes of glass, leads between them, and dark lines painted on them."""

    Options: ClassVar[type[Any]] = PanesOptions
    separation: ClassVar[Literal["mixed", "nearest"]] = "nearest"
    defaults = Preset(count=40000, background="#fffdf2")

    def take_options(self) -> None:
        """Put the darkest ink last, over all others: that of the leads."""
        super().take_options()
        self.inks = self.inks[np.argsort(-self.inks @ [0.3, 0.6, 0.1], kind="stable")]

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Draw the leads, then glass from the largest pane on, and what is painted on it."""
        plain, light = sheet.target is None, (1 - sheet.amounts.sum(0)[None]).repeat(3, 0)
        lab = _lab(light if sheet.target is None else sheet.target)
        last, panes, apart = len(self.inks) - 1, float(self.options.panes), 2.0
        while True:
            labels = cut(lab, sheet.weight, max(1, round(panes)))
            colours = np.stack([_means(lab[..., k], labels) for k in range(3)], 1)
            dark = 1 - colours[:, 0] / 100
            size = np.bincount(labels.ravel()) * panes / labels.size
            radius = self.options.lead * (0.7 + 0.5 * dark) * size.clip(0.15, 1) ** 0.4
            layers = [borders(sheet, labels, radius, last)]
            layers.append(fill(sheet, labels, self._glass(colours), apart))
            # Few marks are for leads and glass.
            if self.options.painted and not plain and panes > 0.3 * self.options.panes:
                layers.append(self._painted(sheet, lab[..., 0] / 100, apart, last))
            marks = ink.joined(layers)
            if len(marks) <= sheet.count:
                return marks
            panes, apart = panes * 0.8, apart * 1.25

    def settled(self, cover: NDArray[np.float32], canvas: Canvas) -> NDArray[np.float32]:
        """Let light through the middle of each pane, and through streaks in the glass."""
        from scipy.ndimage import gaussian_filter

        wide = 6 * self.options.lead / canvas.pixel
        near = gaussian_filter(cover[-1], wide, mode="nearest")
        middle = (1 - 3 * near).clip(0, 1)
        clear = MIDDLE * middle * (0.4 + 0.6 * streaks(canvas)) + STREAKS * streaks(canvas) ** 2
        glass = cover[:-1] * (1 - clear)
        return np.concatenate([glass, cover[-1:]]).astype(np.float32)

    def _glass(self, colours: Floats) -> Labels:
        """Return the ink of each pane, of Lab colours [N, 3]: more vivid, with more contrast."""
        vivid = colours.copy()
        vivid[:, 1:] *= JEWEL
        vivid[:, 0] = 55 + CONTRAST * (vivid[:, 0] - 55)
        glass = _lab(self.inks[:-1].T[..., None] if len(self.inks) > 1 else self.inks.T[..., None])
        # Lightness makes a face; hue may be off.
        apart = (vivid[:, None] - glass[:, 0]) * [1.3, 1, 1]
        found: Labels = (apart**2).sum(2).argmin(1)
        return found

    def _painted(self, sheet: ink.Sheet, tone: Floats, apart: float, last: int) -> ink.Marks:
        """Return marks where the picture is darker than around, by an amount that stands out."""
        from scipy.ndimage import gaussian_filter

        unit = 1 / sheet.canvas.pixel
        fine = gaussian_filter(tone, max(0.6, 0.004 * unit), mode="nearest")
        wide = gaussian_filter(tone, max(1.5, 0.02 * unit), mode="nearest")
        least = 0.3 - 0.22 * self.options.painted
        if sheet.weight is not None:
            least = least / (0.5 + 0.5 * sheet.weight / sheet.weight.mean())
        field = (wide - fine) / least
        kept = without_specks(field > 1, np.full(tone.shape, max(1.5, 0.005 * unit)))
        return filled(sheet, np.where(kept, field, np.minimum(field, 0.9)), 1.0, apart, last)


def cut(lab: Floats, weight: Floats | None, panes: int) -> Labels:
    """Cut a picture in Lab [height, width, 3] into at most so many panes: [height, width]."""
    from scipy.ndimage import gaussian_filter
    from skimage.segmentation import watershed

    height, width = lab.shape[:2]
    smooth = np.stack([gaussian_filter(lab[..., k], 1.2, mode="nearest") for k in range(3)], 2)
    slope = np.sqrt(sum(g**2 for k in range(3) for g in _slopes(smooth[..., k])))
    slope = np.maximum(slope - FLAT, 0)
    detail = gaussian_filter(slope, 0.02 * min(height, width), mode="nearest")
    dense = 0.5 * detail.mean() + detail + 1e-9
    if weight is not None:
        dense = dense * (weight / max(weight.mean(), 1e-9)) ** 0.7
    seeds = _spread(dense, min(SEEDS * panes, height * width // 9 + 1))
    markers = np.zeros((height, width), np.int64)
    markers[seeds[:, 0], seeds[:, 1]] = np.arange(1, len(seeds) + 1)
    labels = watershed(slope, markers, compactness=2) - 1  # type: ignore[no-untyped-call]
    return smoothed(merged(labels, smooth, dense, panes), SMOOTH)


def _slopes(picture: Floats) -> tuple[Floats, ...]:
    return tuple(
        np.gradient(picture, axis=axis) if picture.shape[axis] > 1 else np.zeros_like(picture)
        for axis in (0, 1)
    )


def _spread(dense: Floats, count: int) -> Labels:
    """Return the middles, rows and columns [N, 2], of boxes with the same share of `dense`."""
    boxes = [(0, dense.shape[0], 0, dense.shape[1], count)]
    found = []
    while boxes:
        top, bottom, left, right, number = boxes.pop()
        box = dense[top:bottom, left:right]
        if number < 2 or box.size < 4:
            found.append([(top + bottom) // 2, (left + right) // 2])
            continue
        axis = int(box.shape[1] > box.shape[0])
        total = np.cumsum(box.sum(1 - axis))
        half = int(np.searchsorted(total, total[-1] * (number // 2) / number)) + 1
        half = min(half, box.shape[axis] - 1)
        ends = [(top, top + half, left, right), (top + half, bottom, left, right)]
        if axis:
            ends = [(top, bottom, left, left + half), (top, bottom, left + half, right)]
        boxes += [(*ends[0], number // 2), (*ends[1], number - number // 2)]
    return np.array(found)


def merged(labels: Labels, lab: Floats, dense: Floats, panes: int) -> Labels:
    """Join neighbours, those that differ least first, until there are `panes` regions.

    Joining regions of masses m and n, in shares of the mean, costs mn / (m + n) times the squared
    difference of their colours (Ward), and a price for their common mass.
    """
    count = int(labels.max()) + 1
    mass = np.bincount(labels.ravel(), dense.ravel(), count) * panes / dense.sum()
    colours = list(np.stack([_means(lab[..., k], labels) for k in range(3)], 1))
    near: list[set[int]] = [set() for _ in range(count)]
    for first, second in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
        for a, b in np.unique(np.stack([first, second], -1)[first != second], axis=0).tolist():
            near[a].add(b)
            near[b].add(a)

    def cost(a: int, b: int) -> float:
        both, differ = mass[a] + mass[b], colours[a] - colours[b]
        return float(mass[a] * mass[b] / both * (differ @ differ) + PRICE * both**2)

    age, into = [0] * count, list(range(count))
    heap = [(cost(a, b), a, b, 0, 0) for a in range(count) for b in near[a] if a < b]
    heapq.heapify(heap)
    left = sum(each > 0 for each in mass)
    while left > panes and heap:
        _, a, b, then_a, then_b = heapq.heappop(heap)
        if (age[a], age[b]) != (then_a, then_b):
            continue
        colours[a] = (mass[a] * colours[a] + mass[b] * colours[b]) / (mass[a] + mass[b])
        mass[a] += mass[b]
        age[a], age[b], into[b] = age[a] + 1, -1, a
        near[a] = (near[a] | near[b]) - {a, b}
        for c in near[a]:
            near[c] = (near[c] - {b}) | {a}
            low, high = (a, c) if a < c else (c, a)
            heapq.heappush(heap, (cost(a, c), low, high, age[low], age[high]))
        left -= 1
    for k in range(count):
        while into[k] != into[into[k]]:
            into[k] = into[into[k]]
    found: Labels = np.array(into)[labels]
    return found


def smoothed(labels: Labels, sigma: float) -> Labels:
    """Give each pixel to the region that has most of its surroundings."""
    from scipy.ndimage import find_objects, gaussian_filter

    height, width = labels.shape
    best, found, pad = np.zeros(labels.shape), labels.copy(), int(4 * sigma) + 1
    for value, box in enumerate(find_objects(labels + 1)):
        if box is None:
            continue
        rows, columns = (
            slice(max(0, part.start - pad), min(size, part.stop + pad))
            for part, size in zip(box, (height, width), strict=True)
        )
        share = gaussian_filter((labels[rows, columns] == value) * 1.0, sigma, mode="nearest")
        more = share > best[rows, columns]
        best[rows, columns][more] = share[more]
        found[rows, columns][more] = value
    return found


def borders(sheet: ink.Sheet, labels: Labels, radius: Floats, k: int) -> ink.Marks:
    """Return lines between regions, from one corner where three meet to the next.

    `radius` [N], in canvas units, is that of each region; between two it is the mean.
    """
    from scipy.ndimage import gaussian_filter1d

    near: dict[tuple[int, int], list[tuple[int, int]]] = {}
    down = np.argwhere(labels[:, 1:] != labels[:, :-1])
    across = np.argwhere(labels[1:] != labels[:-1])
    edges = [((r, c + 1), (r + 1, c + 1)) for r, c in down.tolist()]
    edges += [((r + 1, c), (r + 1, c + 1)) for r, c in across.tolist()]
    for a, b in edges:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    used: set[frozenset[tuple[int, int]]] = set()
    layers = []
    ends = [each for each, others in near.items() if len(others) != 2]
    for begin in [*ends, *near]:
        for second in near[begin]:
            if frozenset((begin, second)) in used:
                continue
            line = [begin, second]
            used.add(frozenset((begin, second)))
            while len(near[line[-1]]) == 2 and line[-1] != begin:
                one, other = near[line[-1]]
                following = other if one == line[-2] else one
                used.add(frozenset((line[-1], following)))
                line.append(following)
            points = np.array(line, np.float64)
            inner = gaussian_filter1d(points, SMOOTH, axis=0, mode="nearest")
            # Corners stay where they are.
            way = np.minimum(np.arange(len(points)), np.arange(len(points))[::-1])[:, None]
            share = np.minimum(1, way / (2 * SMOOTH))
            points = (share * inner + (1 - share) * points)[:: 3 if len(points) > 6 else 1]
            if tuple(points[-1]) != line[-1]:
                points = np.concatenate([points, [line[-1]]])
            row, column = (
                np.clip(np.rint(points.T[axis]).astype(int), 1, labels.shape[axis] - 1)
                for axis in (0, 1)
            )
            wide = (radius[labels[row, column]] + radius[labels[row - 1, column - 1]]) / 2
            place = points[:, ::-1] * sheet.canvas.pixel - sheet.canvas.reach
            layers.append(ink.polyline(place, wide.mean(), k))
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
    largest = np.argsort(-np.bincount(labels.ravel())[value], kind="stable")
    order = largest[np.argsort(-np.bincount(labels.ravel())[value[largest]], kind="stable")]
    return ink.Marks(np.concatenate([strokes, radius], 1)[order], glass[value[order]])


def streaks(canvas: Canvas) -> Floats:
    """Return how light the glass is at each pixel, [height, width] in 0 to 1: wavy streaks."""
    x, y = np.meshgrid(*canvas.pixel_centres())
    bend = y + 0.06 * np.sin(5 * x + 2 * np.sin(3 * y)) + 0.25 * x
    found: Floats = (
        sum(np.sin(rate * bend + turn * x + shift) for rate, turn, shift in WAVES)
        / (2 * len(WAVES))
        + 0.5
    )
    return found


def _lab(picture: Floats) -> Floats:
    """Return sRGB [3, ...] in 0 to 1 as CIELAB [..., 3]."""
    from skimage.color import rgb2lab

    found: Floats = rgb2lab(np.moveaxis(picture.clip(0, 1), 0, -1))
    return found


def _means(values: Floats, labels: Labels) -> Floats:
    """Return the mean of `values` in each region, [N]; 0 where there is none."""
    size = np.bincount(labels.ravel())
    return np.bincount(labels.ravel(), values.ravel()) / np.maximum(size, 1)
