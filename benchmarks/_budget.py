"""Fits for a number of seconds: of a clock, or of one processor where others use the machine."""

from __future__ import annotations

import time
from typing import Any

import artgen
from artgen.events import Advanced, Event
from benchmarks._settings import Settings

__all__ = ["fit_for", "seconds_text"]

REHEARSAL = 0.05
"""The least share of the budget that the fit takes from which the number of steps follows."""


def fit_for(seconds: float, settings: Settings, *arguments: Any, **options: Any) -> artgen.Art:
    """`artgen.fit` for `seconds`; with `settings.cpu` for CPU seconds of steps on one thread."""
    if not settings.cpu:
        return artgen.fit(*arguments, time=seconds, **options)
    options["threads"], steps = 1, 20
    while (spent := _fit(*arguments, steps=steps, **options)[1]) < REHEARSAL * seconds:
        steps = round(steps * min(20.0, 1.2 * REHEARSAL * seconds / max(spent, 1e-3))) + 1
    return _fit(*arguments, steps=round(steps * seconds / spent), **options)[0]


def seconds_text(seconds: float, settings: Settings) -> str:
    """The head of a column."""
    return f"{seconds:g} {'CPU s' if settings.cpu else 's'}"


def _fit(*arguments: Any, **options: Any) -> tuple[artgen.Art, float]:
    """The art, and the CPU seconds of its steps, without evaluations and compiling.

    With a time, evaluations take little of it. A few steps have as many evaluations as a long fit.
    """
    chunks: list[tuple[int, float]] = []
    before = 0.0

    def observe(event: Event) -> None:
        nonlocal before
        now = time.process_time()
        if isinstance(event, Advanced):
            chunks.append((event.step, now - before))
        before = now

    art = artgen.fit(*arguments, observe=observe, **options)
    # The first steps compile.
    (first, seconds), *others = chunks
    last = chunks[-1][0]
    return art, sum(each for _, each in others) * last / (last - first) if others else seconds
