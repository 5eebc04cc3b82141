"""Splats in the order of the tiles that they are in; compiled when there are many."""

import numba as nb
import numpy as np

from artgen.compiler.jit import options


@nb.njit((nb.float32[:, ::1], *[nb.float64] * 3, *[nb.int64] * 4), **options)
def order_splats(centres, scale, half_width, half_height, columns, rows, width, height):
    """Indices [N] of the splats by the tile that their centre is in, or is nearest to."""
    count = len(centres)
    home, place = np.empty(count, np.int64), np.zeros(columns * rows + 1, np.int64)
    for i in range(count):
        # A comparison with NaN is false: what is nowhere goes to the first tile.
        x = centres[i, 0] * scale + half_width
        y = centres[i, 1] * scale + half_height
        column = int(min(x, width * columns - 1.0)) // width if x > 0 else 0
        row = int(min(y, height * rows - 1.0)) // height if y > 0 else 0
        home[i] = row * columns + column
        place[home[i] + 1] += 1
    for tile in range(columns * rows):
        place[tile + 1] += place[tile]
    order = np.empty(count, np.int64)
    for i in range(count):
        order[place[home[i]]] = i
        place[home[i]] += 1
    return order
