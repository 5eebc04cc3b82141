"""Drawing shapes over a picture; compiled after the functions of the shapes (see `spans`)."""

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

if TYPE_CHECKING:  # what the text before this one defines
    CROSSINGS: Any = None
    VERTICES: Any = None
    cover: Any = None
    grid_type: Any = None
    make_scratch: Any = None
    options: Any = None
    trace: Any = None


@nb.njit(
    (
        nb.int64[::1],
        *[nb.float64[:, ::1]] * 2,
        nb.float64[::1],
        nb.float32[:, :, ::1],
        grid_type,
        *[nb.int64] * 3,
    ),
    **options,
)
def over(kind, genes, colour, alpha, picture, grid, subrows, first, last):
    """Draw N shapes over `picture` [channels, height, width], in its rows `first` to before `last`.

    `kind` and `alpha` are [N], `genes` [N, genes], `colour` [N, channels]; the grid has `subrows`
    sample rows per pixel. Where a shape covers the share k of a pixel, the pixel p becomes
    p(1 − alpha·k) + alpha·k·colour.
    """
    channels, width = picture.shape[0], picture.shape[2]
    scratch = make_scratch((last - first) * subrows, VERTICES, CROSSINGS)
    changes = np.zeros(width + 1)
    share = np.empty(width, np.float32)
    for i in range(len(kind)):
        runs = trace(kind[i], genes[i], first * subrows, last * subrows, grid, scratch)
        run = 0
        while run < runs:
            y = scratch[0][run] // subrows
            run, low, high = cover(scratch, run, runs, (y + 1) * subrows, changes)
            covered = 0.0
            for x in range(low, high + 1):
                covered += changes[x]
                share[x] = alpha[i] * covered / subrows
            changes[low : high + 2] = 0
            for c in range(channels):
                tint = np.float32(colour[i, c])
                for x in range(low, high + 1):
                    picture[c, y, x] += share[x] * (tint - picture[c, y, x])
