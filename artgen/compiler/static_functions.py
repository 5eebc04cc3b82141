"""The static functions of a plugin's classes: checked, hashed, and compiled before kernels."""

from __future__ import annotations

import hashlib
import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numba as nb
import numpy as np

from artgen.compiler import kernel_cache
from artgen.compiler.jit import generator_type
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


def check_static(cls: type, names: Iterable[str]) -> None:
    """Raise PluginError if `cls` defines one of these functions as a method."""
    for name in names:
        if name in vars(cls) and not isinstance(vars(cls)[name], staticmethod):
            raise PluginError(f"{cls.__name__}.{name} takes no self", hint="mark it @staticmethod")


def load_after(
    functions: Sequence[tuple[type, Sequence[str]]], source: Callable[[str], str]
) -> types.ModuleType:
    """Load kernels that are compiled after the static functions of classes, given by their names.

    `source` makes the text of the fingerprint of these functions; in the text, ``given`` holds the
    classes. Raises PluginError naming the function that cannot be compiled.
    """
    every = (getattr(cls, name) for cls, names in functions for name in names)
    try:
        return kernel_cache.load(source(fingerprint(every)), given=[cls for cls, _ in functions])
    except Exception as error:
        for cls, names in functions:
            for name in names:
                _check_compiles(cls, name, error)
        names_of = " or ".join(cls.__name__ for cls, _ in functions)
        reason = explain(error)
        raise PluginError(f"the kernels of {names_of} cannot be compiled: {reason}") from error


def _check_compiles(cls: type, name: str, cause: Exception) -> None:
    """Raise PluginError if a static function cannot be compiled, or should return a pair."""
    genes, points, number = nb.float64[::1], nb.float64[:, ::1], nb.float64
    arguments = {
        "random": (genes, generator_type, number, number, number),
        "mutate": (genes, generator_type, number),
        "valid": (genes,),
        "outline": (genes, points),
        "bounds": (genes,),
        "span": (genes, number),
        "line": (genes, number),
    }
    function = nb.njit(getattr(cls, name))
    try:
        function.compile(arguments[name])
        result = function.nopython_signatures[0].return_type
        if name in ("line", "bounds", "span") and len(result) != 2:
            raise TypeError
    except TypeError:
        reason = "it must return a pair of numbers"
    except Exception as failure:
        reason = explain(failure)
    else:
        return
    raise PluginError(
        f"{cls.__name__}.{name} cannot be compiled: {reason}",
        hint="use plain Python on numbers: math, loops, arrays, constants",
    ) from cause
