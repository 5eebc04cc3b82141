"""Seconds from a primitive to its kernels: compiled for the first time, and found in the cache.

Each value is of a process of its own, the first one with empty caches; imports do not count.
Those of shapes are the kernels that draw; a fit also compiles those of its search (`startup`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from artgen import Shape, Splat
from artgen.registry import default
from benchmarks._measure import timed
from benchmarks._report import Sample, Table, figure
from benchmarks._settings import ROOT, Settings


def run(settings: Settings) -> Iterator[Table]:
    names = ["gaussian"] if settings.quick else with_kernels()
    rows = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            cold = compile_in_process(name, folder)
            rounds = 1 if settings.quick else 3
            warm = Sample(compile_in_process(name, folder) for _ in range(rounds))
        rows.append((name, figure(cold), figure(warm)))
    yield Table("Compiling", ("primitive", "cold, s", "warm, s"), rows)


def with_kernels() -> list[str]:
    """The primitives we ship that are drawn by kernels made for them."""
    shipped = [e.name for e in default().entries("primitive") if e.plugin.origin == "built-in"]
    return [n for n in shipped if issubclass(default().load("primitive", n), Splat | Shape)]


def compile_in_process(name: str, cache: str) -> float:
    """The seconds that `report` prints in a fresh process with its caches in the folder `cache`."""
    completed = subprocess.run(
        [sys.executable, "-m", "benchmarks.start", name],
        cwd=ROOT,
        env={**os.environ, "ARTGEN_CACHE": cache, "NUMBA_CACHE_DIR": cache},
        stdout=subprocess.PIPE,
        check=True,
    )
    return float(completed.stdout)


def report(name: str) -> None:
    """Print the seconds that getting the kernels to draw a primitive takes."""
    import numba  # noqa: F401

    from artgen.families.shape.spans import load_functions
    from artgen.raster import choose_backend

    primitive = default().load("primitive", name)()
    compile_kernels = load_functions if isinstance(primitive, Shape) else choose_backend
    print(timed(lambda: compile_kernels(primitive)))


if __name__ == "__main__":
    report(sys.argv[1])
