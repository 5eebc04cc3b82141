"""The route of the pen: order and direction of paths that shorten travel in the air.

The algorithm is greedy: the next path is the one with the end nearest to the pen. If the distance
is not larger than the width of the pen, both paths are joined.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEAREST = 8
"""Number of nearest ends in the first query."""


def sort_paths(paths: Sequence[Floats], touching: float) -> list[Floats]:
    """Sort paths, and join those whose ends are at most `touching` apart.

    The pen starts at the origin, the corner of the page that is the home of plotters.
    """
    from scipy.spatial import KDTree

    if not paths:
        return []
    ends = np.concatenate([[path[0], path[-1]] for path in paths])
    left = np.ones(len(paths), bool)
    known = np.arange(len(ends))
    tree, indexed = KDTree(ends), len(paths)
    place, joined = np.zeros(2), list[list[Floats]]()
    for remaining in range(len(paths), 0, -1):
        if remaining < indexed // 2:
            # Queries are fast again without the ends that are used up.
            known = np.nonzero(np.repeat(left, 2))[0]
            tree, indexed = KDTree(ends[known]), remaining
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
    """Return the end nearest to `place` among the paths that are left."""
    wanted = NEAREST
    while True:
        count = min(wanted, len(known))
        _, found = tree.query(place, count)  # type: ignore[attr-defined]
        for end in known[np.atleast_1d(found)]:
            if left[end // 2]:
                return int(end)
        wanted *= 4


def length(paths: Sequence[Floats]) -> float:
    """Return the total length of paths."""
    return float(sum(np.hypot(*np.diff(path, axis=0).T).sum() for path in paths))
