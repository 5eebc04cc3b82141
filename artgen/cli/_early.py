"""Mistakes that are found before torch or kernels are loaded: wrong names, files and options.

The run would find all of them too, some seconds later.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import make_dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

from artgen._files import find_file
from artgen._process import unknown_device
from artgen.errors import UsageError, did_you_mean
from artgen.losses import parse_terms
from artgen.options import option, parse_options
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.resolve import find_primitive, load_primitive
from artgen.targets import Source, check_sample, find_opener, parse_colour

_ARTGEN = Path(__file__).parents[1]

_OPTION = re.compile(r"^\s+(\w+):[^=]+= option\(", re.MULTILINE)
"""An option in the definition of a class."""

_Files: TypeAlias = dict[str, set[Path]]
"""Options by name, and the files that define one."""


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


def check_option_texts(recipe: Recipe, registry: Registry) -> None:
    """Raise UsageError for options that no definition has, and values that none of them accepts.

    Definitions are read as text, where all primitives are those artgen ships. What needs more than
    literals is checked when the classes are loaded.
    """
    origins = {entry.plugin.origin for entry in registry.entries("primitive")}
    if origins != {"built-in"} or recipe.init is not None:
        return
    table, shipped = recipe.primitive, find_spec("artgen_plugins")
    if table.options and shipped is not None and shipped.origin is not None:
        own = _options(Path(shipped.origin).parent)
        common = _all(_options(_ARTGEN / "primitives").values())
        load = find_primitive(recipe, registry).spec.load
        module, _, cls = load.partition(":") if isinstance(load, str) else ("", "", table.name)
        near = own.get(module.rpartition(".")[2]) or common
        _check(table.options, near, _all([*own.values(), common]), cls, f"{cls} has no")
    if not any(stage.options for stage in recipe.stage):
        return
    engines = _options(_ARTGEN / "engines")
    known = _all(engines.values())
    for stage in recipe.stage:
        named, found = f"engine {stage.engine}", f"engine {stage.engine} has no"
        if stage.engine == "auto":
            named, found = "engine", "no engine has an"
        _check(stage.options, engines.get(stage.engine) or known, known, named, found)


def _check(values: Mapping[str, Any], near: _Files, known: _Files, owner: str, found: str) -> None:
    for key, value in values.items():
        if key not in known:
            raise UsageError(f"{found} option {key!r}", hint=did_you_mean(key, near))
        tried = [
            _error(kind, call, key, value, owner)
            for path in sorted(near.get(key) or known[key])
            for kind, call in _definitions(path, key)
        ]
        errors = [error for error in tried if error]
        if errors and len(errors) == len(tried):
            raise errors[0]


def _definitions(path: Path, key: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield the type and the call of `option` of each definition of an option in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.AnnAssign(
                target=ast.Name(id=name),
                annotation=kind,
                value=ast.Call(func=ast.Name("option")) as call,
            ) if name == key:
                yield ast.unparse(kind), call


def _error(kind: str, call: ast.Call, key: str, value: Any, owner: str) -> UsageError | None:
    """Return what is wrong with a value; None where nothing is, or it takes more than literals."""
    try:
        positional = [ast.literal_eval(each) for each in call.args]
        named = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
        types = {"__module__": "typing"}  # the names that types are spelled with
        fields = [(key, kind, option(*positional, **named))]
        parse_options(make_dataclass("Options", fields, namespace=types), {key: value}, owner)
    except UsageError as error:
        return error
    except (NameError, TypeError, ValueError):
        pass
    return None


def _all(files: Iterable[_Files]) -> _Files:
    together = defaultdict[str, set[Path]](set)
    for each in files:
        for name, paths in each.items():
            together[name] |= paths
    return together


def _options(folder: Path) -> dict[str, _Files]:
    """Names that the text of modules in a folder defines as options, by file or subfolder."""
    names = defaultdict[str, _Files](lambda: defaultdict(set))
    for path in folder.rglob("*.py"):
        kind = path.relative_to(folder).parts[0].removesuffix(".py")
        for name in _OPTION.findall(path.read_text(encoding="utf-8")):
            names[kind].setdefault(name, set()).add(path)
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
    elif find_opener(source, registry).plugin.origin == "built-in":
        if source.scheme == "sample":
            check_sample(source.rest)
        elif source.scheme in ("http", "https"):
            from artgen.targets._url import check_url

            check_url(str(source))
