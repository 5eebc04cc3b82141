"""The registry of plugins: discovery, validation, listing, and lookup by name.

Names resolve to *entries*. Only `Entry.load` imports what a plugin offers, so listing and lookup
never import torch.
"""

from __future__ import annotations

from artgen.registry._contract import check_required, own_classes
from artgen.registry._mixture import bare_name, kind_names
from artgen.registry._packages import PREFIX, Unreachable, find_package, versions_of
from artgen.registry._plugin import HOOKS, KINDS, Entry, Kind, PluginInfo
from artgen.registry._registry import Registry, default, reset_default

__all__ = [
    "HOOKS",
    "KINDS",
    "PREFIX",
    "Entry",
    "Kind",
    "PluginInfo",
    "Registry",
    "Unreachable",
    "bare_name",
    "check_required",
    "default",
    "find_package",
    "kind_names",
    "own_classes",
    "reset_default",
    "versions_of",
]
