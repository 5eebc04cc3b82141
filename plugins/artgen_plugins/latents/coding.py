"""The bytes of a drawing of `latents`, and back: weights first, then grids from the coarsest.

A byte of version and four of a CRC-32; for each tensor of weights 16 bits: the number of a Laplace
distribution, how many of its last bits are all 0, and how many before them are stored as they are;
words of the range coder. Up to version 2 the context model has neither signs nor centres; in
version 1 no bits are known to be 0, and each number has a byte. The same tensors give the same
bytes, and bytes that are not whole are refused.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen import family
from artgen.errors import InputError
from artgen_plugins.latents import Latents, coder
from artgen_plugins.latents.layout import (
    HIDDEN,
    INPUTS,
    LARGEST,
    LEAST,
    MAGNITUDES,
    SIDE,
    TOP,
    WIDEST,
    Array,
    Arrays,
    bits_of,
    group,
    model_of,
    padded,
    rounded,
    weight_shapes,
)

VERSION = 3
_LARGEST_SHIFT = 20

MOST_STEP = 15
"""The most last bits of weights that are known to be 0."""

CLOSE = 1.03
"""What takes so many times the bytes that it may have comes to them by fewer latents alone."""

Numbers = NDArray[np.int64]


@family.pack.register(Latents)
def pack(latents: Latents, tensors: Mapping[str, Tensor]) -> bytes:
    """The bytes of tensors, rounded as `paint` rounds them."""
    arrays = rounded(tensors)
    numbers = {name: _whole(name, array) for name, array in arrays.items()}
    table, facts = coder.tails(), bytearray()
    starts, sizes = list[Numbers](), list[Numbers]()
    for name in weight_shapes(len(latents.levels)):
        step, shift, scale, begin, size = _measured(numbers[name].ravel())
        facts += (scale | step << 7 | shift << 11).to_bytes(2, "little")
        starts.append(begin)
        sizes.append(size)
    for grid, around in _walk(latents, numbers, filled=True):
        begin, size = np.zeros((2, grid.size), np.int64)
        coder.measure_grid(*around, table, begin, size)
        starts.append(begin)
        sizes.append(size)
    words = coder.encode(np.concatenate(starts), np.concatenate(sizes))
    body: bytes = bytes(facts) + words.astype("<u4").tobytes()
    return bytes([VERSION]) + _checksum(body) + body


@family.shrink.register(Latents)
def shrink(latents: Latents, tensors: Mapping[str, Tensor], most: int) -> dict[str, Tensor]:
    """Tensors in larger steps, then of latents nearer to 0.

    Those go first that were hardly rounded away from it. Both change as little as needed.
    """

    def scaled(by: float) -> dict[str, Tensor]:
        factors = {"grid": 1 / by, "mix": by}
        kinds = {name: name.rstrip("0123456789") for name in tensors}
        return {name: tensors[name] * factors.get(kind, 1.0) for name, kind in kinds.items()}

    def nearer(by: float) -> dict[str, Tensor]:
        grids = [name for name in found if name.startswith("grid")]
        cut = {k: (found[k].abs() - by).clamp_min(0) * found[k].sign() for k in grids}
        return {**found, **cut}

    def least(change: Callable[[float], dict[str, Tensor]], at: float, most: float) -> float:
        beyond, step = at, 2.0**-6
        while step < 2 * LARGEST and len(pack(latents, change(at + step))) > most:
            beyond, step = at + step, 2 * step
        fits = at + step
        for _ in range(6):
            middle = (fits + beyond) / 2
            small = len(pack(latents, change(middle))) <= most
            fits, beyond = (middle, beyond) if small else (fits, middle)
        return fits

    size, found = len(pack(latents, tensors)), dict(tensors)
    if size > CLOSE * most:
        found = scaled(least(scaled, 1.0, CLOSE * most))
    return nearer(least(nearer, 0.0, most)) if size > most else found


@family.unpack.register(Latents)
def unpack(latents: Latents, data: bytes) -> dict[str, Tensor]:
    """The tensors. Raises InputError where the bytes are not what `pack` gives."""
    version = data[0] if data else 0
    shapes, body = _shapes(latents, version), data[5:]
    facts, rest = body[: 2 * len(shapes)], body[2 * len(shapes) :]
    if not 1 <= version <= VERSION:
        raise InputError(
            f"its latents have version {version}, known is up to {VERSION}",
            hint="a newer artgen may read it",
        )
    if len(rest) % 4 or len(facts) < 2 * len(shapes) or data[1:5] != _checksum(body):
        raise _damaged()
    words = np.frombuffer(rest, "<u4").astype(np.uint32)
    head, table, numbers = coder.head_of(words), coder.tails(), dict[str, Numbers]()
    for (name, shape), first, second in zip(shapes.items(), facts[::2], facts[1::2], strict=True):
        fact = first | second << 8
        step, shift, scale = (fact >> 7) % 16, fact >> 11, fact % 128
        if version == 1:
            step, shift, scale = 0, first, second
        if shift > _LARGEST_SHIFT or scale >= coder.SCALES:
            raise _damaged()
        values = np.zeros(math.prod(shape), np.int64)
        coder.decode_numbers(words, head, table[scale], shift, values)
        values <<= step
        # Beyond this, sums of the context model could overflow.
        if abs(values).max() > WIDEST * 2.0 ** bits_of(name):
            raise _damaged()
        numbers[name] = values.reshape(shape)
    if version < 3:
        signs = INPUTS - MAGNITUDES
        numbers["seen"] = np.pad(numbers["seen"], ((0, 0), (0, signs)))
        numbers["centre"] = np.zeros((2, HIDDEN), np.int64)
    for level, (channels, height, width) in enumerate(latents.levels):
        numbers[f"grid{level}"] = np.zeros((channels, height, width), np.int64)
    for _, around in _walk(latents, numbers, filled=False):
        coder.decode_grid(*around, table, coder.root_table(), (words, head))
    if head.any():
        raise _damaged()
    return {
        name: torch.from_numpy((numbers[name] / 2.0 ** bits_of(name)).astype(np.float32))
        for name in latents.parameters()
    }


def _shapes(latents: Latents, version: int) -> dict[str, tuple[int, ...]]:
    """The shapes of weights in a file of a version, in its order."""
    shapes = weight_shapes(len(latents.levels))
    if version < 3:
        shapes["seen"] = HIDDEN, MAGNITUDES
        del shapes["centre"]
    return shapes


def weight_bits(weights: Arrays) -> float:
    """The bits that weights take in a file, those of what describes them included."""
    sizes = [_measured(_whole(name, array).ravel())[4] for name, array in weights.items()]
    return 16 * len(sizes) - float(np.log2(np.concatenate(sizes) / 2**coder.PRECISION).sum())


def _walk(
    latents: Latents, numbers: Mapping[str, Numbers], *, filled: bool
) -> Iterator[tuple[Numbers, tuple[Any, ...]]]:
    """Each channel of each grid in the order of the file, and what its latents depend on.

    Grids that are not filled yet are filled when the next one is asked for.
    """
    parents: tuple[Numbers, ...] = ()
    for level in reversed(range(len(latents.levels))):
        grid = numbers[f"grid{level}"]
        q = padded(grid)
        r = coder.root_table()[q]
        for channel in range(len(grid)):
            parent = parents[channel] if parents else r[channel]
            others = parent, r[0], r[max(0, channel - 1)]
            extra = np.array([len(parents) > 0, channel > 0, channel > 1])
            model = coder.by_sign(model_of(numbers, group(level, channel)))
            yield grid[channel], (q[channel], r[channel], others, extra, model)
            if not filled:
                grid[channel] = q[channel, TOP:, SIDE:-SIDE]
        parents = tuple(r)


def _measured(values: Numbers) -> tuple[int, int, int, Numbers, Numbers]:
    """How many last bits of weights are 0, how many then are stored as they are, the distribution.

    Then where the intervals of the other bits begin, and how long they are.
    """
    used, shift = int(np.bitwise_or.reduce(values)), 0
    step = min((used & -used).bit_length() - 1, MOST_STEP) if used else 0
    values = values >> step
    # A negative number loses its last bits downwards: -511 becomes -256.
    while shift < _LARGEST_SHIFT and abs(values >> shift).max() > LARGEST:
        shift += 1
    spread = max(float(abs(values >> shift).mean()), 2.0**LEAST)
    scale = min(round(coder.OCTAVE * (math.log2(spread) - LEAST)), coder.SCALES - 1)
    starts, sizes = np.zeros((2, 2 * len(values)), np.int64)
    count = coder.measure_numbers(values, coder.tails()[scale], shift, starts, sizes)
    return step, shift, scale, starts[:count], sizes[:count]


def _whole(name: str, array: Array) -> Numbers:
    """A rounded tensor in its smallest parts."""
    parts = np.rint(array.astype(np.float64) * 2.0 ** bits_of(name))
    return parts.astype(np.int64)


def _checksum(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(4, "little")


def _damaged() -> InputError:
    return InputError("its latents are damaged", hint="copy the file again, or fit it again")
