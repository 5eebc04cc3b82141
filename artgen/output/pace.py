"""The pace of a progress video: every second of it shows as much change.

The first steps of a fit change nearly everything, the last hundreds next to nothing. So a video
follows how far the picture has come, and not the steps.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

BEGUN = 0.9
"""The first picture to show has at most this share of the error of the best even colour."""


def paced_frames(
    read: Callable[[int], Pixels], steps: Sequence[int], number: int
) -> Iterator[Pixels]:
    """Yield `number` frames, uint8 [h, w, 3], on the way to the picture of the last of `steps`.

    `read` returns the picture of a step; all have one size. Frames are equal amounts of change
    apart, the mean absolute difference of bytes; between two pictures, one fades into the other.
    What says less than an even colour is left out: empty canvases, random networks. The last
    picture follows the last frame.
    """
    # Pictures are read in pairs, twice each: to measure the way, and to go along it.
    read = functools.lru_cache(maxsize=2)(read)
    last = read(steps[-1])
    error = BEGUN * _change(last, np.median(last, axis=(0, 1)))
    first = next((i for i, step in enumerate(steps) if _change(read(step), last) <= error), -1)
    kept = steps[first:]
    changes = [_change(read(a), read(b)) for a, b in itertools.pairwise(kept)]
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


def _change(a: NDArray[np.number], b: NDArray[np.number]) -> float:
    """Return the mean absolute difference."""
    return float(np.abs(np.subtract(a, b, dtype=np.float32)).mean())
