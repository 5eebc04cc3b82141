"""Memory and time of writing a video: memory must not grow with the number of frames.

Every row is a process of its own; its peak includes the interpreter, numpy and the encoder.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from artgen.output import write_video
from benchmarks._measure import peak_memory, timed
from benchmarks._report import Table, figure
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
