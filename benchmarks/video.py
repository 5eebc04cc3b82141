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
    for frames in lengths:
        completed = subprocess.run(
            [sys.executable, "-m", "benchmarks.video", str(frames), str(side)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
        result = json.loads(completed.stdout)
        milliseconds = 1000 * result["seconds"] / frames
        rows.append((f"{frames} frames", figure(result["peak"]), figure(milliseconds)))
    yield Table(f"MP4 at {side}²", ("", "peak memory, MiB", "ms per frame"), rows)


def scene(count: int, side: int) -> Iterator[np.ndarray]:
    """Frames uint8 [side, side, 3] like those of a fit: soft dabs that drift, some grain."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    grain = rng.normal(0, 4, (side, side, 3))
    for k in range(count):
        waves = [np.sin(5 * x + 0.02 * k), np.cos(4 * y - 0.03 * k), np.sin(3 * (x + y))]
        yield np.clip(128 + 90 * np.stack(waves, axis=2) + grain, 0, 255).astype(np.uint8)


def report(frames: int, side: int) -> None:
    """Write a video and print seconds and peak memory, as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.mp4"
        seconds = timed(lambda: write_video(path, scene(frames, side), fps=30))
    print(json.dumps({"seconds": seconds, "peak": peak_memory()}))


if __name__ == "__main__":
    report(*map(int, sys.argv[1:]))
