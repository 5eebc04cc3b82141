"""What an executor is, and the simplest one.

Work is a function of a module, called with a task, whoever is told of its events, and what may ask
it to stop.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias, TypeVar

from artgen.errors import ArtgenError
from artgen.events import Advanced, Evaluated, Event, Finished, Notice, Observer, Started
from artgen.runner import Interruption, Task

__all__ = ["Executor", "Here", "Told", "Work", "portable", "share_of_gpu"]

T = TypeVar("T")
R = TypeVar("R")
TaskT = TypeVar("TaskT", bound="Task")

Work: TypeAlias = Callable[[T, Observer, Interruption], R]

OFTEN = 0.2
"""At most once in so many seconds others are told how far a run is."""


class Executor(Protocol):
    """Carries out work."""

    def run(
        self,
        work: Work[TaskT, R],
        tasks: Sequence[TaskT],
        observe: Observer,
        interruption: Interruption,
    ) -> Iterator[tuple[TaskT, R | Exception]]:
        """Every task with its result, or with the exception that it ended with.

        `observe` hears of the runs' events. Once `interruption` is requested no task is begun;
        those that were not are left out, and those that run are asked to come to an end.
        """
        ...


class Here:
    """One after the other in this process."""

    def run(
        self,
        work: Work[TaskT, R],
        tasks: Sequence[TaskT],
        observe: Observer,
        interruption: Interruption,
    ) -> Iterator[tuple[TaskT, R | Exception]]:
        """In the order of the tasks."""
        for task in tasks:
            if interruption.requested:
                return
            try:
                yield task, work(task, observe, interruption)
            except Exception as error:
                yield task, error


class Told:
    """An observer that passes on what others show of a run: no pictures, and not every step."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self.tell = tell
        self.next = 0.0

    def __call__(self, event: Event) -> None:
        """Pass it on, or not."""
        match event:
            case Started():
                self.tell(replace(event, target=None))
            case Advanced():
                if time.monotonic() >= self.next:
                    self.next = time.monotonic() + OFTEN
                    self.tell(event)
            case Evaluated() | Notice() | Finished():
                self.tell(event)


def portable(error: Exception) -> Exception:
    """The error as it can be sent to another process, with where it came from as a note."""
    import pickle

    trace = "".join(traceback.format_exception(error)).rstrip()
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = ArtgenError(f"{type(error).__name__}: {error}")
    error.add_note(f"It was raised in another process:\n{trace}")
    return error


def share_of_gpu(asked: float | None, device: str) -> float:
    """The graphics processors of a run on `device`: what was `asked`, else 1 for ``cuda``."""
    if asked is not None:
        return asked
    return 1.0 if device.startswith("cuda") else 0.0
