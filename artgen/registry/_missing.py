"""Errors of `Registry.find`: why a name cannot be found, and what to try."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from artgen.base.errors import PluginError, did_you_mean
from artgen.registry._explicit import SESSION
from artgen.registry._installed import is_called
from artgen.registry._plugin import FLAGS, HOOKS, Kind, Plugin, PluginInfo


def missing_plugin(kind: Kind, name: str, identity: Mapping[str, str]) -> PluginError:
    """Return the error for a drawing whose plugin is not available."""
    source = identity.get("file") or identity.get("name") or "an unnamed plugin"
    if "file" in identity:
        hint = f"pass --plugin {source}"
    elif source == SESSION:
        hint = "call artgen.register with its class first"
    else:
        hint = f"pip install {source}"
    return PluginError(f"{kind} {name!r} needs {source}, which is not available", hint=hint)


def unknown_name_in(kind: Kind, name: str, providers: Sequence[Plugin]) -> PluginError:
    """Return the error for a drawing whose plugin is broken or does not offer the name."""
    unusable = [plugin.info for plugin in providers if not plugin.info.usable]
    if unusable:
        return _not_available(kind, name, unusable)
    hint = did_you_mean(name, _offered(kind, providers))
    return PluginError(f"unknown {kind} {name!r} in {providers[0].info.distribution}", hint=hint)


def unknown_name(kind: Kind, name: str, plugins: Sequence[Plugin]) -> PluginError:
    """Return the error for an unknown name: a broken plugin may offer it, or it is misspelled."""
    unusable = [plugin.info for plugin in plugins if not plugin.info.usable]
    if suspects := [info for info in unusable if _suggests(info, kind, name)]:
        return _not_available(kind, name, suspects)
    own = _offered(kind, plugins, with_owner="/" in name)
    hint, file = did_you_mean(name, own), f"{name.removesuffix('.py')}.py"
    if passed := [plugin.info for plugin in plugins if plugin.info.distribution == file]:
        hint = _offers(passed[0], kind)
    elif os.path.isfile(file):
        hint = f"pass --plugin {file} if it is in there"
    for other, flag in FLAGS.items():
        if other != kind and name in _offered(other, plugins):
            found = f"{name} is a{'n' * (other == 'engine')} {other}: {flag} {name}"
            meant = [f"did you mean {each}?" for each in get_close_matches(name, own, 1, 0.8)]
            hint = " ".join([*meant, found])
    if unusable:
        hint += f"; not available: {'; '.join(map(_state, unusable))}"
    return PluginError(f"unknown {kind} {name!r}", hint=hint)


def _not_available(kind: Kind, name: str, unusable: Sequence[PluginInfo]) -> PluginError:
    return PluginError(
        f"{kind} {name!r} is not available: {'; '.join(map(_state, unusable))}",
        hint="`artgen plugins list` shows the status of every plugin",
    )


def _offered(kind: Kind, plugins: Sequence[Plugin], *, with_owner: bool = False) -> set[str]:
    return {
        f"{entry.distribution}/{entry.name}" if with_owner else entry.name
        for plugin in plugins
        for entry in plugin.entries
        if entry.kind == kind
    }


def _offers(info: PluginInfo, kind: Kind) -> str:
    """Return what a file offers, which may be less than it holds where it has hooks."""
    offers = [f"{each} {name}" for each, names in info.offers.items() for name in names]
    told = f"{info.distribution} offers {', '.join(offers) or 'nothing'}"
    lacks = info.hooks and kind not in info.offers
    return f"{told}, and lacks the hook {HOOKS[kind]}" if lacks else told


def _state(info: PluginInfo) -> str:
    return f"{info.distribution} is {info.status} ({info.reason})"


def _suggests(info: PluginInfo, kind: Kind, name: str) -> bool:
    """Return whether a plugin offered `name` before it failed, or its own name contains it."""
    owner, _, bare = name.rpartition("/")
    if owner:
        return is_called(info, owner)
    return bare in info.offers.get(kind, ()) or bare in info.distribution.lower()
