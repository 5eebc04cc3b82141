"""The static functions of a plugin's classes: tried, hashed, and compiled before kernels."""

from __future__ import annotations

import hashlib
import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numba as nb
import numpy as np

from artgen.base.errors import PluginError
from artgen.base.faults import broken, plugin_code
from artgen.compiler import kernel_cache
from artgen.compiler.tables import arrays_of, unbound

_PAIRS = ("line", "bounds", "span")
"""The functions that return two numbers."""

_CONTRACT = "use plain Python on numbers: math, loops, arrays, constants"

_TRIES, _ATTEMPTS = 16, 200
"""How often functions are tried before they are compiled, and how many shapes may be invalid."""


def fingerprint(functions: Iterable[object]) -> str:
    """Return a hash of all that determines the results of the functions of a plugin."""
    digest = hashlib.sha256()
    for function in functions:
        for part in computed(function, set()):
            digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def computed(function: object, seen: set[object]) -> Iterator[str]:
    """Yield all that determines the result of a function: its code, and the values it names."""
    function = unbound(getattr(function, "py_func", function))
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
    lines = [line.strip(" >") for line in str(error).splitlines()]
    messages = [line for line in lines if line and not line.startswith("Failed in nopython")]
    if not messages:
        return type(error).__name__
    return " ".join(messages[: 2 if messages[0].endswith(":") else 1])


def check_static(cls: type, names: Iterable[str]) -> None:
    """Raise PluginError if `cls` defines one of these functions as a method."""
    for name in names:
        function = vars(cls).get(name)
        if function is not None and not isinstance(function, staticmethod):
            what, hint = f"{cls.__name__}.{name}", "mark it @staticmethod"
            raise broken(what, function, "must not take self", hint)


def try_in_python(owner: object, names: Iterable[str], genes: int, vertices: int = 0) -> None:
    """Call static functions of a shape or a partition in plain Python, with random genes.

    Compiled code does not check indices, so an array written past its end would damage memory.
    Raises PluginError with the line that fails; where a function should return a pair, or an
    outline leaves out corners; and where no random genes are valid.
    """
    rng, of = np.random.default_rng(0), type(owner).__name__
    tries = dict.fromkeys(names, 0)
    failures = dict.fromkeys(names, 0)
    for _ in range(_ATTEMPTS):
        made, (x, y), size = np.zeros(genes), rng.uniform(-1, 1, 2).tolist(), float(rng.random())
        points = np.full((vertices, 2), np.nan)
        for name in tries:
            call, what = getattr(owner, name), f"{of}.{name}"
            function = unbound(call)
            tries[name] += 1
            with plugin_code(what, function, hint=_CONTRACT), np.errstate(all="ignore"):
                try:
                    result = call(*_arguments(name, made, points, rng, x, y, size))
                except (ArithmeticError, ValueError):
                    # Compiled, a division by zero and the root of a negative number are no errors.
                    failures[name] += 1
                    if failures[name] == _TRIES:
                        raise
                    continue
            if name in _PAIRS and not (isinstance(result, tuple) and len(result) == 2):
                problem = f"gave {result!r:.60}, not a pair of numbers"
                raise broken(what, function, problem, hint="return two numbers: `return a, b`")
            if name == "outline" and np.isnan(points).any():
                failures[name] += 1
                if failures[name] == _TRIES:
                    problem = f"does not set corner {int(np.isnan(points).any(1).argmax())}"
                    raise broken(what, function, problem, hint=f"set all {vertices} in `points`")
            if name == "valid" and not result:
                break
        if min(tries.values()) == _TRIES:
            return
    if not min(tries.values()):
        function = vars(type(owner)).get("valid", type(owner))
        problem = f"rejects all of {_ATTEMPTS} shapes made by random"
        raise broken(f"{of}.valid", function, problem, "let it accept most of what `random` makes")


def _arguments(
    name: str, genes: object, points: object, rng: object, *numbers: float
) -> tuple[object, ...]:
    """What a static function takes; `numbers` are x, y and a size."""
    x, y, size = numbers
    given = {
        "random": (genes, rng, x, y, size),
        "mutate": (genes, rng, size / 10),
        "outline": (genes, points),
        "span": (genes, y),
        "line": (genes, y),
    }
    return given.get(name, (genes,))


def load_after(
    functions: Sequence[tuple[object, Sequence[str]]], source: Callable[[str], str]
) -> types.ModuleType:
    """Load kernels that are compiled after the static functions of objects, given by their names.

    `source` makes the text of the fingerprint of these functions; in the text, ``given`` holds the
    objects. Raises PluginError naming the function that cannot be compiled.
    """
    every = [(owner, name) for owner, names in functions for name in names]
    names_of = " or ".join(type(owner).__name__ for owner, _ in functions)
    try:
        text = source(fingerprint(getattr(*each) for each in every))
        return kernel_cache.load(text, [owner for owner, _ in functions], of=names_of)
    except Exception as error:
        for each in every:
            _check_compiles(*each, error)
        reason = explain(error)
        raise PluginError(f"the kernels of {names_of} cannot be compiled: {reason}") from error


def _check_compiles(owner: object, name: str, cause: Exception) -> None:
    """Raise PluginError if a static function cannot be compiled."""
    given = _arguments(name, np.zeros(1), np.zeros((1, 2)), np.random.default_rng(0), 0.0, 0.0, 0.0)
    function, tables = unbound(getattr(owner, name)), arrays_of(getattr(owner, name)).values()
    try:
        nb.njit(function).compile(tuple(map(nb.typeof, (*given, *tables))))
    except Exception as failure:
        file = re.escape(Path(function.__code__.co_filename).name)
        # numba writes `File "heart.py", line 7:` or `heart.py (7)`.
        found = re.search(rf'{file}(?:", line | \()(\d+)', str(failure))
        line = int(found[1]) if found else None
        what, problem = f"{type(owner).__name__}.{name}", f"cannot be compiled: {explain(failure)}"
        raise broken(what, function, problem, _CONTRACT, line) from cause
