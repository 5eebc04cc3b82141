"""Open a target by its source: a scheme, or the name of a file as plugins declare it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from artgen.base.errors import InputError, did_you_mean
from artgen.base.faults import broken, plugin_code
from artgen.base.files import printable
from artgen.registry import Entry, Registry
from artgen.targets.clip import is_clip
from artgen.targets.image import DEFAULT_REQUEST, TargetRequest, pictures_in
from artgen.targets.source import Source
from artgen.targets.target import Origin, Target


def find_opener(source: Source, registry: Registry) -> Entry:
    """The plugin's entry that opens `source`. Raises PluginError, and InputError for a URL."""
    if source.scheme is not None:
        names = {entry.name for entry in registry.entries("target")}
        if source.rest.startswith("//") and source.scheme not in names:
            raise InputError(
                f"{source} is a URL of a kind that artgen does not read",
                hint="it reads http and https; or download the picture, and name its file",
            )
        return registry.find("target", source.scheme)
    return registry.find_opener(source.rest)


def find_targets(asked: Iterable[str], registry: Registry, *, sets: bool = False) -> list[str]:
    """The targets asked for, with the picture files of a folder in its place, unless it is a set.

    A folder that a plugin opens is one target. Raises PluginError, and InputError where a folder
    holds no pictures.
    """
    targets: list[str] = []
    for source in asked:
        folder = not sets and registry.is_plain_folder(source)
        targets += map(str, pictures_in(Path(source), source)) if folder else [source]
    return list(dict.fromkeys(targets))


def check_name(source: Source, entry: Entry) -> None:
    """Raise InputError where `entry` lists the names behind its colon, and this is none of them."""
    known = entry.spec.names
    if known and source.rest.partition("?")[0] not in known:
        raise InputError(
            f"there is no {entry.name} {source.rest!r}", hint=did_you_mean(source.rest, known)
        )


def pictures(registry: Registry) -> list[Source]:
    """The pictures that targets list by name, such as ``sample:astronaut``."""
    return [
        Source(entry.name, name)
        for entry in registry.entries("target")
        for name, kind in entry.spec.names.items()
        if kind == "image"
    ]


def open_source(
    source: Source, registry: Registry, request: TargetRequest = DEFAULT_REQUEST
) -> Target:
    """Open `source` with the target of that scheme, or the one that opens such files.

    Raises InputError, PluginError, UsageError.
    """
    entry = find_opener(source, registry)
    check_name(source, entry)
    path, others = Path(source.rest), entry.plugin.origin != "built-in"
    if source.scheme is None and others and not os.path.exists(path):
        raise InputError(f"{printable(source.rest)} does not exist", hint="check its path")
    opener, what = entry.load(), f"target {entry.name!r} of {entry.distribution}"
    hint = (
        "return artgen.targets.image_from_array(...) or another target; "
        "raise artgen.errors.InputError for bad input"
    )
    with plugin_code(what, opener, hint=hint):
        opened = opener(source.rest, request)
    if not isinstance(opened, Target):
        raise broken(what, opener, f"gave {type(opened).__name__}, not a target", hint)
    if source.scheme is None and others and path.is_file():
        # Recipes find a file again by its name and its bytes, whatever a plugin makes of it.
        return replace(opened, **Origin.of_file(path)._asdict())
    return opened


def files_beside(path: Path) -> list[Path]:
    """The files in the folder of a target that belong to it: those of the same IDX set."""
    return sorted(path.parent.glob("*-idx[13]-ubyte*")) if "-idx3-ubyte" in path.name else []


def kind_by_name(source: Source, registry: Registry) -> str | None:
    """``clip`` or ``set`` where the name tells, else None; nothing is opened."""
    if source.scheme is None:
        if is_clip(Path(source.rest)):
            return "clip"
        return "set" if registry.find_opener(source.rest).name == "set" else None
    if source.scheme == "frames":
        return "clip"
    kinds = (each.spec.names for each in registry.entries("target") if each.name == source.scheme)
    kind = next(kinds, {}).get(source.rest.partition("?")[0])
    return kind if kind in ("clip", "set") else None
