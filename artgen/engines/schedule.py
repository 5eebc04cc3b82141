"""How learning rates change over a fit: warm-up, then a schedule.

Engines whose options have `schedule`, `decay`, `warmup` and `final` share it.
"""

from __future__ import annotations

import math
from typing import Literal, Protocol

__all__ = ["Schedule", "ScheduleOptions", "rate_factor"]

Schedule = Literal["cosine", "constant", "exponential", "one-cycle"]

RISE, LOWEST = 0.3, 1 / 25
"""Of a one-cycle: the share of the steps in which rates rise, and the share they rise from."""


class ScheduleOptions(Protocol):
    """The options that a schedule reads."""

    @property
    def schedule(self) -> Schedule:
        """How rates fall."""

    @property
    def decay(self) -> float:
        """The factor per step of the exponential schedule."""

    @property
    def warmup(self) -> int:
        """Steps over which rates rise from zero."""

    @property
    def final(self) -> float:
        """Rates at the end of the cosine or the cycle, as a share."""


def rate_factor(options: ScheduleOptions, step: int, total_steps: int) -> float:
    """The factor on all rates for the step after `step` of `total_steps` are done.

    Half a cosine from 1 down to `final`; or `decay` to the power of `step`; or 1. A one-cycle is
    half a cosine up from 1/25 for 0.3 of the steps, and another one down to `final` (Smith and
    Topin 2017). While `step` < `warmup`, times (step + 1) / (warmup + 1).
    """
    factor = 1.0
    progress = min(1.0, step / total_steps)
    if options.schedule == "cosine":
        factor = _between(1.0, options.final, progress)
    elif options.schedule == "one-cycle" and progress < RISE:
        factor = _between(LOWEST, 1.0, progress / RISE)
    elif options.schedule == "one-cycle":
        factor = _between(1.0, options.final, (progress - RISE) / (1 - RISE))
    elif options.schedule == "exponential":
        factor = options.decay**step
    if step < options.warmup:
        factor *= (step + 1) / (options.warmup + 1)
    return factor


def _between(start: float, end: float, progress: float) -> float:
    """From `start` to `end` along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2
