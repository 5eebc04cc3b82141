"""How long one waits: the most frequent commands, the first line of a fit, a fit, a mistake.

The target for commands and mistakes is below half a second. CPU seconds depend less on what else
the machine does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

from benchmarks._measure import interleaved
from benchmarks._report import Table, figure
from benchmarks._settings import ROOT, Settings

COMMANDS = ("--help", "plugins list")
_FIT = "fit sample:cat -p {} -n 50 --steps 50 --size 96 --no-video --overwrite --seed 1"
FITS = {
    **{f"a fit, `{name}`": _FIT.format(name) for name in ("gaussian", "triangle")},
    "a wrong name": _FIT.format("gausian"),
    "a wrong option": _FIT.format("gaussian") + " --set blnd=mean",
    "a wrong option of the engine": _FIT.format("gaussian") + " --set engine.rat=1",
    "a wrong value": _FIT.format("gaussian") + " --set blend=nothing",
    "a missing file": _FIT.format("gaussian").replace("sample:cat", "no-such-file.png"),
}
"""Commands by what they do; each is also run with empty caches where it compiles."""


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
    if settings.quick:
        return
    rows = []
    for what, line in FITS.items():
        with tempfile.TemporaryDirectory() as folder:
            for cache in ("empty", "full")[("fit" not in what) :]:
                measured = [
                    waited(line, f"{folder}/{index if cache == 'empty' else 0}", folder)
                    for index in range(3)
                ]
                rows.append(
                    (what, cache, *(figure(median(each)) for each in zip(*measured, strict=True)))
                )
    yield Table(
        "Waiting for a fit",
        ("command", "caches", "first line, s", "done, s", "CPU, s"),
        rows,
        "50 parts, 50 steps at 96 pixels. The first line is the first that is printed.",
    )


def waited(line: str, cache: str, out: str) -> tuple[float, float, float]:
    """Run a command: seconds to its first line and to its end, and CPU seconds."""
    spent = _cpu_seconds()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "artgen", *line.split(), "--out", out],
        cwd=ROOT,
        env={**os.environ, "ARTGEN_CACHE": cache, "NUMBA_CACHE_DIR": cache},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    process.stdout.readline()
    first = time.perf_counter() - began
    process.stdout.read()
    process.wait()
    return first, time.perf_counter() - began, _cpu_seconds() - spent


def _cpu_seconds() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
