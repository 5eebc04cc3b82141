"""Mistakes that are found before torch or kernels are loaded: wrong names, files and options.

The run would find all of them too, some seconds later, and say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from artgen.base.files import find_file
from artgen.base.process import unknown_device
from artgen.losses import parse_terms
from artgen.plan.catalogue import check_values, facts_of, known_facts, options_for
from artgen.plan.names import find_names, find_primitive
from artgen.plan.options import check_engine_options
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.targets import Source, check_name, find_opener, parse_colour


def check_names(recipe: Recipe, registry: Registry) -> None:
    """Raise what a run would raise for unknown names of plugins, losses, devices and colours."""
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


def check_known_options(recipe: Recipe, registry: Registry) -> None:
    """Raise UsageError for options that the catalogue knows to be wrong."""
    if recipe.init is not None:  # the options of that drawing count too
        return
    table, primitive = recipe.primitive, known_facts(find_primitive(recipe, registry))
    if primitive is None:
        return
    if table.options:
        check_values(primitive["options"], table.options, primitive["class"])
    for stage in recipe.stage:
        if not stage.options:
            continue
        name = primitive["engines"][0] if stage.engine == "auto" else stage.engine
        engine = known_facts(registry.find("engine", name))
        if engine is None:
            continue
        family, families = primitive["family"], engine["families"]
        if set(stage.options).difference(each["name"] for each in engine["options"]) and any(
            entry.plugin.origin != "built-in" for entry in registry.entries("primitive")
        ):
            continue  # the family of such a plugin may have it
        if families is None or family in families:
            own = options_for(engine, family)
            names = {
                each: {option["name"] for option in options_for(engine, each)}
                for each in (families or (family,))
            }
            check_engine_options(name, stage.options, names[family], names, family)
            check_values(own, stage.options, f"engine {name}")


def check_options(recipe: Recipe, registry: Registry) -> None:
    """Raise UsageError for options that the primitive lacks; needs torch, but no kernels.

    What has options gets into the catalogue.
    """
    table = recipe.primitive
    if recipe.init is None:  # else the options of that drawing count too
        named = find_names(recipe, registry)
        if table.options or any(stage.options for stage in recipe.stage):
            facts_of(named.entry)
        for stage in recipe.stage:
            if stage.options:
                name = named.primitive.engines[0] if stage.engine == "auto" else stage.engine
                facts_of(registry.find("engine", name))
        named.primitive(table.options, preset=table.preset)


def check_files(recipe: Recipe, registry: Registry, search: Sequence[Path]) -> None:
    """Raise InputError or PluginError where what the recipe reads is not there."""
    for what, file in recipe.files:
        find_file(file.name, file.sha256, search, what)
    source = Source.parse(recipe.target.source)
    if source.path is not None:
        find_file(source.path, recipe.target.sha256, search, "target")
        return
    entry = find_opener(source, registry)
    check_name(source, entry)
    if source.scheme in ("http", "https") and entry.plugin.origin == "built-in":
        from artgen.targets.web import check_url

        check_url(str(source))
