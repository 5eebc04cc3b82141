"""Output files of any exporter: checked before the work, written after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from artgen.art import Art, ExportRequest
    from artgen.registry import Registry


Writers = Mapping[str, "Callable[[Art, ExportRequest], bytes]"]
"""Additional formats by suffix without a dot."""

_OPTIONS = {"animate": {"svg"}, "page": {"svg", "pdf"}}
"""The formats of options that not all formats take."""


def check_files(
    files: Sequence[Path], registry: Registry, *, overwrite: bool, more: Sequence[str] = ()
) -> None:
    """Raise UsageError if a file has an unknown format or exists."""
    formats = [*(entry.name for entry in registry.entries("exporter")), *more]
    for file in files:
        suffix = _suffix(file)
        if suffix not in formats:
            raise UsageError(
                f"--output {file} has an unknown format",
                hint=did_you_mean(suffix, formats),
            )
        if file.exists() and not overwrite:
            raise UsageError(f"{file} exists", hint="use --overwrite or another --output")


def write_exports(
    files: Sequence[Path],
    art: Art,
    request: ExportRequest,
    registry: Registry,
    *,
    silent: bool,
    more: Writers | None = None,
) -> None:
    """Write `art` to all files and print their names. Raises ArtgenError.

    All contents are made before the first file is written.
    """
    from artgen.art import run_exporter
    from artgen.output import atomic_write

    contents = {}
    for file in files:
        suffix = _suffix(file)
        export = (more or {}).get(suffix) or registry.load("exporter", suffix)
        # An option for some formats leaves other files as they are, unless no file takes it.
        others: dict[str, Any] = {
            option: None
            for option, formats in _OPTIONS.items()
            if suffix not in formats and formats & set(map(_suffix, files))
        }
        contents[file] = run_exporter(suffix, export, art, replace(request, **others))
    for file, content in contents.items():
        atomic_write(file, content)
        if not silent:
            print(file, flush=True)


def _suffix(file: Path) -> str:
    return file.suffix.lower().removeprefix(".")
