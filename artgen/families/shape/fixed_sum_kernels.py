"""Sums for layers of a fixed opacity; compiled after `layer_kernels`."""

from typing import TYPE_CHECKING

import numba as nb

from artgen.compiler.jit import options

if TYPE_CHECKING:
    from artgen.families.shape.layer_kernels import arguments

PLANES, ERROR = 8, 5
"""How many numbers there are at each place, rounded up to a power of two, as whole cache lines are
faster; and which of them is the error without the layer."""


@nb.njit(arguments, **options)
def sum_up(target, weight, below, above, through, alpha, step, sums, first, last):
    """Add up what lies in the rows of pixels from `first` to before `last`.

    A row of `sums` [height / step, width + 2, 8] holds `step` rows of pixels together. With w the
    weight, b = alpha·through, e = target − above − through·below (the error without the layer) and
    d = e + b·below, the sums left of each place are of w·b·d (3), w·b², w(|d|² − |e|²) and w·|e|².
    """
    height, width = weight.shape
    for row in range(first // step, (last + step - 1) // step):
        begin, end = row * step, min(row * step + step, height)
        s0 = s1 = s2 = s3 = s4 = s5 = 0.0
        sums[row, 0, :6] = 0
        for x in range(width):
            for y in range(begin, end):
                w, t = weight[y, x], through[y, x]
                b = alpha * t
                u0, u1, u2 = below[0, y, x], below[1, y, x], below[2, y, x]
                e0 = target[0, y, x] - above[0, y, x] - t * u0
                e1 = target[1, y, x] - above[1, y, x] - t * u1
                e2 = target[2, y, x] - above[2, y, x] - t * u2
                d0, d1, d2 = e0 + b * u0, e1 + b * u1, e2 + b * u2
                error = w * (e0 * e0 + e1 * e1 + e2 * e2)
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
        # What interpolates at the right edge looks one place further. (Assigning the row at once
        # would have numba compile the text of an error, which takes longer than all the rest.)
        for k in range(6):
            sums[row, width + 1, k] = sums[row, width, k]
