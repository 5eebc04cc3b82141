"""`time`: how long steps, evaluations and frames take, and how many steps fit into a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

from artgen.drawing import Drawing
from artgen.engines import Engine
from artgen.engines.protocols import HasRounds
from artgen.errors import Diverged

T = TypeVar("T")

WARM_UP_STEPS = 2
FIRST_STEPS = 3
REHEARSAL_SHARE = 0.05
"""The part of a time budget that a rehearsal should take."""
LONGEST_REHEARSAL = 3.0
PATIENCE = 3.0
"""A rehearsal ends early after this many times what it should take."""
MOST_STEPS = 2000
STORING = 1.3
"""What storing a frame adds to painting it, as a factor."""
FRAME_SHARE = 0.25
"""The part of a time budget that frames may take."""
GAP = 1.0
"""Seconds in which a process may wait before it counts as stopped."""
GAP_FACTOR = 3.0
"""The same, in times of the longest work so far."""
GAP_CPU = 0.05
"""A process that was stopped used no more of that time on processors."""


class Stopwatch:
    """Measures how long work takes, without the time in which the process could not run.

    A process that was stopped (SIGSTOP), or that a full machine swapped out, waited far longer than
    any work before took, and used no processor meanwhile. `lost` counts the seconds left out.
    """

    def __init__(self) -> None:
        self.lost = 0.0
        self._longest: float | None = None

    def measure(self, work: Callable[[], T]) -> tuple[T, float]:
        """Do `work`; its result, and the seconds that count."""
        began, began_cpu = time.perf_counter(), time.process_time()
        result = work()
        took, used = time.perf_counter() - began, time.process_time() - began_cpu
        usual = took if self._longest is None else self._longest
        if took > GAP + GAP_FACTOR * usual and used < GAP_CPU * took:
            self.lost += took - used
            return result, used
        self._longest = max(usual, took)
        return result, took


@dataclass(frozen=True)
class Pace:
    """Seconds per step, per evaluation of the full picture, and per frame."""

    step: float
    evaluation: float
    frame: float
    rounds: float = 0.0
    """Seconds that all rounds of a fit take, however many steps it has."""
    rehearsed: float = 0.0
    """Seconds that it took to find out, without compiling."""

    def frames_in(self, seconds: float) -> int:
        """How many frames fit into their share of `seconds`, at least the first and the last."""
        return max(2, int(FRAME_SHARE * seconds / self.frame)) if self.frame else 2

    def steps_in(self, seconds: float, *, evaluations: int, frames: int = 0) -> int:
        """How many steps fit into `seconds` beside evaluations and frames, at least one."""
        left = seconds - frames * self.frame - self.rounds
        steps = (left - evaluations * self.evaluation) / max(self.step, 1e-9)
        if steps < evaluations:
            # There are no more evaluations than steps.
            steps = left / max(self.step + self.evaluation, 1e-9)
        return max(1, int(steps))


def measure_pace(
    begin: Callable[[int], Engine],
    paint: Callable[[Drawing], object] | None,
    seconds: float,
    watch: Stopwatch,
    stop: Callable[[], bool] = lambda: False,
) -> Pace:
    """Rehearse a fit of few steps: as parts are added, and grow, steps take longer.

    `begin` gives an engine started for this many steps; `paint` draws a frame, None where there is
    no video. Once `stop` says so, what was measured so far has to do.
    """

    def took(work: Callable[[], object]) -> float:
        return watch.measure(work)[1]

    def draw() -> None:
        if paint is not None:
            with suppress(Diverged):
                paint(engine.drawing(best=False))

    # Past the end of the schedule all parts are there. What is done first includes compiling.
    engine = begin(1)
    engine.advance(WARM_UP_STEPS)
    _evaluate(engine)
    draw()
    spent = took(lambda: engine.advance(FIRST_STEPS))
    rough = spent / FIRST_STEPS
    budget = min(LONGEST_REHEARSAL, REHEARSAL_SHARE * seconds)
    steps = min(MOST_STEPS, max(FIRST_STEPS, int(budget / max(rough, 1e-9))))
    engine = begin(steps)
    begins = engine.rounds if isinstance(engine, HasRounds) else ()
    usual, rounds = list[float](), list[float]()
    for step in range(steps):
        if stop() or spent > PATIENCE * budget:
            break
        step_took = took(lambda: engine.advance(1))
        spent += step_took
        (rounds if step in begins else usual).append(step_took)
    pace = fmean(usual) if usual else rough
    round_took = max(0.0, fmean(rounds) - pace) * len(begins) if rounds else 0.0
    evaluation, frame = took(lambda: _evaluate(engine)), took(draw)
    return Pace(pace, evaluation, STORING * frame if paint else 0.0, round_took, spent)


def _evaluate(engine: Engine) -> None:
    """Judge; where a rehearsal diverges, the run will and is recovered then."""
    with suppress(Diverged):
        engine.report()
