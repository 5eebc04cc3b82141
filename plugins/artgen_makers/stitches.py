"""How a sewing machine covers a shape: satin across what is narrow, rows of stitches elsewhere.

A shape is a mask [height, width] of pixels `unit` mm wide. A run is what is sewn without a cut of
the thread: points x, y in mm, [N, 2]. Satin follows the middle of a shape from end to end; rows lie
side by side in one direction, and their stitches end in other places from row to row.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

SHORTEST, LONGEST = 0.5, 7.0
"""Stitches are at least and at most so long, in mm."""
LENGTH = 3.5
"""Stitches of rows, and those that run to another place, in mm."""
COVERED = 0.92
"""The share of a shape that a column of satin has to cover."""
SLIM = 12.0
"""A shape for satin has so many times the area of a square on half of its width."""
BELOW = 2.5
"""Distance of the rows below others, across them, in mm."""
ZIGZAG, INSET = 2.0, 0.4
"""Satin wider than this has a zigzag below it, this far within its edges, in mm."""
LEAST_BELOW = 12.0
"""Areas of fewer square mm get nothing below them."""
FAR, NEAR = 25.0, 1.0
"""Longest way in mm on which the thread is not cut, and the longest that may be seen."""
COARSE, OPEN = 4, 0.9
"""Ways are found on a grid of so many pixels, along cells of which so much is free."""
STAGGER = 0.0, 0.5, 0.25, 0.75
TIE = 0.6
"""How far the thread goes back and forth where it begins and ends, in mm."""


class Thread(NamedTuple):
    """How thread is laid: mm from row to row, and by how much rows are longer than their shape."""

    spacing: float
    pull: float


def satin(mask: Mask, unit: float, thread: Thread, spine: Floats | None = None) -> list[Floats]:
    """Return a line along a narrow shape, and the run across it; none where it is wide or forks.

    It goes along the `spine` of a stroke, x and y in pixels [N, 2], or the middle of the shape.
    """
    from skimage.draw import polygon2mask

    mask = np.pad(mask, 1)
    inside = ndimage.distance_transform_edt(mask)
    wide = float(inside.max())
    if 2 * (wide * unit + thread.pull) > LONGEST:
        return []
    way = _middle(mask, inside) if spine is None else _stroked(spine, mask)
    if len(way) < 2:
        return []
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(way, axis=0).T))]
    count = int(along[-1] * unit / (thread.spacing / 2))
    if count < 4:
        return []
    places = np.linspace(0, along[-1], count)
    middle = np.stack([np.interp(places, along, axis) for axis in way.T], 1)
    ahead = ndimage.gaussian_filter1d(np.gradient(middle, axis=0), 3, axis=0, mode="nearest")
    normal = ahead[:, ::-1] * [1, -1] / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
    if spine is not None:
        middle, normal = _seen(middle, normal, mask, LONGEST / 2 / unit)
        if len(middle) < 4:
            return []
    reach = np.arange(0, LONGEST / 2 / unit, 0.5)
    sides = []
    for sign in (1, -1):
        hit = _hits(middle, normal, sign * reach, mask)
        sides.append(
            ndimage.gaussian_filter1d(
                0.5 * np.logical_and.accumulate(hit, axis=1).sum(1), 2, mode="nearest"
            )
        )
    hull = np.concatenate(
        [middle + sides[0][:, None] * normal, (middle - sides[1][:, None] * normal)[::-1]]
    )
    polygon: Any = polygon2mask
    filled = polygon(mask.shape, hull - 0.5)
    if (filled & mask).sum() < COVERED * mask.sum():
        return []
    grow = thread.pull / unit
    swing = np.where(np.arange(len(middle)) % 2, sides[0] + grow, -sides[1] - grow)
    line = middle[:: max(1, round(4 / thread.spacing))]
    if 2 * wide * unit > ZIGZAG:
        line = np.concatenate([line, _zigzag(middle, normal, sides, unit, thread)])
    return [(run[:, ::-1] - 1) * unit for run in (line, middle + swing[:, None] * normal)]


def _zigzag(
    middle: Floats, normal: Floats, sides: list[Floats], unit: float, thread: Thread
) -> Floats:
    """Return a wide zigzag back along a column, within its edges: rows and columns [N, 2]."""
    at = np.arange(0, len(middle), max(1, round(BELOW / thread.spacing)))[::-1]
    inner = [np.maximum(0, side[at] - INSET / unit) for side in sides]
    swing = np.where(np.arange(len(at)) % 2, inner[0], -inner[1])
    return middle[at] + swing[:, None] * normal[at]


def _middle(mask: Mask, inside: Floats) -> Floats:
    """Return the way along the middle of a slim shape, rows and columns [N, 2]; or none."""
    from skimage.graph import MCP_Geometric

    wide = float(inside.max())
    if mask.sum() < SLIM * wide**2:
        return np.empty((0, 2))
    ways = MCP_Geometric(np.where(mask, (wide / np.maximum(inside, 0.5)) ** 2, np.inf))
    end = np.argwhere(mask)[0]
    for _ in range(2):
        costs, _ = ways.find_costs([end])
        end = np.argwhere(mask)[costs[mask].argmax()]
    way = np.array(ways.traceback(end), np.float64)
    way = ndimage.gaussian_filter1d(way, wide, axis=0, mode="nearest") + 0.5
    # Its ends run into corners: from where they begin, it goes straight on.
    cut = round(1.5 * wide)
    if len(way) < 4 * cut + 4:
        return np.empty((0, 2))
    return _longer(_longer(way[cut:-cut], mask, cut)[::-1], mask, cut)


def _stroked(spine: Floats, mask: Mask) -> Floats:
    """Return a spine in steps of a pixel, rows and columns [N, 2], and straight on at its ends."""
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(spine, axis=0).T))]
    places = np.arange(0, along[-1], 1.0)
    if len(places) < 4:
        return np.empty((0, 2))
    way = np.stack([np.interp(places, along, axis) for axis in spine.T[::-1]], 1) + 1
    return _longer(_longer(way, mask, 3)[::-1], mask, 3)


def _hits(middle: Floats, normal: Floats, reach: Floats, mask: Mask) -> Mask:
    """Return whether a mask is at distances `reach` [M] from points [N, 2]: [N, M]."""
    rays = middle[:, None] + reach[:, None] * normal[:, None]
    row, column = np.moveaxis(rays.astype(np.int64), 2, 0)
    return np.asarray(mask[row.clip(0, mask.shape[0] - 1), column.clip(0, mask.shape[1] - 1)])


def _seen(middle: Floats, normal: Floats, mask: Mask, reach: float) -> tuple[Floats, Floats]:
    """Move points [N, 2] along their normals to the middle of what is seen of a stroke there.

    Where nothing is, a stroke ends; the longest stretch is kept.
    """
    far = np.arange(-reach, reach, 0.5)
    hit = _hits(middle, normal, far, mask)
    # The run of each ray that lies nearest to the spine.
    at = np.where(hit, abs(far), np.inf).argmin(1)
    index = np.arange(len(far))
    gaps = ~hit
    low = np.where(gaps & (index < at[:, None]), index + 1, 0).max(1)
    high = np.where(gaps & (index > at[:, None]), index - 1, len(far) - 1).min(1)
    ends = np.flatnonzero(np.diff(np.r_[False, hit.any(1), False].astype(np.int8))).reshape(-1, 2)
    if not len(ends):
        return middle[:0], normal[:0]
    begin, end = ends[np.diff(ends, axis=1)[:, 0].argmax()]
    kept = slice(begin, end)
    away = ndimage.gaussian_filter1d((far[low] + far[high])[kept] / 2, 2, mode="nearest")
    return middle[kept] + away[:, None] * normal[kept], normal[kept]


def _longer(way: Floats, mask: Mask, count: int) -> Floats:
    """Continue a way [N, 2] straight on from its end as long as a mask is there."""
    ahead = way[-1] - way[-1 - count]
    more = way[-1] + np.arange(1, 4 * count)[:, None] * ahead / np.hypot(*ahead)
    row, column = more.astype(np.int64).T
    row, column = row.clip(0, mask.shape[0] - 1), column.clip(0, mask.shape[1] - 1)
    inside = np.logical_and.accumulate(mask[row, column])
    return np.concatenate([way, more[inside]])


def rows(mask: Mask, unit: float, angle: float, thread: Thread) -> list[Floats]:
    """Return runs of rows in the direction `angle`, radians from x to y, that cover a shape."""
    ahead = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-ahead[1], ahead[0]])
    places = (np.argwhere(mask)[:, ::-1] + 0.5) * unit
    us, vs = places @ ahead, places @ across
    first, last = np.ceil(vs.min() / thread.spacing), np.floor(vs.max() / thread.spacing)
    v = thread.spacing * np.arange(first, last + 1)
    u = np.arange(us.min() - unit, us.max() + unit, unit / 2)
    grid = u[None, :, None] * ahead + v[:, None, None] * across
    column, row = np.moveaxis(np.floor(grid / unit).astype(np.int64), 2, 0)
    known = (row >= 0) & (column >= 0) & (row < mask.shape[0]) & (column < mask.shape[1])
    hit = np.zeros(known.shape, bool)
    hit[known] = mask[row[known], column[known]]
    open_: list[list[tuple[int, float, float]]] = []
    done: list[list[tuple[int, float, float]]] = []
    for number, line in enumerate(hit):
        ends = np.flatnonzero(np.diff(np.r_[False, line, False].astype(np.int8)))
        # A gap shorter than a stitch is none: they are the stairs of pixels.
        wide = np.diff(ends)[1::2] * unit / 2 >= SHORTEST
        apart = np.r_[True, wide.repeat(2), True][: len(ends)]
        turns = ends[apart].reshape(-1, 2)
        spans = [(number, float(u[a]), float(u[b - 1])) for a, b in turns]
        spans = [each for each in spans if each[2] - each[1] >= SHORTEST]
        following = []
        for span in spans:
            near = [part for part in open_ if _meet(part[-1], span)]
            # A row goes on where one follows one: where shapes part or join, others begin.
            if len(near) == 1 and sum(_meet(near[0][-1], each) for each in spans) == 1:
                near[0].append(span)
                following.append(near[0])
            else:
                following.append([span])
        kept = {id(part) for part in following}
        done += [part for part in open_ if id(part) not in kept]
        open_ = following
    # A row begins late where the stitch from the one before would be too short.
    late = max(0.0, (SHORTEST + 0.1) ** 2 - thread.spacing**2) ** 0.5
    runs = []
    for part in done + open_:
        points: list[Floats] = []
        at = 0.0
        for turn, (number, begin, end) in enumerate(part):
            shift = STAGGER[int(first + number) % 4]
            inner = LENGTH * (np.arange(begin // LENGTH, end // LENGTH + 2) + shift)
            inner = inner[(inner > begin + 1) & (inner < end - 1)]
            sides = begin - thread.pull, end + thread.pull
            back = turn % 2
            line = np.r_[sides[0], inner, sides[1]][:: -1 if back else 1]
            if points and abs(line[0] - at) < late:
                line[0] = at + (-late if back else late)
            at = line[-1]
            points.append(line[:, None] * ahead + v[number] * across)
        runs.append(np.concatenate(points))
    return runs


def _meet(one: tuple[int, float, float], other: tuple[int, float, float]) -> bool:
    return one[1] < other[2] and other[1] < one[2]


def below(mask: Mask, unit: float, angle: float) -> list[Floats]:
    """Return wide rows across those of `angle`, inside of a shape: they hold the fabric."""
    inner = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1] > 0.8 / unit
    if inner.sum() * unit**2 < LEAST_BELOW:
        return []
    return rows(inner, unit, angle + np.pi / 2, Thread(BELOW, 0.0))


def direction(tensor: Sequence[Floats], mask: Mask) -> float:
    """Return the direction along which a picture changes least in a shape, in radians."""
    xx, yy, xy = (float(plane[mask].mean()) for plane in tensor)
    return 0.5 * float(np.arctan2(2 * xy, xx - yy)) + np.pi / 2


class Ways:
    """Where thread can go on without a cut: over `free` pixels [height, width], not yet sewn."""

    def __init__(self, free: Mask, unit: float) -> None:
        self.free, self.step = free.copy(), COARSE * unit
        self.unit = unit

    def sew(self, run: Floats) -> None:
        """Close the pixels below a run."""
        for a, b in pairwise(run):
            count = int(np.hypot(*(b - a)) / self.unit) + 2
            x, y = (np.linspace(a, b, count) / self.unit).astype(np.int64).T
            high, wide = self.free.shape
            self.free[y.clip(0, high - 1), x.clip(0, wide - 1)] = False

    def find(self, a: Floats, b: Floats) -> Floats | None:
        """Return places between two points on a way of at most `FAR` mm, or None."""
        from skimage.graph import route_through_array

        if np.hypot(*(b - a)) > FAR:
            return None
        if np.hypot(*(b - a)) < NEAR:
            return np.empty((0, 2))
        low = (np.minimum(a, b) - FAR / 3) / self.step
        left, top = np.maximum(low, 0).astype(np.int64)
        right, bottom = ((np.maximum(a, b) + FAR / 3) / self.step).astype(np.int64) + 1
        part = self.free[top * COARSE : bottom * COARSE, left * COARSE : right * COARSE]
        rows_, columns = (side // COARSE for side in part.shape)
        if not rows_ or not columns:
            return None
        blocks = part[: rows_ * COARSE, : columns * COARSE]
        open_ = blocks.reshape(rows_, COARSE, columns, COARSE).mean((1, 3)) > OPEN
        ends = []
        for point in (a, b):
            column, row = (point / self.step).astype(np.int64) - (left, top)
            row, column = (int(row.clip(0, rows_ - 1)), int(column.clip(0, columns - 1)))
            open_[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = True
            ends.append((row, column))
        if not _linked(open_, *ends):
            return None
        route: Any = route_through_array
        way, cost = route(np.where(open_, 1.0, -1.0), *ends)
        if cost * self.step > FAR:
            return None
        return np.asarray((np.array(way)[2:-2:4, ::-1] + 0.5 + (left, top)) * self.step)


def _linked(mask: Mask, one: tuple[int, int], other: tuple[int, int]) -> bool:

    parts, _ = ndimage.label(mask, np.ones((3, 3)))
    return bool(parts[one] == parts[other])


def joined(parts: Sequence[Floats], runs: list[Floats], ways: Ways, *, seen: bool) -> None:
    """Add parts to runs, the nearest next; where no stitch between is seen, to the last run.

    Parts that are `seen` hide what is below them, and nothing goes over them any more.
    """
    left = list(parts)
    while left:
        at = runs[-1][-1] if runs else np.zeros(2)
        ends = np.stack([[part[0], part[-1]] for part in left])
        apart = np.hypot(*(ends - at).transpose(2, 0, 1))
        which, end = divmod(int(apart.argmin()), 2)
        part = left.pop(which)
        part = part[::-1] if end else part
        between = ways.find(at, part[0]) if runs else None
        if between is None:
            runs.append(part)
        else:
            runs[-1] = np.concatenate([runs[-1], between, part])
        if seen:
            ways.sew(part)


def sewn(run: Floats) -> NDArray[np.int64]:
    """Return the needle's places in tenths of mm: none too near or too far, tied at both ends.

    Empty where the run is too short to be tied.
    """
    run = np.round(run, 1)
    kept = [run[0]]
    for point in run[1:]:
        far = float(np.hypot(*(point - kept[-1])))
        if far > LONGEST:
            kept += list(np.linspace(kept[-1], point, int(np.ceil(far / LENGTH)) + 1)[1:].round(1))
        elif far > SHORTEST - 1e-6:
            kept.append(point)
    if len(kept) < 2:
        return np.empty((0, 2), np.int64)
    tied = []
    for point, other in ((kept[0], kept[1]), (kept[-1], kept[-2])):
        away = other - point
        tied.append(point + max(TIE, SHORTEST + 0.15) * away / np.hypot(*away))
    places = [kept[0], tied[0], *kept, tied[1], kept[-1]]
    return np.asarray(np.rint(10 * np.array(places)).astype(np.int64))
