"""Sums along rows, from which any change of one layer of a picture is scored.

A picture is what is `below` a layer, seen `through` what is above it, plus what is `above`:
p = above + through·below. A layer of colour c and opacity a that covers a pixel makes it
p + a·through·(c − below), so the weighted squared error of a shape is a sum over its pixels of
products that depend neither on c nor on a. Summed up along each row, a span costs its two ends.
`fixed_sum_kernels` and `searched_sum_kernels` sum them up.
"""

import numba as nb

from artgen.compiler.jit import options

picture, plane = nb.float32[:, :, ::1], nb.float32[:, ::1]

arguments = (
    *(picture, plane, picture, picture, plane),
    *(nb.float64, nb.int64, picture, nb.int64, nb.int64),
)


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
