"""Cutting rows at the borders of sites, and drawing; compiled after a partition's functions (see
`partitions`).

Along a row the cost of a site is a line, so the sites that win are the lower envelope of N lines:
the one that falls most wins on the far right, and each border is where two of them cross.
"""

from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from artgen.compiler.jit import grid_type, inline, options, owning

if TYPE_CHECKING:
    from artgen.raster.bound import line


@owning
def make_cuts(number):
    """Room for cutting rows: an order of the sites, their lines, the winners and their borders."""
    order, winners = np.empty(number, np.int64), np.empty(number, np.int64)
    return order, np.empty(number), np.empty(number), winners, np.empty(number)


@inline
def sort_by_slope(order, slopes, number, gap):
    """Sort what is `gap` apart, the steepest first; quick where it is nearly sorted."""
    for i in range(gap, number):
        site = order[i]
        slope = slopes[site]
        j = i
        while j >= gap:
            rival = order[j - gap]
            # Equal ones by their number, so that the order does not depend on what it was.
            if slopes[rival] > slope or (slopes[rival] == slope and rival < site):
                break
            order[j] = rival
            j -= gap
        order[j] = site


@inline
def begin_cuts(sites, number, y, cuts):
    """Sort the sites roughly, before the first row is cut (Shell's sort, with Ciura's gaps)."""
    order, slopes = cuts[0], cuts[1]
    for i in range(number):
        order[i] = i
        slopes[i] = line(sites[i], y)[0]
    for gap in (1750, 701, 301, 132, 57, 23, 10, 4):
        sort_by_slope(order, slopes, number, gap)


@inline
def cut_row(sites, number, y, cuts):
    """Find the winning sites along the row at height `y`, left to right; return their number.

    Fills the winners, and the x where each begins to win (the first: minus infinity). The order of
    the slopes is kept for the next row, where it is about the same.
    """
    order, slopes, heights, winners, borders = cuts
    for i in range(number):
        slopes[i], heights[i] = line(sites[i], y)
    sort_by_slope(order, slopes, number, np.int64(1))
    spans = 0
    for i in range(number):
        site = order[i]
        slope, height = slopes[site], heights[site]
        border = -np.inf
        while spans > 0:
            rival = winners[spans - 1]
            fall = slopes[rival] - slope
            rise = height - heights[rival]
            if fall > 0:
                border = rise / fall
            else:
                border = np.inf if rise >= 0 else -np.inf
            # Where it takes over before the last winner has begun to win, that never wins.
            if border > borders[spans - 1]:
                break
            spans -= 1
            border = -np.inf
        if border < np.inf:
            winners[spans], borders[spans] = site, border
            spans += 1
    return spans


@nb.njit(
    (
        *[nb.float64[:, ::1]] * 2,
        nb.float32[:, :, ::1],
        grid_type,
        *[nb.int64] * 3,
    ),
    **options,
)
def draw(sites, colour, picture, grid, sample_rows, first, last):
    """Draw sites [N, genes] with their colours [N, channels] into the rows `first` to `last`.

    The share of a pixel [channels, height, width] that a site wins is the share of its colour that
    the pixel gets; without sites it stays as it is. The grid (see `span_kernels`) has `sample_rows`
    sample rows per pixel, and `last` is excluded.
    """
    if len(sites) == 0:
        return
    top, pitch, left, scale, wide = grid
    channels, width = picture.shape[0], picture.shape[2]
    # How the colour differs from that of the pixel before.
    changes = np.zeros((width + 1, channels))
    cuts = make_cuts(len(sites))
    begin_cuts(sites, len(sites), top, cuts)
    winners, borders = cuts[3], cuts[4]
    for y in range(first, last):
        for row in range(y * sample_rows, (y + 1) * sample_rows):
            spans = cut_row(sites, len(sites), top + row * pitch, cuts)
            for span in range(spans):
                begin, end = (borders[span] - left) * scale, wide
                if span + 1 < spans:
                    end = (borders[span + 1] - left) * scale
                begin, end = max(begin, 0.0), min(end, wide)
                if end <= begin:
                    continue
                i, j = int(begin), min(int(end), width - 1)
                for c in range(channels):
                    value = colour[winners[span], c]
                    changes[i, c] += (i + 1 - begin) * value
                    changes[i + 1, c] += (begin - i) * value
                    changes[j, c] -= (j + 1 - end) * value
                    changes[j + 1, c] -= (end - j) * value
        for c in range(channels):
            total = 0.0
            for x in range(width):
                total += changes[x, c]
                picture[c, y, x] = total / sample_rows
                changes[x, c] = 0.0
            changes[width, c] = 0.0
