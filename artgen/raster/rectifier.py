"""What comes after a layer of a network: its negative values are made smaller, pixels are joined.

PReLU multiplies what is negative by a learned slope per channel (He, Zhang, Ren and Sun: Delving
deep into rectifiers, 2015). A network of convolutions spends a third of a step on it and on the
means of 2×2 pixels, more in bfloat16, because a library goes through memory once for each of these
and converts every number on its own. The numba kernels here do both at once, forwards and
backwards, where the channels of a pixel lie side by side.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from artgen.raster import kernel_cache
from artgen.raster.threads import share

__all__ = ["prelu"]

ROWS = 4096
"""Rows of values in a thread's piece; sums of a piece are added up in the order of the pieces."""
WIDE = 64
"""Rows shorter than this are taken several at a time."""


def prelu(value: Tensor, slope: Tensor, *, halve: bool = False) -> Tensor:
    """`value`, or where that is negative `slope` times as much; differentiable in both.

    `value` is [N, C] or [N, C, h, w], float32 or bfloat16, and `slope` is [C]. With `halve` the
    result [N, C, h // 2, w // 2] holds the means of 2×2 pixels; an odd last row or column is left
    out.
    """
    if value.device.type == "cpu" and value.dtype in _ARRAYS and _is_channels_last(value):
        result: Tensor = _Prelu.apply(value, slope.float(), halve)  # type: ignore[no-untyped-call]
        return result
    result = F.prelu(value, slope.to(value.dtype))
    return F.avg_pool2d(result, 2) if halve else result


class _Prelu(torch.autograd.Function):
    """The kernels as one differentiable operation."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, slope: Tensor, halve: bool) -> Tensor:
        ctx.save_for_backward(value, slope)
        ctx.halve = halve
        kernels = _kernels(value.dtype)
        if halve:
            count, channels, height, width = value.shape
            result = torch.empty(
                (count, channels, height // 2, width // 2),
                dtype=value.dtype,
                memory_format=torch.channels_last,
            )
            source, out, slopes = _array(value), _array(result), slope.detach().numpy()
            share(lambda n: kernels.forward_halved(source, slopes, out, n), range(count))
        else:
            result = torch.empty_like(value)
            source, slopes = _rows(value, slope)
            out, _ = _rows(result, slope)
            share(
                lambda start: kernels.forward(source, slopes, out, start, start + ROWS),
                range(0, len(source), ROWS),
            )
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor, None]:
        value, slope = ctx.saved_tensors
        kernels = _kernels(value.dtype)
        incoming = grad_outputs[0].to(value.dtype)
        if incoming.dim() == 4:
            incoming = incoming.contiguous(memory_format=torch.channels_last)
        # What is left out of the means has no influence.
        odd = ctx.halve and (value.shape[2] % 2 or value.shape[3] % 2)
        gradient = torch.zeros_like(value) if odd else torch.empty_like(value)
        if ctx.halve:
            source, given, out = _array(value), _array(incoming), _array(gradient)
            slopes = slope.numpy()
            sums = np.zeros((len(source), len(slopes)), np.float32)
            share(
                lambda n: kernels.backward_halved(source, slopes, given, out, sums[n], n),
                range(len(source)),
            )
        else:
            source, slopes = _rows(value, slope)
            (given, _), (out, _) = _rows(incoming.contiguous(), slope), _rows(gradient, slope)
            starts = range(0, len(source), ROWS)
            sums = np.zeros((len(starts), len(slopes)), np.float32)
            share(
                lambda start: kernels.backward(
                    source, slopes, given, out, sums[start // ROWS], start, start + ROWS
                ),
                starts,
            )
        of_slope = torch.from_numpy(sums.reshape(-1, len(slope)).sum(0))
        return gradient, of_slope, None


def _is_channels_last(value: Tensor) -> bool:
    return (value.permute(0, 2, 3, 1) if value.dim() == 4 else value).is_contiguous()


def _array(value: Tensor) -> NDArray[Any]:
    """The memory of a tensor with its channels last; the bits of bfloat16 as whole numbers."""
    value = value.detach()
    if value.dim() == 4:
        value = value.permute(0, 2, 3, 1)
    if value.dtype == torch.bfloat16:
        return value.view(torch.int16).numpy().view(np.uint16)
    return value.numpy()


def _rows(value: Tensor, slope: Tensor) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """The values as rows, and a slope for each in a row: short rows are put side by side."""
    channels, array = len(slope), _array(value)
    pixels, together = array.size // max(1, channels), 1
    while channels * together < WIDE and pixels % (2 * together) == 0 and pixels:
        together *= 2
    rows = array.reshape(pixels // together, together * channels)
    return rows, np.tile(slope.detach().numpy(), together)


# ---- kernels -------------------------------------------------------------------------------------

_ARRAYS = {torch.float32: "float32", torch.bfloat16: "uint16"}
"""What numba is told of the numbers in memory."""

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
def _kernels(dtype: torch.dtype) -> ModuleType:
    """The kernels for numbers of a kind; compiled once, in seconds."""
    return kernel_cache.load(_SOURCE.format(array=_ARRAYS[dtype], format=_FORMATS[dtype]))
