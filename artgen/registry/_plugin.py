"""A plugin: its description, the entries that it offers, and isolated calls of its hooks.

Every plugin has its own pluggy manager. So a call of a hook reaches only this plugin, and a plugin
that cannot be registered does not affect the others.
"""

from __future__ import annotations

import inspect
import io
import logging
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import pluggy

from artgen import hookspecs
from artgen.base.errors import PluginError, did_you_mean, is_out_of_memory
from artgen.base.faults import line_at_fault, one_line, place_of, quoted, remember
from artgen.base.generic import is_a
from artgen.base.printed import caught
from artgen.events import Event
from artgen.hookspecs import GROUP, PLUGIN_API, Spec
from artgen.registry._contract import check_contract

Loaded = Literal[
    "engine",
    "loss",
    "target",
    "exporter",
    "look",
    "run",
    "maker",
    "form",
    "view",
    "edit",
    "executor",
    "command",
]
"""Kinds of entries that are loaded by their name alone."""
Kind = Literal["primitive", Loaded, "observer"]

KINDS: tuple[Kind, ...] = ("primitive", *get_args(Loaded))
"""Kinds of entries that a plugin can offer."""

FLAGS: Mapping[Kind, str] = {"primitive": "-p", "engine": "-e", "look": "--look", "loss": "--loss"}
"""The flags of ``artgen fit`` that name an entry of a kind."""

HOOKS: dict[Kind, str] = {kind: f"artgen_{kind}{'es' if kind == 'loss' else 's'}" for kind in KINDS}
"""The hook through which a plugin offers entries of each kind, such as `artgen_primitives`."""
_OBSERVE = "artgen_observe"

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_log = logging.getLogger("artgen")


class Failure(Exception):
    """Plugin code failed; the cause is the exception that it raised."""


@contextmanager
def isolated(owner: str = "") -> Iterator[None]:
    """Turn exceptions of the body, sys.exit included, into `Failure`; Ctrl-C passes through.

    What the body prints goes to stderr, each line after the name of its `owner`, if that is given:
    stdout belongs to the output of commands.
    """
    printed = io.StringIO()
    try:
        with caught() if owner else nullcontext(printed) as printed:
            yield
    except (KeyboardInterrupt, GeneratorExit, Failure):
        # GeneratorExit only closes a generator early.
        raise
    except BaseException as error:
        raise Failure(one_line(error)) from error
    finally:
        for line in printed.getvalue().splitlines():
            print(f"{owner}: {line}", file=sys.stderr)


