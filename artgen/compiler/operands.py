"""Operands of recorded operations: tensors as arrays of the numbers of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Numbers = NDArray[np.int64]
"""Numbers of values, in the shape of the tensor whose elements they are."""


class Record(Protocol):
    """Where operations are recorded: an `IR`, or the `FieldLayers` of a field."""

    def constant(self, number: float) -> int:
        """Return the number of a constant."""

    def constants(self, array: NDArray[np.float64]) -> Numbers:
        """Return the numbers of constants."""

    def add(self, operation: str, *arguments: int) -> int:
        """Record an operation on single values."""

    def elementwise(self, operation: str, arrays: Sequence[Numbers]) -> Numbers:
        """Record an operation on arrays of one shape."""

    def product(self, a: Numbers, b: Numbers) -> Numbers | None:
        """Record a product of matrices; None if it should be written out."""


@runtime_checkable
class HasGrids(Record, Protocol):
    """A record that `interpolate_grids` can be recorded in."""

    def grids(
        self,
        places: Numbers,
        table: NDArray[np.float64],
        levels: NDArray[np.int64],
        largest: int,
    ) -> Numbers:
        """Record its features at places."""


@runtime_checkable
class HasTable(Record, Protocol):
    """A record that can look constants up."""

    def fetch(self, places: Numbers, table: NDArray[np.float32]) -> Numbers:
        """Record the constants at places of a table."""


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
    if dims is None or dims == []:
        return tuple(range(rank))
    return tuple(dims) if isinstance(dims, list | tuple) else (int(dims),)
