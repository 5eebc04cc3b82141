"""`artgen`: the commands, and the conversion of errors to messages and exit codes."""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import typer

from artgen._version import version_and_commit
from artgen.base.errors import Interrupted, OutputError, UsageError, explain_problem
from artgen.base.faults import plugin_code
from artgen.base.process import answered, prepare_process, waiting_since
from artgen.cli._console import print_failure, say
from artgen.cli._flags import flat
from artgen.cli._help import Command, Group, manual, showing
from artgen.cli._streams import guard_streams, lost_output

COMMANDS = (
    "fit",
    "looks",
    "render",
    "make",
    "morph",
    "edit",
    "info",
    "compare",
    "plot",
    "studio",
    "doctor",
)
GROUPS = ("gallery", "plugins")
"""Commands and groups of commands; each lies in the module of this package with its name."""


class _Group(Group):
    """A group that passes Ctrl-C to `main` instead of exiting as typer does."""

    def make_context(self, *given: Any, **named: Any) -> Any:
        """Parse the arguments, which imports what the command needs."""
        with _interruptible():
            return super().make_context(*given, **named)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with _interruptible():
            return super().invoke(ctx)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn KeyboardInterrupt, at which typer would exit without a word, into Interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None


_VERSION = showing(
    "--version", "Show the version and exit.", lambda _: f"artgen {version_and_commit()}\n"
)
_MAN = showing("--man", "Print the manual page and exit.", manual)


def _artgen(context: typer.Context, version: bool = _VERSION, man: bool = _MAN) -> None:
    """Turn pictures into art made of parts."""
    if context.invoked_subcommand is None:
        print(context.get_help())
    elif context.invoked_subcommand not in _WITHOUT_SETTINGS:
        _use_settings(context)


@functools.cache
def make_app(only: str | None = None, *, plugins: tuple[str, ...] = ()) -> typer.Typer:
    """Make the command line; if `only` is the name of a command, without the others.

    Their modules and flags take a while, and only the help needs all. Of the commands of plugins,
    among them the loose files `plugins`, it has the summaries, and `only` is imported: raises
    PluginError where that fails.
    """
    app = typer.Typer(
        cls=_Group,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_artgen)
    known = only in (*COMMANDS, *GROUPS)
    for name in (only,) if known else (*COMMANDS, *GROUPS):
        module = importlib.import_module(f"artgen.cli.{name}")
        command = getattr(module, str(name))
        if name in GROUPS:
            app.add_typer(command, name=name)
        else:
            app.command(cls=getattr(module, "COMMAND", Command))(flat(command))
    if not known and only != "--version":
        _add_commands(app, only, plugins)
    return app


def _add_commands(app: typer.Typer, only: str | None, plugins: Sequence[str]) -> None:
    """Add the commands of plugins, of which artgen's own hide those with their names."""
    from artgen.registry import Registry

    registry = Registry(files=plugins)
    for name, summary in {e.name: e.summary for e in registry.entries("command")}.items():
        if name == only:
            app.command(name, cls=Command)(flat(registry.load("command", name)))
        elif name not in (*COMMANDS, *GROUPS):
            # Its place in the help.
            app.command(name, help=summary)(lambda: None)


def _without_plugins(arguments: Iterable[str]) -> tuple[list[str], tuple[str, ...]]:
    """Take ``--plugin FILE.py`` from the arguments of what may be the command of a plugin."""
    left, files, words = list[str](), list[str](), iter(arguments)
    for word in words:
        flag, given, file = word.partition("=")
        if flag == "--plugin":
            files.append(file if given else next(words, ""))
        else:
            left.append(word)
    return left, tuple(files)


_WITHOUT_SETTINGS = ("doctor", "gallery", "info", "plugins", "studio")
"""The doctor shows what is wrong with them, and a gallery is made of recipes alone."""


def _use_settings(context: typer.Context) -> None:
    """Make settings the defaults of the flags of the command. Raises UsageError, InputError."""
    from artgen.recipe.settings import read_settings

    settings, _ = read_settings()
    flags: dict[str, object] = {"out": settings.out, "overwrite": settings.overwrite}
    if {"--resume", "--skip-existing"} & {*context.obj}:
        del flags["overwrite"]
    # A recipe comes before the device of the settings, so `fit` and `compare` ask for that later.
    drawing = {**flags, "device": settings.device}
    context.default_map = {**dict.fromkeys(COMMANDS, drawing), "fit": flags, "compare": flags}
    variable = {"never": "NO_COLOR", "always": "FORCE_COLOR"}.get(settings.colours)
    if variable is not None:
        os.environ.pop("NO_COLOR", None)
        os.environ[variable] = "1"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: that of the process) and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    prepare_process()
    guard_streams()
    with _interrupted_by_signals():
        code = _run(arguments)
    waiting_since()  # nobody waits any longer
    print(end="", flush=True)
    lost = lost_output()
    if lost is None or code:
        return code
    say(f"error: cannot write to stdout: {lost.strerror}")
    return OutputError.exit_code


def _interrupted_by_signals() -> AbstractContextManager[object]:
    """Let SIGTERM and SIGHUP end a command like Ctrl-C: it removes its temporary files.

    A signal that is ignored, as SIGHUP under nohup, stays ignored.
    """

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    known = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    return answered([each for each in known if signal.getsignal(each) == signal.SIG_DFL], interrupt)


def _run(arguments: list[str]) -> int:
    files: tuple[str, ...] = ()
    if arguments and not arguments[0].startswith("-") and arguments[0] not in (*COMMANDS, *GROUPS):
        arguments, files = _without_plugins(arguments)
    try:
        command = typer.main.get_command(make_app(*arguments[:1], plugins=files))
        with plugin_code():
            # Settings depend on the arguments.
            code = command.main(arguments, "artgen", standalone_mode=False, obj=arguments)
        # Of a plugin's command, what is no number is not an exit code.
        return code if isinstance(code, int) else 0
    except typer.TyperException as error:
        failure: Exception = _usage_error(error, arguments, files)
    except (KeyboardInterrupt, typer.Abort):
        failure = Interrupted("interrupted")
    except Exception as error:
        failure = error
    # Read from the arguments themselves, because the parser may be what failed.
    return print_failure(
        failure,
        as_json="--json" in arguments,
        verbose=not {"-v", "-qv", "-vq", "--verbose"}.isdisjoint(arguments),
    )


def _usage_error(
    error: typer.TyperException, arguments: Sequence[str], files: tuple[str, ...]
) -> UsageError:
    """Convert an error of typer's parser to a UsageError."""
    from pydantic import ValidationError

    from artgen.cli._mistakes import hint_of

    if isinstance(error.__cause__, ValidationError):
        error.message = explain_problem(error.__cause__.errors()[0])
    # Only some errors know their command, so take it from the arguments.
    path, word = "artgen", ""
    command: object = typer.main.get_command(make_app(*arguments[:1], plugins=files))
    for word in arguments:
        inner = getattr(command, "commands", {}).get(word)
        if inner is None:
            break
        command, path = inner, f"{path} {word}"
    hint = hint_of(error, arguments, command, word) or f"see `{path} --help`"
    message = " ".join(error.format_message().split()).rstrip(".")
    return UsageError(message[:1].lower() + message[1:], hint=hint)
