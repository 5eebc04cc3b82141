"""Flags that commands share, alone and in groups, and the registry with the plugins they name."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from artgen.base.errors import UsageError
from artgen.cli._completion import Complete, devices
from artgen.cli._console import load_module, print_failure, print_json, say
from artgen.cli._help import HELP_ALL

if TYPE_CHECKING:
    from artgen.registry import Registry


def argument(
    metavar: str, help: str, *, default: object = ..., complete: Complete | None = None
) -> Any:
    """Declare an argument of a command, as the default of a parameter."""
    return typer.Argument(
        default, metavar=metavar, help=help, show_default=False, autocompletion=complete
    )


def _finite(value: object) -> object:
    """Refuse what no bound refuses: NaN is neither too small nor too large."""
    if isinstance(value, float) and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number")
    return value


def _file(value: Any) -> Any:
    """Refuse paths that name no file, such as an empty text or a blank."""
    for path in value if isinstance(value, list) else [value]:
        if isinstance(path, Path) and not path.name.strip():
            raise typer.BadParameter(f"'{path}' names no file")
    return value


_LIKE_IT = ("--",)
"""The name of a switch that `flat` replaces; without one typer adds its opposite, ``--no-NAME``."""


@dataclass(frozen=True)
class Panel:
    """A group of flags in the help of a command, declared as the defaults of parameters."""

    title: str | None = None

    def option(
        self,
        metavar: str | None,
        help: str,
        *names: str,
        default: object = None,
        complete: Complete | None = None,
        **limits: float,
    ) -> Any:
        """Declare a flag with a value; `limits` are `min` and `max`."""
        check = _file if (metavar or "").startswith("FILE") else _finite
        more: dict[str, Any] = {**limits, "rich_help_panel": self.title, "callback": check}
        more["autocompletion"] = complete
        return typer.Option(default, *names, metavar=metavar, help=help, **more)

    def output(self, metavar: str, help: str) -> Any:
        """Declare `--output`, the file or the files that a command writes."""
        return self.option(metavar, help, "--output", "-o")

    def switch(self, help: str, *names: str) -> Any:
        """Declare a flag without a value, by default called like its parameter."""
        return typer.Option(False, *names or _LIKE_IT, help=help, rich_help_panel=self.title)


option, output_option, switch = Panel().option, Panel().output, Panel().switch
_PANEL = Panel("Every command")

DEVICE = option(
    "NAME",
    "auto, cpu, cuda, cuda:1, mps, webgpu or webgpu:1.",
    default="auto",
    complete=devices,
)
OVERWRITE = switch("Replace files that exist.")


@dataclass(frozen=True)
class Common:
    """The flags of every command."""

    plugin: list[Path] | None = _PANEL.option("FILE.py", "Use the plugin in this file. Repeatable.")
    as_json: bool = _PANEL.switch("Print one JSON object on stdout.", "--json")
    quiet: bool = _PANEL.switch("Print no progress, warnings or names of files.", "--quiet", "-q")
    verbose: bool = _PANEL.switch("Print more, including tracebacks.", "--verbose", "-v")

    def registry(self, *more: Path) -> Registry:
        """Make a registry of all plugins, with loose files; print its warnings on stderr."""
        from artgen.registry import Registry

        registry = Registry(files=[*(self.plugin or ()), *more])
        if not self.quiet:
            for warning in registry.warnings:
                say(f"warning: {warning}")
        return registry

    def load(self, module: str, what: str = "torch") -> None:
        """Import a module as `load_module` does."""
        load_module(module, what, quiet=self.quiet)

    def fail(self, error: Exception, where: str = "") -> int:
        """Report an error as `print_failure` does, and return its exit code."""
        return print_failure(error, verbose=self.verbose, where=where)

    def show(self, data: dict[str, Any], text: str) -> None:
        """Print what was asked for: `data` as JSON, else `text`."""
        if self.as_json:
            print_json(data)
        else:
            print(text)

    def answer(
        self, data: dict[str, Any], *lines: object, errors: Sequence[Exception] = ()
    ) -> None:
        """Print what a command has done: `data` as JSON, else `lines` unless quiet."""
        if self.as_json:
            print_json(data, errors)
        elif not self.quiet:
            for line in lines:
                print(line, flush=True)


_FRAME = Panel("Size and crop")


@dataclass(frozen=True)
class Framing:
    """The flags that say how large a picture is and what part is shown."""

    crop: str | None = _FRAME.option(
        "W:H|WxH",
        "Aspect ratio, such as 9:16, or width and height as for --size. A wider or higher picture "
        "is cropped.",
    )
    crop_at: str | None = _FRAME.option(
        "auto|face|X,Y[,SHARE]",
        "What a crop keeps in its centre: shares of width and height (a third one for a closer "
        "crop); auto: faces, else most detail; face: the largest face, from near. Default: "
        "0.5,0.5.",
    )
    fit: bool = _FRAME.switch("Show the whole picture inside a border instead.")
    pad: str | None = _FRAME.option(
        "COLOUR", "Colour of that border. Default: background. Implies --fit."
    )
    dpi: float | None = _FRAME.option(
        "N",
        "Dots per inch of sizes on paper, as PNG, TIFF, JPEG, PDF, EPS and SVG say. Default: 300.",
        min=1,
        max=10_000,
    )

    @property
    def border(self) -> str | None:
        """The colour of the border; None for a crop. Raises UsageError."""
        from artgen.targets import parse_colour
        from artgen.values.frame import BACKGROUND

        by = "--fit" if self.fit else self.pad and "--pad"
        if by and self.crop_at is not None:
            raise UsageError(f"{by} and --crop-at were both given", hint="leave one of them out")
        if self.pad not in (None, BACKGROUND):
            parse_colour(self.pad)
        return self.pad or (BACKGROUND if self.fit else None)

    def check(self, shape: object) -> None:
        """Raise UsageError for flags that say how another `shape` is made, where none is asked."""
        flags = {"--crop-at": self.crop_at, "--pad": self.pad, "--fit": self.fit}
        given = [flag for flag, value in flags.items() if value]
        if given and not shape:
            hint = f"add a shape, such as --crop 1:1, or leave out {given[0]}"
            raise UsageError(f"{given[0]} changes nothing of a picture in its own shape", hint=hint)

    def dpi_of(self, size: str | None) -> float | None:
        """The dots per inch that a file names: as given, or as a size on paper implies."""
        from artgen.values.frame import DPI, is_on_paper

        return self.dpi or (DPI if is_on_paper(size) else None)


@dataclass(frozen=True)
class WithoutPlugins(Common):
    """The flags of a command that uses no plugin."""

    plugin: list[Path] | None = field(default=None, init=False)


def flat(function: Callable[..., int | None]) -> Callable[..., int | None]:
    """Turn a function into a command: a parameter that is a group of flags is one per field.

    Its docstring is the help, and ends with examples of command lines.
    """
    parameters = inspect.signature(function, eval_str=True).parameters
    groups: dict[str, Any] = {
        name: p.annotation for name, p in parameters.items() if is_dataclass(p.annotation)
    }
    flags = []
    for name, parameter in parameters.items():
        each = _flags_of(groups[name]) if name in groups else [parameter]
        flags += [flag.replace(kind=inspect.Parameter.KEYWORD_ONLY) for flag in each]
    for flag in flags:
        if getattr(flag.default, "param_decls", None) == _LIKE_IT:
            flag.default.param_decls = (f"--{flag.name.replace('_', '-')}",)
    panels = [panel for group in groups.values() for panel in getattr(group, "panels", ())]
    if panels:
        order = [None, *panels]
        flags.sort(key=lambda flag: order.index(getattr(flag.default, "rich_help_panel", None)))
    only = inspect.Parameter.KEYWORD_ONLY
    flags.append(inspect.Parameter("help_all", only, default=HELP_ALL, annotation=bool))

    def command(**values: Any) -> int | None:
        values.pop("help_all", None)
        for name, group in groups.items():
            values[name] = group(**{flag.name: values.pop(flag.name) for flag in _flags_of(group)})
        return function(**values)

    summary, _, examples = (inspect.getdoc(function) or "").partition("\n\nExamples:\n")
    command.__name__, command.__doc__ = function.__name__, summary
    vars(command)["__signature__"] = inspect.Signature(flags)
    vars(command)["examples"] = [line.strip() for line in examples.splitlines()]
    return command


@functools.cache
def _flags_of(group: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(group, eval_str=True).parameters.values())
