"""The cost of `--live`: CPU seconds of a fit without it, with it, and with a page open.

The page is a client that reads all it is sent, in a process of its own. Fits take turns; an
overhead is the median over pairs.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from artgen.live import Live
from artgen.recipe import Recipe
from artgen.registry import default
from artgen.runs import run as fit_recipe
from artgen.tasks import RunControl
from benchmarks._report import Sample, Table, figure
from benchmarks._settings import Settings

FITS: dict[str, dict[str, Any]] = {
    "gaussian": {"count": 1000, "steps": 600},
    "triangle": {"count": 150, "steps": 1050},
}


def run(settings: Settings) -> Iterator[Table]:
    size, pairs = (64, 1) if settings.quick else (256, 5)
    rows = []
    for name, asked in FITS.items():
        steps = 20 if settings.quick else asked["steps"]
        recipe = Recipe.from_dict(
            {
                "seed": 0,
                "target": {"source": "sample:chelsea", "size": size},
                "primitive": {"name": name, "count": 20 if settings.quick else asked["count"]},
                "stage": [{"steps": steps}],
            }
        )
        seconds(recipe)  # compiles
        taken = [
            (seconds(recipe), seconds(recipe, live=True), seconds(recipe, live=True, page=True))
            for _ in range(pairs)
        ]
        alone = Sample(each[0] for each in taken)
        over = [statistics.median(each[i] / each[0] - 1 for each in taken) for i in (1, 2)]
        rows.append((name, figure(alone), *(f"{100 * each:+.1f} %" for each in over)))
    columns = ("", "CPU s alone", "with --live", "with a page open")
    yield Table(f"Watching, long side {size}", columns, rows, f"Median of {pairs} pairs.")


def seconds(recipe: Recipe, *, live: bool = False, page: bool = False) -> float:
    """CPU seconds of this process for one fit with a video."""
    with tempfile.TemporaryDirectory() as folder:
        began = used()
        if live:
            with Live(RunControl()) as shown:
                reader = reading(shown.address) if page else None
                fit_recipe(
                    recipe,
                    default(),
                    out=Path(folder),
                    observers=[shown],
                    control=shown.control,
                )
            if reader is not None:
                reader.join()
        else:
            fit_recipe(recipe, default(), out=Path(folder))
        return used() - began


def reading(address: str) -> multiprocessing.Process:
    """A process that reads the stream of a page, once it does so."""
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    reader = context.Process(target=read, args=(address, ready), daemon=True)
    reader.start()
    ready.wait()
    return reader


def read(address: str, ready: Any) -> None:
    """Read until the end."""
    with urllib.request.urlopen(f"{address}events") as stream:
        ready.set()
        while stream.read1(1 << 16):
            time.sleep(0)


def used() -> float:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime
