"""Splats in the order of the tiles that they are in; compiled when there are many."""

import numba as nb
import numpy as np

from artgen.compiler.jit import options

u64 = np.uint64
matrix, index, ranks = nb.float32[:, ::1], nb.int64, nb.int32[::1]


@nb.njit((*[nb.float32[::1]] * 2, *[nb.float64] * 3, *[nb.int64] * 4), **options)
def rank_splats(x, y, scale, half_width, half_height, columns, rows, width, height):
    """Ranks [N] of the splats by the tile that their centre (x, y) is in, or is nearest to."""
    count = len(x)
    home, place = np.empty(count, np.int32), np.zeros(columns * rows + 1, np.int32)
    for i in range(count):
        # A comparison with NaN is false: what is nowhere goes to the first tile.
        px, py = x[i] * scale + half_width, y[i] * scale + half_height
        column = int(min(px, width * columns - 1.0)) // width if px > 0 else 0
        row = int(min(py, height * rows - 1.0)) // height if py > 0 else 0
        home[i] = row * columns + column
        place[home[i] + 1] += 1
    for tile in range(columns * rows):
        place[tile + 1] += place[tile]
    rank = np.empty(count, np.int32)
    for i in range(count):
        rank[i] = place[home[i]]
        place[home[i]] += 1
    return rank


@nb.njit((matrix, ranks, matrix, index, index), **options)
def pack(columns, rank, rows, start, stop):
    """Make columns [K, N] rows [N, K], each splat from `start` to before `stop` at its rank."""
    for i in range(u64(start), u64(stop)):
        r = u64(rank[i])
        for k in range(len(columns)):
            rows[r, k] = columns[k, i]


@nb.njit((matrix, ranks, matrix, index, index), **options)
def unpack(rows, rank, columns, start, stop):
    """The opposite of `pack`."""
    for i in range(u64(start), u64(stop)):
        r = u64(rank[i])
        for k in range(len(columns)):
            columns[k, i] = rows[r, k]
