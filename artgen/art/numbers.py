"""Numbers of small `.art` files: whole numbers of a step per row, predicted and entropy-coded.

A row holds a component of all parts. Its step is the largest power of two of which all its values
are multiples, so the values themselves say what it is; coding loses nothing, whatever they are.

A row is predicted from the row above it (of a film: in the keyframe before), from the part before,
from both, or from neither: the way that needs the fewest bits. Of what is left, made positive, the
two bits behind the leading one and the place of that are a *class*, a byte for LZMA; lower bits are
stored as they are. That takes as many bytes as a range coder with a Laplace or normal distribution
per row, and fewer for ink.
"""

from __future__ import annotations

import lzma
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Integers = NDArray[np.int64]
Floats = NDArray[np.float32]
Row = tuple[int, int, int]
"""What describes a row: the exponent of its step, negated; how it is predicted; an offset."""

MOST = 2**24
"""The most numbers in a file: 64 MiB as floats, whatever it claims."""

_MOST_ROWS = 2**17
"""The most rows: each is restored by itself, in microseconds."""

_NARROW = 32
"""A tensor of fewer parts is one row: to describe rows would take more than their values."""

_BITS = 255
"""Instead of an exponent: the numbers are floats bit by bit, which have no common step."""

_LARGEST = 2**31
_FILTERS = [{"id": lzma.FILTER_LZMA1, "preset": 9, "dict_size": 1 << 20, "lc": 0, "pb": 0}]


def pack_numbers(tensors: Mapping[str, torch.Tensor]) -> bytes:
    """The bytes of float32 tensors, exactly."""
    coded = list[tuple[Row, Integers]]()
    for tensor in tensors.values():
        rows = tensor.numpy().reshape(grid_of(tensor.shape))
        before = [None] * _step_up(tensor.shape) + list(rows)
        coded += [_predicted(row, other) for row, other in zip(rows, before, strict=False)]
    facts = np.array([row for row, _ in coded], np.int64).reshape(-1, 3).T
    numbers = _positive(np.concatenate([facts.ravel(), *(left for _, left in coded)]))
    classes, widths = _classes(numbers)
    planes = (numbers[widths > n] >> n & 1 for n in range(int(widths.max(initial=0))))
    low = np.concatenate([np.empty(0, np.uint8), *(plane.astype(np.uint8) for plane in planes)])
    packed = lzma.compress(classes.tobytes(), lzma.FORMAT_RAW, filters=_FILTERS)
    return packed + np.packbits(low).tobytes()


def unpack_numbers(data: bytes, shapes: Mapping[str, Sequence[int]]) -> dict[str, Floats]:
    """The tensors of these `shapes`. Raises ValueError where `data` are not theirs."""
    if not are_few(shapes.values()):
        raise ValueError("its header claims too many numbers")
    grids = {name: grid_of(shape) for name, shape in shapes.items()}
    heights = sum(height for height, _ in grids.values())
    count = 3 * heights + sum(map(math.prod, grids.values()))
    numbers = _read_numbers(data, count)
    described, at = iter(numbers[: 3 * heights].reshape(3, heights).T.tolist()), 3 * heights
    tensors = {}
    for name, (height, width) in grids.items():
        rows, step = np.empty((height, width), np.float32), _step_up(shapes[name])
        for index in range(height):
            before = rows[index - step] if index >= step else None
            rows[index] = _restored(next(described), numbers[at : at + width], before)
            at += width
        tensors[name] = rows.reshape(shapes[name])
    return tensors


def are_few(shapes: Iterable[Sequence[int]]) -> bool:
    """Whether a file may hold tensors of these shapes: rows take time to read."""
    grids = [grid_of(shape) for shape in shapes]
    return sum(map(math.prod, grids)) <= MOST and sum(rows for rows, _ in grids) <= _MOST_ROWS


