"""`time`: how long steps, evaluations and frames take, and how many steps fill so many seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from artgen.drawing import Drawing
from artgen.engines import Engine
from artgen.errors import Diverged

__all__ = ["Pace", "measure_pace"]

WARM_UP_STEPS = 2
LONGEST_TRIAL = 2.0
TRIAL_SHARE = 0.05
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
        left = seconds - evaluations * self.evaluation - frames * self.frame
        return max(1, int(left / max(self.step, 1e-9)))


def measure_pace(engine: Engine, paint: Callable[[Drawing], object] | None, seconds: float) -> Pace:
    """Try a started engine for a small part of `seconds`; its state afterwards is of no use.

    `paint` draws a frame; None where there is no video.
    """
    engine.advance(WARM_UP_STEPS)
    _evaluate(engine)
    taken, began = 0, time.perf_counter()
    while taken < 3 or time.perf_counter() - began < min(LONGEST_TRIAL, TRIAL_SHARE * seconds):
        engine.advance(1)
        taken += 1
    step = (time.perf_counter() - began) / taken
    began = time.perf_counter()
    _evaluate(engine)
    evaluation = time.perf_counter() - began
    frame = 0.0
    if paint is not None:
        drawing = engine.drawing(best=False)
        began = time.perf_counter()
        with suppress(Diverged):
            paint(drawing)
        frame = STORING * (time.perf_counter() - began)
    return Pace(step, evaluation, frame)


def _evaluate(engine: Engine) -> None:
    """Judge; where a trial diverges, the run will and is recovered then."""
    with suppress(Diverged):
        engine.report()
