"""Local search: chords of a thread are exchanged for better ones; the error is updated exactly."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

ROUNDS, OUT, NEW = 50, 500, 500
"""Rounds of exchanges, and the chords that go and those that are tried in each."""


def exchange(view: Any, chosen: Any, rng: np.random.Generator, rounds: int = ROUNDS) -> Any:
    """Take chords out, one by one, and put the best in their place.

    `chosen` is 1 for chords of the thread and 0 for others. In every round, some of the thread meet
    those of the others that would gain most.
    """
    depth = view.depth
    shares = 1 - np.exp(-depth.data)
    stamp = view.stamp()
    best, error, count = chosen.copy(), np.inf, int(chosen.sum())
    # Drawn before, so that what is drawn later does not depend on when the search ends.
    for some in [rng.choice(count, min(OUT, count), replace=False) for _ in range(rounds)]:
        found, slope, bend, left = view.error(chosen)
        if found < error:
            best, error = chosen.copy(), found
        gain = view.along(left * slope, bend * left * left)
        before, out = chosen.copy(), np.nonzero(chosen)[0][some]
        new = np.argsort(np.where(chosen > 0, np.inf, gain), kind="stable")[:NEW]
        crossed = depth.indptr, depth.indices, shares
        swap(out, new[chosen[new] == 0], crossed, (left, slope, bend), stamp, chosen)
        if len(out) == count and (chosen == before).all():
            # No chord of the whole thread has a better one, and none would have in another order.
            break
    return best


@nb.njit(cache=True)
def swap(out: Any, new: Any, crossed: Any, field: Any, stamp: Any, chosen: Any) -> None:
    """Replace each chord of `out` by the best of it and of those of `new` that are not chosen."""
    tried = np.empty(len(new) + 1, np.int64)
    tried[1:] = new
    for old in out:
        toggle(old, False, crossed, field, stamp)
        chosen[old], tried[0] = 0, old
        best = cheapest(tried, crossed, field, chosen)
        chosen[best] = 1
        toggle(best, True, crossed, field, stamp)


@nb.njit(cache=True)
def cheapest(chords: Any, crossed: Any, field: Any, chosen: Any) -> Any:
    """Return the chord that is not chosen and changes the error best; the first one if none."""
    starts, pixels, shares = crossed
    paper, steep, bent = field[0].ravel(), field[1].ravel(), field[2].ravel()
    least, best = np.inf, chords[0]
    for chord in chords:
        if chosen[chord] > 0:
            continue
        change = 0.0
        # Without a sign: numba asks of others whether they count from the end, in half of the time.
        for e in range(np.uint32(starts[chord]), np.uint32(starts[chord + 1])):
            p = np.uint32(pixels[e])
            cover = shares[e] * paper[p]
            change += cover * (steep[p] + bent[p] * cover)
        if change < least:
            least, best = change, chord
    return best


@nb.njit(cache=True)
def toggle(chord: Any, add: bool, crossed: Any, field: Any, stamp: Any) -> None:
    """Add a chord to the paper left and to the slope of the error, or take it out."""
    starts, pixels, shares = crossed
    left, slope, bend = field
    far = len(stamp) // 2
    for e in range(starts[chord], starts[chord + 1]):
        row, column = pixels[e] // left.shape[1], pixels[e] % left.shape[1]
        before = left[row, column]
        left[row, column] = before * (1 - shares[e]) if add else before / (1 - shares[e])
        change = (before - left[row, column]) * bend[row, column]
        for i in range(max(0, row - far), min(left.shape[0], row + far + 1)):
            for j in range(max(0, column - far), min(left.shape[1], column + far + 1)):
                slope[i, j] += change * stamp[i - row + far, j - column + far]
