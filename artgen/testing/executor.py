"""Checks of executors: every task comes back once, and none begins after a stop."""

from __future__ import annotations

import io
from contextlib import redirect_stderr

from artgen.base.errors import UsageError
from artgen.recipe import Recipe
from artgen.tasks import Executor, RunControl, Task
from artgen.testing.candidate import Offer
from artgen.testing.run_checks import Failed, Lacking


def read(task: Task, observe: object, control: RunControl) -> int:
    """The work: to read the number that is the name of the task."""
    return int(task.stem)


def tasks(offer: Offer) -> None:
    """Every task comes back once, with its result or its exception, and none begins after a stop.

    Yield `(task, work(task, observe, control))`, or `(task, error)` where that raises. Look at
    `control.stop_requested` before each.
    """
    recipe, control, hear = Recipe.from_dict({}), RunControl(), list[object]().append
    some = [Task(stem, recipe) for stem in ("7", "seven")]
    try:
        executor: Executor = offer.loaded(offer.name, None, None, [recipe], offer.registry)
        # It may say on stderr what it does, which is no result of the check.
        with redirect_stderr(io.StringIO()), executor.session(read, tasks=len(some)):
            for when, wanted in (("", "7: int, seven: ValueError"), ("after a stop ", "")):
                ended = executor.run(read, some, hear, control)
                found = sorted(f"{task.stem}: {type(each).__name__}" for task, each in ended)
                if ", ".join(found) != wanted:
                    raise Failed(f"{when}tasks 7, seven come back as {found}", type(executor).run)
                control.request_stop()
    # A library, an address or a cluster may be missing here.
    except UsageError as error:
        raise Lacking(f"a place that it reaches: {error.message}") from None


CHECKS = (tasks,)
