"""Help of commands: short by default, complete with `--help-all`, and a manual page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from artgen._version import __version__
from artgen.cli._streams import as_it_is
from artgen.recipe import flagged

_ALL = "artgen.help_all"

USUAL: Mapping[str, Sequence[str]] = {
    "fit": (
        *("targets", "look", "settings", "seeds", "recipe", "crop", "outputs", "out", "name"),
        *("overwrite", "resume", "video", "no_video", "live", "at_a_time", "plugin", "quiet"),
    ),
    "render": (*("art", "outputs", "size", "transparent", "animate", "page", "pens", "overwrite"),),
    "compare": (
        *("targets", "contestants", "time", "steps", "target_bytes", "seed", "size", "out", "csv"),
        *("overwrite", "at_a_time"),
    ),
}
"""The options that the short help of a command shows, beside the usual ones of the keys of recipes;
other commands show all of theirs."""


def showing(flag: str, help: str, text: Callable[[typer.Context], str]) -> Any:
    """Declare a switch that prints a text in place of running the command."""

    def show(context: typer.Context, asked: bool) -> None:
        if asked:
            print(text(context), end="")
            raise typer.Exit

    return typer.Option(False, flag, is_eager=True, callback=show, help=help)


def _whole(context: typer.Context) -> str:
    context.meta[_ALL] = True
    return context.get_help()


HELP_ALL = showing("--help-all", "Show all options and exit.", _whole)


class _Untyped:
    """What has no types of switches and arguments in its help, which may be in colour."""

    def get_params(self, ctx: Any) -> Any:
        """Name no type of switches and arguments."""
        params = super().get_params(ctx)  # type: ignore[misc]
        for each in params:
            if getattr(each, "is_flag", False) or each.param_type_name == "argument":
                each.display_type_rich = lambda ctx: None
        return params

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        with redirect_stdout(as_it_is(sys.stdout)):
            super().format_help(ctx, formatter)  # type: ignore[misc]


class Command(_Untyped, TyperCommand):
    """A command whose help shows its usual options, and examples."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, without options that are seldom used unless all were asked for."""
        usual = None if ctx.meta.get(_ALL) else _usual(ctx.command_path.partition(" ")[2])
        left_out = [each for each in self.get_params(ctx) if usual and each.name not in usual]
        for each in left_out:
            each.hidden = True
        examples = examples_of(self)
        self.epilog = "\n\n".join(["[dim]Examples:[/dim]", *examples]) if examples else None
        try:
            super().format_help(ctx, formatter)
        finally:
            for each in left_out:
                each.hidden = False


class Group(_Untyped, TyperGroup):
    """A group of commands."""


def group(help: str) -> typer.Typer:
    """Make a group of commands, which prints its help where none of them is named."""
    made = typer.Typer(cls=Group, help=help, invoke_without_command=True)

    @made.callback()
    def alone(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            print(context.get_help())

    return made


def examples_of(command: Any) -> Sequence[str]:
    """Return the command lines that the docstring of a command lists."""
    return getattr(command.callback, "examples", ())


def _usual(command: str) -> set[str]:
    """The usual options of a command by its name after `artgen`, none where all are shown."""
    keys = flagged() if command == "fit" else ()
    declared = {name for name, _, _, flag in keys if flag.usual}
    named = USUAL.get(command, ())
    return {*named, *declared, "help", "help_all"} if named else set()


def manual(context: typer.Context) -> str:
    """The manual page of all commands, in the macros of ``man``."""
    lines = [
        f'.TH ARTGEN 1 "" "artgen {__version__}"',
        ".SH NAME",
        "artgen \\- turn pictures into art made of parts",
        ".SH SYNOPSIS",
        ".B artgen",
        ".I COMMAND",
        "[OPTIONS] [ARGUMENTS]",
        ".SH COMMANDS",
        *_commands(context.command, context),
        ".SH FILES",
        ".TP",
        ".I config.toml",
        "Settings, in the user's folder of configurations. `artgen doctor` shows them.",
    ]
    return "\n".join(lines) + "\n"


def _commands(command: Any, context: typer.Context) -> Iterator[str]:
    for name in command.list_commands(context):
        sub = command.get_command(context, name)
        inner = typer.Context(sub, info_name=name, parent=context)
        if hasattr(sub, "list_commands"):
            yield from _commands(sub, inner)
            continue
        yield f'.SS "{inner.command_path}"'
        yield _roff(sub.help or "")
        for each in sub.get_params(inner):
            # typer has the names of --help in the order of a set, another one in each process.
            flags = ", ".join(sorted([*each.opts, *each.secondary_opts], key=len, reverse=True))
            shown = each.metavar if each.param_type_name == "argument" else flags
            value = "" if each.param_type_name == "argument" else f" {each.metavar or ''}".rstrip()
            yield f".TP\n\\fB{_roff(shown or each.name)}\\fR{_roff(value)}"
            yield _roff(each.help or "")
        for example in examples_of(sub):
            yield f".PP\n.EX\n{_roff(example)}\n.EE"


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
