"""Output of commands: data goes to stdout, messages for people to stderr."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from artgen.base.errors import ArtgenError, Interrupted, OutputError, is_out_of_memory
from artgen.base.plain import finite
from artgen.cli._pipes import as_piped
from artgen.cli._streams import as_it_is

INTERRUPTED = "interrupted: the best so far is being saved; press Ctrl-C again to end at once"
_VERBOSE = "run again with -v for the traceback"


def say(message: str) -> None:
    """Print a line on stderr."""
    print(message, file=sys.stderr, flush=True)


def load_module(module: str, what: str = "torch", *, quiet: bool) -> None:
    """Import a module, and say that `what` is being loaded, which takes seconds.

    On a terminal the line is removed again.
    """
    shown = not quiet and module not in sys.modules
    passing = shown and sys.stderr.isatty()
    if shown:
        print(f"loading {what}", end="" if passing else "\n", file=sys.stderr, flush=True)
    try:
        importlib.import_module(module)
    finally:
        if passing:
            print("\r\x1b[K", end="", file=as_it_is(sys.stderr), flush=True)


def print_json(data: Mapping[str, object], errors: Sequence[Exception] = ()) -> None:
    """Print the JSON object of a command on stdout, in ASCII for any terminal.

    The first of `errors` that has the exit code of the command becomes the key `error`. Values may
    be paths, errors and dataclasses too. NaN and infinity, which JSON does not have, become null.
    """
    code = exit_code(errors)
    failure = next(({"error": each} for each in errors if exit_code([each]) == code), {})
    text = json.dumps(finite({**failure, **data}), indent=2, default=_plain)
    print(text.replace("\x7f", "\\u007f"), flush=True)


def _plain(value: Any) -> Any:
    """A value in types of JSON: a dataclass by its fields, an error as `describe` returns it."""
    if isinstance(value, Exception):
        return describe(value)
    if is_dataclass(value):
        return finite({each.name: getattr(value, each.name) for each in fields(value)})
    return os.fspath(value)


def describe(error: Exception) -> dict[str, Any]:
    """Return the value of the key `error` in the JSON object of a command."""
    name = type(error).__name__
    if isinstance(error, ArtgenError):
        known = error
    elif is_out_of_memory(error):
        known = OutputError("not enough memory", hint="use a smaller --size or --count")
    elif isinstance(error, OSError):
        known = OutputError.of(f"the system refuses {error.filename or 'it'}", error, _VERBOSE)
    else:
        # Its type may say more than its message.
        known = ArtgenError(f"unexpected {name}: {error}", hint=_VERBOSE)
    # File names may contain line breaks; a message is one line.
    message, hint = " ".join(known.message.split()), known.hint and as_piped(known.hint)
    code = known.exit_code
    return {"type": name, "message": as_piped(message), "hint": hint, "exit_code": code}


def exit_code(errors: Iterable[Exception]) -> int:
    """The exit code of a command that met `errors`: 130 if interrupted, else that of the first."""
    codes = [int(describe(error)["exit_code"]) for error in errors]
    return 130 if 130 in codes else next(iter(codes), 0)


def headline(summary: Mapping[str, Any]) -> str:
    """Format the metric that compares runs of one kind of target."""
    if summary["mse"] is not None:
        return f"mean squared error {summary['mse']:.3g}"
    if summary["accuracy"] is not None:
        return f"accuracy {summary['accuracy']:.3f}"
    return f"{summary['psnr']:.2f} dB"


def print_error(error: Exception, *, verbose: bool, where: str = "") -> None:
    """Print `error: message` and `hint: ...` on stderr, with `where` before the message."""
    if verbose:
        say("".join(traceback.format_exception(error)).rstrip())
    described = describe(error)
    say(f"error: {where}{described['message']}")
    if described["hint"]:
        say(f"hint: {described['hint']}")


def print_failure(
    error: Exception, *, as_json: bool = False, verbose: bool = False, where: str = ""
) -> int:
    """Report an error that ended a command or a part of it, and return its exit code."""
    if as_json:
        print_json({}, [error])
    # After Ctrl-C the user knows why it ended.
    if verbose or not isinstance(error, Interrupted):
        print_error(error, verbose=verbose, where=where)
    return exit_code([error])


def records(keys: str, rows: Iterable[Iterable[object]]) -> list[dict[str, object]]:
    """Rows as objects for JSON; `keys` are separated by spaces."""
    return [dict(zip(keys.split(), row, strict=True)) for row in rows]


def columns(rows: Iterable[Sequence[object]], *, indent: int = 0) -> str:
    """Align rows of equally many cells as text columns."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        " " * indent
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def print_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout, no wider than the terminal or 80 characters.

    Columns that do not fit follow in further tables, each beginning with the first column, whose
    cells are never cut. Columns with a heading are right-aligned.
    """
    table = [heading, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    available = shutil.get_terminal_size().columns
    blocks: list[list[int]] = []
    for column in range(1, len(widths)):
        # The columns are two spaces apart.
        if not blocks or sum(widths[k] + 2 for k in (*blocks[-1], column)) - 2 > available:
            blocks.append([0])
        blocks[-1].append(column)
    for number, block in enumerate(blocks):
        if number:
            print()
        print(
            columns(
                [row[k].rjust(widths[k]) if heading[k] else row[k] for k in block] for row in table
            ),
            flush=True,
        )
