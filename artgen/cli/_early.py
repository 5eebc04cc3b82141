"""Mistakes that are found before torch or kernels are loaded: wrong names, files and options.

The run would find all of them too, some seconds later.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from artgen._files import find_file
from artgen._process import unknown_device
from artgen.errors import UsageError, did_you_mean
from artgen.losses import parse_terms
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.resolve import find_primitive, load_primitive
from artgen.targets import Source, check_sample, find_opener, parse_colour

_ARTGEN = Path(__file__).parents[1]

_OPTION = re.compile(r"^\s+(\w+):[^=]+= option\(", re.MULTILINE)
"""An option in the definition of a class."""


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


def check_option_names(recipe: Recipe, registry: Registry) -> None:
    """Raise UsageError for names that no option has, where all primitives are those artgen ships.

    Values, and names that another primitive or engine has, are checked when the classes are loaded.
    """
    origins = {entry.plugin.origin for entry in registry.entries("primitive")}
    if origins != {"built-in"} or recipe.init is not None:
        return
    table, shipped = recipe.primitive, find_spec("artgen_plugins")
    if table.options and shipped is not None and shipped.origin is not None:
        own, common = _options(Path(shipped.origin).parent), _all(_options(_ARTGEN / "primitives"))
        load = find_primitive(recipe, registry).spec.load
        module, _, cls = load.partition(":") if isinstance(load, str) else ("", "", table.name)
        near = own.get(module.rpartition(".")[2]) or common
        _check_keys(table.options, _all(own) | common, near, f"{cls} has no")
    if not any(stage.options for stage in recipe.stage):
        return
    engines = _options(_ARTGEN / "engines")
    known = _all(engines)
    for stage in recipe.stage:
        found = "no engine has an" if stage.engine == "auto" else f"engine {stage.engine} has no"
        _check_keys(stage.options, known, engines.get(stage.engine) or known, found)


def _check_keys(keys: Iterable[str], known: set[str], near: set[str], found: str) -> None:
    for key in keys:
        if key not in known:
            raise UsageError(f"{found} option {key!r}", hint=did_you_mean(key, near))


def _all(names: Mapping[str, set[str]]) -> set[str]:
    return set[str]().union(*names.values())


def _options(folder: Path) -> dict[str, set[str]]:
    """Names that the text of the modules in a folder defines as options, by file or subfolder."""
    names = defaultdict[str, set[str]](set)
    for path in folder.rglob("*.py"):
        kind = path.relative_to(folder).parts[0].removesuffix(".py")
        names[kind].update(_OPTION.findall(path.read_text(encoding="utf-8")))
    return names


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
