"""Splats in the order of the tiles that they are in; compiled when there are many."""

import numba as nb
import numpy as np

from artgen.compiler.jit import options

u64 = np.uint64
matrix, index, ranks = nb.float32[:, ::1], nb.int64, nb.int32[::1]
counts = nb.int64[::1]


@nb.njit(
    (*[nb.float32[::1]] * 2, *[nb.float64] * 3, *[index] * 4, ranks, counts, *[index] * 2),
    **options,
)
def find_homes(
    x, y, scale, half_width, half_height, columns, rows, width, height, home, held, start, stop
):  # fmt: skip
    """Find the tile `home` [N] that the centre (x, y) is in, or is nearest to; count all in `held`.

    For the splats from `start` to before `stop`; `held` has a number for each tile.
    """
    for i in range(start, stop):
        # A comparison with NaN is false: what is nowhere goes to the first tile.
        px, py = x[i] * scale + half_width, y[i] * scale + half_height
        column = int(min(px, width * columns - 1.0)) // width if px > 0 else 0
        row = int(min(py, height * rows - 1.0)) // height if py > 0 else 0
        home[i] = row * columns + column
        held[home[i]] += 1


@nb.njit((matrix, ranks, counts, ranks, matrix, index, index), **options)
def pack(columns, home, place, rank, rows, start, stop):
    """Make columns [K, N] rows [N, K]: the next splat of tile t becomes row place[t], its rank.

    For the splats from `start` to before `stop`.
    """
    for i in range(start, stop):
        rank[i] = place[home[i]]
        place[home[i]] += 1
    for i in range(u64(start), u64(stop)):
        r = u64(rank[i])
        for k in range(len(columns)):
            rows[r, k] = columns[k, i]


@nb.njit((matrix, ranks, matrix, index, index), **options)
def unpack(rows, rank, columns, start, stop):
    """Make rows [N, K] columns [K, N] again, in the order of the splats."""
    for i in range(u64(start), u64(stop)):
        r = u64(rank[i])
        for k in range(len(columns)):
            columns[k, i] = rows[r, k]
