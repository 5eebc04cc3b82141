"""Faults of plugins: an exception of plugin code becomes one sentence with file and line.

`plugin_code` wraps the calls. Code belongs to a plugin if it is in a package or file from which the
registry has loaded something: see `remember`.
"""

from __future__ import annotations

import inspect
import linecache
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artgen.errors import ArtgenError, PluginError, is_out_of_memory

_LIBRARIES = {"artgen", "artgen_plugins", "numpy", "torch", *sys.stdlib_module_names}
"""Roots of code that a plugin may offer, but that is not its own."""

_names: dict[str, str] = {}
"""The name of the plugin, by the root of its modules."""


def root_of(code: object) -> str:
    """Return the top package or loose module that defines a function, a class or an object."""
    module = getattr(inspect.unwrap(code) if callable(code) else code, "__module__", None)
    return str(module or type(code).__module__).partition(".")[0]


def remember(code: object, name: str) -> None:
    """Store that the package or file of `code` is the plugin `name`."""
    if root_of(code) not in _LIBRARIES:
        _names[root_of(code)] = name


def place_of(code: object) -> str:
    """Return the definition of a function or class as `` (heart.py, line 7)``, "" if unknown."""
    for each in (code, type(code)):
        found = inspect.unwrap(each) if callable(each) else each
        compiled = getattr(getattr(found, "__func__", found), "__code__", None)
        if compiled is not None:
            return f" ({Path(compiled.co_filename).name}, line {compiled.co_firstlineno})"
        if isinstance(found, type):
            try:
                file = inspect.getsourcefile(found) or ""
                return f" ({Path(file).name}, line {inspect.getsourcelines(found)[1]})"
            except (OSError, TypeError):
                continue
    return ""


def broken(what: str, code: object, problem: str, hint: str) -> PluginError:
    """Return the error for plugin code that breaks its contract; `what` names it."""
    return PluginError(f"{what}{place_of(code)} {problem}", hint=hint)


def one_line(error: BaseException) -> str:
    """Return type and message of an exception on one line of at most 300 characters."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    return text if len(text) <= 300 else f"{text[:297]}..."


@contextmanager
def plugin_code(what: str = "", code: object = None, *, hint: str = "") -> Iterator[None]:
    """Turn an exception of plugin code into a PluginError with its file and line.

    `what` and `code` name the function or class that is called, and `hint` says what it must do.
    Errors of artgen and a lack of memory pass through, and exceptions in which no plugin has a
    part.
    """
    try:
        yield
    except ArtgenError:
        raise
    except (Exception, SystemExit) as error:
        root, place = _at_fault(error)
        shipped = code is None or root_of(code) in ("artgen", "artgen_plugins")
        if (root is None and shipped) or is_out_of_memory(error):
            raise
        raise PluginError(
            f"{what or _names[root or '']}{place or place_of(code)} raised {one_line(error)}",
            hint=hint or "correct the plugin; `artgen plugins check` may say more, -v why",
        ) from error


def _at_fault(error: BaseException) -> tuple[str | None, str]:
    """Return root and line of the innermost frame of a plugin: `` (heart.py, line 7: 1 / 0)``."""
    for frame, number in reversed(list(traceback.walk_tb(error.__traceback__))):
        root = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if root in _names:
            file = frame.f_code.co_filename
            line = linecache.getline(file, number, frame.f_globals).strip()
            return root, f" ({Path(file).name}, line {number}{line and f': {line}'})"
    return None, ""
