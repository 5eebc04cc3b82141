"""`time`: how long steps, evaluations and frames take, and how many steps fill so many seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from artgen.drawing import Drawing
from artgen.engines import Engine
from artgen.errors import Diverged

WARM_UP_STEPS = 2
FIRST_STEPS = 3
REHEARSAL_SHARE = 0.05
"""The part of a time budget that a rehearsal should take."""
LONGEST_REHEARSAL = 3.0
MOST_STEPS = 2000
SLOWEST = 0.1
"""The share of a rehearsal's steps that do not count: in so few steps growth is too frequent."""
STORING = 1.3
"""What storing a frame adds to painting it, as a factor."""
FRAME_SHARE = 0.25
"""The part of a time budget that frames may take."""


@dataclass(frozen=True)
class Pace:
    """Seconds per step, per evaluation of the full picture, and per frame."""

    step: float
    evaluation: float
    frame: float

    def frames_in(self, seconds: float) -> int:
        """How many frames fit into their share of `seconds`, at least the first and the last."""
        return max(2, int(FRAME_SHARE * seconds / self.frame)) if self.frame else 2

    def steps_in(self, seconds: float, *, evaluations: int, frames: int = 0) -> int:
        """How many steps fit into `seconds` beside evaluations and frames, at least one."""
        left = seconds - frames * self.frame
        steps = (left - evaluations * self.evaluation) / max(self.step, 1e-9)
        if steps < evaluations:
            # There are no more evaluations than steps.
            steps = left / max(self.step + self.evaluation, 1e-9)
        return max(1, int(steps))


def measure_pace(
    begin: Callable[[int], Engine], paint: Callable[[Drawing], object] | None, seconds: float
) -> Pace:
    """Rehearse a fit of few steps: as parts are added, and grow, steps take longer.

    `begin` gives an engine started for so many steps; `paint` draws a frame, None where there is
    no video.
    """
    # Past the end of the schedule all parts are there.
    engine = begin(1)
    engine.advance(WARM_UP_STEPS)
    _evaluate(engine)
    rough = _seconds(lambda: engine.advance(FIRST_STEPS)) / FIRST_STEPS
    budget = min(LONGEST_REHEARSAL, REHEARSAL_SHARE * seconds)
    steps = min(MOST_STEPS, max(FIRST_STEPS, int(budget / max(rough, 1e-9))))
    engine = begin(steps)
    taken = sorted(_seconds(lambda: engine.advance(1)) for _ in range(steps))
    counted = taken[: max(1, int((1 - SLOWEST) * steps))]
    evaluation = _seconds(lambda: _evaluate(engine))
    frame = 0.0
    if paint is not None:
        drawing = engine.drawing(best=False)
        with suppress(Diverged):
            frame = STORING * _seconds(lambda: paint(drawing))
    return Pace(sum(counted) / len(counted), evaluation, frame)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _evaluate(engine: Engine) -> None:
    """Judge; where a rehearsal diverges, the run will and is recovered then."""
    with suppress(Diverged):
        engine.report()
