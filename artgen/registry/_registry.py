"""The registry of all plugins of this process, which resolves names.

A bare name (`heart`) must be unambiguous. Plugins that the user names take precedence over artgen's
own, and those over installed ones, so that installing a package never changes what a recipe means.
If several remain, the name has to be written as `distribution/heart`.
"""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from importlib.metadata import EntryPoint
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from artgen.base.errors import PluginError
from artgen.base.files import numbered
from artgen.events import Event
from artgen.registry._explicit import examine_file, examine_object, fingerprint
from artgen.registry._installed import canonical, examine_installed, is_called
from artgen.registry._missing import missing_plugin, unknown_name, unknown_name_in
from artgen.registry._mixture import MixtureEntry, find_mixture, is_mixture
from artgen.registry._plugin import KINDS, Entry, Failure, Kind, Loaded, Plugin, PluginInfo

if TYPE_CHECKING:
    from artgen.primitives import Primitive

_WITHOUT_OWNER = ("exporter", "command")
"""The kinds whose names have no owner: suffixes of files, and words of the command line."""


class Registry:
    """All plugins: artgen's own, the installed ones, and `files` given by the user.

    `environ` is read for ``ARTGEN_PLUGINS``, ``ARTGEN_DISABLE_PLUGINS`` and ``ARTGEN_TRACE``;
    `entry_points` replaces the installed ones. An installed plugin that fails is listed with the
    reason; a file that fails raises PluginError. `warnings` collects messages for the user.
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
        self._files: dict[str, Plugin] = {}  # by their real paths
        self._dismissed: list[Plugin] = []
        for path in files:
            self.add_file(path)

    def __deepcopy__(self, memo: object) -> Registry:
        return self  # copies of an art have the same plugins

    def __reduce__(self) -> tuple[Callable[[], Registry], tuple[()]]:
        return default, ()  # another process has the plugins that are installed there

    def copy(self) -> Registry:
        """Another registry with these plugins: what is added to one is not in the other."""
        other = object.__new__(Registry)
        other.__dict__.update({name: copy.copy(value) for name, value in vars(self).items()})
        return other

    def add_file(self, path: Path | str) -> None:
        """Import a loose file; its names take precedence over installed ones.

        A known file is imported again only if it has changed. Raises PluginError if the file is
        missing, cannot be imported, or contains neither a primitive nor a hook.
        """
        path = Path(path)
        previous = self._files.get(os.path.realpath(path))
        if previous and previous.identity == fingerprint(path):
            return
        # With a number if an earlier file has the same stem.
        taken = {plugin.info.name for plugin in self._files.values()}
        name = previous.info.name if previous else numbered(path.stem, taken.__contains__)
        plugin = examine_file(path, name)
        if previous:
            self._plugins.remove(previous)
        # A file that is also a script may register what it offers itself.
        offered = [entry.spec for entry in plugin.entries]
        self._plugins = [
            other
            for other in self._plugins
            if other.info.origin != "python"
            or not any(entry.spec in offered for entry in other.entries)
        ]
        self._files[os.path.realpath(path)] = plugin
        self._add(plugin)

    def register(
        self,
        value: Any,
        name: str | None = None,
        kind: Kind = "primitive",
        files: tuple[str, ...] = (),
    ) -> str:
        """Offer `value` as `name`, by default its own name in snake case, and return the name.

        Registering a name of a kind again replaces the object; observers without a name are all
        called. Raises PluginError if `value` is not of this kind or the name is invalid.
        """
        own = getattr(value, "__name__", type(value).__name__)
        if kind == "observer" and not (name or own.isidentifier()):  # a lambda
            name = numbered(kind, {plugin.info.name for plugin in self._plugins}.__contains__)
        plugin = examine_object(kind, value, name, files)
        key = attrgetter("info.origin", "info.name", "info.offers")
        self._plugins = [each for each in self._plugins if key(each) != key(plugin)]
        self._add(plugin)
        return self.spelling(plugin.entries[0]) if plugin.entries else plugin.info.name

    @property
    def plugins(self) -> list[PluginInfo]:
        """All plugins, usable or not, artgen's own first."""
        return [self._with_clashes(plugin) for plugin in self._plugins]

    def entries(self, kind: Kind) -> list[Entry]:
        """Return all entries of a kind, sorted by name; `spelling` gives their unique names."""
        entries = [entry for plugin in self._plugins for entry in plugin.entries]
        return sorted(
            (entry for entry in entries if entry.kind == kind),
            key=lambda entry: (entry.name, not entry.plugin.explicit),
        )

    def offered_by(self, plugin: Path | str) -> list[Entry]:
        """Return the entries of a plugin, given by file path, distribution or name, then observers.

        Raises PluginError if the plugin is unknown or
        broken, or has neither entries nor `artgen_observe`.
        """
        plugins = [
            each
            for each in self._plugins
            if self._files.get(os.path.realpath(plugin)) is each
            or is_called(each.info, str(plugin))
        ]
        if not plugins:
            raise unknown_name("primitive", str(plugin), self._plugins)
        for each in plugins:
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
        observers = [each.observer for each in plugins if each.observer is not None]
        return [*(entry for each in plugins for entry in each.entries), *observers]

    def find(self, kind: Kind, name: str, *, plugin: Mapping[str, str] | None = None) -> Entry:
        """Look up `name`: `heart`, `distribution/heart` or `file-stem/heart`.

        A primitive may be a mixture, `heart*3+star`, whose members are looked up. `plugin` is an
        identity recorded in a drawing; the name is then looked up in that plugin only. Raises
        PluginError if the name is unknown or ambiguous, or the plugin is missing.
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
        return self._only(claimants, f"{kind} {name!r} is offered")

    def find_any(self, name: str) -> Entry | None:
        """Look up `name` among entries of the first kind that has it; None if none has it."""
        bare = name.rpartition("/")[2]
        for kind in KINDS:
            if any(entry.name == bare for entry in self.entries(kind)):
                return self.find(kind, name)
        return None

    def find_opener(self, path: str) -> Entry:
        """The target that opens the file or folder `path`, by the patterns in `Spec.files`.

        The longest pattern counts; among equals the user's own plugins come before artgen's, and
        those before installed ones. Raises PluginError where several are left.
        """
        name = Path(path).name.lower() + ("/" if os.path.isdir(path) else "")
        found: dict[tuple[int, bool, bool], list[Entry]] = {}
        for entry in self.entries("target"):
            fitting = [len(each) for each in entry.spec.files if fnmatchcase(name, each)]
            if fitting:
                owner = entry.plugin
                rank = (max(fitting), owner.explicit, owner.origin == "built-in")
                found.setdefault(rank, []).append(entry)
        if not found:
            raise unknown_name("target", "image", self._plugins)
        return self._only(found[max(found)], f"{path} is opened", f":{path}")

    def is_plain_folder(self, path: str) -> bool:
        """Whether `path` is a folder that no plugin opens: one of pictures."""
        return os.path.isdir(path) and self.find_opener(path).plugin.origin == "built-in"

    @overload
    def load(
        self, kind: Literal["primitive"], name: str, *, plugin: Mapping[str, str] | None = None
    ) -> type[Primitive]: ...

    @overload
    def load(self, kind: Loaded, name: str) -> Any: ...

    def load(self, kind: Kind, name: str, *, plugin: Mapping[str, str] | None = None) -> Any:
        """Look up a name with `find`, and import the object. Raises PluginError."""
        return self.find(kind, name, plugin=plugin).load()

    def spelling(self, entry: Entry) -> str:
        """Return the shortest unambiguous name of `entry`."""
        if isinstance(entry, MixtureEntry):
            return entry.name
        owners = [entry.distribution, entry.plugin.name]
        if entry.plugin.explicit:
            owners.reverse()
        spellings = [entry.name, *(f"{owner}/{entry.name}" for owner in owners)]
        unique = (name for name in spellings if self._claimants(entry.kind, name) == [entry])
        return next(unique, spellings[-1])

    def observe(self, event: Event) -> list[str]:
        """Pass `event` to every plugin that implements `artgen_observe`.

        A plugin that raises is not called again. Returns warnings about such plugins.
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
            self._warn(f"{entry.name} of {info.distribution} hides {self.spelling(other)}")

    def _warn(self, *sentences: str) -> None:
        self.warnings.extend(text for text in sentences if text not in self.warnings)

    def _claimants(self, kind: Kind, name: str) -> list[Entry]:
        """Return the entries that match `name`; explicit ones hide artgen's, and those the rest."""
        owner, _, bare = name.rpartition("/")
        found = [
            entry
            for entry in self.entries(kind)
            if entry.name == bare and (not owner or is_called(entry.plugin, owner))
        ]
        explicit = [entry for entry in found if entry.plugin.explicit]
        return explicit or [e for e in found if e.plugin.origin == "built-in"] or found

    def _only(self, entries: Sequence[Entry], what: str, after: str = "") -> Entry:
        """The only one of some entries. Raises PluginError for several, with how to write each."""
        if len(entries) > 1:
            owners = " and ".join(entry.distribution for entry in entries)
            spelled = " or ".join(self.spelling(entry) + after for entry in entries)
            if entries[0].kind in _WITHOUT_OWNER:
                hint = "leave out one --plugin, or set ARTGEN_DISABLE_PLUGINS to one of them"
            else:
                hint = f"write {spelled}"
            raise PluginError(f"{what} by {owners}", hint=hint)
        return entries[0]

    def _with_clashes(self, plugin: Plugin) -> PluginInfo:
        """Describe a plugin, with the status ``clash`` if names need their distribution."""
        shared = [each for each in plugin.entries if self.spelling(each) != each.name]
        if not shared:
            return plugin.info
        longer = [self.spelling(each) for each in shared if each.kind not in _WITHOUT_OWNER]
        way = f"write {', '.join(longer)}" if longer else "leave out one of them"
        reason = f"others offer the same names: {way}"
        if plugin.info.reason:
            reason = f"{plugin.info.reason}; {reason}"
        return replace(plugin.info, status="clash", reason=reason)

    def _find_member(self, name: str, identity: Mapping[str, str]) -> Entry:
        """Look up a member of a mixture in the recorded plugin, else in all plugins."""
        owner, _, bare = name.rpartition("/")
        # Besides that plugin's, a mixture has artgen's own alone.
        for provider in self._providers(identity) if identity and owner != "artgen" else ():
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
        """Return the plugins of a recorded identity; a changed file matches with a warning."""
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
            self._warn(f"{file} has changed since it was recorded")
        return changed


def _trace_hooks() -> None:
    """Log every call of a hook to stderr, unless the application handles artgen's logger."""
    logger = logging.getLogger("artgen")
    logger.setLevel(logging.DEBUG)
    if not logger.hasHandlers():
        logger.addHandler(logging.StreamHandler())


_default: Registry | None = None


def default() -> Registry:
    """Return the registry of this process, made on first use."""
    global _default
    if _default is None:
        _default = Registry()
    return _default


def reset_default(registry: Registry | None = None) -> None:
    """Set the default registry; None makes a new one on next use."""
    global _default
    _default = registry
