"""The catalogue: what there is to know of what plugins offer, without loading it.

The facts of a primitive or an engine (options with their types, presets, parameters) are written
once it was loaded: a file of JSON per entry in a private folder of the cache. It holds for the
files that it was made from, those of the plugin and of artgen. A file that is damaged, or made from
others, counts for nothing and is written again. What has no files is described anew each time.
"""

from __future__ import annotations

import functools
import hashlib
import json
import operator
import sys
import types
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import field, make_dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen._version import __version__
from artgen.base.cache import cache_folder
from artgen.base.errors import OutputError
from artgen.base.faults import root_of
from artgen.base.files import stamp_of
from artgen.base.options import describe_options, parse_options
from artgen.registry import Entry, MixtureEntry

if TYPE_CHECKING:
    from artgen.engines import Engine
    from artgen.primitives import Primitive

Facts = dict[str, Any]

_EXAMPLE_SIDE = 512
"""Side of the square canvas for which learning rates and shapes are shown."""

READ = (".py", ".toml", ".json")
"""Files of packages of which facts are made: presets and looks are often tables."""

_PLAIN = {kind.__name__: kind for kind in (int, float, bool, str, type(None))}
"""The types of options whose values can be checked by their facts, alone or in a choice."""


def known_facts(entry: Entry) -> Facts | None:
    """The facts of an entry that the catalogue holds; None where it has none that are true."""
    source = _source(entry)
    return None if source is None else _read(source)


def facts_of(entry: Entry) -> Facts:
    """The facts of an entry: those that are known, else it is loaded. Raises PluginError."""
    source = _source(entry)
    facts = None if source is None else _read(source)
    if facts is None:
        describe = _DESCRIBE.get(entry.kind)
        facts = {} if describe is None else describe(entry.load())
        if source is not None:
            _write(source, facts)
    if entry.kind == "engine" and (foreign := _foreign_families()):
        # What they have of the engine is true in this process alone.
        return _of_engine(entry.load(), foreign)
    return facts


def options_for(engine: Facts, family: str) -> list[Facts]:
    """The options of an engine for a family, by its facts: its own ones before those of all."""
    own = {each["name"]: each for each in engine["options"] if each["families"] is None}
    own |= {o["name"]: o for o in engine["options"] if family in (o["families"] or ())}
    return list(own.values())


def check_values(options: list[Facts], values: Mapping[str, object], owner: str) -> None:
    """Raise UsageError for an option that is not among `options`, or a value that is wrong."""
    kinds = {each["name"]: _kind(each["hint"]) for each in options}
    declared = [
        (each["name"], kinds[each["name"]], field(metadata=each | {"default": None}, default=None))
        for each in options
    ]
    told = {key: value for key, value in values.items() if kinds.get(key, Any) is not None}
    parse_options(make_dataclass("Options", declared), told, owner)


def _source(entry: Entry) -> tuple[Path, str] | None:
    """The file of an entry's facts, and a digest of all that they depend on."""
    folder = cache_folder("catalogue")
    members = entry.members if isinstance(entry, MixtureEntry) else (entry,)
    roots = {Path(__file__).parents[1]}
    for member in members:
        where = member.spec.load
        if isinstance(where, str):
            found = find_spec(where.partition(":")[0].partition(".")[0])
            if found is None or found.origin is None:
                return None
            inside = found.submodule_search_locations
            roots |= {Path(each) for each in inside} if inside else {Path(found.origin)}
        elif member.plugin.origin != "file" or member.kind == "look":
            return None  # made in this process, or perhaps of another file
    if folder is None:
        return None
    own = [sorted(member.identity.items()) for member in members]
    what = [entry.kind, entry.name, sys.prefix, sorted(map(str, roots))]
    state = [__version__, sys.version, own, [_state_of(root) for root in sorted(roots)]]
    return folder / f"{digest(what)[:24]}.json", digest([what, state])


def _foreign_families() -> frozenset[str]:
    """The families of plugins that were loaded."""
    if "artgen.primitives" not in sys.modules:
        return frozenset()
    from artgen.primitives import known_families

    return frozenset(each.family for each in known_families() if root_of(each) != "artgen")


