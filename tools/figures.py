"""Figures of the documentation, taken by name from benchmarks/RESULTS.md: `make figures`.

A measured figure in README.md or in docs/ is followed by its name, in a comment that no page shows:
`1.30<!-- figure: threads-two -->`. benchmarks/figures.toml says in which cell of RESULTS.md it
stands: section, table, row and column, where in the last three `*` stands for anything. Of several
cells `pick` takes the `least`, the `largest` or the `mean`; `part` counts the numbers of a cell
from 0, and `times` converts units. A page keeps its decimals, and its sign where it shows one.
Where words around the figure say it ("0.2 dB less"), `sign` has it; another one is an error.

    python -m tools.figures          figures that differ from RESULTS.md
    python -m tools.figures --write  writes them into the pages
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
NAMES = ROOT / "benchmarks" / "figures.toml"
NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")
MARK = re.compile(rf"(?P<value>{NUMBER.pattern})(?P<mark><!-- figure: (?P<name>[\w-]+) -->)")
PICKS = {"least": min, "largest": max, "mean": statistics.fmean}


def pages() -> list[Path]:
    """The pages that show figures."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def cells(results: str) -> Iterator[tuple[str, str, str, str, str]]:
    """Section, table, row, column and text of every cell of RESULTS.md."""
    section = table = ""
    columns: list[str] = []
    for line in results.splitlines():
        if line.startswith("#"):
            level, _, title = line.partition(" ")
            section, table = (title, "") if level == "##" else (section, title)
            columns = []
        elif line.startswith("|"):
            row = [cell.strip() for cell in line.strip("|").split("|")]
            if not columns:
                columns = row
            elif not re.fullmatch(r"[-: ]+", row[0]):
                for column, cell in zip(columns[1:], row[1:], strict=True):
                    yield section, table, row[0], column, cell


def numbers_of(cell: str) -> list[float]:
    """The numbers of a cell."""
    return [float(number.replace(",", "")) for number in NUMBER.findall(cell)]


def values(results: str, names: str) -> dict[str, float]:
    """The value of every name. Raises ValueError for a name without a cell."""
    sections: dict[str, list[tuple[str, ...]]] = {}
    for section, *rest in cells(results):
        sections.setdefault(section, []).append(tuple(rest))
    return {
        name: _value(name, entry, sections.get(entry["cell"][0], []))
        for name, entry in tomllib.loads(names).items()
    }


def _value(name: str, entry: Mapping[str, Any], section: list[tuple[str, ...]]) -> float:
    pattern, part, pick = entry["cell"][1:], entry.get("part", 0), entry.get("pick")
    found = [
        numbers[part]
        for *place, text in section
        if all(map(fnmatchcase, place, pattern)) and len(numbers := numbers_of(text)) > part
    ]
    if not found or (len(found) > 1 and pick not in PICKS):
        raise ValueError(f"{name}: {entry['cell']} names {len(found)} cells of RESULTS.md")
    value = float(PICKS[pick](found) if pick else found[0]) * float(entry.get("times", 1))
    if value and "sign" in entry and (value < 0) != (entry["sign"] == "-"):
        raise ValueError(f"{name} is {value:+g} now: change the words around it, and its sign")
    return value


def shown(value: float, like: str) -> str:
    """A value as the page shows it: with the decimals and the sign of `like`."""
    decimals = len(like.partition(".")[2])
    return f"{value:+,.{decimals}f}" if like[0] in "+-" else f"{abs(value):,.{decimals}f}"


def renewed(text: str, known: Mapping[str, float]) -> str:
    """A page with the values of RESULTS.md. Raises KeyError for a name that is not known."""
    return MARK.sub(lambda m: shown(known[m["name"]], m["value"]) + m["mark"], text)


def main() -> int:
    parser = argparse.ArgumentParser("python -m tools.figures")
    parser.add_argument("--write", action="store_true", help="write the values into the pages")
    write = parser.parse_args().write
    known = values(RESULTS.read_text(encoding="utf-8"), NAMES.read_text(encoding="utf-8"))
    differing = 0
    for page in pages():
        text = page.read_text(encoding="utf-8")
        new = renewed(text, known)
        for before, after in zip(MARK.finditer(text), MARK.finditer(new), strict=True):
            if before["value"] != after["value"]:
                differing += 1
                what = f"{before['value']} is {after['value']}: {after['name']}"
                print(f"{page.relative_to(ROOT)}: {what}")
        if write and new != text:
            page.write_text(new, encoding="utf-8")
    return 0 if write or not differing else 1


if __name__ == "__main__":
    sys.exit(main())
