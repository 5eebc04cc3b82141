"""The pace of a progress video or a film: every second of it shows as much change.

The first steps of a fit change nearly everything, the last hundreds next to nothing. So a video
follows how far the picture has come, and not the steps.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
T = TypeVar("T")

BEGUN = 0.9
"""The first picture to show has at most this share of the error of an empty one."""

EMPTY = 0.1
"""A canvas with at most this share of the variation of the last picture is empty."""


def measure_pace(read: Callable[[T], Pixels], steps: Sequence[T]) -> tuple[int, list[float]]:
    """Return the index of the first picture to show, and how much each differs from the next.

    `read` returns the picture of a step, uint8 [h, w, 3] of one size. Pictures that say no more
    than an empty one are not to be shown: canvases, random networks. The empty one is the first,
    if it is nearly of one colour, such as paper; else the best even colour. The difference is the
    mean absolute difference of bytes, float [len(steps) - 1].
    """
    last, start = read(steps[-1]), read(steps[0])
    even = _change(last, _even(last))
    if _change(start, _even(start)) <= EMPTY * even:
        even = max(even, _change(start, last))
    error = BEGUN * even
    first, changes, before = len(steps) - 1, [], None
    for index, step in enumerate(steps):
        now = read(step)
        if index < first and _change(now, last) <= error:
            first = index
        if before is not None:
            changes.append(_change(before, now))
        before = now
    return first, changes


def paced_frames(
    read: Callable[[int], Pixels], steps: Sequence[int], number: int
) -> Iterator[Pixels]:
    """Yield `number` frames, uint8 [h, w, 3], on the way to the picture of the last of `steps`.

    `read` returns the picture of a step; all have one size. Frames are equal amounts of change
    apart, see `measure_pace`; between two pictures, one fades into the other. The last picture
    follows the last frame.
    """
    # Pictures are read in pairs, twice each: to measure the way, and to go along it.
    read = functools.lru_cache(maxsize=2)(read)
    first, changes = measure_pace(read, steps)
    kept, changes, last = steps[first:], changes[first:], read(steps[-1])
    way = np.cumsum([0.0, *changes])
    for place in way[-1] * np.arange(number) / number:
        index = int(np.searchsorted(way, place, side="right")) - 1
        if index == len(changes):  # nothing changes
            yield last
            continue
        share = (place - way[index]) / changes[index]
        yield _mixed(read(kept[index]), read(kept[index + 1]), share)


def _mixed(a: Pixels, b: Pixels, share: float) -> Pixels:
    mixed = np.subtract(b, a, dtype=np.float32)
    mixed *= np.float32(share)
    mixed += a
    return np.rint(mixed, out=mixed).astype(np.uint8)


def _even(picture: Pixels) -> NDArray[np.float64]:
    """Return the colour that is nearest to all pixels."""
    colour: NDArray[np.float64] = np.median(picture, axis=(0, 1))
    return colour


def _change(a: NDArray[np.number], b: NDArray[np.number]) -> float:
    """Return the mean absolute difference."""
    return float(np.abs(np.subtract(a, b, dtype=np.float32)).mean())
