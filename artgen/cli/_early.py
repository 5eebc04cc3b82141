"""Mistakes that are found before torch is loaded: misspelt names and files that are missing.

The run would find all of them too, some seconds later.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from artgen._files import find_file
from artgen._process import DEVICES
from artgen.errors import UsageError
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.resolve import find_primitive
from artgen.targets import Source, check_sample, find_opener, parse_colour


def check_names(recipe: Recipe, registry: Registry) -> None:
    """Raise what a run of `recipe` would raise for unknown names of plugins, devices, colours."""
    find_primitive(recipe, registry)
    for stage in recipe.stage:
        if stage.engine != "auto":
            registry.find("engine", stage.engine)
    device = recipe.run.device
    if device.partition(":")[0] not in ("auto", "cpu", "cuda", "mps", "webgpu"):
        raise UsageError(f"there is no device {device!r}", hint=f"use {DEVICES}")
    if recipe.target.background != "auto":
        parse_colour(recipe.target.background)


def check_files(recipe: Recipe, registry: Registry, search: Sequence[Path]) -> None:
    """Raise InputError or PluginError where what the recipe reads is not there."""
    for what, file in (("init", recipe.init), ("mask", recipe.target.mask)):
        if file is not None:
            find_file(file.name, file.sha256, search, what)
    source = Source.parse(recipe.target.source)
    if source.path is not None:
        find_file(source.path, recipe.target.sha256, search, "target")
    elif find_opener(source, registry).plugin.origin == "built-in" and source.scheme == "sample":
        check_sample(source.rest)