def grid_of(shape: Sequence[int]) -> tuple[int, int]:
    """How many rows a tensor has, and of how many values."""
    count = math.prod(shape)
    return (count // shape[-1], shape[-1]) if shape and shape[-1] >= _NARROW else (1, count)


def fineness(row: Floats) -> int:
    """The least k for which all values times 2ᵏ are whole; 255 where they would be too large."""
    if not np.isfinite(row).all() or (np.signbit(row) & (row == 0)).any():
        return _BITS
    fraction, exponent = np.frexp(row[row != 0].astype(np.float64))
    whole = (fraction * 2**24).astype(np.int64)
    zeros = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    fine = int((24 - exponent - zeros).max()) if len(whole) else 0
    return fine if math.ldexp(float(np.abs(row).max(initial=0)), fine) < _LARGEST else _BITS


def _step_up(shape: Sequence[int]) -> int:
    """How many rows up the row is that predicts another: a keyframe before, or a component."""
    return max(1, math.prod(shape[1:-1]))


def _whole(row: Floats, fine: int) -> Integers:
    """Values in steps of 2⁻ᵏ, rounded, or the bits of floats."""
    if fine == _BITS:
        return row.view(np.int32).astype(np.int64)
    finite = np.nan_to_num(row.astype(np.float64), posinf=0, neginf=0)
    return np.clip(np.rint(np.ldexp(finite, fine)), -_LARGEST, _LARGEST).astype(np.int64)


def _predicted(row: Floats, before: Floats | None) -> tuple[Row, Integers]:
    """What describes a row, and what its prediction leaves.

    The first bit of the way says that the row `before` is subtracted, the second that the part
    before is; otherwise the offset is, which is the median.
    """
    fine = fineness(row)
    own, found = _whole(row, fine), list[tuple[float, Row, Integers]]()
    for way in range(0, 4 if len(own) else 0, 2 if before is None else 1):
        left = own - _whole(before, fine) if way & 1 and before is not None else own
        base = int(left[0] if way & 2 else np.sort(left)[len(left) // 2])
        left = np.diff(left, prepend=base) if way & 2 else left - base
        classes, widths = _classes(_positive(left))
        share = np.bincount(classes) / len(classes)
        entropy = -float((share * np.log2(np.maximum(share, 1e-9))).sum())
        found.append((float(widths.sum()) + len(left) * entropy, (fine, way, base), left))
    return min(found, key=lambda each: each[0], default=(0, (0, 0, 0), own))[1:]


def _restored(described: Sequence[int], left: Integers, before: Floats | None) -> Floats:
    """The row that `_predicted` describes. Raises ValueError where no row is described so."""
    fine, way, base = described
    if not (-150 < fine < 150 or fine == _BITS) or way not in range(4):
        raise ValueError("its numbers have no step")
    own = (np.cumsum(left) if way & 2 else left) + base
    if way & 1 and before is not None:
        own = own + _whole(before, fine)
    if fine == _BITS:
        return own.astype(np.int32).view(np.float32)
    with np.errstate(all="ignore"):
        return np.ldexp(own.astype(np.float64), -fine).astype(np.float32)


def _positive(numbers: Integers) -> Integers:
    """0, -1, 1, -2, 2, … become 4, 5, 6, 7, 8, …: there are two bits behind the leading one."""
    return np.where(numbers < 0, -2 * numbers - 1, 2 * numbers) + 4


def _classes(numbers: Integers) -> tuple[NDArray[np.uint8], Integers]:
    """The class of each positive number, and how many bits are below those of that."""
    widths = np.frexp(numbers.astype(np.float64))[1].astype(np.int64) - 3
    return (4 * widths + (numbers >> widths) - 4).astype(np.uint8), widths


def _read_numbers(data: bytes, count: int) -> Integers:
    """The opposite of `_positive` and `_classes`. Raises ValueError where there are not as many."""
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS)
    try:
        classes = np.frombuffer(unpacker.decompress(data, count + 1), np.uint8)
    except lzma.LZMAError:
        raise ValueError("its numbers are damaged") from None
    widths, low = classes >> 2, np.frombuffer(unpacker.unused_data, np.uint8)
    used = int(widths.sum(dtype=np.int64))
    if len(classes) != count or widths.max(initial=0) > 40 or len(low) != -(-used // 8):
        raise ValueError("it does not hold the numbers that its header claims")
    numbers, bits, at = ((classes & 3) + 4).astype(np.int64) << widths, np.unpackbits(low), 0
    for place in range(int(widths.max(initial=0))):
        deep = widths > place
        end = at + int(deep.sum())
        numbers[deep] |= bits[at:end].astype(np.int64) << place
        at = end
    numbers -= 4
    return np.where(numbers & 1, -(numbers + 1) // 2, numbers // 2)
