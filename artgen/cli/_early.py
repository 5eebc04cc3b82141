"""Mistakes that are found before torch or kernels are loaded: wrong names, files and options.

The run would find all of them too, some seconds later.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from artgen._files import find_file
from artgen._process import unknown_device
from artgen.losses import parse_terms
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.resolve import find_primitive, load_primitive
from artgen.targets import Source, check_sample, find_opener, parse_colour


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


def check_options(recipe: Recipe, registry: Registry) -> None:
    """Raise UsageError for options that the primitive lacks; needs torch, but no kernels."""
    table = recipe.primitive
    if recipe.init is None:  # else the options of that drawing count too
        load_primitive(recipe, registry)(table.options, preset=table.preset)


def check_files(recipe: Recipe, registry: Registry, search: Sequence[Path]) -> None:
    """Raise InputError or PluginError where what the recipe reads is not there."""
    for what, file in recipe.files:
        find_file(file.name, file.sha256, search, what)
    source = Source.parse(recipe.target.source)
    if source.path is not None:
        find_file(source.path, recipe.target.sha256, search, "target")
    elif find_opener(source, registry).plugin.origin == "built-in" and source.scheme == "sample":
        check_sample(source.rest)
