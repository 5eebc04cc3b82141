"""Completion of names in the shell: parts, engines, losses, samples, options of `--set`.

Of what is returned, typer takes what begins as what was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from artgen.base.errors import ArtgenError

if TYPE_CHECKING:
    from artgen.registry import Kind, Registry

Complete = Callable[[typer.Context, str], list[str]]


def names_of(kind: Kind | None) -> Complete:
    """A completion of the names of one kind, or all; after a comma or `+` that of the last one."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        head = incomplete[: max(incomplete.rfind(each) for each in ",+*") + 1]
        return [head + name for name in _names(context, kind)]

    return complete


primitives, engines, losses = names_of("primitive"), names_of("engine"), names_of("loss")
forms, everything = names_of("form"), names_of(None)


def devices(context: typer.Context, incomplete: str) -> list[str]:
    """The kinds of devices."""
    return ["auto", "cpu", "cuda", "mps", "webgpu"]


def targets(context: typer.Context, incomplete: str) -> list[str]:
    """The files here, and the samples."""
    from artgen.targets import pictures

    return [*map(str, pictures(_registry(context))), *_files(incomplete)]


def palettes(context: typer.Context, incomplete: str) -> list[str]:
    """The palettes with a name, and the files here."""
    from artgen.targets import MAPS, NAMED

    return [*NAMED, *MAPS, *_files(incomplete)]


def looks(context: typer.Context, incomplete: str) -> list[str]:
    """The looks, and the files here."""
    return _names(context, "look") + _files(incomplete)


def settings(context: typer.Context, incomplete: str) -> list[str]:
    """`KEY=` of the options of the primitive, and of those of its engine."""
    from artgen.plan.catalogue import facts_of, options_for
    from artgen.recipe import ClipTable

    registry = _registry(context)
    given = context.params
    try:
        primitive = facts_of(registry.find("primitive", given.get("primitive") or "gaussian"))
        engine = (given.get("engine") or primitive["engines"][0]).split(",")[0]
        found = facts_of(registry.find("engine", engine))
    except ArtgenError:
        return []
    return [
        "preset=",
        *(f"{each['name']}=" for each in primitive["options"]),
        *(f"engine.{each['name']}=" for each in options_for(found, primitive["family"])),
        *(f"clip.{key}=" for key in ClipTable.declared()),
    ]


def _registry(context: typer.Context) -> Registry:
    from artgen.registry import Registry

    try:
        return Registry(files=context.params.get("plugin") or ())
    except ArtgenError:  # which would be printed into the command line
        return Registry()


def _names(context: typer.Context, kind: Kind | None) -> list[str]:
    from artgen.registry import KINDS

    registry, kinds = _registry(context), KINDS if kind is None else (kind,)
    return sorted({entry.name for each in kinds for entry in registry.entries(each)})


def _files(incomplete: str) -> list[str]:
    import glob
    import os

    found = sorted(glob.glob(glob.escape(incomplete) + "*"))
    return [f"{path}{os.sep}" if os.path.isdir(path) else path for path in found]
