"""Regions that follow a picture: cut, joined, made smooth, and the lines between them.

The picture is cut by a watershed with seeds that lie closer where it has more detail (Neubert and
Protzel: Compact watershed, 2014). Regions are merged by Ward's rule (1963), with a price for those
that get too large. Pixels are numbered by row and column.
"""

from __future__ import annotations

import heapq
import warnings
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from artgen import ink

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Mask = NDArray[np.bool_]
Place = tuple[int, int]

SEEDS = 6
"""Regions of the watershed for each one that is asked for."""
PRICE = 2.0
"""The price of a region as large as the mean, in squared differences of colour."""
SMOOTH = 4.0
"""Standard deviation of what smooths borders, in pixels."""
ASIDE = 4
"""How far a seed may be moved, in pixels."""
FLAT = 1.0
"""The slope, in units of CIELAB for each pixel, that is no edge."""


def closest(weight: Floats, least: float) -> Floats | None:
    """Return where a weight is nearly the most, as in faces: 0 to 1 from a share `least` of it on.

    None where it is so everywhere.
    """
    near: Floats = ((weight / max(weight.max(), 1e-9) - least) / (1 - least)).clip(0, 1)
    return None if near.min() > 0 else near


def cut(lab: Floats, weight: Floats | None, count: int) -> Labels:
    """Cut a picture in CIELAB [height, width, 3] into at most `count` regions: [height, width]."""
    from scipy.ndimage import gaussian_filter

    height, width = lab.shape[:2]
    smooth = np.stack([gaussian_filter(lab[..., k], 1.2, mode="nearest") for k in range(3)], 2)
    slope = np.sqrt(sum(g**2 for k in range(3) for g in slopes(smooth[..., k])))
    slope = np.maximum(slope - FLAT, 0)
    detail = gaussian_filter(slope, 0.02 * min(height, width), mode="nearest")
    dense = 0.5 * detail.mean() + detail + 1e-9
    if weight is not None:
        # Regions without a mass could not be compared.
        dense = np.maximum(dense * (weight / max(weight.mean(), 1e-9)) ** 0.7, 1e-12)
    seeds = _spread(dense, min(SEEDS * count, height * width // 9 + 1))
    return smoothed(merged(_flooded(slope, seeds, 2), smooth, dense, count), SMOOTH)


def watershed(lab: Floats, count: int) -> Labels:
    """Return about `count` regions whose borders lie on the edges of a picture in CIELAB."""
    from scipy.ndimage import gaussian_filter

    smooth = np.stack([gaussian_filter(lab[..., k], 0.7, mode="nearest") for k in range(3)], 2)
    slope = np.sqrt(sum(g**2 for k in range(3) for g in slopes(smooth[..., k])))
    detail = gaussian_filter(slope, 0.02 * min(slope.shape), mode="nearest")
    seeds = _spread(0.5 * detail.mean() + detail + 1e-9, count)
    # No seed lies on an edge, where it would become a region between both sides (as in SLIC).
    for seed in seeds:
        corner = np.maximum(seed - ASIDE, 0)
        box = slope[corner[0] : seed[0] + ASIDE + 1, corner[1] : seed[1] + ASIDE + 1]
        seed[:] = corner + np.unravel_index(box.argmin(), box.shape)
    return _flooded(slope, seeds, 0.3)


def _flooded(slope: Floats, seeds: Labels, compactness: float) -> Labels:
    """Return the regions that grow from `seeds` [N, 2] up the slopes, numbered as these are."""
    from skimage import segmentation

    markers = np.zeros(slope.shape, np.int64)
    markers[tuple(seeds.T)] = np.arange(1, len(seeds) + 1)
    found: Labels = segmentation.watershed(slope, markers, compactness=compactness)  # type: ignore[no-untyped-call]
    return found - 1


def slopes(picture: Floats) -> tuple[Floats, ...]:
    """Return the changes of a plane [height, width] along columns and rows; 0 along one pixel."""
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


def merged(
    labels: Labels,
    lab: Floats,
    dense: Floats,
    wanted: int,
    price: float = PRICE,
    alike: float = 0.0,
    least: float = 0.0,
) -> Labels:
    """Join neighbours, those that differ least first, until there are `wanted` regions.

    Joining regions of masses m and n, in shares of the mean, costs mn / (m + n) times the squared
    difference of their colours (Ward), and a `price` for their common mass. Joining goes on while
    it costs less than `alike`, and then until no region has a mass below `least`.
    """
    count = int(labels.max()) + 1
    mass = np.bincount(labels.ravel(), dense.ravel(), count) * wanted / dense.sum()
    colours = list(means(lab, labels))
    near: list[set[int]] = [set() for _ in range(count)]
    for first, second in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
        for a, b in np.unique(np.stack([first, second], -1)[first != second], axis=0).tolist():
            near[a].add(b)
            near[b].add(a)

    def cost(a: int, b: int) -> float:
        both, differ = mass[a] + mass[b], colours[a] - colours[b]
        return float(mass[a] * mass[b] / both * (differ @ differ) + price * both**2)

    age, into = [0] * count, list(range(count))

    def join(a: int, b: int) -> None:
        colours[a] = (mass[a] * colours[a] + mass[b] * colours[b]) / (mass[a] + mass[b])
        mass[a] += mass[b]
        age[a], age[b], into[b] = age[a] + 1, -1, a
        near[a] = (near[a] | near[b]) - {a, b}
        for c in near[a]:
            near[c] = (near[c] - {b}) | {a}

    heap = [(cost(a, b), a, b, 0, 0) for a in range(count) for b in near[a] if a < b]
    heapq.heapify(heap)
    left = sum(each > 0 for each in mass)
    while heap and (left > wanted or heap[0][0] < alike):
        _, a, b, then_a, then_b = heapq.heappop(heap)
        if (age[a], age[b]) != (then_a, then_b):
            continue
        join(a, b)
        for c in near[a]:
            low, high = (a, c) if a < c else (c, a)
            heapq.heappush(heap, (cost(a, c), low, high, age[low], age[high]))
        left -= 1
    small = [(mass[a], a) for a in range(count) if age[a] >= 0 and 0 < mass[a] < least]
    heapq.heapify(small)
    while small:
        size, a = heapq.heappop(small)
        if age[a] < 0 or mass[a] != size or not near[a]:
            continue
        b = min(near[a], key=lambda c: (cost(a, c), c))
        join(b, a)
        if mass[b] < least:
            heapq.heappush(small, (mass[b], b))
    for k in range(count):
        while into[k] != into[into[k]]:
            into[k] = into[into[k]]
    return np.array(into)[labels]


def neighbours(labels: Labels) -> tuple[Labels, Labels]:
    """Return the labels, [N] each, on both sides of each border between pixels."""
    sides = [(labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])]
    a, b = np.concatenate([np.stack([one.ravel(), two.ravel()]) for one, two in sides], 1)
    return a[a != b], b[a != b]


def separated(labels: Labels) -> Labels:
    """Return labels [height, width] of which each is of one piece, from 0 on; -1 is a label too."""
    from skimage.measure import label

    found: Labels = label(labels + 1, connectivity=1, background=-1)  # type: ignore[no-untyped-call]
    return found - 1


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


def chains(labels: Labels) -> list[Floats]:
    """Return the smooth lines between regions, rows and columns [N, 2] of corners of pixels.

    A line goes from one corner where three regions meet to the next, or around one region.
    """
    from scipy.ndimage import gaussian_filter1d

    near: dict[Place, list[Place]] = {}
    down = np.argwhere(labels[:, 1:] != labels[:, :-1])
    across = np.argwhere(labels[1:] != labels[:-1])
    edges = [((r, c + 1), (r + 1, c + 1)) for r, c in down.tolist()]
    edges += [((r + 1, c), (r + 1, c + 1)) for r, c in across.tolist()]
    for a, b in edges:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    lines = []
    for line in walks(near):
        points = np.array(line, np.float64)
        inner = gaussian_filter1d(points, SMOOTH, axis=0, mode="nearest")
        # Corners stay where they are.
        way = np.minimum(np.arange(len(points)), np.arange(len(points))[::-1])[:, None]
        share = np.minimum(1, way / (2 * SMOOTH))
        points = (share * inner + (1 - share) * points)[:: 3 if len(points) > 6 else 1]
        if tuple(points[-1]) != line[-1]:
            points = np.concatenate([points, [line[-1]]])
        lines.append(points)
    return lines


def walks(near: Mapping[Place, Sequence[Place]]) -> Iterator[list[Place]]:
    """Yield the ways between places, from one fork or end to the next, or around.

    `near` are the neighbours of each place. Ways begin at forks and ends first.
    """
    used: set[frozenset[Place]] = set()
    for begin in [*(each for each, others in near.items() if len(others) != 2), *near]:
        for second in near[begin]:
            if frozenset((begin, second)) in used:
                continue
            line = [begin, second]
            used.add(frozenset(line))
            while len(near[line[-1]]) == 2 and line[-1] != begin:
                one, other = near[line[-1]]
                following = other if one == line[-2] else one
                used.add(frozenset((line[-1], following)))
                line.append(following)
            yield line


def seen_of(sheet: ink.Sheet, gray: Floats) -> Floats:
    """Return the picture [3, height, width] of a sheet, or `gray` [height, width] without one."""
    return gray[None].repeat(3, 0) if sheet.target is None else sheet.target


def lab_of(picture: Floats) -> Floats:
    """Return sRGB [3, ...] in 0 to 1 as CIELAB [..., 3]."""
    from skimage.color import rgb2lab

    return np.asarray(rgb2lab(np.moveaxis(picture.clip(0, 1), 0, -1)))


def rgb_of(lab: Floats) -> Floats:
    """Return CIELAB [N, 3] as sRGB in 0 to 1; what sRGB does not have is clipped."""
    from skimage.color import lab2rgb

    with warnings.catch_warnings():
        # Vivid colours may lie outside, which is no mistake.
        warnings.simplefilter("ignore")
        found: Floats = lab2rgb(lab[None])[0]
    return found


def means(picture: Floats, labels: Labels) -> Floats:
    """Return the mean of a picture [height, width, 3] in each region, [N, 3]; 0 where none is."""
    own = labels.ravel()
    sums = [np.bincount(own, plane.ravel()) for plane in np.moveaxis(picture, 2, 0)]
    return np.stack(sums, 1) / np.maximum(np.bincount(own), 1)[:, None]
