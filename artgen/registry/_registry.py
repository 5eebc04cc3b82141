"""The registry: every plugin of this process, and what a name means among them.

A bare name (`heart`) must mean one thing. What the user gave explicitly beats what is installed;
where that still leaves several, the name is refused until it is written as `distribution/heart`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from artgen.errors import PluginError
from artgen.events import Event
from artgen.registry._explicit import examine_class, examine_file, fingerprint
from artgen.registry._installed import canonical, examine_installed, is_called
from artgen.registry._isolation import Failure
from artgen.registry._missing import missing_plugin, unknown_name, unknown_name_in
from artgen.registry._mixture import MixtureEntry, find_mixture, is_mixture
from artgen.registry._plugin import Entry, Kind, Plugin, PluginInfo

__all__ = ["Registry", "default", "reset_default"]


class Registry:
    """All plugins: artgen's own, the installed ones, and `files` given by the user.

    `environ` is read for ``ARTGEN_PLUGINS``, ``ARTGEN_DISABLE_PLUGINS`` and ``ARTGEN_TRACE``;
    `entry_points` replace those that are installed. An installed plugin that fails is listed with
    its reason and takes nothing else down; a file that fails raises PluginError. `warnings` holds
    sentences for the user, in the order in which they came up.
    """

    def __init__(
        self,
        *,
        files: Sequence[Path | str] = (),
        environ: Mapping[str, str] = os.environ,
        entry_points: Iterable[EntryPoint] | None = None,
    ) -> None:
        if environ.get("ARTGEN_TRACE", "0") not in ("", "0"):
            _trace_hooks()
        self._plugins, self.warnings = examine_installed(entry_points, environ)
        self._files: dict[Path, Plugin] = {}
        self._dismissed: list[Plugin] = []
        for path in files:
            self.add_file(path)

    def add_file(self, path: Path | str) -> None:
        """Import a loose file; its names win over installed ones.

        A file that is already there is imported again only if it changed. Raises PluginError for a
        file that is missing, cannot be imported, or holds neither a primitive nor a hook.
        """
        path = Path(path)
        previous = self._files.get(path.resolve())
        if previous and previous.identity == fingerprint(path):
            return
        plugin = examine_file(path, previous.info.name if previous else self._free_name(path.stem))
        if previous:
            self._plugins.remove(previous)
        # A file may register its classes itself, to be usable as a script too.
        offered = [entry.spec for entry in plugin.entries]
        self._plugins = [
            other
            for other in self._plugins
            if other.info.origin != "python" or other.entries[0].spec not in offered
        ]
        self._files[path.resolve()] = plugin
        self._add(plugin)

    def register(self, cls: type, name: str | None = None) -> None:
        """Offer the primitive `cls` as `name`, by default its class name in snake case.

        Registering a name again replaces the class. Raises PluginError where `cls` is no primitive
        or the name is not valid.
        """
        plugin = examine_class(cls, name)
        self._plugins = [
            other
            for other in self._plugins
            if (other.info.origin, other.info.name) != ("python", plugin.info.name)
        ]
        self._add(plugin)

    @property
    def plugins(self) -> list[PluginInfo]:
        """Every plugin, usable or not, artgen's own first."""
        return [self._with_clashes(plugin) for plugin in self._plugins]

    def entries(self, kind: Kind) -> list[Entry]:
        """All that can be found of `kind`, by name; see `spelling` for how to ask for each."""
        found = [entry for plugin in self._plugins for entry in plugin.entries]
        return sorted(
            (entry for entry in found if entry.kind == kind),
            key=lambda entry: (entry.name, not entry.plugin.explicit),
        )

    def offered_by(self, plugin: Path | str) -> list[Entry]:
        """All that one plugin offers, given by the path of its file, its distribution or its name.

        Empty where it only observes. Raises PluginError where there is no such plugin, it is out of
        order, or it does nothing at all.
        """
        found = [
            each
            for each in self._plugins
            if self._files.get(Path(plugin).resolve()) is each or is_called(each.info, str(plugin))
        ]
        if not found:
            raise unknown_name("primitive", str(plugin), self._plugins)
        for each in found:
            if not each.info.usable:
                state = f"{each.info.status}: {each.info.reason}"
                raise PluginError(
                    f"{each.info.distribution} is {state}", hint="correct, reinstall or update it"
                )
            if not (each.entries or each.observes):
                reason = f": {each.info.reason}" if each.info.reason else ""
                raise PluginError(
                    f"{each.info.distribution} offers nothing{reason}",
                    hint="mark a function such as artgen_primitives with @artgen.hookimpl",
                )
        return [entry for each in found for entry in each.entries]

    def find(self, kind: Kind, name: str, *, plugin: Mapping[str, str] | None = None) -> Entry:
        """What `name` means: `heart`, or `distribution/heart`, `file-stem/heart`.

        A primitive may be a mixture, `heart*3+star`, each of whose members is looked up.

        `plugin` is an identity that a drawing recorded; the name is then looked up in that plugin
        alone. Raises PluginError for a name that is unknown or ambiguous, and for a plugin that is
        missing.
        """
        if kind == "primitive" and is_mixture(name):
            return find_mixture(
                name, lambda member: self._find_member(member, plugin or {}), self.spelling
            )
        if plugin:
            return self._find_recorded(kind, name.rpartition("/")[2], plugin)
        claimants = self._claimants(kind, name)
        if not claimants:
            raise unknown_name(kind, name, self._plugins)
        if len(claimants) > 1:
            owners = " and ".join(entry.distribution for entry in claimants)
            raise PluginError(
                f"{kind} {name!r} is offered by {owners}",
                hint=f"write {' or '.join(map(self.spelling, claimants))}",
            )
        return claimants[0]

    def load(self, kind: Kind, name: str, *, plugin: Mapping[str, str] | None = None) -> Any:
        """`find` it and import it."""
        return self.find(kind, name, plugin=plugin).load()

    def spelling(self, entry: Entry) -> str:
        """The shortest name that means `entry`: bare where that is enough."""
        if isinstance(entry, MixtureEntry):
            return entry.name
        owners = [entry.distribution, entry.plugin.name]
        if entry.plugin.explicit:
            owners.reverse()
        spellings = [entry.name, *(f"{owner}/{entry.name}" for owner in owners)]
        for spelled in spellings:
            if self._claimants(entry.kind, spelled) == [entry]:
                return spelled
        return spellings[-1]

    def identity(self, entry: Entry) -> dict[str, str]:
        """What drawings record: ``{"name", "version"}``, or ``{"file", "sha256"}`` for a file."""
        return dict(entry.identity)

    def observe(self, event: Event) -> list[str]:
        """Show `event` to every plugin that implements `artgen_observe`.

        A plugin that raises is not called again; the returned warnings say so.
        """
        warnings = []
        for plugin in self._plugins:
            if not plugin.observes or plugin in self._dismissed:
                continue
            try:
                plugin.observe(event)
            except Failure as failure:
                self._dismissed.append(plugin)
                warnings.append(
                    f"artgen_observe of {plugin.info.distribution} failed "
                    f"and is not called again: {failure}"
                )
        self._warn(*warnings)
        return warnings

    def _add(self, plugin: Plugin) -> None:
        info = plugin.info
        if info.reason:
            self._warn(f"{info.distribution}: {info.reason}")
        hidden = [
            (entry, other)
            for entry in plugin.entries
            for other in self._claimants(entry.kind, entry.name)
            if not other.plugin.explicit
        ]
        self._plugins.append(plugin)
        for entry, other in hidden:
            self._warn(
                f"{entry.name} is taken from {info.distribution} and hides {self.spelling(other)}"
            )

    def _warn(self, *sentences: str) -> None:
        self.warnings.extend(text for text in sentences if text not in self.warnings)

    def _free_name(self, stem: str) -> str:
        """The stem of a file, numbered where an earlier file has the same."""
        taken = {plugin.info.name for plugin in self._files.values()}
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}_{number}"
        return name

    def _claimants(self, kind: Kind, name: str) -> list[Entry]:
        """The entries that `name` may mean; explicit ones hide the others."""
        owner, _, bare = name.rpartition("/")
        found = [
            entry
            for entry in self.entries(kind)
            if entry.name == bare and (not owner or is_called(entry.plugin, owner))
        ]
        return [entry for entry in found if entry.plugin.explicit] or found

    def _with_clashes(self, plugin: Plugin) -> PluginInfo:
        """Its facts, with the names that need the distribution in front given the others."""
        longer = [
            spelled for entry in plugin.entries if (spelled := self.spelling(entry)) != entry.name
        ]
        if not longer:
            return plugin.info
        reason = f"others offer the same names: write {', '.join(longer)}"
        if plugin.info.reason:
            reason = f"{plugin.info.reason}; {reason}"
        return replace(plugin.info, status="clash", reason=reason)

    def _find_member(self, name: str, identity: Mapping[str, str]) -> Entry:
        """A member of a mixture: from the plugin that a drawing recorded, else from anywhere."""
        bare = name.rpartition("/")[2]
        for provider in self._providers(identity) if identity else ():
            if bare in provider.info.offers.get("primitive", ()):
                return self._find_recorded("primitive", bare, identity)
        if identity and not self._providers(identity):
            raise missing_plugin("primitive", name, identity)
        return self.find("primitive", name)

    def _find_recorded(self, kind: Kind, name: str, identity: Mapping[str, str]) -> Entry:
        providers = self._providers(identity)
        for provider in providers:
            for entry in provider.entries:
                if (entry.kind, entry.name) == (kind, name):
                    return entry
        if providers:
            raise unknown_name_in(kind, name, providers)
        raise missing_plugin(kind, name, identity)

    def _providers(self, identity: Mapping[str, str]) -> list[Plugin]:
        """The plugins that a recorded identity means; a changed file counts, with a warning."""
        if "file" not in identity:
            recorded = canonical(identity.get("name", ""))
            return [
                plugin
                for plugin in self._plugins
                if "name" in plugin.identity and canonical(plugin.identity["name"]) == recorded
            ]
        file, sha256 = identity["file"], identity.get("sha256")
        files = [plugin for plugin in self._plugins if "file" in plugin.identity]
        same = [plugin for plugin in files if plugin.identity["sha256"] == sha256]
        if same:
            return same
        changed = [plugin for plugin in files if plugin.identity["file"] == file]
        if changed:
            self._warn(f"{file} is not the file that was recorded: it has changed since")
        return changed


def _trace_hooks() -> None:
    """Log every call of a hook to stderr, unless the application already handles our logger."""
    logger = logging.getLogger("artgen")
    logger.setLevel(logging.DEBUG)
    if not logger.hasHandlers():
        logger.addHandler(logging.StreamHandler())


_default: Registry | None = None


def default() -> Registry:
    """The registry of this process, made when it is first asked for."""
    global _default
    if _default is None:
        _default = Registry()
    return _default


def reset_default(registry: Registry | None = None) -> None:
    """Use `registry` as the default from now on; None makes a fresh one when next asked for."""
    global _default
    _default = registry
