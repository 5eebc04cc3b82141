"""Tasks of a run that may be carried out elsewhere: scenes of a clip, tiles of a picture."""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from artgen.base.errors import Interrupted
from artgen.events import Advanced, Evaluated, Event, Notice
from artgen.runs.context import RunContext
from artgen.tasks import Executor, Task


@dataclass(frozen=True)
class Elsewhere:
    """Where tasks are carried out, such as those of a run if not here one after the other.

    Each takes as many processors as the recipe has threads, and `gpus` graphics processors (None:
    see `share_of_gpu`); `plugins` are loose files.
    """

    executor: Executor
    plugins: Sequence[Path] = ()
    gpus: float | None = None

    def processors(self, threads: int) -> int:
        """Those that fits with `threads` each keep busy; all of this machine without a number."""
        number = self.executor.number
        return (os.cpu_count() or 1) if number is None else number * threads


def taken_by_task(elsewhere: Elsewhere | None, threads: int | None) -> dict[str, Any]:
    """The fields of a `Task` that say what it takes."""
    if elsewhere is None:
        return {"cpus": threads or 1}
    plugins = tuple(path.absolute() for path in elsewhere.plugins)
    return {"cpus": threads or 1, "plugins": plugins, "gpus": elsewhere.gpus or 0.0}


@dataclass(frozen=True, kw_only=True)
class Returned:
    """The result of a task; `files` are those of its folder, if they were to be returned."""

    files: Mapping[str, bytes] = field(default_factory=dict)


TaskT = TypeVar("TaskT", bound=Task)
R = TypeVar("R", bound=Returned)


def gathered(results: Iterable[tuple[TaskT, R | Exception]]) -> Iterator[tuple[TaskT, R]]:
    """Yield tasks with their results, whose files are written; leave out those interrupted.

    In the end this raises what ended the first that failed.
    """
    failures = []
    for task, result in results:
        if isinstance(result, Exception):
            if not isinstance(result, Interrupted):
                failures.append(result)
            continue
        for name, data in result.files.items():
            task.keep(name, data)
        yield task, result
    if failures:
        raise failures[0]


def nothing_saved() -> Interrupted:
    """The error of a run that was interrupted before the first of its tasks gave anything."""
    return Interrupted("interrupted before anything could be saved", hint="continue with --resume")


class StepSum:
    """Adds up the steps of tasks that run at the same time: those of each would be in no order.

    It observes the tasks, and passes their steps and their notices on as those of the run of
    `context`, which `began` then, by `time.perf_counter`. `starts` are the numbers of steps before
    each task; those before the first are counted. All are `total_steps`, and what tasks find that
    they take more than that.
    """

    def __init__(
        self, context: RunContext, starts: Iterable[int], total_steps: int, began: float
    ) -> None:
        self._context, self._began, self._total = context, began, total_steps
        self._starts = sorted(starts)
        self._done, self._more = (dict.fromkeys(self._starts, 0) for _ in range(2))
        self.sum = self._starts[0] if self._starts else 0

    def __call__(self, event: Event) -> None:
        """Pass an event on; a task counts its steps from its own start."""
        run, seconds = self._context.name, time.perf_counter() - self._began
        if isinstance(event, Notice):
            self._context.emit(replace(event, run=run))
        elif isinstance(event, Advanced | Evaluated):
            # What is judged where a task begins says nothing of the one that ends there.
            if isinstance(event, Advanced) or event.step not in self._done:
                start = self._starts[max(0, bisect_left(self._starts, event.step) - 1)]
                more = max(0, event.step - start - self._done[start])
                self._done[start] += more
                self.sum += more
                self._more[start] = event.total_steps - self._total
            total = self._total + sum(self._more.values())
            self._context.emit(
                replace(event, run=run, step=self.sum, total_steps=total, seconds=seconds)
            )
