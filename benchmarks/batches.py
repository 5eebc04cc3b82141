"""Many runs at a time: seconds per run, what it costs to send one away, and who needs memory.

Seconds per run are the difference between two batches, divided by the runs that one has more,
without the start (imports, processes, Ray). Tiny runs have one step. The memory is the peak of the
process that waits, not of those that work. Commands take turns.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks._report import Sample, Table, figure, ratio
from benchmarks._settings import ROOT, Settings

WAYS = {
    "one after the other, 2 threads": ("--threads", "2"),
    "-j 1": ("-j", "1"),
    "-j 2": ("-j", "2"),
    "-j 2 --on ray": ("-j", "2", "--on", "ray"),
}
LONG = ("--size", "256", "-n", "1000", "--steps", "400")
"""About two thirds of a second on one thread."""
TINY = ("--size", "24", "-n", "5", "--steps", "1")


def run(settings: Settings) -> Iterator[Table]:
    rounds, counts = (1, (1, 2)) if settings.quick else (3, (2, 8))
    ways = dict(list(WAYS.items())[1:3]) if settings.quick else dict(WAYS)
    if importlib.util.find_spec("ray") is None:
        ways.pop("-j 2 --on ray", None)
    kinds = (TINY,) if settings.quick else (LONG, TINY)
    taken: dict[tuple[str, tuple[str, ...], int], list[float]] = {}
    memory: dict[str, list[float]] = {}
    for _ in range(rounds):
        for kind in kinds:
            for count in counts:
                for name, flags in ways.items():
                    took, peak = batch(count, (*kind, *flags))
                    taken.setdefault((name, kind, count), []).append(took)
                    memory.setdefault(name, []).append(peak)

    def each(name: str, kind: tuple[str, ...]) -> Sample:
        turns = zip(*(taken[name, kind, count] for count in counts), strict=True)
        return Sample(max(1e-3, (many - few) / (counts[1] - counts[0])) for few, many in turns)

    rows = []
    for name in ways:
        long, tiny = each(name, kinds[0]), each(name, TINY)
        start = Sample(each - counts[0] * tiny for each in taken[name, TINY, counts[0]])
        faster = ratio(each("-j 1", kinds[0]), long)
        rows.append(
            (name, figure(long), faster, figure(tiny), figure(start), peak_of(memory[name]))
        )
    columns = ("", "s per run", "runs to `-j 1`", "s per tiny run", "start, s", "memory, MiB")
    note = f"Medians of {rounds}, in turn."
    if "-j 2 --on ray" not in ways:
        note += " Ray is not installed." * (not settings.quick)
    yield Table("Batches on two cores", columns, rows, note)


def batch(count: int, flags: tuple[str, ...]) -> tuple[float, float]:
    """Seconds of a batch of this many seeds, and the peak memory of its first process in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        seeds = ("--seeds", f"1..{count}", "--no-video", "--out", folder)
        process = subprocess.Popen(
            [sys.executable, "-m", "artgen", "fit", "sample:chelsea", *seeds, *flags, "-q"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, peak_memory(process.pid))
            time.sleep(0.02)
        took = time.perf_counter() - began
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return took, peak


def peak_memory(pid: int) -> float:
    """0 if it is unknown."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(found[0].split()[1]) / 1024 if found else 0.0


def peak_of(peaks: list[float]) -> str:
    return figure(max(peaks) or None)
