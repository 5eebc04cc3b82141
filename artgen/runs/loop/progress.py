"""How far a fit has come: the runner's own part of a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from torch import Tensor

from artgen.engines import Report
from artgen.engines.base import part, prefixed
from artgen.losses.metrics import decibels

PLATEAU_GAIN = 0.01
"""What counts as a gain, in dB of the PSNR, or of the loss where there is none."""


@dataclass
class Progress:
    """Where a fit is in which stage; the objects of the loop share and change it."""

    stage: int = 0
    step: int = 0
    """The step of the stage that the checkpoint was taken at."""
    offset: int = 0
    """The steps of the stages before."""
    seconds: float = 0.0
    stage_seconds: float = 0.0
    budget: float | None = None
    recoveries: int = 0
    plateau_decibels: float | None = None
    plateau_step: int = 0
    stopped_by: str = "steps"
    start: dict[str, Tensor] = field(default_factory=dict)
    """The drawing that the stage began with; empty for the first."""

    def become(self, other: Progress) -> None:
        """Take all values of another one."""
        vars(self).update(vars(other))

    def begin_stage(self, index: int, start: dict[str, Tensor]) -> None:
        """Go on to the stage of this `index`, which begins with the drawing `start`."""
        self.become(Progress(index, offset=self.offset, seconds=self.seconds, start=start))

    def note(self, report: Report) -> None:
        """Note the step of the last gain of the stage."""
        quality = decibels(report.loss) if report.psnr is None else report.psnr
        if self.plateau_decibels is None or quality > self.plateau_decibels + PLATEAU_GAIN:
            self.plateau_decibels, self.plateau_step = quality, report.step

    def state_dict(self) -> dict[str, Any]:
        """By flat names."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        return prefixed("start.", plain.pop("start")) | plain

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The opposite of `state_dict`."""
        start = part(state, "start.")
        plain = {key: value for key, value in state.items() if not key.startswith("start.")}
        self.become(Progress(**plain, start=start))
