"""Wall seconds of the most frequent commands; the target is below half a second."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks._measure import interleaved
from benchmarks._report import Table, figure
from benchmarks._settings import ROOT, Settings

COMMANDS = ("--help", "plugins list")


def run(settings: Settings) -> Iterator[Table]:
    def command(line: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "artgen", *line.split()],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    rounds = 1 if settings.quick else 7
    actions = {f"artgen {line}": lambda line=line: command(line) for line in COMMANDS}
    medians = interleaved(actions, rounds=rounds, seconds=60)
    rows = [(f"`{name}`", figure(seconds)) for name, seconds in medians.items()]
    yield Table("Start of the command line", ("command", "seconds"), rows, f"Median of {rounds}.")
