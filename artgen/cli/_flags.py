"""Flags that commands share, and the registry with the plugins that they name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from artgen.registry import Registry


def argument(metavar: str, help: str, *, default: object = ...) -> Any:
    """Declare an argument of a command, as the default of a parameter."""
    return typer.Argument(default, metavar=metavar, help=help, show_default=False)


@dataclass(frozen=True)
class Panel:
    """A group of flags in the help of a command, declared as the defaults of parameters."""

    title: str | None = None

    def option(
        self, metavar: str | None, help: str, *names: str, default: object = None, **limits: float
    ) -> Any:
        """Declare a flag with a value; `limits` are `min` and `max`."""
        more: dict[str, Any] = {**limits, "rich_help_panel": self.title}
        return typer.Option(default, *names, metavar=metavar, help=help, **more)

    def switch(self, help: str, *names: str) -> Any:
        """Declare a flag without a value."""
        return typer.Option(False, *names, help=help, rich_help_panel=self.title)


option, switch = Panel().option, Panel().switch
_PANEL = Panel("Every command")

PLUGIN_FILES = _PANEL.option("FILE.py", "Use the plugin in this file. Repeatable.", "--plugin")
AS_JSON = _PANEL.switch("Print one JSON object on stdout.", "--json")
QUIET = _PANEL.switch("Print errors only.", "--quiet", "-q")
VERBOSE = _PANEL.switch("Print more, including tracebacks.", "--verbose", "-v")

DEVICE = option("NAME", "auto, cpu, cuda, cuda:1 or mps.", default="auto")
OVERWRITE = switch("Replace files that exist.", "--overwrite")


def make_registry(files: Sequence[Path] | None, *, quiet: bool) -> Registry:
    """Make a registry of the installed plugins and `files`, and print its warnings on stderr."""
    from artgen.cli._console import say
    from artgen.registry import Registry

    registry = Registry(files=files or ())
    if not quiet:
        for warning in registry.warnings:
            say(f"warning: {warning}")
    return registry
