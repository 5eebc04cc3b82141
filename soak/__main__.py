"""The command `python -m soak`: runs trials of promises and prints their results as a table."""

from __future__ import annotations

import argparse
import datetime
import sys
import traceback
from collections.abc import Callable

import artgen
from soak import __doc__ as SUMMARY
from soak import _results, fuzz
from soak._promise import AREAS, Promise, Tally, choose, short
from soak._results import Row


def main() -> int:
    parser = argparse.ArgumentParser(
        "python -m soak", description=SUMMARY, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "words", nargs="*", metavar="AREA[:PIECE]", help=f"areas are {', '.join(AREAS)}"
    )
    parser.add_argument("--small", action="store_true", help="in seconds instead of hours")
    parser.add_argument(
        "--write", action="store_true", help="keep the results and renew docs/reliability.md"
    )
    parser.add_argument(
        "--fuzz", type=int, metavar="SECONDS", help="of the processor, per reader; default: 600"
    )
    parser.add_argument(
        "--list", action="store_true", help="print all areas, pieces and bugs, and try nothing"
    )
    parser.add_argument(
        "--page", action="store_true", help="write the page from the results, and try nothing"
    )
    options = parser.parse_args()
    if options.fuzz:
        fuzz.SECONDS = options.fuzz
    if options.small and options.write:
        parser.error("the page is about the full size: leave out --small or --write")
    try:
        chosen = choose(options.words, small=options.small)
    except ValueError as error:
        parser.error(f"{error}; --list prints all areas and pieces")
    if options.list:
        for promise, piece in chosen:
            area = promise.trial.__module__.removeprefix("soak.")
            bug = f" (its bug: {promise.bug_text})" if piece == promise.bug_piece else ""
            print(f"{area}:{short(piece) or promise.name}{bug}")
        return 0
    if options.page:
        _results.write_page()
        return 0
    rows: dict[str, Row] = {}
    for promise, piece in chosen:
        rows[f"{promise.name}:{piece}"] = row = _tried(promise, piece, options.small)
        if options.write:
            _results.record(promise, piece, row)
    print(_results.table(list(dict.fromkeys(promise for promise, _ in chosen)), rows))
    return any(row.failed or row.noticed == 0 for row in rows.values())


def _tried(promise: Promise, piece: str, small: bool) -> Row:
    """Run the trial of a piece, also with its bug if it has one. An exception counts as a failure."""
    print(f"{promise.name} {piece} …".replace("  ", " "), end=" ", file=sys.stderr, flush=True)
    tally = _guarded(lambda: promise.check(small=small, piece=piece))
    noticed = None
    if piece == promise.bug_piece:
        broken = _guarded(promise.check_with_bug)
        if "the trial itself" in "".join(broken.failures):
            tally.failures += [f"with the bug, {each}" for each in broken.failures]
        # What cannot be tried cannot fail.
        noticed = broken.cases if broken.failures else None if broken.skips else 0
    print(f"{tally.cases} cases, {len(tally.failures)} failures", file=sys.stderr)
    for failure in tally.failures:
        print(f"  {failure}", file=sys.stderr)
    if noticed == 0:
        print(f"  its bug was not noticed: {promise.bug_text}", file=sys.stderr)
    return Row(
        cases=tally.cases,
        failed=len(tally.failures),
        failures=tuple(tally.failures),
        skips=tuple(tally.skips),
        measurements=tally.measurements,
        noticed=noticed,
        date=datetime.date.today().isoformat(),
        version=artgen.__version__,
    )


def _guarded(check: Callable[[], Tally]) -> Tally:
    """Run a check. One that raises has failed; the others continue."""
    try:
        return check()
    except Exception as error:
        traceback.print_exc()
        return Tally(1, [f"the trial itself ended with {type(error).__name__}: {error}"])


if __name__ == "__main__":
    sys.exit(main())
