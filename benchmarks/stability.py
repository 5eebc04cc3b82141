"""Long fits: whether 20,000 steps keep what fewer found.

A small picture is fitted once per primitive, with the defaults. PSNR is that of evaluations of one
fit, the best so far. A fall is the most that an evaluation is below the best before it. The last
column is how often the fit diverged, and went back to the best at half the rates.
"""

from __future__ import annotations

from collections.abc import Iterator

import artgen
from artgen.events import Evaluated, Event, Notice
from benchmarks._report import Table
from benchmarks._settings import Settings

FITS = (("gaussian", 200), ("fourier", 64), ("stroke", 64))

SHARES = (0.05, 0.25, 0.5, 1.0)
"""The shares of the steps at which PSNR is listed."""


def run(settings: Settings) -> Iterator[Table]:
    side, steps = (24, 60) if settings.quick else (64, 20_000)
    rows = [fit(name, count, side, steps) for name, count in FITS]
    columns = ["", *(f"{share * steps:,.0f} steps" for share in SHARES), "largest fall", "diverged"]
    yield Table(f"PSNR in dB, astronaut {side}", columns, rows)


def fit(name: str, count: int, side: int, steps: int) -> tuple[str, ...]:
    """A row of the table."""
    seen: list[tuple[int, float]] = []
    diverged = 0

    def observe(event: Event) -> None:
        nonlocal diverged
        if isinstance(event, Evaluated) and event.psnr is not None:
            seen.append((event.step, event.psnr))
        diverged += isinstance(event, Notice) and "back to the best" in event.message

    artgen.fit(
        "sample:astronaut", name, count=count, size=side, steps=steps, seed=1, observe=observe
    )
    best, fall = seen[0][1], 0.0
    for _, psnr in seen:
        fall, best = max(fall, best - psnr), max(best, psnr)
    listed = [max(psnr for step, psnr in seen if step <= share * steps) for share in SHARES]
    return f"{count} {name}", *(f"{psnr:.2f}" for psnr in listed), f"{fall:.2f}", str(diverged)
