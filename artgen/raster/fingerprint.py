"""What compiled functions of a plugin compute, as text to hash, and why one does not compile."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["computed", "explain"]


def computed(function: Any, seen: set[Any]) -> Iterator[str]:
    """All that decides what a function computes: its code, and the values that it names."""
    function = getattr(function, "py_func", function)
    if not isinstance(function, types.FunctionType) or function in seen:
        return
    seen.add(function)
    yield from _code(function.__code__)
    yield repr(function.__defaults__)
    named = inspect.getclosurevars(function)
    for name, value in sorted({**named.globals, **named.nonlocals}.items()):
        if callable(value):
            yield name
            yield from computed(value, seen)
        elif isinstance(value, np.ndarray):
            yield f"{name} {value.dtype} {value.shape} {value.tobytes().hex()}"
        else:
            yield f"{name} {value!r}"


def _code(code: types.CodeType) -> Iterator[str]:
    """Byte code, constants and names, without the places of lines."""
    yield code.co_code.hex()
    yield repr(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code(constant)
        else:
            yield repr(constant)


def explain(error: Exception) -> str:
    """What numba means, in one line."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith("Failed in nopython")]
    return told[0] if told else type(error).__name__
