"""Drawing shapes over a picture."""

import numba as nb
import numpy as np

from artgen.compiler.jit import grid_type, options
from artgen.families.shape.function_types import functions_type
from artgen.families.shape.row_kernels import next_row, trace_rows
from artgen.families.shape.span_kernels import make_scratch


@nb.njit(
    (
        *(functions_type, nb.int64[::1]),
        *[nb.float64[:, ::1]] * 2,
        nb.float64[::1],
        nb.float32[:, :, ::1],
        grid_type,
        *[nb.int64] * 3,
    ),
    **options,
)
def over(functions, kind, genes, colour, alpha, picture, grid, sample_rows, first, last):
    """Draw N shapes over `picture` [channels, height, width], in its rows `first` to before `last`.

    `functions` are those of the shapes (see `function_types`); `kind` and `alpha` are [N], `genes`
    [N, genes], `colour` [N, channels]; the grid has `sample_rows` per pixel. Where a shape covers
    the share k of a pixel, the pixel p becomes p(1 − alpha·k) + alpha·k·colour.
    """
    channels, width = picture.shape[0], picture.shape[2]
    scratch = make_scratch((last - first) * sample_rows, functions.vertices, functions.crossings)
    changes = np.zeros(width + 1)
    share = np.empty(width, np.float32)
    for i in range(len(kind)):
        spans = trace_rows(functions, kind[i], genes[i], first, last, sample_rows, grid, scratch)
        span = np.int64(0)
        while span < spans:
            y, span, low, high = next_row(scratch, span, spans, sample_rows, changes)
            covered = 0.0
            for x in range(low, high + 1):
                covered += changes[x]
                share[x] = alpha[i] * covered / sample_rows
            changes[low : high + 2] = 0
            for c in range(channels):
                tint = np.float32(colour[i, c])
                for x in range(low, high + 1):
                    picture[c, y, x] += share[x] * (tint - picture[c, y, x])
