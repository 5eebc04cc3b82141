"""Adam and AdamW for a range of parts: from gradients by mapped values to the next raw values.

Rounded as torch's fused Adam does it on processors with AVX2. So a step is the same by either where
maps are identities, exponentials or reciprocals, as those of shipped splats.

Loaded through `kernel_cache` like the generated kernels, so this file imports no more than they do.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from artgen.compiler.jit import inline, options
from artgen.compiler.vector_math import fused, maximum, minimum, select

matrix, index, ranks = nb.float32[:, ::1], nb.int64, nb.int32[::1]
f32, u64 = np.float32, np.uint64


@inline
def _slope(function, x, y):
    """The derivative of a map's function from x to y; a place in `cpu_steps.FUNCTIONS`."""
    if function == 1:
        return y
    if function == 2:
        return f32(1) / (f32(1) + np.exp(-x))
    if function == 3:
        return (f32(1) - y) * y
    if function == 4:
        return f32(1) - y * y
    return -(y * y)


@nb.njit(
    (
        *(matrix, ranks, matrix, matrix, matrix, matrix, nb.int64[:, ::1], matrix),
        *([nb.float32] * 5),
        *(index, index),
    ),
    **options,
)
def descend(
    gradients, rank, mapped, raw, mean, square, learned, numbers,
    arriving, kept, squared, correction, epsilon, start, stop,
):  # fmt: skip
    """Change the parts from `start` to before `stop` of `raw`, `mean` and `square` [P, N].

    Each row of `learned` has a row of these, its column of `gradients` [N, K], which is its row of
    `mapped` [K, N], its function, and the first part after torch's last vector, whose square it
    rounds otherwise. That row of `numbers` has the scale of the map, which has no shift, the size
    of the step, the bounds, and the share of the raw value that decay leaves. Part i is in row
    rank[i] of the gradients, or in row i without ranks.
    """
    g = np.empty(stop - start, np.float32)
    for n in range(len(learned)):
        p, k, function, rest = learned[n, 0], u64(learned[n, 1]), learned[n, 2], u64(learned[n, 3])
        scale, size = numbers[n, 0], numbers[n, 1]
        low, high, left = numbers[n, 2], numbers[n, 3], numbers[n, 4]
        if size == 0:
            continue
        for i in range(u64(start), u64(stop)):
            g[i - u64(start)] = gradients[u64(rank[i]) if len(rank) else i, k] * scale
        if function != 0:
            for i in range(u64(start), u64(stop)):
                g[i - u64(start)] *= _slope(function, raw[p, i], mapped[k, i] / scale)
        for i in range(u64(start), u64(stop)):
            slope = g[i - u64(start)]
            m = fused(arriving, slope - mean[p, i], mean[p, i])
            v, new = square[p, i], squared * slope
            v = select(i < rest, fused(new, slope, v * kept), fused(v, kept, new * slope))
            x = raw[p, i] * left + size * m / (np.sqrt(v) / correction + epsilon)
            mean[p, i], square[p, i] = m, v
            raw[p, i] = minimum(maximum(x, low), high)
