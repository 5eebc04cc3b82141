"""Targets from a CSV file: two columns x,y are a curve, three columns x,y,label are points.

A first line without a number in it is a heading. Columns are separated by commas, text is UTF-8.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from dataclasses import replace

from artgen.errors import InputError, printable, read_regular
from artgen.targets import (
    DEFAULT_REQUEST,
    MOST_SAMPLES,
    SampleTarget,
    TargetRequest,
    curve_from_samples,
    points_from_samples,
)

_HINT = (
    "a line must be x,y for a curve, or x,y,label for labelled points, with commas between them "
    "and points in numbers"
)


def open_table(path: str, request: TargetRequest = DEFAULT_REQUEST) -> SampleTarget:
    """Read a curve or labelled points. Raises InputError naming the file and the line."""
    where = printable(path)
    data = read_regular(path, where)
    source = printable(os.path.basename(path))
    rows = _rows(data, where)
    name = os.path.splitext(source)[0]
    if len(rows[0]) == 2:
        target = curve_from_samples(
            [row[0] for row in rows], [row[1] for row in rows], request, where, source=source
        )
    else:
        target = points_from_samples(
            [row[:2] for row in rows], [row[2] for row in rows], request, where, source=source
        )
    return replace(target, name=name, sha256=hashlib.sha256(data).hexdigest())


def _rows(data: bytes, where: str) -> list[list[float | str]]:
    """The lines as numbers, and a label where there are three columns."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    rows: list[list[float | str]] = []
    try:
        for number, line in enumerate(csv.reader(text, strict=True), 1):
            cells = [cell.strip() for cell in line]
            heading = number == 1 and not any(map(_is_number, cells[:2]))
            if any(cells) and not heading:
                rows.append(_row(cells, len(rows[0]) if rows else None, f"{where}, line {number}"))
            if len(rows) > MOST_SAMPLES:
                raise InputError(f"{where} has more than {MOST_SAMPLES:,} lines", hint="use fewer")
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{where} is not a CSV file: {error}", hint=_HINT) from None
    if not rows:
        raise InputError(f"{where} holds no numbers", hint=_HINT)
    return rows


def _row(cells: list[str], columns: int | None, where: str) -> list[float | str]:
    """A line of as many `columns` as the first, which has None yet."""
    if len(cells) not in (2, 3) or columns not in (None, len(cells)):
        raise InputError(f"{where} has {len(cells)} column{'s' * (len(cells) != 1)}", hint=_HINT)
    if not all(map(_is_number, cells[:2])) or not cells[-1]:
        raise InputError(f"{where}: {','.join(cells)[:60]!r} cannot be read", hint=_HINT)
    return [float(cells[0]), float(cells[1]), *cells[2:]]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
