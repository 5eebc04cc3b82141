"""Kernels for any footprint: which splats touch which tiles, and sums over these pairs.

Loaded through `kernel_cache` like the generated kernels, so this file imports no more than they do.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from artgen.compiler.jit import options
from artgen.compiler.vector_math import cos, sin

matrix = nb.float32[:, ::1]
FAR = 1e9
"""More pixels than any canvas has, and still exact as a whole number."""
TINY = np.float32(1e-18)
"""Of an ellipse without width only the centre is inside, which 1 / 0 would not say."""
SLACK = 1e-3
"""In pixels: far more than what rounding can do."""


@nb.njit(
    (matrix, matrix, *[nb.float64] * 3, *[nb.int64] * 4, matrix, nb.int64[::1]),
    **options,
)
def bin_splats(
    centres, ellipses, scale, half_width, half_height, columns, rows, width, height, frame, offset
):  # fmt: skip
    """(splat [pairs], reach [pairs, 2]): what touches which tile.

    It also fills `frame` [N, 4] and `offset` [tiles + 1], which are zeros before. Tile t is
    touched by splat[offset[t] : offset[t + 1]], in ascending order, each in its pairs of pixel rows
    from reach[·, 0] to before reach[·, 1]. `centres` [N, 2] and `ellipses` [N, 3] (half
    axes, angle) are in canvas units, `scale` pixels each; the centre of the canvas is at
    (half_width, half_height) pixels; tiles are `width` × `height` pixels, in rows. Splats that are
    nowhere (not finite) or have no extent (negative, NaN) are left out. For the others `frame` is
    that of `tiles.Extent`.
    """
    count = len(ellipses)
    cosines, sines = np.empty(count, np.float32), np.empty(count, np.float32)
    for i in range(count):
        cosines[i], sines[i] = cos(ellipses[i, 2]), sin(ellipses[i, 2])
    left, right = np.empty(count, np.int32), np.empty(count, np.int32)
    box = np.empty((count, 7))
    strips = 0
    for i in range(count):
        x = centres[i, 0] * scale + half_width
        y = centres[i, 1] * scale + half_height
        a, b = min(ellipses[i, 0] * scale, FAR), min(ellipses[i, 1] * scale, FAR)
        known = abs(x) <= FAR and abs(y) <= FAR and abs(ellipses[i, 2]) < np.inf
        left[i] = right[i] = 0
        if not (a >= 0 and b >= 0 and known):
            continue
        cosine, sine = cosines[i], sines[i]
        along = np.float32(1) / max(ellipses[i, 0], TINY)
        across = np.float32(1) / max(ellipses[i, 1], TINY)
        # One number at a time: numba takes seconds to compile the assignment of a tuple to a row.
        frame[i, 0], frame[i, 1] = cosine * along, sine * along
        frame[i, 2], frame[i, 3] = -sine * across, cosine * across
        xx = a * a * cosine * cosine + b * b * sine * sine
        yy = a * a * sine * sine + b * b * cosine * cosine
        half = np.sqrt(xx)
        left[i] = min(max(int(np.floor((x - half - SLACK) / width)), 0), columns)
        right[i] = max(min(int(np.floor((x + half + SLACK) / width)), columns - 1), -1) + 1
        box[i, 0], box[i, 1], box[i, 2], box[i, 3] = x, y, xx, yy
        box[i, 4], box[i, 5], box[i, 6] = (a * a - b * b) * cosine * sine, a * b, half
        strips += max(right[i] - left[i], 0)

    # A strip is what of a splat lies in a column of tiles: the rows that the ellipse has there.
    first, last = np.empty(strips, np.int32), np.empty(strips, np.int32)
    # Whole numbers are divided slowly; a little more than 1 / height does not change the quotient.
    per_row = (1 + 1e-9) / height
    strip = 0
    for i in range(count):
        x, y, xx, yy = box[i, 0], box[i, 1], box[i, 2], box[i, 3]
        xy, ab, half = box[i, 4], box[i, 5], box[i, 6]
        tall = np.sqrt(yy)
        top = xy / tall if yy > 0 else 0.0
        inverse = 1 / xx if xx > 0 else 0.0
        for column in range(left[i], right[i]):
            # The ellipse is yᵢ(x) = (xy·x ± ab·√(xx − x²)) / xx, highest at x = ±top.
            start = max(column * width + 0.5 - x, -half)
            stop = min(column * width + width - 0.5 - x, half)
            low, high = -tall, tall
            if start > stop + SLACK:
                high = low - 2
            elif xx > 0:
                at = min(max(top, start), stop)
                high = (xy * at + ab * np.sqrt(max(xx - at * at, 0.0))) * inverse
                at = min(max(-top, start), stop)
                low = (xy * at - ab * np.sqrt(max(xx - at * at, 0.0))) * inverse
            # Rounding must not lose a pixel at the rim; each one is tested again.
            slack = SLACK + 1e-6 * (high - low)
            first[strip] = max(np.ceil(y + low - 0.5 - slack), 0.0)
            last[strip] = max(min(np.floor(y + high - 0.5 + slack) + 1, rows * height), 0.0)
            if first[strip] < last[strip]:
                for row in range(int(first[strip] * per_row), int((last[strip] - 1) * per_row) + 1):
                    offset[row * columns + column + 1] += 1
            strip += 1
    for tile in range(columns * rows):
        offset[tile + 1] += offset[tile]

    place = offset.copy()
    splat, reach = np.empty(offset[-1], np.int32), np.empty((offset[-1], 2), np.uint8)
    strip = 0
    for i in range(count):
        for column in range(left[i], right[i]):
            if first[strip] < last[strip]:
                for row in range(int(first[strip] * per_row), int((last[strip] - 1) * per_row) + 1):
                    tile = row * columns + column
                    splat[place[tile]] = i
                    reach[place[tile], 0] = max(first[strip] - row * height, 0) // 2
                    reach[place[tile], 1] = (min(last[strip] - row * height, height) + 1) // 2
                    place[tile] += 1
            strip += 1
    return splat, reach


@nb.njit((nb.int32[::1], matrix, matrix, nb.boolean[::1]), **options)
def sum_pairs(splat, pairs, totals, drawn):
    """Add rows of pairs [P, S] to `totals` [N, S] by splat, in their order; mark those `drawn`."""
    for j in range(len(splat)):
        i = splat[j]
        drawn[i] = True
        for k in range(pairs.shape[1]):
            totals[i, k] += pairs[j, k]
