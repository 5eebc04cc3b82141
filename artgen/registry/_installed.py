"""Installed plugins: artgen's own plugin, and the entry points of the group `artgen`.

Environment variables select plugins by entry point or distribution. ``ARTGEN_PLUGINS=a,b`` enables
only these (an empty value: none) beside those shipped with artgen; ``ARTGEN_DISABLE_PLUGINS=a,b``
disables them. A disabled plugin is listed but never imported.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint
from typing import Any

from artgen._version import __version__
from artgen.hookspecs import GROUP
from artgen.registry._plugin import Plugin, PluginInfo, examine

_ONLY = "ARTGEN_PLUGINS"
_WITHOUT = "ARTGEN_DISABLE_PLUGINS"


def canonical(name: str) -> str:
    """Normalise the name of a distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_called(info: PluginInfo, name: str) -> bool:
    """Return whether `name` is the name of the plugin or of its distribution."""
    return canonical(name) in _aliases(info)


def examine_installed(
    entry_points: Iterable[EntryPoint] | None, environ: Mapping[str, str]
) -> tuple[list[Plugin], list[str]]:
    """Return all installed plugins, artgen's own first, and warnings about the environment.

    `entry_points` defaults to those of the distributions on `sys.path`.
    """
    if entry_points is None:
        entry_points = importlib.metadata.entry_points(group=GROUP)
    ours = PluginInfo("artgen", "artgen", __version__, "built-in")
    load_ours = partial(importlib.import_module, "artgen.registry.builtin")
    candidates: list[tuple[PluginInfo, Callable[[], object]]]
    candidates = [(ours, load_ours), *map(_candidate, entry_points)]
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


def _candidate(entry_point: EntryPoint) -> tuple[PluginInfo, Callable[[], object]]:
    # Damaged metadata has neither name nor version.
    told: Any = entry_point.dist.metadata if entry_point.dist else {}
    name = told.get("Name") or entry_point.name
    if canonical(name) == "artgen":
        # Not what was installed: a checkout may have been updated since.
        return PluginInfo(entry_point.name, name, __version__, "built-in"), entry_point.load
    version = told.get("Version") or "unknown"
    return PluginInfo(entry_point.name, name, version, "installed"), entry_point.load


def _listed(environ: Mapping[str, str], variable: str) -> list[str] | None:
    """Return the comma-separated names in an environment variable; None if it is not set."""
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
        return f"{_WITHOUT} excludes it"
    if info.origin != "built-in" and only is not None and not aliases & set(map(canonical, only)):
        return f"{_ONLY} does not include it"
    return None
