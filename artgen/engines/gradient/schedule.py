"""Options of Adam, and how learning rates change over a fit: warm-up, then a schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from artgen.base.errors import UsageError
from artgen.base.options import option

RISE, LOWEST = 0.3, 1 / 25
"""Of a one-cycle: the share of the steps in which rates rise, and the share they rise from."""


@dataclass(frozen=True)
class AdamOptions:
    """Options of every engine that uses Adam."""

    optimizer: Literal["adam", "adamw", "adamw-centred", "adamw-uncorrected"] = option(
        "adam", "optimizer of the parameters"
    )
    rate: float = option(1.0, "factor on all learning rates", low=0)
    schedule: Literal["cosine", "constant", "exponential", "one-cycle"] = option(
        "cosine", "how learning rates change"
    )
    decay: float = option(
        0.9999, "factor on the rates after each step (schedule=exponential)", low=0, high=1
    )
    warmup: int = option(20, "steps in which the rates rise from zero", low=0)
    final: float = option(
        0.02,
        "rates at the end, as a share of the largest (schedule=cosine, one-cycle)",
        low=0,
        high=1,
    )
    beta1: float = option(0.9, "decay of the running mean of the gradient", low=0, high=0.99999)
    beta2: float = option(0.99, "decay of the running mean of its square", low=0, high=0.999999)
    epsilon: float = option(1e-15, "Adam's epsilon, which keeps its divisor above 0", low=0)
    weight_decay: float = option(0.0, "weight decay: decoupled, but L2 for adam", low=0)

    def check_betas(self) -> None:
        """Raise UsageError where the first variance, (1−β₂)g² − (1−β₁)²g², is 0 for every g."""
        spread = (1 - self.beta1) ** 2
        if self.optimizer == "adamw-centred" and math.isclose(1 - self.beta2, spread):
            raise UsageError(
                f"adamw-centred with beta1={self.beta1} and beta2={self.beta2} divides its first "
                "step by 0",
                hint="use the published --set engine.beta1=0.92 --set engine.beta2=0.95",
            )


def rate_factor(options: AdamOptions, step: int, progress: float) -> float:
    """The factor on all rates for the step after `step`, at this `progress` from 0 to 1.

    Half a cosine from 1 down to `final`; or `decay` to the power of `step`; or 1. A one-cycle is
    half a cosine up from 1/25 for 0.3 of the steps, and another one down to `final` (Smith and
    Topin 2017). While `step` < `warmup`, times (step + 1) / (warmup + 1).
    """
    factor = 1.0
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
