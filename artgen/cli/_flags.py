"""Flags that every command has or several share, and the registry they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from artgen.registry import Registry

__all__ = [
    "AsJson",
    "Device",
    "Overwrite",
    "PluginFiles",
    "Quiet",
    "Verbose",
    "make_registry",
]

_PANEL = "Every command"

PluginFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE.py",
        help="Use the plugin in this file; may be repeated.",
        rich_help_panel=_PANEL,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object on stdout.", rich_help_panel=_PANEL),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print nothing but errors.", rich_help_panel=_PANEL),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="Print more, and the traceback of an error.",
        rich_help_panel=_PANEL,
    ),
]

Device = Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]


def make_registry(files: Sequence[Path] | None, *, quiet: bool) -> Registry:
    """The installed plugins and those in `files`; its warnings go to stderr."""
    from artgen.cli._console import say
    from artgen.registry import Registry

    registry = Registry(files=files or ())
    if not quiet:
        for warning in registry.warnings:
            say(f"warning: {warning}")
    return registry
