"""The bytes of a drawing of `latents`, and back: weights first, then grids from the coarsest.

A byte of version and four of a CRC-32; for each tensor of weights how many of its last bits are
stored as they are, and the number of a Laplace distribution for the others; words of the range
coder. The same tensors give the same bytes, and bytes that are not whole are refused.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen import family
from artgen.errors import InputError
from artgen_plugins.latents import Latents, coder
from artgen_plugins.latents.layout import (
    LEAST,
    SIDE,
    TOP,
    bits_of,
    group,
    model_of,
    rounded,
    weight_shapes,
)

VERSION = 1
_LARGEST_SHIFT = 20

Numbers = NDArray[np.int64]


@family.pack.register(Latents)
def pack(latents: Latents, tensors: Mapping[str, Tensor]) -> bytes:
    """The bytes of tensors, rounded as `paint` rounds them."""
    numbers = {
        name: np.rint(array.astype(np.float64) * 2 ** bits_of(name)).astype(np.int64)
        for name, array in rounded(tensors).items()
    }
    table, facts = coder.tails(), bytearray()
    starts = [np.zeros(0, np.int64)]
    sizes = [np.zeros(0, np.int64)]
    for name in weight_shapes(len(latents.levels)):
        values = numbers[name].ravel()
        shift, scale = _described(values)
        facts += bytes([shift, scale])
        begin, size = np.zeros((2, 2 * len(values)), np.int64)
        count = coder.measure_numbers(values, table[scale], shift, begin, size)
        starts.append(begin[:count])
        sizes.append(size[:count])
    for grid, around in _walk(latents, numbers, filled=True):
        begin, size = np.zeros((2, grid.size), np.int64)
        coder.measure_grid(*around, table, begin, size)
        starts.append(begin)
        sizes.append(size)
    words = coder.encode(np.concatenate(starts), np.concatenate(sizes))
    body: bytes = bytes(facts) + words.astype("<u4").tobytes()
    return bytes([VERSION]) + _checksum(body) + body


@family.unpack.register(Latents)
def unpack(latents: Latents, data: bytes) -> dict[str, Tensor]:
    """The tensors. Raises InputError where the bytes are not what `pack` gives."""
    shapes, body = weight_shapes(len(latents.levels)), data[5:]
    facts, rest = body[: 2 * len(shapes)], body[2 * len(shapes) :]
    if data[:1] != bytes([VERSION]):
        raise InputError(
            f"its latents have version {data[0] if data else None}, known is {VERSION}",
            hint="a newer artgen may read it",
        )
    if len(rest) % 4 or len(facts) < 2 * len(shapes) or data[1:5] != _checksum(body):
        raise _damaged()
    words = np.frombuffer(rest, "<u4").astype(np.uint32)
    head, table, numbers = coder.head_of(words), coder.tails(), dict[str, Numbers]()
    for (name, shape), shift, scale in zip(shapes.items(), facts[::2], facts[1::2], strict=True):
        if shift > _LARGEST_SHIFT or scale >= coder.SCALES:
            raise _damaged()
        values = np.zeros(math.prod(shape), np.int64)
        coder.decode_numbers(words, head, table[scale], shift, values)
        numbers[name] = values.reshape(shape)
    for level, (channels, height, width) in enumerate(latents.levels):
        numbers[f"grid{level}"] = np.zeros((channels, height, width), np.int64)
    for _, around in _walk(latents, numbers, filled=False):
        coder.decode_grid(*around, table, coder.magnitude_table(), (words, head))
    if head.any():
        raise _damaged()
    return {
        name: torch.from_numpy((numbers[name] / 2.0 ** bits_of(name)).astype(np.float32))
        for name in latents.parameters()
    }


def _walk(
    latents: Latents, numbers: Mapping[str, Numbers], *, filled: bool
) -> Iterator[tuple[Numbers, tuple[Any, ...]]]:
    """Each channel of each grid in the order of the file, and what its latents depend on.

    Grids that are not filled yet are filled when the next one is asked for.
    """
    parents: tuple[Numbers, ...] = ()
    for level in reversed(range(len(latents.levels))):
        grid = numbers[f"grid{level}"]
        q = np.pad(grid, ((0, 0), (TOP, 0), (SIDE, SIDE)))
        m = coder.magnitude_table()[abs(q)]
        for channel in range(len(grid)):
            parent = parents[channel] if parents else m[channel]
            others = parent, m[0], m[max(0, channel - 1)]
            extra = np.array([len(parents) > 0, channel > 0, channel > 1])
            model = model_of(numbers, group(level, channel))
            yield grid[channel], (q[channel], m[channel], others, extra, model)
            if not filled:
                grid[channel] = q[channel, TOP:, SIDE:-SIDE]
        parents = tuple(m)


def _described(values: Numbers) -> tuple[int, int]:
    """How many last bits of numbers are stored as they are, and the distribution of the others."""
    most = int(abs(values).max(initial=0))
    shift = min(max(0, most.bit_length() - 8), _LARGEST_SHIFT)
    spread = float(abs(values >> shift).mean()) if len(values) else 0.0
    scale = round(coder.OCTAVE * (math.log2(max(spread, 2.0**LEAST)) - LEAST))
    return shift, min(scale, coder.SCALES - 1)


def _checksum(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(4, "little")


def _damaged() -> InputError:
    return InputError("its latents are damaged", hint="copy the file again, or fit it again")
