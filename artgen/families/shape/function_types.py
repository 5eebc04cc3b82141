"""The functions of shapes as values, so that kernels which take them are compiled once.

A kernel that is compiled together with the functions of a shape would be compiled again for every
shape. So these alone are (see `function_kernels`), and all others take their addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba as nb
from numba.core import cgutils, types
from numba.extending import intrinsic

from artgen.compiler.jit import generator_type, grid_type
from artgen.compiler.tables import tables_type

shape_types: Any = (nb.int64, nb.types.voidptr, nb.types.voidptr)
"""The kind and the genes of a shape, and the tables of the functions.

Arrays are passed as their addresses, which takes a register each: a call with whole arrays would
take as long as tracing a small shape.
"""
trace_type = nb.int64(*shape_types, nb.int64, nb.int64, grid_type, nb.types.voidptr)
random_type = nb.void(*shape_types, generator_type, *[nb.float64] * 3)
mutate_type = nb.void(*shape_types, generator_type, nb.float64)
valid_type = nb.boolean(*shape_types)


class Functions(NamedTuple):
    """What kernels take of a shape: where its functions are, and what holds for all its kinds."""

    trace: int
    random: int
    mutate: int
    valid: int
    chances: Any
    """float64 [K], how likely each kind is, as a running total."""
    vertices: int
    """The most corners of an outline."""
    crossings: int
    """The most crossings of a row."""
    genes: Any
    """int64 [K], the number of genes of each kind."""
    tables: Any
    """The tables that the functions look up."""


functions_type: Any = nb.types.NamedTuple(
    (*[nb.int64] * 4, nb.float64[::1], nb.int64, nb.int64, nb.int64[::1], tables_type), Functions
)


def address_of(function: Any) -> int:
    """Return the address of the machine code of a function that was compiled for one signature."""
    [compiled] = function.overloads.values()
    address: int = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
    return address


def _address(target: Any, builder: Any, array: Any, value: Any) -> Any:
    """Return the address of the numbers of an array."""
    data = target.make_array(array)(target, builder, value).data
    return builder.bitcast(data, cgutils.voidptr_t)


def _call_at(signature: Any) -> Callable[..., Any]:
    """Return a function that calls machine code: it takes an address, then the arguments.

    The caller keeps the arrays among them.
    """
    result, formal = signature.return_type, signature.args

    def call(context: Any, address: Any, *arguments: Any) -> Any:
        def emit(target: Any, builder: Any, _: Any, values: Any) -> Any:
            convention = target.call_conv
            function = convention.get_function_type(result, formal).as_pointer()
            given = [
                _address(target, builder, actual, value)
                if wanted == types.voidptr
                else target.cast(builder, value, actual, wanted)
                for value, actual, wanted in zip(
                    cgutils.unpack_tuple(builder, values[1]), arguments, formal, strict=True
                )
            ]
            status, answer = convention.call_function(
                builder, builder.inttoptr(values[0], function), result, formal, given
            )
            with cgutils.if_unlikely(builder, status.is_error):
                convention.return_status_propagate(builder, status)
            return answer

        return result(address, types.StarArgTuple.from_types(arguments)), emit

    return intrinsic(call)


call_trace = _call_at(trace_type)
call_random = _call_at(random_type)
call_mutate = _call_at(mutate_type)
call_valid = _call_at(valid_type)
