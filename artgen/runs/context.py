"""Who hears of a run and who controls it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

from artgen.events import Notice, Observer
from artgen.tasks import RunControl


@dataclass(frozen=True, eq=False)
class RunContext:
    """`emit` is called with the events of the run called `name`, which `control` ends.

    `began` is when somebody began to wait for it, by `time.monotonic`.
    """

    name: str = ""
    emit: Observer = lambda event: None
    control: RunControl = field(default_factory=RunControl)
    began: float = field(default_factory=time.monotonic)

    def notify(self, message: str, level: Literal["warning", "note"] = "warning") -> None:
        """Tell those who hear of the run."""
        self.emit(Notice(self.name, message, level=level))
