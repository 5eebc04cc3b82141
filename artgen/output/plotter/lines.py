"""Hatch lines over parts, and clipping of lines by polygons.

All lines consist of straight segments. To clip them, all crossings with the edges of polygons are
computed at once and sorted along each segment. Winding numbers then say what is inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rings = Sequence[Floats]

AT_ONCE = 1 << 17
"""Largest number of pairs of a segment and a corner that are processed together: they fit into the
cache of a processor."""
SHORTEST = 1e-6
"""Shorter segments are dropped, in units of length."""


@dataclass(frozen=True, eq=False)
class Segments:
    """S straight segments: `begin` and `end`, float64 [S, 2], in order along the lines.

    `line`, int64 [S], is the number of the line of each segment. `chain`, int64 [S], numbers
    sequences that are drawn without lifting the pen: consecutive segments of a chain touch.
    """

    begin: Floats
    end: Floats
    line: Ints
    chain: Ints

    def __len__(self) -> int:
        return len(self.begin)

    def chosen(self, index: NDArray[np.intp]) -> Segments:
        """Select segments; they keep their lines and chains."""
        return Segments(self.begin[index], self.end[index], self.line[index], self.chain[index])

    @property
    def lengths(self) -> Floats:
        """The length of each segment, [S]."""
        reach = self.end - self.begin
        return np.hypot(reach[:, 0], reach[:, 1])


def polylines(lines: Sequence[tuple[int, Floats]]) -> Segments:
    """Convert lines, given as numbers and points [n, 2], to segments."""
    if not lines:
        return Segments(np.empty((0, 2)), np.empty((0, 2)), *np.empty((2, 0), np.int64))
    sizes = [len(points) - 1 for _, points in lines]
    begin = np.concatenate([points[:-1] for _, points in lines])
    end = np.concatenate([points[1:] for _, points in lines])
    line = np.repeat([number for number, _ in lines], sizes)
    segments = Segments(begin, end, line, np.repeat(np.arange(len(lines)), sizes))
    return segments.chosen(np.nonzero(segments.lengths > SHORTEST)[0])


def closed(rings: Rings) -> Segments:
    """Return the outlines of polygons."""
    return polylines([(k, np.concatenate([ring, ring[:1]])) for k, ring in enumerate(rings)])


def straight(rings: Rings, angle: float, spacing: float, within: Rings) -> Segments:
    """Return parallel lines at `angle` over polygons, `spacing` apart, limited to `within`.

    Their positions do not depend on the polygons, so small ones get their share of lines. Lines are
    numbered from the origin.
    """
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    points, room = np.concatenate(list(rings)), np.concatenate(list(within))
    u, v, far = room @ along, points @ across, room @ across
    first = np.ceil(max(v.min(), far.min()) / spacing)
    last = np.floor(min(v.max(), far.max()) / spacing)
    # A polygon beyond `within` has no lines, however many would fit between the two.
    numbers = np.arange(int(first), int(last) + 1) if first <= last else np.arange(0)
    foot = (spacing * numbers)[:, None] * across
    begin, end = foot + u.min() * along, foot + u.max() * along
    return Segments(begin, end, numbers, np.arange(len(numbers)))


def concentric(
    rings: Rings, middle: Floats, radius: float, spacing: float, shift: float = 0.0
) -> Segments:
    """Return concentric copies of polygons around their `middle` [2], `spacing` apart.

    `radius` is the distance of the outermost from the middle. All are moved outwards by `shift`
    times the spacing. They are numbered from the outermost.
    """
    count = round(radius / spacing)
    shares = 1 - (np.arange(count) + 0.5 - shift) * spacing / radius
    closed_rings = [np.concatenate([ring, ring[:1]]) - middle for ring in rings]
    return polylines(
        [(k, middle + share * ring) for k, share in enumerate(shares) for ring in closed_rings]
    )


def parallel(spine: Floats, width: float, count: int, shift: float = 0.0) -> Segments:
    """Return `count` lines along a spine, evenly spread over the `width` of a stroke.

    All are moved sideways by `shift` times their distance. They are numbered from one side.
    """
    ahead = np.gradient(spine, axis=0)
    size = np.hypot(ahead[:, 0], ahead[:, 1])[:, None]
    ahead = ahead / np.maximum(size, SHORTEST)
    across = np.stack([-ahead[:, 1], ahead[:, 0]], 1)
    places = (np.arange(count) - (count - 1) / 2 + shift) * width / max(count, 1)
    return polylines([(k, spine + place * across) for k, place in enumerate(places)])


def cut(segments: Segments, inside: Sequence[Rings], outside: Sequence[Rings]) -> Segments:
    """Clip segments to the intersection of `inside` (at least one), without all of `outside`."""
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
        part = segments.chosen(np.arange(first, min(first + step, len(segments))))
        found = _intervals(part, corners, group, following, len(inside))
        pieces.append((found[0] + first, found[1], found[2]))
    if not pieces:
        return segments
    index, start, stop = (np.concatenate(each) for each in zip(*pieces, strict=True))
    part = segments.chosen(index)
    reach = part.end - part.begin
    # A piece continues the previous one if nothing lies between.
    before = np.maximum(np.arange(len(index)) - 1, 0)
    same = (index == index[before]) & (start == stop[before])
    after = (index == index[before] + 1) & (stop[before] == 1) & (start == 0)
    goes_on = same | (after & (part.chain == part.chain[before]))
    goes_on[:1] = False
    begin, end = (part.begin + share[:, None] * reach for share in (start, stop))
    return Segments(begin, end, part.line, np.cumsum(~goes_on) - 1)


def _intervals(
    segments: Segments, corners: Floats, group: Ints, following: Ints, required: int
) -> tuple[Ints, Floats, Floats]:
    """Return index, start and stop of the remaining pieces, as shares of the segments' lengths."""
    reach = segments.end - segments.begin
    x, y = (corners[:, axis] - segments.begin[:, axis, None] for axis in (0, 1))
    side = reach[:, :1] * y - reach[:, 1:] * x
    left = side > 0
    s, e = np.nonzero(left != left[:, following])
    f = following[e]
    share = side[s, e] / (side[s, e] - side[s, f])
    size = np.square(reach).sum(1)[s]
    at, on = (((corners[k] - segments.begin[s]) * reach[s]).sum(1) / size for k in (e, f))
    t = at + share * (on - at)
    turn = np.where(left[s, e], -1, 1)
    order = np.lexsort((t, group[e], s))
    s, t, turn, owner = s[order], t[order], turn[order], group[e][order]
    # A line crosses a ring equally often both ways, so the sums restart at 0 for each group.
    winding = np.cumsum(turn)
    change = (winding != 0).astype(int) - (winding - turn != 0)
    changes = change != 0
    s, t, change, owner = s[changes], np.clip(t[changes], 0, 1), change[changes], owner[changes]
    order = np.lexsort((t, s))
    s, t, change, needed = s[order], t[order], change[order], owner[order] < required
    within, behind = np.cumsum(change * needed), np.cumsum(change * ~needed)
    stays = (within == required) & (behind == 0)
    here = np.nonzero(stays[:-1] & (t[1:] > t[:-1]) & (s[1:] == s[:-1]))[0]
    return s[here], t[here], t[here + 1]


