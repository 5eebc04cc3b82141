"""A field as steps on vectors of numbers, for a shader that evaluates them at every pixel.

Values that do not depend on the position are computed while recording. The rest are operations on
whole vectors, products with known matrices, and grids. Rearranging costs nothing, as in
`aten_rules`: an element of a vector is a number, and tensors are arrays of these.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.compiler.ir import OPERATIONS
from artgen.compiler.operands import Numbers, Record, numbers
from artgen.compiler.record import Recorded, Untraceable, recording
from artgen.primitives import Params

LANES = 1 << 24
"""Element k of vector v has the number v * LANES + k."""

WIDEST = 4096
"""The longest vector that a shader is asked to hold."""

Known = NDArray[np.float64]

PRIMES = (1, 2654435761, 805459861, 3674653429, 2097192037, 1434869437, 2165219737)
"""Factors of the vertex index along each axis in the spatial hash (Müller et al. 2022)."""


@dataclass(frozen=True)
class Elementwise:
    """An operation on vectors of one length, given by the numbers of their elements."""

    operation: str
    operands: tuple[Numbers, ...]


@dataclass(frozen=True)
class Product:
    """A vector [k] times a known matrix [n, k]."""

    operand: Numbers
    weight: Known


@dataclass(frozen=True)
class Grids:
    """`interpolate_grids` at a place; levels hold their cells, first row, if hashed."""

    operand: Numbers
    table: Known
    levels: NDArray[np.int64]
    largest: int


LayerStep = Elementwise | Product | Grids


@dataclass
class FieldLayers(Record):
    """Vectors in the order in which they are computed; those in `known` are constants.

    Vector 0 is the position. `result` holds the numbers of the elements of the field's value.
    """

    sizes: list[int] = field(default_factory=lambda: [2])
    steps: dict[int, LayerStep] = field(default_factory=dict)
    known: dict[int, Known] = field(default_factory=dict)
    result: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    _scalars: dict[str, int] = field(default_factory=dict)

    def constant(self, number: float) -> int:
        """Return the number of a constant."""
        key = repr(number)
        if key not in self._scalars:
            self._scalars[key] = int(self._remember(np.array([number]))[0])
        return self._scalars[key]

    def constants(self, array: Known) -> Numbers:
        """Return the numbers of constants."""
        if array.size == 1:
            return np.full(array.shape, self.constant(float(array.reshape(-1)[0])))
        return self._remember(array.reshape(-1)).reshape(array.shape)

    def add(self, operation: str, *arguments: int) -> int:
        """Record an operation on single elements."""
        return int(self.elementwise(operation, [np.array([a]) for a in arguments])[0])

    def elementwise(self, operation: str, arrays: Sequence[Numbers]) -> Numbers:
        """Record an operation on arrays of one shape."""
        values = [self.values(array) for array in arrays]
        known = [value for value in values if value is not None]
        if len(known) == len(arrays):
            with np.errstate(all="ignore"):
                function = np.vectorize(OPERATIONS[operation], otypes=[np.float64])
                return self.constants(function(*known))
        neutral = _NEUTRAL.get(operation)
        if neutral is not None:
            left, right = values
            if right is not None and (right == neutral).all():
                return arrays[0]
            if left is not None and (left == neutral).all() and operation in ("add", "mul"):
                return arrays[1]
        return self._take(
            Elementwise(operation, tuple(array.reshape(-1) for array in arrays)), arrays[0].shape
        )

    def product(self, a: Numbers, b: Numbers) -> Numbers | None:
        """Record a vector times a known matrix, on either side; None for other products."""
        shape = np.matmul(np.empty(a.shape), np.empty(b.shape)).shape
        right, left = self.values(b), self.values(a)
        if right is not None and right.ndim >= 2 and math.prod(a.shape[:-1]) == 1:
            weight = right.reshape(right.shape[-2:]).T
            return self._take(Product(a.reshape(-1), weight), shape)
        if left is not None and left.ndim >= 2 and b.size == b.shape[-1 if b.ndim == 1 else -2]:
            weight = left.reshape(left.shape[-2:])
            return self._take(Product(b.reshape(-1), weight), shape)
        return None

    def grids(
        self, places: Numbers, table: Tensor, levels: NDArray[np.int64], largest: int
    ) -> Numbers:
        """Record `interpolate_grids` at one position [1, 2]."""
        if isinstance(table, Recorded):
            raise NotImplementedError("a table of features that depends on the position")
        values = table.detach().cpu().double().numpy()
        step = Grids(places.reshape(-1), values, levels, largest)
        return self._take(step, (1, len(levels) * table.shape[1]))

    def values(self, array: Numbers) -> Known | None:
        """Return the values of elements; None unless all are known."""
        vectors = array // LANES
        found = np.unique(vectors)
        if not all(int(vector) in self.known for vector in found):
            return None
        result = np.empty(array.shape)
        for vector in found:
            here = vectors == vector
            result[here] = self.known[int(vector)][array[here] % LANES]
        return result

    def _remember(self, values: Known) -> Numbers:
        self.known[len(self.sizes)] = values
        return self._lanes(len(values))

    def _take(self, step: LayerStep, shape: tuple[int, ...]) -> Numbers:
        size = math.prod(shape)
        if size > WIDEST:
            raise NotImplementedError(f"a vector of {size} numbers, of at most {WIDEST}")
        self.steps[len(self.sizes)] = step
        return self._lanes(size).reshape(shape)

    def _lanes(self, size: int) -> Numbers:
        """The elements of one more vector."""
        self.sizes.append(size)
        return (len(self.sizes) - 1) * LANES + np.arange(size)


class Function(Protocol):
    """A function of a position, as `artgen.Field` is one."""

    def at(self, xy: Tensor, p: Params) -> Tensor:
        """Return colours [M, 3] at positions [M, 2]."""


_NEUTRAL = {"add": 0.0, "sub": 0.0, "mul": 1.0, "div": 1.0}


def trace_field(drawn: Function, tensors: Mapping[str, Tensor]) -> FieldLayers:
    """Record the steps from a position to a colour for these parameters. Raises Untraceable."""
    layers = FieldLayers()
    with torch.no_grad(), recording():
        xy = Recorded.of(layers, np.arange(2)[None])
        value = drawn.at(xy, Params(tensors))
        if not isinstance(value, Recorded) or tuple(value.shape) != (1, 3):
            raise Untraceable("forward gives no 3 values at a position")
        layers.result = numbers(layers, value.numbers).reshape(-1)
    return layers
