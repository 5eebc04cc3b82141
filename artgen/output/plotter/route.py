"""The way of the pen: paths in an order, and each in a direction, that save travel in the air.

Greedy: the next path is the one that begins or ends nearest to where the pen is. Where that is no
farther than the pen is wide, it need not be lifted, and two paths become one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["air_travel", "length", "sort_paths"]

Floats = NDArray[np.float64]

NEAREST = 8
"""So many ends are asked for at first."""


def sort_paths(paths: Sequence[Floats], touching: float) -> list[Floats]:
    """The paths in a good order, those whose ends are at most `touching` apart joined.

    The pen starts at the origin, the corner of the page where plotters are at home.
    """
    from scipy.spatial import KDTree

    if not paths:
        return []
    ends = np.concatenate([[path[0], path[-1]] for path in paths])
    left = np.ones(len(paths), bool)
    known = np.arange(len(ends))
    tree, told = KDTree(ends), len(paths)
    place, joined = np.zeros(2), list[list[Floats]]()
    for remaining in range(len(paths), 0, -1):
        if remaining < told // 2:
            # Without the ends that are used up, looking for others is quick again.
            known = np.nonzero(np.repeat(left, 2))[0]
            tree, told = KDTree(ends[known]), remaining
        end = _nearest(tree, known, left, place)
        path = paths[end // 2][:: -1 if end % 2 else 1]
        left[end // 2] = False
        if joined and np.hypot(*(path[0] - place)) <= touching:
            joined[-1].append(path)
        else:
            joined.append([path])
        place = path[-1]
    return [np.concatenate(parts) for parts in joined]


def _nearest(tree: object, known: NDArray[np.intp], left: NDArray[np.bool_], place: Floats) -> int:
    """The end nearest to `place` of a path that is left."""
    wanted = NEAREST
    while True:
        count = min(wanted, len(known))
        _, found = tree.query(place, count)  # type: ignore[attr-defined]
        for end in known[np.atleast_1d(found)]:
            if left[end // 2]:
                return int(end)
        wanted *= 4


def air_travel(paths: Sequence[Floats]) -> float:
    """How far the pen goes through the air, from the origin to the end of the last path."""
    places = np.concatenate([np.zeros((1, 2)), *([path[0], path[-1]] for path in paths)])
    steps = places[1::2] - places[:-1:2]
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def length(paths: Sequence[Floats]) -> float:
    """How far the pen goes on the paper."""
    return float(sum(np.hypot(*np.diff(path, axis=0).T).sum() for path in paths))
