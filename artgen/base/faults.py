"""Faults of plugins: an exception of plugin code becomes one sentence with file and line.

`plugin_code` wraps the calls. Code belongs to a plugin if it is in a package or file from which the
registry has loaded something: see `remember`.
"""

from __future__ import annotations

import inspect
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artgen.base.errors import ArtgenError, PluginError, is_out_of_memory

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


def place_of(code: object, line: int | None = None) -> str:
    """Return where a function or class is defined, as `` (heart.py, line 7)``, "" if unknown.

    `line` is a better line of the same file than that of the definition.
    """
    for each in (code, type(code)):
        found = inspect.unwrap(each) if callable(each) else each
        compiled = getattr(getattr(found, "__func__", found), "__code__", None)
        if compiled is not None:
            name = Path(compiled.co_filename).name
            return f" ({name}, line {line or compiled.co_firstlineno})"
        if isinstance(found, type):
            try:
                file = inspect.getsourcefile(found) or ""
                return f" ({Path(file).name}, line {line or inspect.getsourcelines(found)[1]})"
            except (OSError, TypeError):
                continue
    return ""


def broken(
    what: str, code: object, problem: str, hint: str, line: int | None = None
) -> PluginError:
    """Return the error for plugin code that breaks its contract; `what` names it."""
    return PluginError(f"{what}{place_of(code, line)} {problem}", hint=hint)


def one_line(error: BaseException) -> str:
    """Return type and message of an exception on one line of at most 300 characters."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    return text if len(text) <= 300 else f"{text[:297]}..."


def line_at_fault(error: BaseException, code: object = None) -> traceback.FrameSummary | None:
    """Return the innermost line of a plugin that led to `error`; of the user's code if none did.

    `code` is a function or class of the plugin, if it is known. Lines of artgen, of Python and of
    other installed packages are never returned.
    """
    lines = _lines(error)
    plugins = {*_names, "" if code is None else root_of(code)} - _LIBRARIES
    return next(
        (line for owned in (True, False) for root, line in lines if owned is (root in plugins)),
        None,
    )


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
        root = next((root for root, _ in _lines(error) if root in _names), None)
        shipped = code is None or root_of(code) in ("artgen", "artgen_plugins", "artgen_makers")
        if (root is None and shipped) or is_out_of_memory(error):
            raise
        line = line_at_fault(error, code)
        place = place_of(code) if line is None else quoted(line)
        raise PluginError(
            f"{what or _names[root or '']}{place} raised {one_line(error)}",
            hint=hint or "correct the plugin; `artgen plugins check` may say more, -v why",
        ) from error


def quoted(line: traceback.FrameSummary) -> str:
    """Return a line as `` (heart.py, line 7: 1 / 0)``."""
    text = f": {line.line}" if line.line else ""
    return f" ({Path(line.filename).name}, line {line.lineno}{text})"


def _lines(error: BaseException) -> list[tuple[str, traceback.FrameSummary]]:
    """Return root and line of the code of users and plugins, innermost first."""
    trace = error.__traceback__
    installed = tuple(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    found = []
    for (frame, _), line in zip(traceback.walk_tb(trace), traceback.extract_tb(trace), strict=True):
        root = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        library = root in _LIBRARIES or line.filename.startswith(installed)
        if root in _names or root == "artgen_plugins" or not library:
            found.append((root, line))
    return found[::-1]
