"""Installed plugins: the entry points of the group `artgen`, after the framework's own plugin.

The environment chooses among them by entry point or distribution: ``ARTGEN_PLUGINS=a,b`` takes
these alone (an empty value: none) beside what artgen ships, ``ARTGEN_DISABLE_PLUGINS=a,b`` takes
away. What is not chosen is listed but never imported.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint

import artgen
from artgen.hookspecs import GROUP
from artgen.registry._plugin import Plugin, PluginInfo, examine

__all__ = ["canonical", "examine_installed", "is_called"]

_ONLY = "ARTGEN_PLUGINS"
_WITHOUT = "ARTGEN_DISABLE_PLUGINS"


def canonical(name: str) -> str:
    """A distribution's name as compared by Python's packaging (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_called(info: PluginInfo, name: str) -> bool:
    """Whether `name` means this plugin: it is that of its distribution or its own."""
    return canonical(name) in _aliases(info)


def examine_installed(
    entry_points: Iterable[EntryPoint] | None, environ: Mapping[str, str]
) -> tuple[list[Plugin], list[str]]:
    """All installed plugins, artgen's own first, and warnings about the environment variables.

    `entry_points` default to those of the distributions on `sys.path`.
    """
    if entry_points is None:
        entry_points = importlib.metadata.entry_points(group=GROUP)
    candidates = [_framework(), *map(_candidate, entry_points)]
    candidates.sort(
        key=lambda candidate: (
            candidate[0].origin != "built-in",
            canonical(candidate[0].distribution),
            candidate[0].name,
        )
    )
    only, without = _listed(environ, _ONLY), _listed(environ, _WITHOUT)
    plugins = []
    for info, load in candidates:
        identity = {"name": info.distribution, "version": info.version}
        reason = _why_disabled(info, only, without)
        if reason:
            plugins.append(Plugin(replace(info, status="disabled", reason=reason), identity))
        else:
            plugins.append(examine(info, identity, load))
    known = set().union(*(_aliases(info) for info, _ in candidates))
    warnings = [
        f"{variable} names {name!r}, but no such plugin is installed"
        for variable, names in ((_ONLY, only), (_WITHOUT, without))
        for name in names or ()
        if canonical(name) not in known
    ]
    return plugins, warnings


_Candidate = tuple[PluginInfo, Callable[[], object]]


def _framework() -> _Candidate:
    info = PluginInfo("artgen", "artgen", artgen.__version__, "built-in")
    return info, partial(importlib.import_module, "artgen._builtin")


def _candidate(entry_point: EntryPoint) -> _Candidate:
    distribution = entry_point.dist
    # Damaged metadata has neither.
    name = (distribution and distribution.name) or entry_point.name
    version = (distribution and distribution.version) or "unknown"
    info = PluginInfo(
        entry_point.name,
        name,
        version,
        "built-in" if canonical(name) == "artgen" else "installed",
    )
    return info, entry_point.load


def _listed(environ: Mapping[str, str], variable: str) -> list[str] | None:
    """The comma-separated names in an environment variable; None where it is not set."""
    if variable not in environ:
        return None
    return [name.strip() for name in environ[variable].split(",") if name.strip()]


def _aliases(info: PluginInfo) -> set[str]:
    return {canonical(info.name), canonical(info.distribution)}


def _why_disabled(
    info: PluginInfo, only: list[str] | None, without: list[str] | None
) -> str | None:
    aliases = _aliases(info)
    if aliases & set(map(canonical, without or ())):
        return f"it is named in {_WITHOUT}"
    if info.origin != "built-in" and only is not None and not aliases & set(map(canonical, only)):
        return f"it is not named in {_ONLY}"
    return None
