"""The pace of a progress video or a film: every second of it shows as much change.

The first steps of a fit change nearly everything, the last hundreds next to nothing. So a video
follows how far the picture has come, and not the steps.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from artgen.output.still import Pixels

T = TypeVar("T")

BEGUN = 0.9
"""The first picture to show has at most this share of the error of an empty one."""

EMPTY = 0.1
"""A canvas with at most this share of the variation of the last picture is empty."""

BLOCK = 32768
"""Bytes of a picture that are worked on at once."""


def measure_pace(
    read: Callable[[T], Pixels],
    steps: Sequence[T],
    known: Mapping[tuple[T, T], float] = MappingProxyType({}),
) -> tuple[int, list[float]]:
    """Return the index of the first picture to show, and how much each differs from the next.

    `read` returns the picture of a step, uint8 [h, w, 3] of one size. Pictures that say no more
    than an empty one are not to be shown: canvases, random networks. The empty one is the first,
    if it is nearly of one colour, such as paper; else the best even colour. The difference is the
    `mean_difference`, float [len(steps) - 1]; those that are `known` are not computed.
    """
    start = read(steps[0])
    last = read(steps[-1]) if len(steps) > 1 else start
    ends = {steps[0]: start, steps[-1]: last}

    @functools.lru_cache(maxsize=2)
    def picture(step: T) -> Pixels:
        return ends[step] if step in ends else read(step)

    even = mean_difference(last, _even(last))
    if mean_difference(start, _even(start)) <= EMPTY * even:
        even = max(even, mean_difference(start, last))
    error = BEGUN * even
    first, changes = len(steps) - 1, list[float]()
    for index, step in enumerate(steps):
        if index < first and mean_difference(picture(step), last) <= error:
            first = index
        if index:
            pair = steps[index - 1], step
            change = known[pair] if pair in known else mean_difference(*map(picture, pair))
            changes.append(change)
    return first, changes


def paced_frames(
    read: Callable[[int], Pixels],
    steps: Sequence[int],
    number: int,
    known: Mapping[tuple[int, int], float] = MappingProxyType({}),
    *,
    fading: bool = True,
) -> Iterator[Pixels]:
    """Yield `number` frames, uint8 [h, w, 3], on the way to the picture of the last of `steps`.

    `read` returns the picture of a step; all have one size. Frames are equal amounts of change
    apart, see `measure_pace`; between two pictures, one fades into the other, unless it shall not
    be `fading`: then the nearer one is shown. The last picture follows the last frame. Pictures are
    read in pairs to go along the way, and before to measure it where that is not `known`.
    """
    read = functools.lru_cache(maxsize=2)(read)
    first, changes = measure_pace(read, steps, known)
    kept, changes, last = steps[first:], changes[first:], read(steps[-1])
    way = np.cumsum([0.0, *changes])
    for place in way[-1] * np.arange(number) / number:
        index = int(np.searchsorted(way, place, side="right")) - 1
        if index == len(changes):  # nothing changes
            yield last
            continue
        share = (place - way[index]) / changes[index]
        share = share if fading else round(share)
        yield _mixed(read(kept[index]), read(kept[index + 1]), share)


def _mixed(a: Pixels, b: Pixels, share: float) -> Pixels:
    weight = np.uint16(round(256 * share))
    mixed = np.empty_like(a)
    # A block at a time: memory for sums of all would be asked for again with each frame.
    height = max(1, BLOCK * len(a) // a.size)
    for top in range(0, len(a), height):
        rows = slice(top, top + height)
        part = np.multiply(b[rows], weight, dtype=np.uint16)
        part += np.multiply(a[rows], 256 - weight, dtype=np.uint16)
        part += np.uint16(128)
        part >>= np.uint16(8)
        mixed[rows] = part
    return mixed


def _even(picture: Pixels) -> Pixels:
    """Return the colour that is nearest to all pixels."""
    colour: Pixels = np.rint(np.median(picture, axis=(0, 1))).astype(np.uint8)
    return colour


def mean_difference(a: Pixels, b: Pixels) -> float:
    """Return the mean absolute difference of bytes."""
    # Bytes do not go below 0.
    return float((np.maximum(a, b) - np.minimum(a, b)).mean())
