"""What came of the trials in full size: kept in `results.json`, shown in docs/reliability.md.

Every piece has a row of its own, written as soon as it has been tried, so that what takes hours can
be tried piece by piece, by several processes, and whatever breaks loses nothing of the rest.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from artgen.output.atomic import atomic_write
from soak._promise import Promise

__all__ = ["PAGE", "Row", "read", "record", "shown", "table", "write_page"]

FILE = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- written by python -m soak --write -->", "<!-- end -->"
_LONGEST, _MOST = 300, 20
"""Letters of a failure, and failures, that a row keeps."""


@dataclass(frozen=True)
class Row:
    """The result of one piece of a promise, or of a promise without pieces."""

    cases: int
    failed: int
    failures: tuple[str, ...]
    """Some of those that failed."""
    skips: tuple[str, ...]
    measurements: dict[str, str]
    noticed: int | None
    """In which case the bug was noticed; 0: never; None: it belongs to another piece."""
    date: str
    version: str


def read(file: Path | None = None) -> dict[str, Row]:
    """The rows of a file (None: `FILE`), by the name of the promise, a colon, and the piece."""
    file = file or FILE
    if not file.exists():
        return {}
    return {
        name: Row(**{key: tuple(v) if isinstance(v, list) else v for key, v in row.items()})
        for name, row in json.loads(file.read_text(encoding="utf-8")).items()
    }


def record(promise: Promise, piece: str, row: Row) -> None:
    """Replace the former row, and write the page anew."""
    row = replace(row, failures=tuple(each[:_LONGEST] for each in row.failures[:_MOST]))
    with _alone():
        rows = {**read(), f"{promise.name}:{piece}": row}
        text = json.dumps({name: asdict(rows[name]) for name in sorted(rows)}, indent=1)
        atomic_write(FILE, f"{text}\n".encode())
        write_page()


def write_page() -> None:
    """Write the table of the page from the rows that there are."""
    atomic_write(PAGE, shown(PAGE.read_text(encoding="utf-8"), read()).encode())


def shown(page: str, rows: dict[str, Row]) -> str:
    """The page with the table of some rows; those of each piece stand in results.json alone."""
    from soak._promise import every_promise

    before, _, rest = page.partition(BEGIN)
    found = every_promise()
    return f"{before}{BEGIN}\n\n{table(found, rows)}\n\n{END}{rest.partition(END)[2]}"


def table(promises: Sequence[Promise], rows: dict[str, Row]) -> str:
    """A row for each promise, its pieces taken together."""
    lines = [
        "| promise | how it is tested | cases | failures | bug noticed in case | last run |",
        "|---|---|--:|--:|--:|---|",
    ]
    for promise in promises:
        names = promise.pieces or ("",)
        tried = {name: rows[each] for name in names if (each := f"{promise.name}:{name}") in rows}
        measurements = {} if promise.pieces else tried[""].measurements if tried else {}
        how = promise.how + (f" ({_listed(measurements)})" if measurements else "")
        seen = tried.get(promise.bug_piece)
        bug = "-" if seen is None or seen.noticed is None else f"{seen.noticed or 'never'}"
        skips = dict.fromkeys(skip for row in tried.values() for skip in row.skips)
        if tried and (missing := [name for name in names if name not in tried]):
            skips[", ".join(missing)] = None
        if skips:
            how += f" Not tested: {'; '.join(skips)}."
        cells = (
            promise.text,
            how,
            f"{sum(row.cases for row in tried.values()):,}" if tried else "-",
            f"{sum(row.failed for row in tried.values()):,}" if tried else "-",
            bug,
            _when(tried.values()),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _listed(measurements: dict[str, str]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in measurements.items())


def _when(rows: Iterable[Row]) -> str:
    """The oldest date of the rows."""
    oldest = min(rows, key=lambda row: row.date, default=None)
    return f"{oldest.date}, {oldest.version}" if oldest else "not yet"


@contextmanager
def _alone() -> Iterator[None]:
    """No other process changes the results meanwhile."""
    folder = os.open(FILE.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
