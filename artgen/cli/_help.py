"""Help of commands: short by default, complete with `--help-all`, and a manual page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from artgen._version import __version__
from artgen.recipe import flagged

_ALL = "artgen.help_all"

USUAL: Mapping[str, Sequence[str]] = {
    "fit": (
        *("targets", "settings", "seeds", "recipe", "out", "name", "overwrite", "resume"),
        *("video", "no_video", "live", "at_a_time", "plugin", "quiet"),
    ),
    "render": (*("art", "outputs", "size", "transparent", "animate", "page", "pens", "overwrite"),),
    "compare": (
        *("targets", "contestants", "time", "steps", "target_bytes", "seed", "size", "out", "csv"),
        *("overwrite", "at_a_time"),
    ),
}
"""The options that the short help of a command shows, beside the usual ones of the keys of recipes;
other commands show all of theirs."""

EXAMPLES: Mapping[str, Sequence[str]] = {
    "fit": (
        "artgen fit photo.jpg",
        "artgen fit photo.jpg -p triangle -n 200 --seed 7",
        "artgen fit *.jpg -p circle --palette 6 -j 4",
        "artgen fit --recipe artgen-out/photo-gaussian.png --out again",
    ),
    "render": (
        "artgen render photo.art -o poster.png --size 4096",
        "artgen render photo.art -o photo.svg -o photo.html",
        "artgen render photo.art -o plot.svg --page A4 --pens 3",
    ),
    "morph": ("artgen morph one.art other.art -o morph.mp4 --loop",),
    "info": ("artgen info photo-gaussian.png",),
    "compare": ("artgen compare photo.jpg -p gaussian:count=500 -p triangle@climb --time 10",),
    "plot": ("artgen fit photo.jpg --log run.jsonl", "artgen plot run.jsonl"),
    "studio": ("artgen studio --open", "artgen studio -p stroke --plugin petal.py -o studio.html"),
    "doctor": ("artgen doctor --report",),
    "gallery build": ("artgen gallery build -j 2", "artgen gallery build pieces --only sunset"),
    "gallery check": ("artgen gallery check",),
    "gallery open": ("artgen gallery open pieces",),
    "gallery reel": ("artgen gallery reel --only sunset --only harbour -o reel.mp4",),
    "plugins check": ("artgen plugins check petal.py",),
    "plugins list": ("artgen plugins list --plugin petal.py",),
    "plugins new": ("artgen plugins new petal --file", "artgen plugins new woven --kind look"),
    "plugins search": ("artgen plugins search dots",),
    "plugins show": ("artgen plugins show triangle",),
}


def _show_all(context: typer.Context, asked: bool) -> None:
    if asked:
        context.meta[_ALL] = True
        print(context.get_help(), end="")
        raise typer.Exit


HELP_ALL: Any = typer.Option(
    False,
    "--help-all",
    is_eager=True,
    callback=_show_all,
    help="Show all options and exit.",
)


class Command(TyperCommand):
    """A command whose help shows its usual options, and examples."""

    def get_params(self, ctx: Any) -> Any:
        """Name no type of switches and arguments."""
        return _untyped(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, without options that are seldom used unless all were asked for."""
        usual = None if ctx.meta.get(_ALL) else _usual(_path(ctx))
        left_out = [each for each in self.get_params(ctx) if usual and each.name not in usual]
        for each in left_out:
            each.hidden = True
        examples = EXAMPLES.get(_path(ctx), ())
        self.epilog = "\n\n".join(["[dim]Examples:[/dim]", *examples]) if examples else None
        try:
            super().format_help(ctx, formatter)
        finally:
            for each in left_out:
                each.hidden = False


class Group(TyperGroup):
    """A group of commands."""

    def get_params(self, ctx: Any) -> Any:
        """Name no type of switches and arguments."""
        return _untyped(super().get_params(ctx))


def _usual(command: str) -> set[str]:
    keys = flagged() if command == "fit" else ()
    declared = {name for name, _, key in keys if key.flag is not None and key.flag.usual}
    named = USUAL.get(command, ())
    return {*named, *declared, "help", "help_all"} if named else set()


def _path(context: Any) -> str:
    """Return the name of a command after `artgen`, such as `gallery build`."""
    outer = context.parent
    return f"{_path(outer)} {context.info_name}".strip() if outer is not None else ""


def _untyped(params: list[Any]) -> list[Any]:
    for each in params:
        if getattr(each, "is_flag", False) or each.param_type_name == "argument":
            each.display_type_rich = lambda ctx: None
    return params


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
            flags = ", ".join([*each.opts, *each.secondary_opts])
            shown = each.metavar if each.param_type_name == "argument" else flags
            value = "" if each.param_type_name == "argument" else f" {each.metavar or ''}".rstrip()
            yield f".TP\n\\fB{_roff(shown or each.name)}\\fR{_roff(value)}"
            yield _roff(each.help or "")
        for example in EXAMPLES.get(name, ()):
            yield f".PP\n.EX\n{_roff(example)}\n.EE"


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
