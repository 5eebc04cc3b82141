"""`artgen plugins check`: run the conformance checks on what a plugin offers."""

from __future__ import annotations

import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.base.errors import PluginError
from artgen.cli._console import print_failure, records, say
from artgen.cli._flags import Common, argument
from artgen.cli._main import COMMANDS, GROUPS
from artgen.cli._streams import terminal

if TYPE_CHECKING:
    from artgen.registry import Entry, Registry
    from artgen.testing import CheckResult


_COLOURS = {"ok": "green", "failed": "bold red", "known": "yellow", "skipped": "dim"}
_WIDTH = 15
"""Width of the longest name of a check and a space."""


def check(
    what: str = argument(
        "NAME|FILE.py", "What a plugin offers, a distribution (all it offers), or a plugin file."
    ),
    *,
    common: Common,
) -> int:
    """Run the conformance checks on a plugin. Exit with 4 if one fails.

    With -v, each says what it proves.

    Examples:
        artgen plugins check petal.py
    """
    loose = [Path(what)] if what.endswith(".py") else []
    registry = common.registry(*loose)
    entries = _entries(what, registry)

    from artgen.testing import examine

    checked, failed = [], []
    with _report(silent=common.as_json or common.quiet) as report:
        for entry in entries:
            plugin = entry.plugin
            report(f"{entry.name}: {entry.kind} of {plugin.distribution} {plugin.version}")
            outcomes = []
            for outcome in examine(entry, registry):
                outcomes.append(outcome)
                shown = outcome
                if common.verbose and outcome.status == "ok":
                    shown = replace(outcome, detail=f"{outcome.proves} {outcome.detail}".strip())
                report(shown)
                if outcome.status == "failed" and outcome.error is not None and common.verbose:
                    say("".join(traceback.format_exception(outcome.error)).rstrip())
            counts = Counter(outcome.status for outcome in outcomes)
            report(f"{entry.name}: {', '.join(f'{n} {status}' for status, n in counts.items())}")
            wrong = [outcome.check for outcome in outcomes if outcome.status == "failed"]
            failed += [f"{entry.name} fails {', '.join(wrong)}"] if wrong else []
            results = ((each.check, each.status, each.detail, each.hint) for each in outcomes)
            checks = records("check status detail hint", results)
            own = entry.name, entry.kind, plugin.distribution, plugin.version
            checked.append((*own, not wrong, checks))
    failed += dict.fromkeys(
        f"{entry.distribution}: {entry.plugin.reason}" for entry in entries if entry.plugin.reason
    )
    hidden = [e.name for e in entries if e.kind == "command" and e.name in (*COMMANDS, *GROUPS)]
    failed += [f"artgen's own command hides {name}" for name in hidden]
    hint = "each check says what to do" + ("" if common.verbose else "; -v shows tracebacks")
    error = PluginError("; ".join(failed), hint=hint) if failed else None
    told = records("name kind distribution version ok checks", checked)
    common.answer({"ok": not failed, "checked": told}, errors=[error] if error else ())
    return print_failure(error) if error else 0


def _entries(what: str, registry: Registry) -> list[Entry]:
    """Return the entries of a file, name or distribution. Raises PluginError if there are none."""
    if what.endswith(".py"):
        return registry.offered_by(Path(what))
    entry = registry.find_any(what)
    return [entry] if entry else registry.offered_by(what)


@contextmanager
def _report(*, silent: bool) -> Iterator[Callable[[str | CheckResult], None]]:
    """Yield a printer of headings and results: in colour on a terminal, else as plain lines."""
    if silent:
        yield lambda line: None
    elif sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        console = terminal(sys.stdout, highlight=False)
        with console.status("checking ..."):
            yield lambda line: _print_rich(console, line)
    else:
        yield _print_plain


def _print_plain(line: str | CheckResult) -> None:
    if isinstance(line, str):
        print(line, flush=True)
        return
    print(f"  {line.status:<7} {line.check:<{_WIDTH}}{line.detail}".rstrip(), flush=True)
    if line.status == "failed" and line.hint:
        print(f"{'':{_WIDTH + 10}}{line.hint}", flush=True)


def _print_rich(console: Any, line: str | CheckResult) -> None:
    from rich.table import Table
    from rich.text import Text

    if isinstance(line, str):
        console.print(Text(line, style="bold"))
        return
    row = Table.grid(padding=(0, 1))
    for width in (1, 7, _WIDTH):
        row.add_column(width=width)
    row.add_column(overflow="fold")
    status = Text(line.status, style=_COLOURS[line.status])
    detail = Text(line.detail)
    if line.status == "failed" and line.hint:
        detail.append(f"\n{line.hint}", style="dim")
    row.add_row("", status, line.check, detail)
    console.print(row)
