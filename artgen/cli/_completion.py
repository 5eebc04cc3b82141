"""Completion of names in the shell: parts, engines, losses, samples, options of `--set`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from artgen.registry import Kind, Registry

Complete = Callable[[typer.Context, str], list[str]]


def names_of(kind: Kind) -> Complete:
    """A completion of the names of one kind; after a comma or `+` that of the last name."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        split = max(incomplete.rfind(each) for each in ",+*") + 1
        head, last = incomplete[:split], incomplete[split:]
        return [head + name for name in _names(context, kind) if name.startswith(last)]

    return complete


primitives, engines, losses = names_of("primitive"), names_of("engine"), names_of("loss")
forms = names_of("form")


def devices(context: typer.Context, incomplete: str) -> list[str]:
    """The kinds of devices."""
    return _beginning(incomplete, ("auto", "cpu", "cuda", "mps", "webgpu"))


def everything(context: typer.Context, incomplete: str) -> list[str]:
    """The names of everything that plugins offer."""
    return _beginning(incomplete, _names(context))


def targets(context: typer.Context, incomplete: str) -> list[str]:
    """The files here, and the samples."""
    from artgen.targets import pictures

    return _beginning(incomplete, map(str, pictures(_registry(context)))) + _files(incomplete)


def palettes(context: typer.Context, incomplete: str) -> list[str]:
    """The palettes with a name, and the files here."""
    from artgen.targets import MAPS, NAMED

    return _beginning(incomplete, (*NAMED, *MAPS)) + _files(incomplete)


def looks(context: typer.Context, incomplete: str) -> list[str]:
    """The looks, and the files here."""
    return _beginning(incomplete, _names(context, "look")) + _files(incomplete)


def settings(context: typer.Context, incomplete: str) -> list[str]:
    """`KEY=` of the options of the primitive, and of those of its engine."""
    from artgen.plan.catalogue import facts_of, options_for
    from artgen.recipe import ClipTable

    registry = _registry(context)
    primitive = facts_of(registry.find("primitive", context.params.get("primitive") or "gaussian"))
    engine = (context.params.get("engine") or primitive["engines"][0]).split(",")[0]
    found = facts_of(registry.find("engine", engine))
    keys = [
        "preset",
        *(each["name"] for each in primitive["options"]),
        *(f"engine.{each['name']}" for each in options_for(found, primitive["family"])),
        *(f"clip.{key}" for key in ClipTable.declared()),
    ]
    return _beginning(incomplete, (f"{key}=" for key in keys))


def _registry(context: typer.Context) -> Registry:
    from artgen.registry import Registry

    return Registry(files=context.params.get("plugin") or ())


def _names(context: typer.Context, kind: Kind | None = None) -> list[str]:
    from artgen.registry import KINDS

    registry, kinds = _registry(context), KINDS if kind is None else (kind,)
    return sorted({entry.name for each in kinds for entry in registry.entries(each)})


def _files(incomplete: str) -> list[str]:
    import glob
    import os

    found = sorted(glob.glob(glob.escape(incomplete) + "*"))
    return [f"{path}{os.sep}" if os.path.isdir(path) else path for path in found]


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
