"""Closed tours: short ones through points, and Eulerian circuits along chords."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@nb.njit(cache=True)
def nearest_first(points: Any, near: Any) -> Any:
    """Visit the nearest point that was not visited, again and again: the order, [N].

    `near` [N, k] are the nearest of each. All that are left are looked at where none of them is.
    """
    count = len(points)
    order, left = np.arange(count), np.ones(count, np.bool_)
    rest, here = np.arange(count), 0
    for i in range(count):
        order[i], left[here] = here, False
        others = near[here][left[near[here]]]
        if not len(others):
            rest = others = rest[left[rest]]
        if len(others):
            away = points[others] - points[here]
            here = others[(away[:, 0] ** 2 + away[:, 1] ** 2).argmin()]
    return order


@nb.njit(cache=True)
def away(points: Any, a: Any, b: Any) -> Any:
    """Return the distance of two points."""
    x, y = points[a, 0] - points[b, 0], points[a, 1] - points[b, 1]
    return np.sqrt(x * x + y * y)


@nb.njit(cache=True)
def turn(tour: Any, i: int, j: int) -> None:
    """Reverse the places from i to j, or all others, which gives the same tour."""
    order, place = tour
    count = len(order)
    inside = (j - i) % count + 1
    if 2 * inside > count:
        i, j, inside = j + 1, i - 1, count - inside
    for s in range(inside // 2):
        a, b = (i + s) % count, (j - s) % count
        order[a], order[b] = order[b], order[a]
        place[order[a]], place[order[b]] = a, b


@nb.njit(cache=True)
def shorten(xy: Any, near: Any, order: Any) -> Any:
    """Improve a tour by 2-opt and by moving up to three points (Or-opt), until neither helps."""
    count = len(order)
    place = np.empty(count, np.int64)
    place[order] = np.arange(count)
    tour, city, left = (order, place), count - 1, count
    while left:
        # Until nothing was of use for as many in a row as there are.
        city, left = (city + 1) % count, left - 1
        for other in near[city]:
            link = away(xy, city, other)
            for side in (0, 1):
                # The edges after both, or before both, become others. Most points are too far away,
                # whatever the second new edge is.
                i, j = place[city] - side, place[other] - side
                a, b = order[(i + 1 - side) % count], order[(j + 1 - side) % count]
                old = away(xy, city, a) + away(xy, other, b)
                if city != other and link < old and link + away(xy, a, b) < old - 1e-12:
                    turn(tour, (i + 1) % count, j % count)
                    left = count
            for size in (1, 2, 3):
                # A piece that begins here moves between the other and the one after it: two or
                # three reversals.
                i, j = place[city], place[other]
                ahead = (j - i) % count
                if not size <= ahead < count // 2 - 1:
                    continue
                end = (i + size - 1) % count
                front, last = order[i - 1], order[end]
                after, far = order[(end + 1) % count], order[(j + 1) % count]
                old = away(xy, front, city) + away(xy, last, after) + away(xy, other, far)
                if link < old and away(xy, front, after) + link + away(xy, last, far) < old - 1e-12:
                    turn(tour, i, end)
                    turn(tour, (end + 1) % count, j)
                    turn(tour, i, (i + ahead) % count)
                    left = count
    return order


def circuit(first: Ints, second: Ints, count: int, rng: Any) -> tuple[Ints, int]:
    """Return the nails of a closed thread that uses every chord once, and how many were added.

    Neighbours among the nails with an odd number of chords are joined, and so are separate parts.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    chords = np.stack([first, second], 1)
    odd = np.nonzero(np.bincount(chords.ravel(), minlength=count) % 2)[0]
    chords = np.concatenate([chords, odd.reshape(-1, 2)])
    graph = coo_matrix((np.ones(len(chords)), chords.T), (count, count))
    part = connected_components(graph, directed=False)[1]
    _, heads = np.unique(part[np.unique(chords)], return_index=True)
    heads = np.sort(np.unique(chords)[heads])
    bridge = np.stack([heads[:-1], heads[1:]], 1)
    chords = np.concatenate([chords, bridge, bridge])
    ends: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for i in rng.permutation(len(chords)):
        a, b = chords[i].tolist()
        ends[a].append((b, i))
        ends[b].append((a, i))
    free, path, thread = [True] * len(chords), [int(chords[0, 0])], []
    while path:  # Hierholzer's algorithm
        here = ends[path[-1]]
        while here and not free[here[-1][1]]:
            here.pop()
        if here:
            following, i = here.pop()
            free[i] = False
            path.append(following)
        else:
            thread.append(path.pop())
    return np.array(thread), len(chords) - len(first)
