"""A tensor: one flat array of numbers, and a rule that finds an element in it.

The rule is a stride per axis, the product of the sizes of the axes after it. The element [i, j, k]
of a tensor of shape [I, J, K] is number i·JK + j·K + k. Whatever needs the shape asks the rule;
whatever works on all numbers alike works on the flat array.

Two products serve networks. They take a tensor for what it holds, N vectors along its last axis:

- `multiply`: y[s, o] = ∑ᵢ x[s, i]·m[o, i], every vector through a matrix [outputs, inputs];
- `outer`: m[o, i] = ∑ₛ y[s, o]·x[s, i], the sum of the outer products of pairs of vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_SINGLE_THREADED = 2**18
"""OpenBLAS starts threads for products of more multiplications. Products of this size lose more by
waiting for threads than they win, and how threads share a product changes its last bits."""


class Tensor:
    """Numbers with a shape; `data` is their flat numpy array, float64 unless given as float32.

    The four operations take a number or a tensor of the same shape, and give a new tensor. Anything
    else is a TypeError, another shape a ValueError.
    """

    __slots__ = ("data", "shape")

    def __init__(self, shape: Sequence[int], data: ArrayLike | None = None) -> None:
        self.shape = tuple(shape)
        size = math.prod(self.shape)
        array = np.zeros(size) if data is None else np.asarray(data)
        if array.dtype not in (np.float32, np.float64):
            array = array.astype(np.float64)
        if array.size != size:
            raise ValueError(f"{array.size} numbers do not fill the shape {list(self.shape)}")
        self.data: NDArray[Any] = array.reshape(-1)

    @classmethod
    def from_list(cls, nested: Any) -> Tensor:
        """A tensor of nested lists. Raises ValueError where inner lists differ in length."""
        array = np.array(nested, dtype=np.float64)
        return cls(array.shape, array)

    @property
    def strides(self) -> tuple[int, ...]:
        """The distance in `data` of two neighbours along each axis."""
        return tuple(math.prod(self.shape[axis + 1 :]) for axis in range(len(self.shape)))

    @property
    def rows(self) -> NDArray[Any]:
        """A view [N, C]: the vectors along the last axis."""
        return self.data.reshape(-1, self.shape[-1])

    def __getitem__(self, indices: int | Sequence[int]) -> float:
        return float(self.data[self._flat(indices)])

    def __setitem__(self, indices: int | Sequence[int], value: float) -> None:
        self.data[self._flat(indices)] = value

    def __repr__(self) -> str:
        return f"Tensor(shape={list(self.shape)}, data={self.data.tolist()})"

    def __add__(self, other: Tensor | float) -> Tensor:
        return self._combined(np.add, other)

    def __sub__(self, other: Tensor | float) -> Tensor:
        return self._combined(np.subtract, other)

    def __mul__(self, other: Tensor | float) -> Tensor:
        return self._combined(np.multiply, other)

    def __truediv__(self, other: Tensor | float) -> Tensor:
        return self._combined(np.divide, other)

    def abs(self) -> Tensor:
        """The absolute values."""
        return self.mapped(np.abs)

    def mapped(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> Tensor:
        """`function` of every number; it takes and gives flat arrays."""
        return Tensor(self.shape, function(self.data))

    def _combined(self, operation: np.ufunc, other: Tensor | float) -> Tensor:
        if isinstance(other, Tensor):
            if other.shape != self.shape:
                raise ValueError(
                    f"Shapes must be the same: {list(self.shape)} and {list(other.shape)}"
                )
            return Tensor(self.shape, operation(self.data, other.data))
        if isinstance(other, int | float):
            return Tensor(self.shape, operation(self.data, other))
        raise TypeError(f"Unsupported operand type: {type(other).__name__}")

    def _flat(self, indices: int | Sequence[int]) -> int:
        """Where in `data` the element is. Raises ValueError, IndexError."""
        position = [indices] if isinstance(indices, int) else list(indices)
        if len(position) != len(self.shape):
            raise ValueError(
                f"Incorrect number of indices: {len(position)} for shape {list(self.shape)}"
            )
        if not all(0 <= i < size for i, size in zip(position, self.shape, strict=True)):
            raise IndexError(f"Index out of bounds: {position} in shape {list(self.shape)}")
        return sum(i * stride for i, stride in zip(position, self.strides, strict=True))


def multiply(vectors: Tensor, matrix: Tensor) -> Tensor:
    """Every vector [..., inputs] times the matrix [outputs, inputs]: [..., outputs].

    Raises ValueError where the inputs differ.
    """
    if len(matrix.shape) != 2 or vectors.shape[-1:] != matrix.shape[1:]:
        raise ValueError(
            f"Incompatible matrix dimensions: vectors {list(vectors.shape)}, "
            f"matrix {list(matrix.shape)}"
        )
    rows, columns = vectors.rows, matrix.rows.T
    result = np.empty((len(rows), columns.shape[1]), np.result_type(rows, columns))
    for some in _blocks(len(rows), columns.size):
        np.matmul(rows[some], columns, out=result[some])
    return Tensor((*vectors.shape[:-1], columns.shape[1]), result)


def outer(vectors: Tensor, others: Tensor) -> Tensor:
    """The sum over all pairs of the vector [inputs] and the other [outputs]: [outputs, inputs].

    Raises ValueError where there are not as many of one as of the other.
    """
    x, y = vectors.rows, others.rows
    if len(x) != len(y):
        raise ValueError(
            f"Incompatible tensor dimensions for the outer product: {list(vectors.shape)} and "
            f"{list(others.shape)}"
        )
    result = np.zeros((y.shape[1], x.shape[1]), np.result_type(x, y))
    for some in _blocks(len(x), result.size):
        result += y[some].T @ x[some]
    return Tensor(result.shape, result)


def _blocks(rows: int, matrix_size: int) -> list[slice]:
    """The rows in pieces that stay on one thread, whose sum has a fixed order."""
    step = max(1, _SINGLE_THREADED // max(1, matrix_size))
    return [slice(start, start + step) for start in range(0, rows, step)]
