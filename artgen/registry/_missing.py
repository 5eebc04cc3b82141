"""Why a name cannot be found, and what to try: the errors of `Registry.find`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from artgen.errors import PluginError, did_you_mean
from artgen.registry._explicit import SESSION
from artgen.registry._installed import is_called
from artgen.registry._plugin import Kind, Plugin, PluginInfo

__all__ = ["missing_plugin", "unknown_name", "unknown_name_in"]


def missing_plugin(kind: Kind, name: str, identity: Mapping[str, str]) -> PluginError:
    """The plugin that a drawing recorded is not there at all."""
    source = identity.get("file") or identity.get("name") or "an unnamed plugin"
    if "file" in identity:
        hint = f"pass --plugin {source}"
    elif source == SESSION:
        hint = "call artgen.register with its class first"
    else:
        hint = f"pip install {source}"
    return PluginError(f"{kind} {name!r} comes from {source}, which is not there", hint=hint)


def unknown_name_in(kind: Kind, name: str, providers: Sequence[Plugin]) -> PluginError:
    """The plugin that a drawing recorded is there, but out of order or without the name."""
    unusable = [plugin.info for plugin in providers if not plugin.info.usable]
    if unusable:
        return _not_available(kind, name, unusable)
    return PluginError(
        f"there is no {kind} {name!r} in {providers[0].info.distribution}",
        hint=did_you_mean(name, _offered(kind, providers)),
    )


def unknown_name(kind: Kind, name: str, plugins: Sequence[Plugin]) -> PluginError:
    """No plugin offers the name: one is out of order that would, or it is a typing mistake."""
    unusable = [plugin.info for plugin in plugins if not plugin.info.usable]
    suspects = [info for info in unusable if _suggests(info, kind, name)]
    if suspects:
        return _not_available(kind, name, suspects)
    hint = did_you_mean(name, _offered(kind, plugins, with_owner="/" in name))
    if unusable:
        hint += f"; not available: {'; '.join(map(_state, unusable))}"
    return PluginError(f"there is no {kind} {name!r}", hint=hint)


def _not_available(kind: Kind, name: str, unusable: Sequence[PluginInfo]) -> PluginError:
    return PluginError(
        f"{kind} {name!r} is not available: {'; '.join(map(_state, unusable))}",
        hint="`artgen plugins list` shows every plugin and its state",
    )


def _offered(kind: Kind, plugins: Sequence[Plugin], *, with_owner: bool = False) -> set[str]:
    return {
        f"{entry.distribution}/{entry.name}" if with_owner else entry.name
        for plugin in plugins
        for entry in plugin.entries
        if entry.kind == kind
    }


def _state(info: PluginInfo) -> str:
    return f"{info.distribution} is {info.status} ({info.reason})"


def _suggests(info: PluginInfo, kind: Kind, name: str) -> bool:
    """Whether a plugin offered `name` before it failed, or is called as if it would."""
    owner, _, bare = name.rpartition("/")
    if owner:
        return is_called(info, owner)
    return bare in info.offers.get(kind, ()) or bare in info.distribution.lower()
