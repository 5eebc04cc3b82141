"""Sums along rows, from which any change of one layer of a picture is scored.

A picture is what is `below` a layer, seen `through` what is above it, plus what is `above`:
p = above + through·below. A layer of colour c and opacity a that covers a pixel makes it
p + a·through·(c − below), so the weighted squared error of a shape is a sum over its pixels of
products that depend neither on c nor on a. Summed up along each row, a span costs its two ends.
There are other sums where the opacity is SEARCHED.
"""

from typing import TYPE_CHECKING

import numba as nb

from artgen.compiler.jit import options

if TYPE_CHECKING:
    from artgen.raster.bound import SEARCHED

picture, plane = nb.float32[:, :, ::1], nb.float32[:, ::1]

PLANES, ERROR = (16, 9) if SEARCHED else (8, 5)
"""How many numbers there are at each place, rounded up to a power of two, as whole cache lines are
faster; and which of them is the error without the layer."""


@nb.njit(
    (
        *(picture, plane, picture, picture, plane),
        *(nb.float64, nb.int64, picture, nb.int64, nb.int64),
    ),
    **options,
)
def sum_up(target, weight, below, above, through, alpha, step, sums, first, last):
    """Add up what lies in the rows of pixels from `first` to before `last`.

    A row of `sums` [height / step, width + 2, PLANES] holds `step` rows of pixels together. With w
    the weight, t = through, u = below, b = alpha·t, e = target − above − t·u (the error without the
    layer) and d = e + b·u, the sums left of each place are of w·b·d (3), w·b², w(|d|² − |e|²) and
    w·|e|². For any alpha they are of w·t·e (3), w·t²·u (3), w·t², w·t·e·u, w·t²·|u|² and w·|e|².
    """
    height, width = weight.shape
    for row in range(first // step, (last + step - 1) // step):
        begin, end = row * step, min(row * step + step, height)
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = s9 = 0.0
        sums[row, 0, : ERROR + 1] = 0
        for x in range(width):
            for y in range(begin, end):
                w, t = weight[y, x], through[y, x]
                u0, u1, u2 = below[0, y, x], below[1, y, x], below[2, y, x]
                e0 = target[0, y, x] - above[0, y, x] - t * u0
                e1 = target[1, y, x] - above[1, y, x] - t * u1
                e2 = target[2, y, x] - above[2, y, x] - t * u2
                error = w * (e0 * e0 + e1 * e1 + e2 * e2)
                if SEARCHED:
                    wt = w * t
                    wtt = wt * t
                    s0 += wt * e0
                    s1 += wt * e1
                    s2 += wt * e2
                    s3 += wtt * u0
                    s4 += wtt * u1
                    s5 += wtt * u2
                    s6 += wtt
                    s7 += wt * (e0 * u0 + e1 * u1 + e2 * u2)
                    s8 += wtt * (u0 * u0 + u1 * u1 + u2 * u2)
                    s9 += error
                else:
                    b = alpha * t
                    d0, d1, d2 = e0 + b * u0, e1 + b * u1, e2 + b * u2
                    s0 += w * b * d0
                    s1 += w * b * d1
                    s2 += w * b * d2
                    s3 += w * b * b
                    s4 += w * (d0 * d0 + d1 * d1 + d2 * d2) - error
                    s5 += error
            sums[row, x + 1, 0] = s0
            sums[row, x + 1, 1] = s1
            sums[row, x + 1, 2] = s2
            sums[row, x + 1, 3] = s3
            sums[row, x + 1, 4] = s4
            sums[row, x + 1, 5] = s5
            if SEARCHED:
                sums[row, x + 1, 6] = s6
                sums[row, x + 1, 7] = s7
                sums[row, x + 1, 8] = s8
                sums[row, x + 1, 9] = s9
        # What interpolates at the right edge looks one place further. (Assigning the row at once
        # would have numba compile the text of an error, which takes longer than all the rest.)
        for k in range(ERROR + 1):
            sums[row, width + 1, k] = sums[row, width, k]


@nb.njit((picture, nb.int64, nb.float64[:, ::1]), **options)
def sum_cells(sums, plane, cells):
    """Fill `cells` [rows, columns] with the totals of one plane of `sums` in equal cells."""
    height, width = sums.shape[0], sums.shape[1] - 2
    rows, columns = cells.shape
    cells[:] = 0
    for y in range(height):
        row = y * rows // height
        before = 0.0
        for column in range(columns):
            total = sums[y, (column + 1) * width // columns, plane]
            cells[row, column] += total - before
            before = total
