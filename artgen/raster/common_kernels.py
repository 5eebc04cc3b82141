"""What is the same for any footprint: which splats touch which tiles, and sums over pairs of them.

Loaded through `kernel_cache` like the generated kernels, so this file imports numba alone.
"""

from __future__ import annotations

import numba as nb
import numpy as np

__all__ = ["bin_splats", "sum_pairs"]

matrix, vector = nb.float32[:, ::1], nb.float32[::1]
FAR = 1e9
"""More pixels than any canvas has, and still exact as a whole number."""


@nb.njit((matrix, vector, *[nb.float64] * 3, *[nb.int64] * 4), cache=True, nogil=True)
def bin_splats(centres, radius, scale, half_width, half_height, columns, rows, width, height):
    """(offset [tiles + 1], splat [pairs]): tile t is touched by splat[offset[t] : offset[t + 1]].

    `centres` [N, 2] and `radius` [N] are in canvas units, `scale` pixels each; the centre of the
    canvas is at (half_width, half_height) pixels; tiles are `width` × `height` pixels, in rows.
    Splats are in ascending order; those that are nowhere (not finite) or have no radius (negative,
    NaN) are left out.
    """
    count = len(radius)
    offset = np.zeros(columns * rows + 1, np.int64)
    place, splat = np.zeros(0, np.int64), np.zeros(0, np.int32)
    for fill in range(2):
        if fill:
            for tile in range(columns * rows):
                offset[tile + 1] += offset[tile]
            place, splat = offset.copy(), np.empty(offset[-1], np.int32)
        for i in range(count):
            x = centres[i, 0] * scale + half_width
            y = centres[i, 1] * scale + half_height
            r = min(radius[i] * scale, FAR)
            if not (r >= 0 and abs(x) <= FAR and abs(y) <= FAR):
                continue
            left = max(int(np.floor((x - r) / width)), 0)
            right = min(int(np.floor((x + r) / width)), columns - 1)
            top = max(int(np.floor((y - r) / height)), 0)
            bottom = min(int(np.floor((y + r) / height)), rows - 1)
            # Rounding must not lose a pixel at the rim; each one is tested again.
            reach = r * r * (1 + 1e-6) + 1e-6
            for row in range(top, bottom + 1):
                dy = y - min(max(y, row * height), (row + 1) * height)
                for column in range(left, right + 1):
                    dx = x - min(max(x, column * width), (column + 1) * width)
                    if dx * dx + dy * dy <= reach:
                        tile = row * columns + column
                        if fill:
                            splat[place[tile]] = i
                            place[tile] += 1
                        else:
                            offset[tile + 1] += 1
    return offset, splat


@nb.njit((nb.int32[::1], matrix, matrix), cache=True, nogil=True)
def sum_pairs(splat, pairs, totals):
    """Add the row of each pair [P, S] to that of its splat [N, S], in the order of the pairs."""
    for j in range(len(splat)):
        i = splat[j]
        for k in range(pairs.shape[1]):
            totals[i, k] += pairs[j, k]
