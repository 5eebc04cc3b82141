"""Versions and sources of artgen and plugins, compared on all machines before anything runs.

Sources are compared as well as versions, because a development checkout has the version of the
last release. Libraries in another version cause a warning: last digits may differ.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from artgen import __version__
from artgen.errors import PluginError, UsageError
from artgen.targets import Source

LIBRARIES = ("torch", "numpy", "numba", "pillow", "av", "scikit-image")
"""Libraries that can change the last digits of results."""

OWN = "artgen"

Pinned: TypeAlias = Mapping[str, tuple[str, ...]]
"""Distributions that must be the same everywhere, each with its packages."""

_WORD = re.compile(r"[a-z][a-z0-9_-]*")


def pin(recipes: Iterable[Any], registry: Any) -> dict[str, tuple[str, ...]]:
    """artgen, and the installed plugins that offer something which `recipes` name."""
    names = set[str]()
    for recipe in recipes:
        names |= _names(recipe)
    packages: dict[str, set[str]] = {OWN: {"artgen", "artgen_makers", "artgen_plugins"}}
    for kind in {kind for plugin in registry.plugins for kind in plugin.offers}:
        for entry in registry.entries(kind):
            if entry.plugin.origin == "installed" and entry.name in names:
                where = entry.spec.load
                module = where.partition(":")[0] if isinstance(where, str) else where.__module__
                packages.setdefault(entry.distribution, set()).add(module.partition(".")[0])
    return {name: tuple(sorted(found)) for name, found in packages.items()}


def describe(pinned: Pinned) -> dict[str, str]:
    """The version and the hash of the source of each; of `LIBRARIES` the version alone."""
    found = {name: _describe(name, tuple(packages)) for name, packages in pinned.items()}
    return found | {name: _describe(name, ()) for name in LIBRARIES}


def refuse_others(here: Mapping[str, str], there: Mapping[str, str], node: str) -> list[str]:
    """Warnings about libraries of `node` in other versions than here.

    Raises UsageError where it has another artgen, PluginError where it has another plugin.
    """
    warnings = []
    for name, version in here.items():
        other = there.get(name, "missing")
        if other == version:
            continue
        if name in LIBRARIES:
            warnings.append(
                f"{name} is {other} on {node} and {version} here: results may differ in last digits"
            )
            continue
        message = f"{name} is {other} on {node}, and {version} here"
        if name == OWN:
            raise UsageError(message, hint="install the same artgen on every machine")
        raise PluginError(message, hint=f"install the same {name} on every machine")
    return warnings


def _names(recipe: Any) -> set[str]:
    """All words of a recipe that may name something of a plugin."""
    words = [Source.parse(recipe.target.source).scheme or "", recipe.primitive.name]
    for stage in recipe.stage:
        words += [stage.engine, stage.loss or ""]
    for view in recipe.view or ():
        words += [view.how, view.target if isinstance(view.target, str) else ""]
    words += [(recipe.output.film or "").partition("=")[0], recipe.kind.name if recipe.kind else ""]
    return set(_WORD.findall(" ".join(words)))


@functools.cache
def _describe(name: str, packages: tuple[str, ...]) -> str:
    try:
        version = __version__ if name == OWN else importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
    if not packages:
        return version
    digest = hashlib.sha256()
    for package in packages:
        for file in _sources(package):
            digest.update(f"{file.name} ".encode())
            digest.update(file.read_bytes())
    return f"{version} (source {digest.hexdigest()[:12]})"


def _sources(package: str) -> list[Path]:
    """The Python files of a package or module, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        return []
    folders = spec.submodule_search_locations
    if folders is None:
        return [Path(spec.origin)] if spec.origin else []
    return sorted(
        (file for folder in folders for file in Path(folder).rglob("*.py")),
        key=lambda file: file.as_posix(),
    )
