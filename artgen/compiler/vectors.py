"""Vectors of float32 numbers in the registers of the processor, for kernels of numba.

Numba computes numbers that lie beside each other one by one. A vector is one value in a kernel: it
is read, added, subtracted and multiplied at once, by instructions of LLVM, which takes several
registers where one is too small. Each number becomes what it would be alone, to the bit.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

SIZES = 8, 16
"""How many numbers a vector can have."""

INDEX: Any = ir.IntType(32)
"""What counts the numbers of a vector."""


def _vector(size: int) -> Any:
    return ir.VectorType(ir.FloatType(), size)


class Vector(types.Type):
    """The type of a vector of `size` numbers."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"Vector({size})")


@register_model(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vector) -> None:
        super().__init__(manager, kind, _vector(kind.size))


def _register(operation: Any, instruction: str) -> None:
    cases = [signature(kind, kind, kind) for kind in map(Vector, SIZES)]
    infer_global(operation)(type("Typing", (ConcreteTemplate,), {"cases": cases}))

    def emit(target: Any, builder: Any, typed: Any, values: Any) -> Any:
        return getattr(builder, instruction)(*values)

    lower_builtin(operation, Vector, Vector)(emit)


_register(operator.add, "fadd")
_register(operator.iadd, "fadd")
_register(operator.sub, "fsub")
_register(operator.mul, "fmul")


def loader(size: int) -> Callable[..., Any]:
    """Return the function of kernels that reads ``array[row, column]`` as a vector.

    The array is float32 [rows, columns, `size`] in C order; row and column are int64, not negative.
    """

    def load(context: Any, array: Any, row: Any, column: Any) -> Any:
        def emit(target: Any, builder: Any, typed: Any, values: Any) -> Any:
            numbers = target.make_array(array)(target, builder, values[0])
            before = builder.mul(values[1], builder.extract_value(numbers.shape, 1))
            vectors = builder.bitcast(numbers.data, _vector(size).as_pointer())
            # Arrays are aligned to their numbers only.
            return builder.load(builder.gep(vectors, [builder.add(before, values[2])]), align=4)

        return Vector(size)(array, types.int64, types.int64), emit

    return intrinsic(load)


def spreader(size: int) -> Callable[..., Any]:
    """Return the function of kernels that makes a vector of one number, float32."""

    def spread(context: Any, number: Any) -> Any:
        def emit(target: Any, builder: Any, typed: Any, values: Any) -> Any:
            first = builder.insert_element(ir.Constant(_vector(size), None), values[0], INDEX(0))
            every = ir.Constant(ir.VectorType(INDEX, size), [0] * size)
            return builder.shuffle_vector(first, first, every)

        return Vector(size)(types.float32), emit

    return intrinsic(spread)


def _lanes(context: Any, vector: Any) -> Any:
    def emit(target: Any, builder: Any, typed: Any, values: Any) -> Any:
        numbers = [builder.extract_element(values[0], INDEX(lane)) for lane in range(vector.size)]
        return cgutils.pack_array(builder, numbers)

    return types.UniTuple(types.float32, vector.size)(vector), emit


lanes: Callable[..., Any] = intrinsic(_lanes)
"""The numbers of a vector as a tuple, in kernels."""
