"""What a polish gains: shapes of `climb`, moved together by `gradient` with its defaults.

CPU seconds are those of one thread and of a whole fit, without compiling. In the last column
`climb` goes on refining in place of the polish, until it has taken as many CPU seconds as both; it
is a fit of its own, and may end lower than the first.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import artgen
from benchmarks._report import Table
from benchmarks._settings import Settings
from benchmarks.genetic import ENDLESS, fit
from benchmarks.shapes import open_target

PICTURES = ("astronaut", "coffee", "chelsea")

SHAPES = ("triangle", "rotated_ellipse", "blob")


def run(settings: Settings) -> Iterator[Table]:
    side, count = (24, 4) if settings.quick else (128, 60)
    rows = []
    for picture in PICTURES[: 1 if settings.quick else None]:
        for name in SHAPES[: 1 if settings.quick else None]:
            rows.append((f"{count} {name}, {picture}", *compare(picture, name, count, side)))
    columns = ("", "climb, dB", "CPU s", "polished, dB", "of it, s", "climb, longer, dB")
    yield Table(f"PSNR, long side {side}, seed 1", columns, rows)


def compare(picture: str, name: str, count: int, side: int) -> tuple[str, ...]:
    """PSNR and CPU seconds of `climb`, of a polish after it, and of as long a `climb`."""
    options: dict[str, Any] = {"count": count, "size": side, "seed": 1, "threads": 1}
    source = f"sample:{picture}"
    # Kernels are compiled and loaded before a clock starts.
    for engine in ("climb", "gradient"):
        artgen.fit(source, name, engine=engine, steps=1, **{**options, "count": 1})
    began = time.process_time()
    found = artgen.fit(source, name, engine="climb", **options)
    climbed = time.process_time() - began
    with tempfile.TemporaryDirectory() as folder:
        start = Path(folder, "start.art")
        found.save(start)
        began = time.process_time()
        polished = artgen.fit(source, name, engine="gradient", init=start, **options)
        after = time.process_time() - began
    longer, *_ = fit(open_target(picture, side), name, count, "climb", climbed + after, 1, ENDLESS)
    first, second = found.metrics["psnr"], polished.metrics["psnr"]
    return (
        *(f"{first:.2f}", f"{climbed:.1f}", f"{second:.2f}", f"{after:.1f}"),
        f"{longer:.2f}",
    )
