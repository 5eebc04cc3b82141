"""Opening what a recipe names: its device, its target, the drawing that it starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artgen.base.errors import InputError, UsageError
from artgen.base.files import file_in
from artgen.base.waiting import report
from artgen.output import Pixels
from artgen.plan import Named, find_names
from artgen.recipe import FileReference, Recipe, TargetTable
from artgen.registry import Registry
from artgen.runs.device import resolve_device
from artgen.runs.files.inputs import InputFiles
from artgen.runs.warm_start import Initial, open_initial
from artgen.targets import Source, Target, TargetRequest, folded, open_source, parse_colour
from artgen.values.frame import Focus, parse_focus

UNWEIGHTED: Mapping[str, Any] = {"mask": None, "focus": None, "alpha_weight": False}
"""Keys of a target for its pixels alone, which are those with weights too."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """What was opened for a recipe, and the names in it; it has the background of its primitive.

    `table` is the target as it was asked for, by the user or by a preset; `init` is what to start
    from; `device` is there; `files` are those that were found.
    """

    named: Named
    table: TargetTable
    target: Target
    init: Initial | None
    device: str
    files: InputFiles

    @property
    def recipe(self) -> Recipe:
        """The recipe."""
        return self.named.recipe


def open_inputs(
    recipe: Recipe, registry: Registry, target: Target | None, search: Sequence[Path]
) -> Inputs:
    """Open what `recipe` names; `target` replaces its source.

    Raises InputError, PluginError, UsageError.
    """
    report("reading the target")
    files = InputFiles(search)
    named = find_names(recipe, registry)
    if target is None:
        named = named.with_preset_target()
        recipe = named.recipe
    device = resolve_device(recipe.run.device)
    init = None if recipe.init is None else open_initial(recipe.init, files, registry)
    table = recipe.target
    if table.background == "auto" and init is None:
        cls = named.primitive
        preset = cls.find_preset(recipe.primitive.preset)
        background = preset.background or cls.defaults.background
        recipe = recipe.with_target(background=background or "auto")
    target = folded(target or open_target(recipe, registry, files), symmetry_in(recipe))
    return Inputs(named.of(recipe), table, target, init, device, files)


def read_target(recipe: Recipe, registry: Registry, search: Sequence[Path]) -> Target:
    """Open the target of `recipe`, of any kind, at its fitting size.

    A background of ``auto`` is black. Raises InputError, PluginError, UsageError.
    """
    return folded(open_target(recipe, registry, InputFiles(search)), symmetry_in(recipe))


def symmetry_in(recipe: Recipe) -> str:
    """The symmetry that a recipe asks for, ``none`` without one."""
    return str(recipe.primitive.options.get("symmetry", "none"))


def open_photo(
    recipe: Recipe,
    registry: Registry,
    folder: Path,
    size: int,
    file: str | None = None,
    *,
    flag: str,
) -> Pixels:
    """The picture that `recipe` was fitted to, with a long side of `size`: uint8 [h, w, 3].

    It is looked for in `folder` and in the current one, or read from `file`; nothing is downloaded
    for a recipe. `flag` is for messages. Raises InputError where it is missing, and UsageError
    where it is no picture.
    """
    table = recipe.target
    named = Source.parse(file or table.source)
    if file is None and named.scheme not in (None, "sample"):
        raise UsageError(
            f"{flag} needs the photo, and {table.source} is not a file", hint=f"use {flag}=FILE"
        )
    place = {"source": file or table.source, "sha256": None if file else table.sha256}
    found = recipe.with_target(**place, size=size, **UNWEIGHTED)
    try:
        target = read_target(found, registry, (folder, Path()))
    except InputError as error:
        raise InputError(error.message, hint=f"use {flag}=FILE") from None
    if target.pixels is None:
        raise UsageError(f"{target.source} is not a picture", hint=f"use {flag}=FILE")
    return target.pixels


def open_target(recipe: Recipe, registry: Registry, files: InputFiles) -> Target:
    """Open what the recipe names, where ``auto`` is black. Raises InputError."""
    table = recipe.target
    mask = None if table.mask is None else files.find("mask", table.mask.name, table.mask.sha256)
    focus: Focus | Path
    if isinstance(table.focus, FileReference):
        focus = files.find("focus", table.focus.name, table.focus.sha256)
    else:
        focus = parse_focus(table.focus or "none")
    request = TargetRequest(
        size=table.size,
        background=parse_colour("black" if table.background == "auto" else table.background),
        mask=mask,
        focus=focus,
        alpha_weight=table.alpha_weight,
        max_pixels=table.max_pixels,
        frame=table.frame,
    )
    source = Source.parse(table.source)
    if source.path is not None:
        source = source.at(files.find("target", source.path, table.sha256))
    elif file := file_in(source.rest.partition("?")[0], files.search):
        # Behind a colon it may be the name of a sample instead.
        names = registry.find("target", str(source.scheme)).spec.names
        source = source if names else source.at(file)
    opened = open_source(source, registry, request)
    if table.sha256 not in (None, opened.sha256):
        raise InputError(
            f"{table.source} is not the target the recipe was made with: its SHA-256 differs",
            hint="give the target on the command line to use it anyway",
        )
    return opened
