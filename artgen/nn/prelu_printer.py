"""Printed kernels of PReLU, for float32 and bfloat16."""

from __future__ import annotations

import functools
from types import ModuleType

import torch

from artgen.compiler import kernel_cache
from artgen.compiler.templates import fill

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


@functools.cache
def prelu_kernels(dtype: torch.dtype) -> ModuleType:
    """Compile the kernels for a type of numbers, once, in seconds."""
    source = fill("numba/prelu.txt", array=ARRAYS[dtype], format=_FORMATS[dtype])
    return kernel_cache.load(source, of="PReLU layers")