@functools.cache
def _state_of(root: Path) -> str:
    """A digest of the stamps of the modules and tables below a folder, or of a single module.

    One look is enough: what this process runs was read once too.
    """
    inside = (path for path in root.rglob("*.*") if path.suffix in READ)
    paths = sorted(inside) if root.is_dir() else [root]
    return digest([(str(path), stamp_of(path)) for path in paths])


def digest(data: object) -> str:
    """A hash of data, among them dates, which TOML has and whose recipes are refused later."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


def _read(source: tuple[Path, str]) -> Facts | None:
    file, state = source
    with suppress(OSError, ValueError, KeyError, TypeError):
        stored = json.loads(file.read_text(encoding="utf-8"))
        facts = stored["facts"]
        if stored["state"] == state and stored["digest"] == digest(facts):
            return dict(facts)
    return None


def _write(source: tuple[Path, str], facts: Facts) -> None:
    """Store facts, where they are data and there is room."""
    from artgen.output import atomic_write

    file, state = source
    with suppress(OutputError, TypeError, ValueError):
        text = json.dumps({"state": state, "digest": digest(facts), "facts": facts})
        atomic_write(file, text.encode(), durable=False)


def _of_primitive(cls: type[Primitive]) -> Facts:
    import torch

    from artgen.init import Context
    from artgen.raster import planned_backend
    from artgen.values.canvas import Canvas

    canvas = Canvas(_EXAMPLE_SIDE, _EXAMPLE_SIDE)
    primitive = cls()
    primitive.resolve_options(canvas)
    count = cls.defaults.count
    context = Context(torch.Generator(), canvas, count or 1)
    backend = planned_backend(primitive)
    return {
        "class": cls.__name__,
        "family": cls.family,
        "unrepeated": cls.unrepeated,
        "engines": list(cls.engines),
        "targets": list(cls.targets),
        "count": count,
        "stage": dict(cls.defaults.stage),
        "blend": getattr(primitive, "blend", None),
        "backend": {"name": backend.name, "reason": backend.reason},
        "options": _options(cls.Options),
        "presets": [
            {
                "name": name,
                "count": preset.count,
                "options": dict(preset.options),
                "stage": dict(preset.stage),
                "parameters": sorted(preset.params),
            }
            for name, preset in cls.presets.items()
        ],
        "preset_targets": {
            name: {"background": preset.background, **preset.target}
            for name, preset in cls.presets.items()
        },
        "parameters": [
            {
                "name": name,
                "shape": list(param.shape),
                "lr": param.rate(context),
                "map": param.map.function,
            }
            for name, param in primitive.parameters().items()
        ],
    }


def _of_engine(engine: type[Engine], foreign: frozenset[str] = frozenset()) -> Facts:
    """All options of an engine; `families` names those that have it, None where all have.

    The families are artgen's own, and those of the `foreign` ones that the engine has options for.
    """
    families, shared = engine.family_options(), _options(engine.Options)
    others = _foreign_families() - foreign
    known_to = [family for family in families if family not in others]
    table = {str(option): {**option, "families": None} for option in shared}
    for family in known_to:
        for option in _options(families[family]):
            known = table.setdefault(str(option), {**option, "families": []})
            if known["families"] is not None:
                known["families"].append(family)
    return {"families": known_to if families else None, "options": list(table.values())}


_DESCRIBE: dict[str, Callable[[Any], Facts]] = {
    "primitive": _of_primitive,
    "engine": _of_engine,
    "look": lambda look: {"recipe": dict(look)},
}


def _options(options: type[Any]) -> list[Facts]:
    """The options of a dataclass, with what a value of theirs may be."""
    return [{**vars(each), "hint": _spelled(each.hint)} for each in describe_options(options)]


def _spelled(hint: Any) -> Any:
    """A type as data: the names of plain types, lists of literals; None where it is another."""
    if hint in _PLAIN.values():
        return [hint.__name__]
    if typing.get_origin(hint) is typing.Literal:
        return [list(typing.get_args(hint))]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = [_spelled(each) for each in typing.get_args(hint)]
        return None if None in parts else [each for part in parts for each in part]
    return None


def _kind(spelled: Any) -> Any:
    """The type that `_spelled` made data of; None where it was another."""
    if spelled is None:
        return None
    parts = [_PLAIN[p] if isinstance(p, str) else typing.Literal[tuple(p)] for p in spelled]
    return functools.reduce(operator.or_, parts)