@dataclass(frozen=True)
class PluginInfo:
    """A plugin as listed by `artgen plugins list`.

    - `name`: its entry point, the stem of its file, or the name an object was registered under
    - `distribution`: ``artgen-heart``, or ``heart.py`` for a loose file
    - `version`: of the distribution, or the first digits of the file's SHA-256
    - `origin`: ``built-in``, ``installed``, ``file``, or ``python`` for `artgen.register`
    - `status`: ``ok``; ``clash`` (works, but some names need the distribution in front);
      ``broken``, ``incompatible`` or ``disabled`` (not usable)
    - `reason`: why it is not ok, or a remark if it is
    - `hooks`: the hooks it implements
    - `offers`: the names it offers, by kind
    """

    name: str
    distribution: str
    version: str
    origin: Literal["built-in", "installed", "file", "python"]
    status: Literal["ok", "clash", "broken", "incompatible", "disabled"] = "ok"
    reason: str | None = None
    hooks: tuple[str, ...] = ()
    offers: dict[Kind, tuple[str, ...]] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether its entries can be used."""
        return self.status in ("ok", "clash")

    @property
    def explicit(self) -> bool:
        """Whether the user named it, by `--plugin` or `artgen.register`."""
        return self.origin in ("file", "python")


@dataclass(frozen=True)
class Entry:
    """An object that a plugin offers, not yet imported.

    `identity` is recorded in drawings: ``{"name": ..., "version": ...}`` or, for a file,
    ``{"file": ..., "sha256": ...}``.
    """

    kind: Kind
    spec: Spec
    plugin: PluginInfo
    identity: Mapping[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        """The name without its distribution."""
        return self.spec.name

    @property
    def summary(self) -> str:
        """A one-line description."""
        return self.spec.summary

    @property
    def distribution(self) -> str:
        """The distribution or file that provides it."""
        return self.plugin.distribution

    def load(self) -> Any:
        """Import the object. Raises PluginError if that fails or it breaks its contract."""
        what = f"{self.kind} {self.name!r} of {self.distribution}"
        try:
            with isolated(self.distribution):
                where = self.spec.load
                loaded = pkgutil.resolve_name(where) if isinstance(where, str) else where
        except Failure as failure:
            _raise_lack_of_memory(failure)
            verb, place = "correct" if self.plugin.explicit else "reinstall or update", ""
            cause = failure.__cause__
            # Somebody who changes what artgen ships made a mistake.
            ours = self.plugin.origin == "built-in" and not isinstance(cause, ImportError)
            if ours and cause is not None and (line := line_at_fault(cause)) is not None:
                verb, place = "correct this line, or reinstall", quoted(line)
            raise PluginError(
                f"{what} cannot be loaded: {failure}{place}", hint=f"{verb} {self.distribution}"
            ) from cause
        if self.plugin.origin in ("file", "installed") and self.kind != "look":
            remember(loaded, what)
        if self.plugin.origin != "built-in":
            check_contract(self.kind, what, loaded)
        return loaded


@dataclass(frozen=True)
class Plugin:
    """An examined plugin: its description, its entries (none unless usable), and its hooks."""

    info: PluginInfo
    identity: Mapping[str, str]
    entries: tuple[Entry, ...] = ()
    manager: pluggy.PluginManager | None = None

    @property
    def observes(self) -> bool:
        """Whether it implements `artgen_observe`."""
        return self.info.usable and _OBSERVE in self.info.hooks

    @property
    def observer(self) -> Entry | None:
        """Its hook `artgen_observe` as an entry, which the conformance checks take."""
        if not self.observes:
            return None
        assert self.manager is not None
        [hook] = self.manager.hook.artgen_observe.get_hookimpls()
        spec = Spec(self.info.name, "Watches runs.", hook.function)
        return Entry("observer", spec, self.info, self.identity)

    def observe(self, event: Event) -> None:
        """Call its hook `artgen_observe`. Raises Failure if the hook raises."""
        assert self.manager is not None
        _call(self.info, self.manager, _OBSERVE, event=event)


def examine(info: PluginInfo, identity: Mapping[str, str], load: Callable[[], object]) -> Plugin:
    """Import a plugin by calling `load`, register it, and collect the specs of its hooks.

    Errors are not raised, they become status and reason of the plugin, but for a lack of memory,
    which is no fault of the plugin.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    offered: dict[Kind, dict[str, Spec]] = {kind: {} for kind in KINDS}
    try:
        with isolated(info.distribution):
            module = load()
            wanted = getattr(module, "ARTGEN_API", PLUGIN_API)
        if str(wanted).partition(".")[0] != str(PLUGIN_API):
            reason = f"it needs plugin API {wanted}, this artgen has {PLUGIN_API}"
            return Plugin(replace(info, status="incompatible", reason=reason), identity)
        with isolated():
            try:
                manager.register(module)
            except pluggy.PluginValidationError as error:
                raise Failure(_wrong_arguments(module, str(error))) from None
        implemented, remark = _hooks_of(manager, module)
        info = replace(info, hooks=implemented, reason=remark)
        for kind, hook in HOOKS.items():
            if hook in implemented:
                _accept(_answers(info, manager, hook), hook, into=offered[kind])
    except Failure as failure:
        _raise_lack_of_memory(failure)
        # List the names offered before the failure, to explain why they are missing.
        broken = replace(info, status="broken", reason=str(failure), offers=_names(offered))
        return Plugin(broken, identity)
    return _usable(info, identity, offered, manager)


def _raise_lack_of_memory(failure: Failure) -> None:
    if failure.__cause__ is not None and is_out_of_memory(failure.__cause__):
        raise failure.__cause__ from None


def of_specs(
    info: PluginInfo, identity: Mapping[str, str], kind: Kind, specs: Iterable[Spec]
) -> Plugin:
    """Make a plugin without hooks that offers `specs`. Raises Failure for an invalid one."""
    offered: dict[Kind, dict[str, Spec]] = {kind: {}}
    _accept(specs, "it", into=offered[kind])
    return _usable(info, identity, offered)


