"""Printed kernels of PReLU, for float32 and bfloat16."""

from __future__ import annotations

import functools
from types import ModuleType

import torch

from artgen.compiler import kernel_cache

ARRAYS = {torch.float32: "float32", torch.bfloat16: "uint16"}
"""The types of values in memory, as numba names them."""

_FORMATS = {
    torch.float32: """\
@nb.njit(**OPTIONS)
def read(number):
    return number


@nb.njit(**OPTIONS)
def written(number):
    return number
""",
    # A float32 is one with 16 bits more; the nearest is found by adding half of the last one, a
    # little less where it is even.
    torch.bfloat16: """\
@nb.njit(**OPTIONS)
def read(number):
    return np.uint32(np.uint32(number) << np.uint32(16)).view(np.float32)


@nb.njit(**OPTIONS)
def written(number):
    bits = np.float32(number).view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    return np.uint16(np.uint32(bits + np.uint32(0x7FFF) + odd) >> np.uint32(16))
""",
}

_SOURCE = """\
import numba as nb
import numpy as np

rows, pixels = nb.{array}[:, ::1], nb.{array}[:, :, :, ::1]
line, whole = nb.float32[::1], nb.int64
OPTIONS = dict(cache=True, nogil=True, error_model="numpy", fastmath={{"contract"}})


{format}

@nb.njit(**OPTIONS)
def bent(x, slope):
    return x if x > 0 else slope * x


@nb.njit((rows, line, rows, whole, whole), **OPTIONS)
def forward(value, slopes, out, start, stop):
    for m in range(start, min(stop, len(value))):
        for k in range(len(slopes)):
            out[m, k] = written(bent(read(value[m, k]), slopes[k]))


@nb.njit((rows, line, rows, rows, line, whole, whole), **OPTIONS)
def backward(value, slopes, incoming, out, sums, start, stop):
    for m in range(start, min(stop, len(value))):
        for k in range(len(slopes)):
            x, g = read(value[m, k]), read(incoming[m, k])
            low = x <= 0
            out[m, k] = written(slopes[k] * g if low else g)
            sums[k] += x * g if low else np.float32(0)


@nb.njit((pixels, line, pixels, whole), **OPTIONS)
def forward_halved(value, slopes, out, n):
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            for k in range(len(slopes)):
                total = bent(read(value[n, 2 * i, 2 * j, k]), slopes[k])
                total += bent(read(value[n, 2 * i, 2 * j + 1, k]), slopes[k])
                total += bent(read(value[n, 2 * i + 1, 2 * j, k]), slopes[k])
                total += bent(read(value[n, 2 * i + 1, 2 * j + 1, k]), slopes[k])
                out[n, i, j, k] = written(np.float32(0.25) * total)


@nb.njit((pixels, line, pixels, pixels, line, whole), **OPTIONS)
def backward_halved(value, slopes, incoming, out, sums, n):
    for i in range(2 * incoming.shape[1]):
        for j in range(2 * incoming.shape[2]):
            for k in range(len(slopes)):
                x = read(value[n, i, j, k])
                g = np.float32(0.25) * read(incoming[n, i // 2, j // 2, k])
                low = x <= 0
                out[n, i, j, k] = written(slopes[k] * g if low else g)
                sums[k] += x * g if low else np.float32(0)
"""


@functools.cache
def prelu_kernels(dtype: torch.dtype) -> ModuleType:
    """Compile the kernels for a type of numbers, once, in seconds."""
    source = _SOURCE.format(array=ARRAYS[dtype], format=_FORMATS[dtype])
    return kernel_cache.load(source, of="PReLU layers")
