"""Mistakes that are found before torch or kernels are loaded: wrong names, files and options.

The run would find all of them too, some seconds later, and say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from artgen.base.errors import UsageError
from artgen.base.files import find_file
from artgen.base.process import unknown_device
from artgen.losses import parse_terms
from artgen.plan.catalogue import Facts, check_values, facts_of, known_facts, options_for
from artgen.plan.names import find_names, find_primitive, of_look
from artgen.plan.options import check_engine_options
from artgen.recipe import Recipe, Stage, flag_of, home_of
from artgen.registry import Kind, Registry

_NOTHING: Facts = {"options": (), "engines": (), "family": ""}


def check_asked(recipe: Recipe, registry: Registry, search: Sequence[Path] | None = None) -> None:
    """Raise what a run would raise for wrong names, options that are known, and files.

    Names are those of plugins, losses, devices and colours. Files are looked for in the folders
    `search`, or not at all.
    """
    from artgen.targets import parse_colour

    find_primitive(recipe, registry)
    losses = [entry.name for entry in registry.entries("loss")]
    for stage in recipe.stage:
        if stage.engine != "auto":
            registry.find("engine", stage.engine)
        if stage.loss is not None:
            parse_terms(stage.loss, losses)
    device = recipe.run.device
    if device.partition(":")[0] not in ("auto", "cpu", "cuda", "mps", "webgpu"):
        raise unknown_device(device)
    if recipe.target.background != "auto":
        parse_colour(recipe.target.background)
    check_options(recipe, registry, load=False)
    if search is not None:
        check_files(recipe, registry, search)


def check_options(recipe: Recipe, registry: Registry, *, load: bool) -> None:
    """Raise UsageError for options that are wrong by what the catalogue knows.

    With `load`, which needs torch but no kernels, what it lacks is loaded and gets into it, and the
    primitive is made; options of engines are left to the run, which has their classes.
    """
    if recipe.init is not None:  # the options of that drawing count too
        return
    facts, table = facts_of if load else known_facts, recipe.primitive
    staged = [stage for stage in recipe.stage if stage.options]
    if table.options or staged:
        primitive = facts(find_primitive(recipe, registry))
        if primitive is None:
            return
        with of_look(recipe):
            _check_primitive(recipe, primitive, registry)
        for stage in staged:
            name = primitive["engines"][0] if stage.engine == "auto" else stage.engine
            engine = facts(registry.find("engine", name))
            if not load and engine is not None:
                _check_stage(stage, name, engine, primitive["family"], registry)
    if load:
        find_names(recipe, registry).primitive(table.options, preset=table.preset)


def _check_stage(stage: Stage, name: str, engine: Facts, family: str, registry: Registry) -> None:
    """Raise UsageError for options that an engine of these facts lacks, and for wrong values."""
    families = engine["families"]
    if set(stage.options).difference(each["name"] for each in engine["options"]) and any(
        entry.plugin.origin != "built-in" for entry in registry.entries("primitive")
    ):
        return  # the family of such a plugin may have it
    if families is None or family in families:
        own = options_for(engine, family)
        names = {
            each: {option["name"] for option in options_for(engine, each)}
            for each in (families or (family,))
        }
        check_engine_options(name, stage.options, names[family], names, family)
        check_values(own, stage.options, f"engine {name}")


def _check_primitive(recipe: Recipe, facts: Facts, registry: Registry) -> None:
    """Raise UsageError for options that a primitive of these facts lacks, and for wrong values."""
    table, names = recipe.primitive, [each["name"] for each in facts["options"]]
    for key, value in table.options.items():
        if key in names:
            continue
        if key == "symmetry" and facts["unrepeated"]:
            raise UsageError(
                f"{facts['class']} has no symmetry: {facts['unrepeated']}",
                hint="splats, shapes, fields, ink and partitions have: -p gaussian",
            )
        hint = hint_of_option(key, str(value), registry, table.name)
        if hint is None and not get_close_matches(key, names, cutoff=0.5):
            hint = hint_of_option(key, str(value), registry, table.name, load=True)
        if hint is not None:
            raise UsageError(f"{facts['class']} has no option {key!r}", hint=hint)
    check_values(facts["options"], table.options, facts["class"])


def hint_of_option(
    key: str, value: str, registry: Registry, primitive: str, *, load: bool = False
) -> str | None:
    """How an option of this name is set: a flag, an option of `primitive`, its engine, or others.

    Returns None where nothing has one. What the catalogue does not hold is loaded or left out, and
    None too where that may be its place.
    """

    def facts(kind: Kind, name: str) -> Facts:
        with suppress(Exception):  # a plugin that is broken is not to blame for this
            entry = registry.find(kind, name)
            return (facts_of(entry) if load else known_facts(entry)) or _NOTHING
        return _NOTHING

    if (flag := flag_of(key)) is not None:
        return f"write {flag} {value}".removesuffix(" True")
    own = facts("primitive", primitive)
    if any(each["name"] == key for each in own["options"]):
        return f"it is an option of {primitive}: write --set {key}={value}"
    engines = {name: facts("engine", name) for name in own["engines"]}
    for engine, known in engines.items():
        if any(each["name"] == key for each in options_for(known, own["family"])):
            return f"it is an option of the engine {engine}: write --set engine.{key}={value}"
    if not load and any(known is _NOTHING for known in (own, *engines.values())):
        return None
    names = map(registry.spelling, registry.entries("primitive"))
    others = [
        name
        for name in names
        if any(each["name"] == key for each in facts("primitive", name)["options"])
    ]
    has = "has it: write" if len(others) == 1 else "have it: write"
    return f"{', '.join(others)} {has} -p {others[0]}" if others else home_of(key)


def check_files(recipe: Recipe, registry: Registry, search: Sequence[Path]) -> None:
    """Raise InputError or PluginError where what the recipe reads is not there."""
    from artgen.targets import Source, check_name, find_opener

    for what, file in recipe.files:
        find_file(file.name, file.sha256, search, what)
    source = Source.parse(recipe.target.source)
    if source.path is not None:
        find_file(source.path, recipe.target.sha256, search, "target")
        return
    entry = find_opener(source, registry)
    check_name(source, entry)
    if source.scheme in ("http", "https") and entry.plugin.origin == "built-in":
        entry.load().check(str(source))
