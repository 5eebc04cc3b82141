"""Memory and time of writing a video: memory must not grow with the number of frames.

Every row of the first table is a process of its own; its peak includes the interpreter, numpy and
the encoder. Those of the second are whole commands, with a video and without one, in turn:
`artgen fit sample:astronaut -p gaussian` on two threads.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from artgen.output import write_video
from benchmarks._measure import peak_memory, timed
from benchmarks._report import Sample, Table, figure, ratio
from benchmarks._settings import ROOT, Settings


def run(settings: Settings) -> Iterator[Table]:
    side, lengths = (64, (6, 60)) if settings.quick else (512, (60, 600))
    rows = []
    for count in lengths:
        completed = subprocess.run(
            [sys.executable, "-m", "benchmarks.video", str(count), str(side)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
        result = json.loads(completed.stdout)
        milliseconds = 1000 * result["seconds"] / count
        rows.append((f"{count} frames", figure(result["peak"]), figure(milliseconds)))
    yield Table(f"MP4 at {side}²", ("", "peak memory, MiB", "ms per frame"), rows)
    flags = ["--size", "32", "-n", "10", "--steps", "20"] if settings.quick else []
    yield beside(flags, rounds=1 if settings.quick else 5)


def beside(flags: list[str], rounds: int) -> Table:
    """A fit with its video, beside one without."""
    taken: dict[str, list[tuple[float, float]]] = {"without": [], "with": []}
    if rounds > 1:
        fit(flags)  # compiles
    for _ in range(rounds):
        taken["without"].append(fit([*flags, "--no-video"]))
        taken["with"].append(fit(flags))
    rows = []
    for index, what in enumerate(("s", "CPU s")):
        without, with_ = (Sample(each[index] for each in taken[how]) for how in taken)
        rows.append((what, figure(without), figure(with_), ratio(with_, without)))
    columns = ("", "without a video", "with its video", "ratio")
    return Table("A fit with its video", columns, rows, f"Medians of {rounds}, in turn.")


def fit(flags: list[str]) -> tuple[float, float]:
    """Seconds and CPU seconds of a fit in a process of its own."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        common = ["--seed", "5", "--threads", "2", "--quiet", "--out", folder]
        words = ["fit", "sample:astronaut", "-p", "gaussian", *flags, *common]
        subprocess.run([sys.executable, "-m", "artgen", *words], cwd=ROOT, check=True)
    took, now = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


def frames(count: int, side: int) -> Iterator[np.ndarray]:
    """A picture uint8 [side, side, 3] that drifts by one pixel per frame: quick to make."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0 : 2 * np.pi : side * 1j, 0 : 2 * np.pi : side * 1j]
    smooth = np.stack([np.sin(3 * x), np.cos(2 * y), np.sin(x + y)], axis=2)
    picture = np.clip(128 + 90 * smooth + rng.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8)
    for k in range(count):
        yield np.roll(picture, k, axis=1)


def report(count: int, side: int) -> None:
    """Write a video and print seconds and peak memory, as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.mp4"
        seconds = timed(lambda: write_video(path, frames(count, side), fps=30))
    print(json.dumps({"seconds": seconds, "peak": peak_memory()}))


if __name__ == "__main__":
    report(*map(int, sys.argv[1:]))
