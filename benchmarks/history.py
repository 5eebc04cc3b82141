"""What the light history of a fit costs: CPU seconds beside those of the fit, and bytes.

Fits of `sample:coffee` with all defaults on one thread, with the history and with `--history 0`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import artgen
from benchmarks._report import Sample, Table, figure
from benchmarks._settings import Settings

PRIMITIVES = ("gaussian", "fourier", "stroke", "siren", "hashgrid")


def run(settings: Settings) -> Iterator[Table]:
    size, names, rounds = (32, PRIMITIVES[:1], 1) if settings.quick else (256, PRIMITIVES, 3)
    rows = []
    for name in names:
        steps = {"steps": 20, "count": 20} if settings.quick else {}
        fit(name, size, steps=2, **{"count": 20} if settings.quick else {})  # compiles
        taken: dict[str, list[float]] = {"with": [], "without": []}
        sizes = {}
        for _ in range(rounds):
            for how, options in (("with", {}), ("without", {"history": 0})):
                began = time.process_time()
                art = fit(name, size, **steps, **options)
                taken[how].append(time.process_time() - began)
                sizes[how] = len(art.to_bytes())
        pairs = zip(taken["with"], taken["without"], strict=True)
        rows.append(
            (
                name,
                figure(Sample(taken["without"])),
                figure(Sample(a - b for a, b in pairs)),
                f"{sizes['with']:,}",
                f"{100 * (1 - sizes['without'] / sizes['with']):.1f} %",
            )
        )
    columns = ("", "fit, CPU s", "history, CPU s", "`.art`, bytes", "history, share of file")
    yield Table(f"Light histories, long side {size}", columns, rows, f"Medians of {rounds}.")


def fit(name: str, size: int, **options: int) -> artgen.Art:
    """A fit with the defaults."""
    return artgen.fit("sample:coffee", name, size=size, seed=0, threads=1, **options)
