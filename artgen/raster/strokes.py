"""Draw the union of straight strokes with round or straight ends, by area."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artgen.compiler import kernel_cache
from artgen.compiler.threads import share
from artgen.raster.sampling import SAMPLE_ROWS, cut_rows, make_grid
from artgen.values.canvas import Canvas

Floats = NDArray[np.float64]

THROUGH, MOST_ROWS = 2, 64
"""Sample rows that cross the thinnest mark, and the most in a pixel."""


def cover_strokes(
    strokes: Floats, starts: NDArray[np.int64], cap: str, canvas: Canvas
) -> NDArray[np.float32]:
    """Return the share of each pixel that groups of strokes [N, 6] cover.

    Group k are those from ``starts[k]`` to before ``starts[k + 1]``; the result is float32
    [groups, height, width].
    """
    picture = np.zeros((len(starts) - 1, canvas.height, canvas.width), np.float32)
    if len(strokes):
        quads = corners(strokes, cap)
        discs = np.ascontiguousarray(strokes[:, [0, 1, 4, 2, 3, 5]]).reshape(-1, 2, 3)
        if cap == "butt":
            discs[:, :, 2] = 0
        centres, radii = discs[:, :, 1].T, discs[:, :, 2].T
        ends = np.concatenate([quads[:, :, 1].T, centres - radii, centres + radii])
        heights = np.stack([ends.min(0), ends.max(0)], 1)
        thinnest = 2 * max(float(np.median(strokes[:, 4:].max(1))), 1e-9)
        rows = int(np.clip(np.ceil(THROUGH * canvas.pixel / thinnest), SAMPLE_ROWS, MOST_ROWS))
        arrays = (quads, discs, heights, starts, picture, make_grid(canvas, rows), rows)
        cover = kernel_cache.load_shipped("raster.ink_kernels", of="inks").cover
        share(lambda rows: cover(*arrays, *rows), cut_rows(canvas.height))
    return picture


def corners(strokes: Floats, cap: str) -> Floats:
    """Return the four corners of the sides of strokes [N, 6]: float64 [N, 4, 2].

    The sides of a round stroke touch the circles at both ends.
    """
    # One number of all strokes after the other is the quickest way.
    columns = np.ascontiguousarray(strokes.T)
    begin, end, (first, second) = columns[:2], columns[2:4], columns[4:]
    along = end - begin
    length = np.maximum(np.hypot(*along), 1e-12)
    along /= length
    lean = np.zeros(len(strokes))
    if cap == "round":
        lean = ((first - second) / length).clip(-1, 1)
    across = np.stack([-along[1], along[0]]) * np.sqrt(1 - lean * lean)
    lean = lean * along
    one, other = lean + across, lean - across
    sides = [begin + first * one, end + second * one, end + second * other, begin + first * other]
    return np.ascontiguousarray(np.moveaxis(np.stack(sides), 2, 0))
