"""Seconds from a primitive to its kernels: compiled for the first time, and found in the cache.

Each figure is of a process of its own, the first one with empty caches; imports do not count.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from artgen.registry import default
from benchmarks._measure import timed
from benchmarks._report import Table, figure
from benchmarks._settings import ROOT, Settings


def run(settings: Settings) -> Iterator[Table]:
    names = [e.name for e in default().entries("primitive") if e.plugin.origin == "built-in"]
    rows = []
    for name in ["gaussian"] if settings.quick else names:
        with tempfile.TemporaryDirectory() as folder:
            cold, warm = compile_in_process(name, folder), compile_in_process(name, folder)
        kept = cold["backend"] == "compiled"
        reason = "compiled" if kept else cold["reason"]
        rows.append(
            (name, reason, *(figure(each["seconds"] if kept else None) for each in (cold, warm)))
        )
    yield Table("Compiling", ("primitive", "backend", "cold, s", "warm, s"), rows)


def compile_in_process(name: str, cache: str) -> dict[str, object]:
    """What `report` prints in a fresh process whose caches are in the folder `cache`."""
    completed = subprocess.run(
        [sys.executable, "-m", "benchmarks.start", name],
        cwd=ROOT,
        env={**os.environ, "ARTGEN_CACHE": cache, "NUMBA_CACHE_DIR": cache},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(completed.stdout)


def report(name: str) -> None:
    """Choose the backend of a primitive and print how that went, as JSON."""
    import numba  # noqa: F401

    from artgen.raster import choose_backend

    primitive = default().load("primitive", name)()
    seconds = timed(lambda: choose_backend(primitive))
    backend = choose_backend(primitive)  # known by now
    print(json.dumps({"seconds": seconds, "backend": backend.name, "reason": backend.reason}))


if __name__ == "__main__":
    report(sys.argv[1])
