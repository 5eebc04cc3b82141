"""How learning rates change over a fit: warm-up, then a schedule.

Engines whose options have `schedule`, `decay`, `warmup` and `final` share it.
"""

from __future__ import annotations

import math
from typing import Literal, Protocol

__all__ = ["Schedule", "ScheduleOptions", "rate_factor"]

Schedule = Literal["cosine", "constant", "exponential"]


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
        """Rates at the end of the cosine, as a share."""


def rate_factor(options: ScheduleOptions, step: int, total_steps: int) -> float:
    """The factor on all rates for the step after `step` of `total_steps` are done.

    Half a cosine from 1 down to `final`; or `decay` to the power of `step`; or 1. While
    `step` < `warmup`, times (step + 1) / (warmup + 1).
    """
    factor = 1.0
    if options.schedule == "cosine":
        cosine = (1 + math.cos(math.pi * min(1.0, step / total_steps))) / 2
        factor = options.final + (1 - options.final) * cosine
    elif options.schedule == "exponential":
        factor = options.decay**step
    if step < options.warmup:
        factor *= (step + 1) / (options.warmup + 1)
    return factor
