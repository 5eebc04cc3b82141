"""Tables and the description of the machine, as Markdown; sections of RESULTS.md."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks._settings import ROOT

__all__ = ["Sample", "Table", "commit", "figure", "machine", "ratio", "update_sections"]

RESULTS = "benchmarks/RESULTS.md"
"""Is written as sections end, which changes nothing that is measured."""

INTRODUCTION = """\
# Results

`python -m benchmarks all --long --data DIR --write` measures all of this on one commit, in some
hours, and writes it here. DIR holds pictures of Kodak as `kodim01.png` …, for `curve` all 24,
and MNIST's files in `mnist/`; without it their rows are missing. `python -m benchmarks check`
measures ten figures again and says which moved. Each section names its command, commit, day and
machine. `2.28 (2.20 to 2.40)` is a median with the least and the largest of the repetitions;
pictures have no spread, since the same fit gives the same bytes. README.md and docs/
take their figures from here by name (`make figures`).
"""


class Sample(float):
    """The median of several values, which also knows the least, the largest and their number."""

    least: float
    largest: float
    runs: int

    def __new__(cls, values: Iterable[float]) -> Sample:
        taken = sorted(values)
        sample = super().__new__(cls, statistics.median(taken))
        sample.least, sample.largest, sample.runs = taken[0], taken[-1], len(taken)
        return sample

    def times(self, factor: float) -> Sample:
        """The same in other units."""
        scaled = Sample([factor * float(self)])
        scaled.least, scaled.largest = factor * self.least, factor * self.largest
        scaled.runs = self.runs
        return scaled


@dataclass(frozen=True)
class Table:
    """Rows of text under a title; the first column is a name, the others are values."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def __str__(self) -> str:
        cells = [list(self.columns), *(list(row) for row in self.rows)]
        widths = [max(3, *(len(row[k]) for row in cells)) for k in range(len(self.columns))]

        def line(row: Sequence[str]) -> str:
            first, *others = zip(row, widths, strict=True)
            padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
            return f"| {' | '.join(padded)} |"

        rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        lines = [f"### {self.title}", "", line(cells[0]), line(rule), *map(line, cells[1:])]
        return "\n".join([*lines, "", self.note] if self.note else lines)


def figure(value: float | None, digits: int = 3) -> str:
    """A number with `digits` significant digits and no exponent; a dash for None.

    A sample of several values also has its spread: `2.28 (2.20 to 2.40)`.
    """
    if value is None:
        return "-"
    if isinstance(value, Sample) and value.runs > 1:
        spread = f"{figure(value.least, digits)} to {figure(value.largest, digits)}"
        return f"{figure(float(value), digits)} ({spread})"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = max(0, digits - 1 - int(f"{rounded:e}".partition("e")[2]))
    return f"{rounded:,.{decimals}f}"


def ratio(value: float, reference: float) -> str:
    """How many times `reference` a value is."""
    return f"{figure(value / reference)}x"


def commit() -> str:
    """The commit of the files, and whether they were changed since; empty without git."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", f":!{RESULTS}")
    return _git("rev-parse", "--short=7", "HEAD") + (", changed" if changed else "")


def machine() -> str:
    """CPU, GPU if any, cores, memory and versions in one line."""
    import torch

    versions = ["Python " + platform.python_version()]
    versions += [f"{name} {importlib.metadata.version(name)}" for name in ("torch", "numba")]
    gpu = f"{torch.cuda.get_device_name()}, " if torch.cuda.is_available() else ""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_cpu()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{gpu}{platform.system()}; {', '.join(versions)}"
    )


def update_sections(path: Path, sections: dict[str, str], order: Sequence[str]) -> None:
    """Write `sections` (name: Markdown) into `path`; other sections there stay as they are."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    parts = re.split(r"^## (\S+)\n", text, flags=re.MULTILINE)[1:]
    known = dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True)) | sections
    names = dict.fromkeys([*(name for name in order if name in known), *known])
    body = "".join(f"\n## {name}\n\n{known[name]}\n" for name in names)
    path.write_text(INTRODUCTION + body, encoding="utf-8")


def _git(*words: str) -> str:
    found = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _cpu() -> str:
    information = Path("/proc/cpuinfo")
    found = information.exists() and re.search(
        r"^model name\s*: (.+)$", information.read_text(), flags=re.MULTILINE
    )
    return found[1] if found else platform.processor() or platform.machine()
