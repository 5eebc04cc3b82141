"""The code of a plugin's compiled functions as text to hash, and reasons for failed compilation."""

from __future__ import annotations

import hashlib
import inspect
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from artgen.errors import PluginError


def fingerprint(functions: Iterable[Any]) -> str:
    """Return a hash of all that determines the results of the functions of a plugin."""
    digest = hashlib.sha256()
    for function in functions:
        for part in computed(function, set()):
            digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def computed(function: Any, seen: set[Any]) -> Iterator[str]:
    """Yield all that determines the result of a function: its code, and the values it names."""
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
    """Yield byte code, constants and names, without line numbers."""
    yield code.co_code.hex()
    yield repr(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code(constant)
        else:
            yield repr(constant)


def explain(error: Exception) -> str:
    """Return the message of a numba error as one line."""
    lines = [line.strip() for line in str(error).splitlines()]
    messages = [line for line in lines if line and not line.startswith("Failed in nopython")]
    return messages[0] if messages else type(error).__name__


def first_failure(cls: type, signatures: Mapping[str, Any]) -> PluginError | None:
    """Return the error for the first static function of `cls` that cannot be compiled, or None.

    `signatures` maps names to types of arguments. `line`, `bounds` and `span` must return a pair.
    """
    import numba as nb

    for name, arguments in signatures.items():
        function = nb.njit(getattr(cls, name))
        try:
            function.compile(arguments)
            result = function.nopython_signatures[0].return_type
            if name in ("line", "bounds", "span") and len(result) != 2:
                raise TypeError
        except TypeError:
            reason = "it must return a pair of numbers"
        except Exception as failure:
            reason = explain(failure)
        else:
            continue
        return PluginError(
            f"{cls.__name__}.{name} cannot be compiled: {reason}",
            hint="use plain Python on numbers: math, loops, arrays, constants",
        )
    return None
