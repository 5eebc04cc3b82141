"""Lines and what is left of them: hatches over a part, cut where other parts are in front.

Everything a pen draws is a run of straight segments here. To cut them, all their crossings with the
edges of polygons are found at once and sorted along each segment; counting them tells what is
inside of what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Rings",
    "Segments",
    "closed",
    "concentric",
    "cut",
    "kept",
    "parallel",
    "polylines",
    "split",
    "straight",
    "to_paths",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rings = Sequence[Floats]

AT_ONCE = 1 << 19
"""So many pairs of a segment and a corner are looked at together."""
SHORTEST = 1e-6
"""Shorter segments are none, in the unit of length."""


@dataclass(frozen=True, eq=False)
class Segments:
    """S straight pieces of lines: `begin` and `end` float64 [S, 2], in order along the lines.

    `line` int64 [S] is the number of the line that each belongs to. `chain` int64 [S] numbers what
    is drawn without lifting the pen: consecutive segments of one chain touch.
    """

    begin: Floats
    end: Floats
    line: Ints
    chain: Ints

    def __len__(self) -> int:
        return len(self.begin)

    def chosen(self, index: NDArray[np.intp]) -> Segments:
        """Some of them, with the same lines and chains."""
        return Segments(self.begin[index], self.end[index], self.line[index], self.chain[index])

    @property
    def lengths(self) -> Floats:
        """The length of each, [S]."""
        reach = self.end - self.begin
        return np.hypot(reach[:, 0], reach[:, 1])


def polylines(lines: Sequence[tuple[int, Floats]]) -> Segments:
    """Lines as segments, from their numbers and points [n, 2]."""
    if not lines:
        return Segments(np.empty((0, 2)), np.empty((0, 2)), *np.empty((2, 0), np.int64))
    sizes = [len(points) - 1 for _, points in lines]
    begin = np.concatenate([points[:-1] for _, points in lines])
    end = np.concatenate([points[1:] for _, points in lines])
    line = np.repeat([number for number, _ in lines], sizes)
    segments = Segments(begin, end, line, np.repeat(np.arange(len(lines)), sizes))
    return segments.chosen(np.nonzero(segments.lengths > SHORTEST)[0])


def closed(rings: Rings) -> Segments:
    """The outlines of polygons."""
    return polylines([(k, np.concatenate([ring, ring[:1]])) for k, ring in enumerate(rings)])


def straight(rings: Rings, angle: float, spacing: float, within: Rings) -> Segments:
    """Parallel lines at `angle` over polygons, `spacing` apart, where `within` may be.

    They lie where they would for any other polygons, so that small ones get their share of them.
    The number of a line counts from the origin.
    """
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    points, room = np.concatenate(list(rings)), np.concatenate(list(within))
    u, v, far = room @ along, points @ across, room @ across
    first = np.ceil(max(v.min(), far.min()) / spacing)
    last = np.floor(min(v.max(), far.max()) / spacing)
    numbers = np.arange(int(first), int(last) + 1)
    foot = (spacing * numbers)[:, None] * across
    begin, end = foot + u.min() * along, foot + u.max() * along
    return Segments(begin, end, numbers, np.arange(len(numbers)))


def concentric(
    rings: Rings, middle: Floats, radius: float, spacing: float, shift: float = 0.0
) -> Segments:
    """Polygons within one another around their `middle` [2], `spacing` apart.

    `radius` is how far the outermost are from there. All are moved outwards by `shift` times the
    spacing. They are numbered from the outermost.
    """
    count = round(radius / spacing)
    shares = 1 - (np.arange(count) + 0.5 - shift) * spacing / radius
    closed_rings = [np.concatenate([ring, ring[:1]]) - middle for ring in rings]
    return polylines(
        [(k, middle + share * ring) for k, share in enumerate(shares) for ring in closed_rings]
    )


def parallel(spine: Floats, width: float, count: int, shift: float = 0.0) -> Segments:
    """So many lines along a spine that share out the `width` of a stroke; there may be none.

    All are moved across by `shift` times their distance. They are numbered from one side.
    """
    ahead = np.gradient(spine, axis=0)
    size = np.hypot(ahead[:, 0], ahead[:, 1])[:, None]
    ahead = ahead / np.maximum(size, SHORTEST)
    across = np.stack([-ahead[:, 1], ahead[:, 0]], 1)
    places = (np.arange(count) - (count - 1) / 2 + shift) * width / max(count, 1)
    return polylines([(k, spine + place * across) for k, place in enumerate(places)])


def cut(segments: Segments, inside: Sequence[Rings], outside: Sequence[Rings]) -> Segments:
    """What is left of segments: within each of `inside` (at least one) and in none of `outside`."""
    groups = [*inside, *outside]
    flat = [(ring, group) for group, rings in enumerate(groups) for ring in rings]
    corners = np.concatenate([ring for ring, _ in flat])
    group = np.repeat([group for _, group in flat], [len(ring) for ring, _ in flat])
    following = np.arange(1, len(corners) + 1)
    ends = np.cumsum([len(ring) for ring, _ in flat])
    following[ends - 1] = ends - [len(ring) for ring, _ in flat]
    pieces = []
    step = max(1, AT_ONCE // len(corners))
    for first in range(0, len(segments), step):
        some = np.arange(first, min(first + step, len(segments)))
        part = segments.chosen(some)
        found = _intervals(part, corners, group, following, len(inside))
        pieces.append((found[0] + first, found[1], found[2]))
    if not pieces:
        return segments
    index, start, stop = (np.concatenate(each) for each in zip(*pieces, strict=True))
    begin, reach = segments.begin[index], (segments.end - segments.begin)[index]
    # A piece goes on with the one before it where nothing lies between.
    before = np.maximum(np.arange(len(index)) - 1, 0)
    same = (index == index[before]) & (start == stop[before])
    after = (index == index[before] + 1) & (stop[before] == 1) & (start == 0)
    goes_on = same | (after & (segments.chain[index] == segments.chain[index[before]]))
    goes_on[:1] = False
    return Segments(
        begin + start[:, None] * reach,
        begin + stop[:, None] * reach,
        segments.line[index],
        np.cumsum(~goes_on) - 1,
    )


def _intervals(
    segments: Segments, corners: Floats, group: Ints, following: Ints, required: int
) -> tuple[Ints, Floats, Floats]:
    """Which segments are left from where to where, as shares of their lengths, in order."""
    reach = segments.end - segments.begin
    offset = corners[None] - segments.begin[:, None]
    side = reach[:, None, 0] * offset[..., 1] - reach[:, None, 1] * offset[..., 0]
    place = (offset * reach[:, None]).sum(2) / np.square(reach).sum(1)[:, None]
    left = side > 0
    s, e = np.nonzero(left != left[:, following])
    f = following[e]
    share = side[s, e] / (side[s, e] - side[s, f])
    t = place[s, e] + share * (place[s, f] - place[s, e])
    turn = np.where(left[s, e], -1, 1)
    order = np.lexsort((t, group[e], s))
    s, t, turn, owner = s[order], t[order], turn[order], group[e][order]
    # Every ring is crossed as often one way as the other, so the sums start anew at each group.
    winding = np.cumsum(turn)
    change = (winding != 0).astype(int) - (winding - turn != 0)
    told = change != 0
    s, t, change, owner = s[told], np.clip(t[told], 0, 1), change[told], owner[told]
    order = np.lexsort((t, s))
    s, t, change, needed = s[order], t[order], change[order], owner[order] < required
    within, behind = np.cumsum(change * needed), np.cumsum(change * ~needed)
    stays = (within == required) & (behind == 0)
    here = np.nonzero(stays[:-1] & (t[1:] > t[:-1]) & (s[1:] == s[:-1]))[0]
    return s[here], t[here], t[here + 1]


def split(segments: Segments, step: float) -> Segments:
    """The same segments in pieces of at most `step`."""
    counts = np.maximum(1, np.ceil(segments.lengths / step)).astype(np.int64)
    index = np.repeat(np.arange(len(segments)), counts)
    number = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    begin, reach = segments.begin[index], (segments.end - segments.begin)[index]
    start, stop = (number / counts[index])[:, None], ((number + 1) / counts[index])[:, None]
    line, chain = segments.line[index], segments.chain[index]
    return Segments(begin + start * reach, begin + stop * reach, line, chain)


def kept(segments: Segments, mask: NDArray[np.bool_]) -> Segments:
    """Those that the mask [S] says; a chain ends where one of its segments is missing."""
    breaks = np.ones(len(segments), bool)
    breaks[1:] = (segments.chain[1:] != segments.chain[:-1]) | ~mask[:-1]
    chain = np.cumsum(breaks)
    return Segments(segments.begin, segments.end, segments.line, chain).chosen(np.nonzero(mask)[0])


def to_paths(segments: Segments, straightness: float = 1e-3) -> list[Floats]:
    """Each chain as the points [n, 2] that a pen goes through, without those on straight lines."""
    if not len(segments):
        return []
    last = np.append(segments.chain[1:] != segments.chain[:-1], True)
    first = np.append(True, last[:-1])
    # Off which line from the corner before to the one after a point lies, and how far.
    turns = np.ones(len(segments), bool)
    ahead = segments.end[1:] - segments.begin[1:]
    before = segments.end[:-1] - segments.begin[:-1]
    bend = np.abs(before[:, 0] * ahead[:, 1] - before[:, 1] * ahead[:, 0])
    reach = np.maximum(segments.lengths[1:], segments.lengths[:-1])
    turns[:-1] = (bend > straightness * reach) | last[:-1]
    paths = []
    cuts = np.nonzero(last)[0] + 1
    starts = np.nonzero(first)[0]
    for start, stop in zip(starts, cuts, strict=True):
        corners = segments.end[start:stop][turns[start:stop]]
        paths.append(np.concatenate([segments.begin[start : start + 1], corners]))
    return paths
