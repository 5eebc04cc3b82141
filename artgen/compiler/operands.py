"""Operands of recorded operations: tensors as arrays of the numbers of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Numbers = NDArray[np.int64]
"""Numbers of values, in the shape of the tensor whose elements they are."""


class Record:
    """Where operations are recorded: an `IR`, or the `FieldLayers` of a field."""

    def constant(self, number: float) -> int:
        """Return the number of a constant."""
        raise NotImplementedError

    def add(self, operation: str, *arguments: int) -> int:
        """Record an operation on single values."""
        raise NotImplementedError

    def constants(self, array: NDArray[np.float64]) -> Numbers:
        """Return the numbers of constants, one per element."""
        found: Numbers = np.vectorize(self.constant, otypes=[np.int64])(array)
        return found

    def elementwise(self, operation: str, arrays: Sequence[Numbers]) -> Numbers:
        """Record an operation on arrays of one shape."""
        result = np.empty(arrays[0].shape, np.int64)
        for index in np.ndindex(*result.shape):
            result[index] = self.add(operation, *(int(array[index]) for array in arrays))
        return result

    def product(self, a: Numbers, b: Numbers) -> Numbers | None:
        """Record a product of matrices; None if it should be written out."""
        return None

    def grids(
        self, places: Numbers, table: Tensor, levels: NDArray[np.int64], largest: int
    ) -> Numbers:
        """Record the features of `interpolate_grids` at places; only a field has them."""
        raise NotImplementedError("interpolate_grids has no compiled form in a footprint")

    def fetch(self, places: Numbers, table: NDArray[np.float32]) -> Numbers:
        """Record the constants at places of a table; only a footprint has them."""
        raise NotImplementedError("a table of constants has no compiled form in a field")


Rule = Callable[..., Numbers]
"""``rule(ir, *arguments, **keywords)``: traced tensors arrive as `Numbers`."""


def numbers(ir: Record, value: Any) -> Numbers:
    """Return a tensor of constants or a Python number as `Numbers`; `Numbers` are unchanged."""
    if isinstance(value, np.ndarray):
        return value
    array = value.detach().cpu().double().numpy() if isinstance(value, Tensor) else float(value)
    return ir.constants(np.asarray(array))


def axes_of(dims: Any, rank: int) -> tuple[int, ...]:
    """Return the axes that `dims` names, counted from 0; all of them for None and for no axes."""
    if dims is None or dims == [] or not rank:
        return tuple(range(rank))
    return tuple(dims) if isinstance(dims, list | tuple) else (int(dims),)