def _usable(
    info: PluginInfo,
    identity: Mapping[str, str],
    offered: Mapping[Kind, Mapping[str, Spec]],
    manager: pluggy.PluginManager | None = None,
) -> Plugin:
    info = replace(info, offers=_names(offered))
    entries = tuple(
        Entry(kind, spec, info, identity)
        for kind, specs in offered.items()
        for spec in specs.values()
    )
    return Plugin(info, identity, entries, manager)


def _names(offered: Mapping[Kind, Mapping[str, Spec]]) -> dict[Kind, tuple[str, ...]]:
    return {kind: tuple(specs) for kind, specs in offered.items() if specs}


def _hooks_of(manager: pluggy.PluginManager, module: object) -> tuple[tuple[str, ...], str | None]:
    """Return the names of the hooks that `module` implements, and a remark on unknown ones.

    Those are never called, probably because of a typing mistake.
    """
    callers, known = manager.get_hookcallers(module) or [], (*HOOKS.values(), _OBSERVE)
    remarks = [
        f"unknown hook {caller.name}: {did_you_mean(caller.name, known)}"
        for caller in callers
        if not caller.has_spec()
        and not all(implementation.optionalhook for implementation in caller.get_hookimpls())
    ]
    return tuple(each.name for each in callers if each.has_spec()), "; ".join(remarks) or None


def _wrong_arguments(module: object, message: str) -> str:
    """Say which hook of `module` takes other arguments, of which pluggy complains in `message`."""
    [name] = re.findall(r"for hook '(\w+)'", message)[:1] or [""]
    found, expected = getattr(module, name, None), getattr(hookspecs, name, None)
    if found is None or expected is None:
        return message
    arguments = ", ".join(inspect.signature(expected).parameters)
    taken = ", ".join(map(str, inspect.signature(found).parameters.values()))
    return f"{name}{place_of(found)} takes ({taken}), but is called with ({arguments})"


def _call(info: PluginInfo, manager: pluggy.PluginManager, hook: str, **arguments: object) -> Any:
    _log.debug("hook %s of %s", hook, info.distribution)
    # An observer runs beside threads that print for others.
    with isolated("" if hook == _OBSERVE else info.distribution):
        return getattr(manager.hook, hook)(**arguments)


def _answers(info: PluginInfo, manager: pluggy.PluginManager, hook: str) -> Iterable[object]:
    """Yield all specs that the plugin returns for `hook`. Raises Failure."""
    answers = _call(info, manager, hook)
    if not answers:
        # pluggy drops None, the result of a forgotten `return`.
        raise Failure(f"{hook} returned None instead of a list of specs")
    for answer in answers:
        if not isinstance(answer, Iterable):
            raise Failure(f"{hook} returned {type(answer).__name__} instead of a list of specs")
        with isolated(info.distribution):
            yield from answer


def _accept(specs: Iterable[object], where: str, into: dict[str, Spec]) -> None:
    """Check the specs and store them by name. Raises Failure at the first invalid one."""
    for spec in specs:
        if not isinstance(spec, Spec):
            raise Failure(f"{where} offers {type(spec).__name__} {spec!r:.80}, which is not a Spec")
        if fault := _fault_of(spec) or (" twice" if spec.name in into else ""):
            raise Failure(f"{where} offers {spec.name!r}{fault}")
        into[spec.name] = spec


def _fault_of(spec: Spec) -> str:
    """Return what is wrong with a spec, to be read after its name; "" if nothing is."""
    if not (isinstance(spec.name, str) and _NAME.fullmatch(spec.name)):
        return (
            ", but a name must be a lower-case letter followed by "
            "lower-case letters, digits, '-' and '_'"
        )
    if not (isinstance(spec.summary, str) and spec.summary.strip()):
        return " without a summary"
    if isinstance(spec.load, str) and not all(spec.load.partition(":")):
        return f" at {spec.load!r}, which is not 'module:attribute'"
    if not (isinstance(spec.files, tuple) and all(isinstance(p, str) for p in spec.files)):
        return " with files that are not a tuple of patterns"
    if not is_a(spec.names, Mapping[str, str]):
        return " with names that are not a mapping of each to its kind, as {'cat': 'image'} is"
    for pattern in spec.files:
        if pattern != pattern.lower():
            return (
                f" with the pattern {pattern!r}, which never matches: "
                f"patterns are in lower case, write {pattern.lower()!r}"
            )
    return ""
