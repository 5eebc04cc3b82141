"""PReLU, the activation after a layer, optionally with the means of 2×2 pixels.

PReLU multiplies what is negative by a learned slope per channel (He, Zhang, Ren and Sun: Delving
deep into rectifiers, 2015). A network of convolutions spends a third of a step on it and on the
means of 2×2 pixels, more in bfloat16, because a library goes through memory once for each of these
and converts every number on its own. The numba kernels here do both at once, forwards and
backwards, where the channels of a pixel lie side by side.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from artgen.compiler import kernel_cache
from artgen.compiler.templates import fill, read_template
from artgen.compiler.threads import share

ARRAYS = {torch.float32: "float32", torch.bfloat16: "uint16"}
"""The types of values in memory, as numba names them."""

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
    if value.device.type == "cpu" and value.dtype in ARRAYS and _is_channels_last(value):
        return _prelu_on_cpu(value, slope.float(), halve)
    result = F.prelu(value, slope.to(value.dtype))
    return F.avg_pool2d(result, 2) if halve else result


@functools.cache
def _kernels(dtype: torch.dtype) -> ModuleType:
    """Compile the kernels for a type of numbers, once, in seconds."""
    array = ARRAYS[dtype]
    source = fill("numba/prelu.txt", array=array, format=read_template(f"numba/prelu_{array}.txt"))
    return kernel_cache.load(source, of="PReLU layers")


class _Prelu(torch.autograd.Function):
    """The kernels as one differentiable operation."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, slope: Tensor, halve: bool) -> Tensor:
        ctx.save_for_backward(value, slope)
        ctx.halve = halve
        kernels = _kernels(value.dtype)
        if halve:
            count, channels, height, width = value.shape
            half = count, channels, height // 2, width // 2
            result = torch.empty(half, dtype=value.dtype, memory_format=torch.channels_last)
        else:
            result = torch.empty_like(value)
        source, out = _array(value, halve), _array(result, halve)
        slopes = _slopes(slope, source)
        if halve:
            share(lambda n: kernels.forward_halved(source, slopes, out, n), range(len(source)))
        else:
            share(
                lambda start: kernels.forward(source, slopes, out, start, start + ROWS),
                range(0, len(source), ROWS),
            )
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor, None]:
        value, slope = ctx.saved_tensors
        kernels, halve = _kernels(value.dtype), ctx.halve
        layout = torch.channels_last if value.dim() == 4 else torch.contiguous_format
        incoming = grad_outputs[0].to(value.dtype).contiguous(memory_format=layout)
        # What is left out of the means has no influence.
        odd = halve and (value.shape[2] % 2 or value.shape[3] % 2)
        gradient = torch.zeros_like(value) if odd else torch.empty_like(value)
        source, given, out = (_array(each, halve) for each in (value, incoming, gradient))
        slopes = _slopes(slope, source)
        starts = range(0, len(source), 1 if halve else ROWS)
        sums = np.zeros((len(starts), len(slopes)), np.float32)

        def add_up(start: int) -> None:
            if halve:
                kernels.backward_halved(source, slopes, given, out, sums[start], start)
            else:
                ends = start, start + ROWS
                kernels.backward(source, slopes, given, out, sums[start // ROWS], *ends)

        share(add_up, starts)
        of_slope = torch.from_numpy(sums.reshape(-1, len(slope)).sum(0))
        return gradient, of_slope, None


_prelu_on_cpu: Callable[..., Tensor] = _Prelu.apply


def _is_channels_last(value: Tensor) -> bool:
    return (value.permute(0, 2, 3, 1) if value.dim() == 4 else value).is_contiguous()


def _array(value: Tensor, pixels: bool) -> NDArray[Any]:
    """The memory of a tensor with its channels last; the bits of bfloat16 as whole numbers.

    As `pixels` [N, h, w, C], or else as rows: short ones are put side by side.
    """
    channels, value = value.shape[1], value.detach()
    if value.dim() == 4:
        value = value.permute(0, 2, 3, 1)
    array = value.numpy() if value.dtype != torch.bfloat16 else value.view(torch.int16).numpy()
    array = array.view(ARRAYS[value.dtype])
    if pixels:
        return array
    count, together = array.size // max(1, channels), 1
    while channels * together < WIDE and count % (2 * together) == 0 and count:
        together *= 2
    return array.reshape(count // together, together * channels)


def _slopes(slope: Tensor, array: NDArray[Any]) -> NDArray[np.float32]:
    """A slope for each number of a row."""
    return np.tile(slope.detach().numpy(), array.shape[-1] // max(1, len(slope)))