def split(segments: Segments, step: float) -> Segments:
    """Split segments into pieces of at most `step`."""
    counts = np.maximum(1, np.ceil(segments.lengths / step)).astype(np.int64)
    index = np.repeat(np.arange(len(segments)), counts)
    number = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    begin, reach = segments.begin[index], (segments.end - segments.begin)[index]
    start, stop = (number / counts[index])[:, None], ((number + 1) / counts[index])[:, None]
    line, chain = segments.line[index], segments.chain[index]
    return Segments(begin + start * reach, begin + stop * reach, line, chain)


def kept(segments: Segments, mask: NDArray[np.bool_]) -> Segments:
    """Keep the segments of a mask [S]; a chain ends where a segment is missing."""
    breaks = np.ones(len(segments), bool)
    breaks[1:] = (segments.chain[1:] != segments.chain[:-1]) | ~mask[:-1]
    return replace(segments, chain=np.cumsum(breaks)).chosen(np.nonzero(mask)[0])


def to_paths(segments: Segments) -> list[Floats]:
    """Convert each chain to points [n, 2] of a path, without points on straight lines."""
    if not len(segments):
        return []
    last = np.append(segments.chain[1:] != segments.chain[:-1], True)
    # A point is a corner where it is a thousandth of the way off the line through its neighbours.
    turns = np.ones(len(segments), bool)
    ahead = segments.end[1:] - segments.begin[1:]
    before = segments.end[:-1] - segments.begin[:-1]
    bend = np.abs(before[:, 0] * ahead[:, 1] - before[:, 1] * ahead[:, 0])
    reach = np.maximum(segments.lengths[1:], segments.lengths[:-1])
    turns[:-1] = (bend > 1e-3 * reach) | last[:-1]
    paths = []
    for start, stop in pairwise([0, *np.nonzero(last)[0] + 1]):
        corners = segments.end[start:stop][turns[start:stop]]
        paths.append(np.concatenate([segments.begin[start : start + 1], corners]))
    return paths
