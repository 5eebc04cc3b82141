"""Arrays that functions of a plugin take as arguments, so that other values compile nothing.

Such a function is a `functools.partial` with arrays as keywords. Kernels get the arrays of all
functions as one vector, int64: the address and the shape of each. The generated text makes arrays
of these numbers again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numba as nb
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from artgen.base.faults import broken

tables_type = nb.int64[::1]


def unbound(function: object) -> Any:
    """Return a function without its arrays."""
    return function.func if isinstance(function, partial) else function


def arrays_of(function: object) -> dict[str, NDArray[Any]]:
    """Return the arrays of a function by name. Raises PluginError for other values."""
    if not isinstance(function, partial):
        return {}
    for name, array in function.keywords.items():
        if not (isinstance(array, np.ndarray) and array.flags.c_contiguous):
            problem = f"gets {name}, which is no array in C order"
            hint = "bind arrays alone, by keywords of functools.partial"
            raise broken(function.func.__name__, function.func, problem, hint)
    return function.keywords


def make_tables(functions: Iterable[object]) -> NDArray[np.int64]:
    """Return the vector for kernels. The functions keep the arrays, so they must outlive it."""
    arrays = (array for function in functions for array in arrays_of(function).values())
    numbers = [number for array in arrays for number in (array.ctypes.data, *array.shape)]
    return np.array(numbers, np.int64)


def table_arguments(functions: Iterable[object]) -> Iterator[str]:
    """Yield for each function the text that passes its arrays to it, from the vector `tables`."""
    at = 0
    for function in functions:
        text = ""
        for name, array in arrays_of(function).items():
            sizes = "".join(f"tables[{at + 1 + axis}], " for axis in range(array.ndim))
            text += f", {name}=carray(pointer(tables[{at}]), ({sizes}), np.{array.dtype})"
            at += 1 + array.ndim
        yield text


def _pointer(context: Any, address: Any) -> tuple[Any, Callable[..., Any]]:
    def emit(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), emit


pointer: Callable[..., Any] = intrinsic(_pointer)
"""An address as a pointer, in kernels."""
