"""Cuts: where a clip shows something else from one frame to the next.

The change between two frames is the mean absolute difference of small copies of them, in which a
pan or a flicker of fine detail counts little. A cut is a change that is several times the median of
those just before it, in the same scene, and of those that follow, and that is large in itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from statistics import median

import numpy as np
from numpy.typing import NDArray

ROWS = 6
"""Rows and columns of the small copies."""
WINDOW = 24
"""The number of changes before a frame, and after it, whose median is the usual change."""
LEAST = 0.04
"""A smaller change is no cut, 1 being from black to white."""
FLASH = 3.0
"""Of a flash the frames on both sides are this many times more alike than either and the flash."""


def find_scenes(frames: Iterable[NDArray[np.float32]], cut: float) -> list[tuple[int, int]]:
    """The number of the first frame of every scene, and of the one after its last.

    `frames` are [height, width, 3] in 0 to 1; a cut is a change of `cut` times the usual one,
    0 stands for none.
    """
    changes: list[float] = []
    skipping: list[float] = []
    last: deque[NDArray[np.float64]] = deque(maxlen=2)
    count = 0
    for frame in frames:
        small = _small(frame)
        if last:
            changes.append(float(np.abs(small - last[-1]).mean()))
        if len(last) == 2:
            skipping.append(float(np.abs(small - last[0]).mean()))
        last.append(small)
        count += 1
    starts = [0]
    for index, change in enumerate(changes):
        if not cut or change < LEAST:
            continue
        own = changes[max(starts[-1], index - WINDOW) : index]
        coming = changes[index + 1 : index + 1 + WINDOW]
        # Where a frame is like the one before the last, there was a flash between them.
        over = min(skipping[max(0, index - 1) : index + 1], default=change)
        usual = max(median(each or [0.0]) for each in (own, coming))
        if cut * usual < change < FLASH * over:
            starts.append(index + 1)
    return list(zip(starts, [*starts[1:], count], strict=True))


def _small(frame: NDArray[np.float32]) -> NDArray[np.float64]:
    """Means over `ROWS` by `ROWS` cells, or over pixels where there are fewer."""
    height, width = frame.shape[:2]
    rows = np.linspace(0, height, min(ROWS, height) + 1).astype(int)
    columns = np.linspace(0, width, min(ROWS, width) + 1).astype(int)
    sums = np.add.reduceat(frame.astype(np.float64), rows[:-1], axis=0)
    sums = np.add.reduceat(sums, columns[:-1], axis=1)
    areas = np.diff(rows)[:, None] * np.diff(columns)[None, :]
    means: NDArray[np.float64] = sums / areas[..., None]
    return means
