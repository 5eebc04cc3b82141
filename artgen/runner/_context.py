"""What every kind of run needs: its job, and who hears of it and controls it."""

from __future__ import annotations

from dataclasses import dataclass, field

from artgen.events import Event, Observer
from artgen.runner._prepare import Job
from artgen.tasks import RunControl


def _ignore(event: Event) -> None:
    """Observe nothing."""


@dataclass(frozen=True, eq=False)
class RunContext:
    """A job, and how it is run: `emit` is called with the events of the run called `name`."""

    job: Job
    name: str = ""
    emit: Observer = _ignore
    control: RunControl = field(default_factory=RunControl)
