"""How long one waits: the most frequent commands, the first line of a fit, a fit, looks, a mistake.

The target for commands and mistakes is below half a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from resource import RUSAGE_CHILDREN, getrusage

from benchmarks._measure import interleaved
from benchmarks._report import Sample, Table, figure
from benchmarks._settings import ROOT, Settings

COMMANDS = ("--help", "plugins list")
_FIT = "fit sample:coffee -p {} --no-video --overwrite --seed 1"
FITS = {
    "a fit, 1,000 `gaussian`, 100 steps": _FIT.format("gaussian -n 1000 --steps 100"),
    "a fit, 100 `triangle`": _FIT.format("triangle -n 100"),
    "a sheet of all looks": "looks sample:coffee --overwrite --seed 1",
}
"""Commands by what they do; each is also run with empty caches."""
MISTAKES = {
    "a wrong name": _FIT.format("gausian"),
    "a wrong option of the engine": _FIT.format("gaussian --set engine.rat=1"),
    "a wrong value": _FIT.format("gaussian --set blend=nothing"),
    "a missing file": _FIT.format("gaussian").replace("sample:coffee", "no-such-file.png"),
}
ENDS = {"a wrong name": 4, "a missing file": 3}
"""The exit codes of mistakes that do not end with 2."""


def run(settings: Settings) -> Iterator[Table]:
    rounds = 1 if settings.quick else 7
    actions = {f"artgen {line}": lambda line=line: seconds(line) for line in COMMANDS}
    medians = interleaved(actions, rounds=rounds, seconds=60)
    rows = [(f"`{name}`", figure(each)) for name, each in medians.items()]
    yield Table("Start of the command line", ("command", "seconds"), rows, f"Median of {rounds}.")
    if settings.quick:
        return
    rows = []
    for what, line in (FITS | MISTAKES).items():
        with tempfile.TemporaryDirectory() as folder:
            code = 0 if what in FITS else ENDS.get(what, 2)
            for cache in ("empty", "full") if what in FITS else ("full",):
                if cache == "full":
                    waited(line, f"{folder}/0", folder, code)  # fills them
                measured = [
                    waited(line, f"{folder}/{index if cache == 'empty' else 0}", folder, code)
                    for index in range(3)
                ]
                values = (figure(Sample(each)) for each in zip(*measured, strict=True))
                rows.append((f"{what}, caches {cache}", *values))
    note = "The first line is the first that is printed. The picture has 600 x 400 pixels."
    columns = ("command", "first line, s", "done, s", "CPU, s")
    yield Table("Waiting", columns, rows, note)


def seconds(line: str) -> float:
    """Run a command that prints: its seconds."""
    began = time.perf_counter()
    words = [sys.executable, "-m", "artgen", *line.split()]
    subprocess.run(words, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def waited(line: str, cache: str, out: str, code: int = 0) -> tuple[float, float, float]:
    """Run a command: seconds to its first line and to its end, and CPU seconds.

    Raises RuntimeError where it ends with another exit code than `code`.
    """
    spent = _cpu_seconds()
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "artgen", *line.split(), "--out", out],
        cwd=ROOT,
        env={**os.environ, "ARTGEN_CACHE": cache, "NUMBA_CACHE_DIR": cache},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        first = time.perf_counter() - began
        said = process.stdout.read()
    if process.returncode != code:
        raise RuntimeError(f"artgen {line} ended with {process.returncode}, not {code}: {said!r}")
    return first, time.perf_counter() - began, _cpu_seconds() - spent


def _cpu_seconds() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
