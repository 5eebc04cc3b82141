"""Sums for layers whose opacity is searched; compiled after `layer_kernels`."""

from typing import TYPE_CHECKING

import numba as nb

from artgen.compiler.jit import options

if TYPE_CHECKING:
    from artgen.families.shape.layer_kernels import arguments

PLANES, ERROR = 16, 9
"""How many numbers there are at each place, rounded up to a power of two, as whole cache lines are
faster; and which of them is the error without the layer."""


@nb.njit(arguments, **options)
def sum_up(target, weight, below, above, through, alpha, step, sums, first, last):
    """Add up as `fixed_sum_kernels` do, for any alpha: `sums` [height / step, width + 2, 16].

    They are of w·t·e (3), w·t²·u (3), w·t², w·t·e·u, w·t²·|u|² and w·|e|², with t = through and
    u = below; `alpha` is not used.
    """
    height, width = weight.shape
    for row in range(first // step, (last + step - 1) // step):
        begin, end = row * step, min(row * step + step, height)
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = s9 = 0.0
        sums[row, 0, :10] = 0
        for x in range(width):
            for y in range(begin, end):
                t = through[y, x]
                u0, u1, u2 = below[0, y, x], below[1, y, x], below[2, y, x]
                e0 = target[0, y, x] - above[0, y, x] - t * u0
                e1 = target[1, y, x] - above[1, y, x] - t * u1
                e2 = target[2, y, x] - above[2, y, x] - t * u2
                w = weight[y, x]
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
                s9 += w * (e0 * e0 + e1 * e1 + e2 * e2)
            sums[row, x + 1, 0] = s0
            sums[row, x + 1, 1] = s1
            sums[row, x + 1, 2] = s2
            sums[row, x + 1, 3] = s3
            sums[row, x + 1, 4] = s4
            sums[row, x + 1, 5] = s5
            sums[row, x + 1, 6] = s6
            sums[row, x + 1, 7] = s7
            sums[row, x + 1, 8] = s8
            sums[row, x + 1, 9] = s9
        for k in range(10):
            sums[row, width + 1, k] = sums[row, width, k]
