"""What the light history of a fit costs: CPU seconds beside those of the fit, and bytes.

Fits of `sample:coffee` with all defaults on one thread, with the history and with `--history 0`.
The seconds of the history are taken where it is kept and made: they are a hundredth of the fit, and
two fits differ by more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import artgen
from artgen.runs.loop.recording import Recording
from benchmarks._report import Sample, Table, figure
from benchmarks._settings import Settings

PRIMITIVES = ("gaussian", "fourier", "stroke", "siren", "hashgrid")


def run(settings: Settings) -> Iterator[Table]:
    size, names, rounds = (32, PRIMITIVES[:1], 1) if settings.quick else (256, PRIMITIVES, 3)
    rows = []
    for name in names:
        steps = {"steps": 20, "count": 20} if settings.quick else {}
        fit(name, size, steps=2, **{"count": 20} if settings.quick else {})  # compiles
        seconds: dict[str, list[float]] = {"fit": [], "history": []}
        for _ in range(rounds):
            began = time.process_time()
            with timed_history() as calls:
                art = fit(name, size, **steps)
            seconds["history"].append(sum(calls))
            seconds["fit"].append(time.process_time() - began - sum(calls))
        bare = fit(name, size, **steps, history=0)
        sizes = {"with": len(art.to_bytes()), "without": len(bare.to_bytes())}
        rows.append(
            (
                name,
                figure(Sample(seconds["fit"])),
                figure(Sample(seconds["history"])),
                f"{sizes['with']:,}",
                f"{100 * (1 - sizes['without'] / sizes['with']):.1f} %",
            )
        )
    columns = ("", "fit, CPU s", "history, CPU s", "`.art`, bytes", "history, share of file")
    yield Table(f"Light histories, long side {size}", columns, rows, f"Medians of {rounds}.")


@contextmanager
def timed_history() -> Iterator[list[float]]:
    """Collect the CPU seconds of each call that keeps a drawing or makes the history of them."""
    calls: list[float] = []

    def timed(method: str) -> Any:
        original = getattr(Recording, method)

        def replaced(self: Recording, *arguments: Any) -> Any:
            began = time.process_time()
            try:
                return original(self, *arguments)
            finally:
                calls.append(time.process_time() - began)

        return patch.object(Recording, method, replaced)

    with timed("keep"), timed("progress_of"):
        yield calls


def fit(name: str, size: int, **options: int) -> artgen.Art:
    """A fit with the defaults."""
    return artgen.fit("sample:coffee", name, size=size, seed=0, threads=1, **options)
