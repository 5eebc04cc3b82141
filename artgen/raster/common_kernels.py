"""Kernels for any footprint: which splats touch which tiles, and sums over these pairs.

Most take a range of splats, so that threads can share them. A strip is the part of a splat in a
column of tiles: the rows that its ellipse has there.

Loaded through `kernel_cache` like the generated kernels, so this file imports no more than they do.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from artgen.compiler.jit import options
from artgen.compiler.vector_math import cos, sin

matrix, index, ranks = nb.float32[:, ::1], nb.int64, nb.int32[::1]
reaches, counts = nb.uint8[:, ::1], nb.int64[::1]
FAR = 1e9
"""More pixels than any canvas has, and still exact as a whole number."""
TINY = np.float32(1e-18)
"""Of an ellipse without width only the centre is inside, which 1 / 0 would not say."""
SLACK = 1e-3
"""In pixels: far more than what rounding can do."""
u64 = np.uint64
LANES = 8
"""Strips that are computed at once."""


@nb.njit(
    (
        *(matrix, index, index, *[nb.float64] * 3, *[index] * 4, matrix, ranks, counts),
        *(ranks, reaches, index, index),
    ),
    **options,
)
def list_tiles(
    rows, centre, ellipse, scale, half_width, half_height, tile_columns, tile_rows, width, height,
    frame, touched, pairs_of, tile, reach, start, stop,
):  # fmt: skip
    """(tile [≥ pairs], reach [≥ pairs, 2]): what the splats from `start` to before `stop` touch.

    These are the given arrays, or longer ones where they are too short. `touched` [N] are the
    numbers of tiles of each splat, whose tiles follow one another; of a tile it touches the pairs
    of pixel rows from reach[·, 0] to before reach[·, 1]. `pairs_of` [tiles] counts the pairs of
    every tile. `frame` [N, ≥ 6] begins with the centre and the frame of `tiles.Extent`.

    `rows` [N, K] hold centres (x, y) from column `centre` on and half axes and an angle from column
    `ellipse` on, in canvas units, `scale` pixels each; the centre of the canvas is at (half_width,
    half_height) pixels; tiles are `width` × `height` pixels. Splats that are nowhere (not finite)
    or have no extent (negative, NaN) are left out.
    """
    cosines, sines = np.empty(stop - start, np.float32), np.empty(stop - start, np.float32)
    for i in range(start, stop):
        cosines[i - start] = cos(rows[i, ellipse + 2])
        sines[i - start] = sin(rows[i, ellipse + 2])
    # The first pixel centre of each column of tiles, and the rows of the strips from there.
    leftmost = np.empty(tile_columns + LANES)
    for k in range(len(leftmost)):
        # One at a time: as an expression of arrays, numba would compile three functions more.
        leftmost[k] = k * float(width) + 0.5
    first, last = np.empty(len(leftmost), np.int32), np.empty(len(leftmost), np.int32)
    bottom = float(tile_rows * height)
    per_column, per_row = 1 / width, 1 / height
    pair = 0
    for i in range(start, stop):
        touched[i] = 0
        along, across, angle = rows[i, ellipse], rows[i, ellipse + 1], rows[i, ellipse + 2]
        # One number at a time: numba takes seconds to compile the assignment of a tuple to a row.
        frame[i, 0], frame[i, 1] = rows[i, centre], rows[i, centre + 1]
        frame[i, 2] = frame[i, 3] = frame[i, 4] = frame[i, 5] = np.float32(0)
        x = rows[i, centre] * scale + half_width
        y = rows[i, centre + 1] * scale + half_height
        a, b = min(along * scale, FAR), min(across * scale, FAR)
        known = abs(x) <= FAR and abs(y) <= FAR and abs(angle) < np.inf
        if not (a >= 0 and b >= 0 and known):
            continue
        cosine, sine = cosines[i - start], sines[i - start]
        along, across = np.float32(1) / max(along, TINY), np.float32(1) / max(across, TINY)
        frame[i, 2], frame[i, 3] = cosine * along, sine * along
        frame[i, 4], frame[i, 5] = -sine * across, cosine * across
        xx = a * a * cosine * cosine + b * b * sine * sine
        yy = a * a * sine * sine + b * b * cosine * cosine
        half, tall = np.sqrt(xx), np.sqrt(yy)
        left = min(max(int(np.floor((x - half - SLACK) * per_column)), 0), tile_columns)
        right = max(min(int(np.floor((x + half + SLACK) * per_column)), tile_columns - 1), -1) + 1
        # The ellipse is yᵢ(x) = (xy·x ± ab·√(xx − x²)) / xx, highest at x = top.
        xy = (a * a - b * b) * cosine * sine
        top = xy / tall if yy > 0 else 0.0
        inverse = 1 / xx if xx > 0 else 1.0
        xy, ab, xx = xy * inverse, a * b * inverse if xx > 0 else tall, xx if xx > 0 else 1.0
        # Several at once: unsigned indices are never counted from the end, so the loop vectorises.
        for k in range(u64(0), u64((right - left + LANES - 1) // LANES) * u64(LANES)):
            begin = leftmost[u64(left) + k] - x
            end = min(begin + (width - 1), half)
            begin = max(begin, -half)
            at = min(max(top, begin), end)
            high = xy * at + ab * np.sqrt(max(xx - at * at, 0.0))
            at = min(max(-top, begin), end)
            low = xy * at - ab * np.sqrt(max(xx - at * at, 0.0))
            # Rounding must not lose a pixel at the rim; each one is tested again.
            slack = SLACK + 1e-6 * (high - low)
            first[u64(left) + k] = np.int32(max(np.ceil(y + low - 0.5 - slack), 0.0))
            reached = min(np.floor(y + high - 0.5 + slack) + 1, bottom)
            last[u64(left) + k] = np.int32(reached if begin <= end + SLACK else 0.0)
        low, high = y - tall - 1 - 1e-5 * tall, y + tall + 1 + 1e-5 * tall
        before = min(max(int(np.floor(low * per_row)), 0), tile_rows)
        after = max(min(int(np.floor(high * per_row)), tile_rows - 1), -1) + 1
        needed = pair + max(right - left, 0) * max(after - before, 0)
        if needed > len(tile):
            # Assigning all at once would have numba compile the text of an error.
            longer = np.empty(2 * needed, np.int32)
            longer_reach = np.empty((2 * needed, 2), np.uint8)
            for k in range(pair):
                longer[k] = tile[k]
                longer_reach[k, 0], longer_reach[k, 1] = reach[k, 0], reach[k, 1]
            tile, reach = longer, longer_reach
        touched[i] = pair
        for row in range(before, after):
            for column in range(left, right):
                begin_row = max(first[column] - row * height, 0)
                end_row = min(last[column] - row * height, height)
                if begin_row < end_row:
                    tile[pair] = row * tile_columns + column
                    reach[pair, 0], reach[pair, 1] = begin_row // 2, (end_row + 1) // 2
                    pairs_of[row * tile_columns + column] += 1
                    pair += 1
        touched[i] = pair - touched[i]
    return tile, reach


@nb.njit((nb.int64[:, ::1], counts), **options)
def place_all(held, offset):
    """Make the numbers `held` [pieces, tiles] of what pieces list in tiles the first place of each.

    In a tile, what a piece lists comes after that of the pieces before it. Tile t begins at
    offset[t] [tiles + 1].
    """
    place = 0
    for tile in range(held.shape[1]):
        offset[tile] = place
        for piece in range(len(held)):
            number = held[piece, tile]
            held[piece, tile] = place
            place += number
    offset[held.shape[1]] = place


@nb.njit((counts, counts), **options)
def cut_evenly(offset, cuts):
    """Find tiles `cuts` [P + 1] that cut all of them into P ranges of equal work.

    A tile is as much as a pair; the pairs of tile t begin at offset[t].
    """
    last, cut = len(offset) - 1, 0
    whole = offset[last] + last
    for tile in range(last + 1):
        while cut < len(cuts) and (offset[tile] + tile) * (len(cuts) - 1) >= cut * whole:
            cuts[cut] = tile
            cut += 1


@nb.njit(
    (ranks, reaches, ranks, counts, ranks, reaches, index, index),
    **options,
)
def sort_pairs(tile, reach, touched, place, splat, reach_sorted, start, stop):
    """Sort what `list_tiles` gave: the next pair of tile t goes to place[t], noted in its place."""
    pair = 0
    for i in range(start, stop):
        for _ in range(touched[i]):
            j = place[tile[pair]]
            place[tile[pair]] = j + 1
            tile[pair] = j
            splat[j] = i
            reach_sorted[j, 0], reach_sorted[j, 1] = reach[pair, 0], reach[pair, 1]
            pair += 1


@nb.njit((ranks, ranks, matrix, matrix, index, index), **options)
def sum_pairs(place, touched, sums, totals, start, stop):
    """Make rows of pairs [P, S] rows of splats [N, S], summed in the order of their pairs.

    For the splats from `start` to before `stop`, whose pairs are at `place` one after another.
    """
    pair = 0
    for i in range(start, stop):
        for k in range(sums.shape[1]):
            totals[i, k] = 0
        for _ in range(touched[i]):
            j = u64(place[pair])
            for k in range(sums.shape[1]):
                totals[i, k] += sums[j, k]
            pair += 1
