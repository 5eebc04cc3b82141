"""What whole commands take with the defaults: quality, CPU seconds and memory.

Every row is `artgen fit` in a process of its own on two threads, without a video, with caches full.
The peak is that of the resident memory, Python and torch included.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from benchmarks._report import Sample, Table, figure
from benchmarks._settings import ROOT, Settings

FITS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("chelsea", "gaussian", ()),
    ("coffee", "gaussian", ()),
    ("chelsea", "fourier", ("-n", "256")),
    ("coffee", "fourier", ("-n", "256")),
    ("chelsea", "triangle", ("-n", "150")),
    ("astronaut", "hashgrid", ("--size", "512")),
    ("astronaut", "gaussian", ("--size", "1024", "--steps", "100")),
    ("astronaut", "gaussian", ("--size", "2048", "--steps", "100")),
    ("astronaut", "gaussian", ("-n", "100000", "--size", "512", "--steps", "100")),
    ("astronaut", "triangle", ("-n", "1000", "--size", "1024")),
)
"""Samples, primitives and flags."""


def run(settings: Settings) -> Iterator[Table]:
    fits, rounds = (FITS[:1], 1) if settings.quick else (FITS, 3)
    tiny = ("--size", "32", "-n", "10", "--steps", "5") if settings.quick else ()
    rows = []
    for picture, primitive, flags in fits:
        command = [f"sample:{picture}", "-p", primitive, *flags, *tiny]
        if not settings.quick:
            measured(command)  # compiles
        summaries, seconds, peaks = zip(*(measured(command) for _ in range(rounds)), strict=True)
        summary = summaries[0]
        rows.append(
            (
                " ".join(command),
                f"{summary['steps']:,}",
                f"{summary['psnr']:.1f}",
                figure(Sample(seconds)),
                figure(Sample(peaks)),
            )
        )
    columns = ("artgen fit …", "steps", "PSNR, dB", "CPU s", "peak, MiB")
    yield Table("Whole commands", columns, rows, f"Medians of {rounds}.")


def measured(arguments: list[str]) -> tuple[dict, float, float]:
    """The summary of a fit, its CPU seconds, and the peak of its memory in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--seed", "0", "--no-video", "--threads", "2", "--json", "--out", folder]
        with subprocess.Popen(
            [sys.executable, "-m", "artgen", "fit", *arguments, *flags],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            printed = process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return json.loads(printed), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
