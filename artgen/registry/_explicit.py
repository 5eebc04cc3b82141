"""Plugins that the user names: loose Python files, and objects registered from Python.

A file is imported as `artgen_file_STEM`. Drawings record the SHA-256 of exactly the bytes that
run, so there is no bytecode cache, and nothing is added to `sys.path`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from artgen.base.errors import InputError, PluginError
from artgen.base.files import numbered, read_regular
from artgen.events import Event
from artgen.hookspecs import Spec, hookimpl
from artgen.registry._contract import check_contract
from artgen.registry._plugin import (
    Failure,
    Kind,
    Plugin,
    PluginInfo,
    examine,
    isolated,
    of_specs,
)

_LARGEST = 2**24
"""Largest number of bytes of a plugin file."""

SESSION = "python session"
"""The identity of objects registered from Python that have no file."""


def fingerprint(path: Path) -> dict[str, str]:
    """Return name and SHA-256 of a file. Raises PluginError if it cannot be read."""
    return _identity(path, _read(path))


def examine_file(path: Path, name: str) -> Plugin:
    """Import the file at `path` and use its hooks or, without hooks, its primitives.

    Raises PluginError if the file cannot be imported or contains neither.
    """
    source = _read(path)
    identity = _identity(path, source)
    info = PluginInfo(name, path.name, identity["sha256"][:12], "file")
    try:
        module = _import(path.resolve(), source)
    except Failure as failure:
        if isinstance(failure.__cause__, PluginError):
            raise failure.__cause__ from None
        raise PluginError(
            f"plugin file {path} cannot be imported: {failure}{_line(failure, path.resolve())}",
            hint=f"`python {path}` shows where it fails",
        ) from failure.__cause__
    plugin = examine(info, identity, lambda: module)
    # An unknown hook is a warning beside valid ones, but an error if there are no others.
    if not plugin.info.usable or (plugin.info.reason and not plugin.info.hooks):
        raise _unusable(path, plugin.info.reason, hint="correct the file")
    if plugin.info.hooks:
        return plugin
    try:
        plugin = of_specs(info, identity, "primitive", map(_spec, _primitives_in(module)))
    except Failure as failure:
        raise _unusable(path, failure, hint="rename the class") from None
    if not plugin.entries:
        raise _unusable(
            path,
            "it contains no primitive and no hook",
            hint="define a subclass of artgen.Splat, Shape, Partition, Mesh, Ink, Field or "
            "Codec, or a function marked @artgen.hookimpl",
        )
    return plugin


def examine_object(
    kind: Kind,
    value: Any,
    name: str | None,
    files: tuple[str, ...],
) -> Plugin:
    """Make a plugin that offers `value` as `name` or its own name in snake case.

    `files` are the patterns of file names that a target opens. Raises PluginError if `value` is not
    of this kind or the name is invalid.
    """
    own = getattr(value, "__name__", type(value).__name__)
    # A lambda has no name of its own.
    name = name or _snake_case(own if own.isidentifier() else kind)
    file = getattr(sys.modules.get(getattr(value, "__module__", "")), "__file__", None)
    if file and Path(file).is_file():
        identity = fingerprint(Path(file))
        info = PluginInfo(name, identity["file"], identity["sha256"][:12], "python")
    else:
        identity = {"name": SESSION, "version": "unknown"}
        info = PluginInfo(name, SESSION, "unknown", "python")
    if kind == "observer":

        @hookimpl
        def artgen_observe(event: Event) -> None:
            value(event)

        return examine(info, identity, lambda: SimpleNamespace(artgen_observe=artgen_observe))
    check_contract(kind, f"{kind} {name!r}", value)
    try:
        return of_specs(info, identity, kind, [_spec(value, name, files)])
    except Failure as failure:
        raise PluginError(
            f"{value!r} cannot be registered as {kind} {name!r}: {failure}",
            hint="pass another object, or another name",
        ) from None


def _unusable(path: Path, reason: object, hint: str) -> PluginError:
    return PluginError(f"plugin file {path} cannot be used: {reason}", hint=hint)


def _read(path: Path) -> bytes:
    if not os.path.exists(path):
        raise PluginError(f"plugin file {path} does not exist", hint="check its path")
    try:
        return read_regular(path, f"plugin file {path}", _LARGEST, empty=True)
    except InputError as error:
        raise PluginError(error.message, hint="a plugin is one Python file") from None


def _identity(path: Path, source: bytes) -> dict[str, str]:
    return {"file": path.name, "sha256": hashlib.sha256(source).hexdigest()}


def _import(path: Path, source: bytes) -> ModuleType:
    """Run `source` as a new module. Raises Failure."""
    name = _module_name(path)
    spec = importlib.util.spec_from_loader(name, loader=None, origin=str(path))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    before = sys.modules.get(name)
    # Dataclasses and type hints look up their module while it runs.
    sys.modules[name] = module
    try:
        with isolated(path.name):
            exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    except BaseException:
        sys.modules.pop(name, None)
        if before is not None:
            sys.modules[name] = before
        raise
    return module


def _module_name(path: Path) -> str:
    """Return `artgen_file_STEM`, with a number if another file has that name."""

    def is_another(name: str) -> bool:
        return name in sys.modules and getattr(sys.modules[name], "__file__", "") != str(path)

    return numbered("artgen_file_" + re.sub(r"\W", "_", path.stem), is_another)


def _line(failure: Failure, path: Path) -> str:
    """Return the line in `path`, such as ` (heart.py, line 7)`; empty for syntax errors."""
    error = failure.__cause__
    if error is None or isinstance(error, SyntaxError):
        return ""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    return f" ({path.name}, line {lines[-1]})" if lines else ""


def _primitives_in(module: ModuleType) -> Iterator[type]:
    """Yield the primitives that `module` defines.

    Abstract and underscored classes are left out, and the base class of a family that has others.
    """
    from artgen.primitives import Primitive

    own = [
        value
        for value in dict.fromkeys(filter(inspect.isclass, vars(module).values()))
        if issubclass(value, Primitive) and value.__module__ == module.__name__
    ]
    for cls in own:
        is_base = "family" in vars(cls) and any(cls in other.__mro__[1:] for other in own)
        if not (is_base or cls.__name__.startswith("_") or inspect.isabstract(cls)):
            yield cls


def _spec(value: object, name: str | None = None, files: tuple[str, ...] = ()) -> Spec:
    """Make a spec for `value` with its `summary`, or the first line of its docstring."""
    own: str = getattr(value, "__name__", name or "")
    said = value.get("summary") if isinstance(value, Mapping) else getattr(value, "__doc__", None)
    documentation = (said or "").strip() or own
    return Spec(name or _snake_case(own), documentation.splitlines()[0], value, files)


def _snake_case(name: str) -> str:
    """Convert to snake case: `HeartShape` to heart_shape, `SVGHeart` to svg_heart."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])", "_", name).lower()
