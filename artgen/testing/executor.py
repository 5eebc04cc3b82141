"""Checks of executors: every task comes back once, and none begins after a stop."""

from __future__ import annotations

from artgen.base.errors import UsageError
from artgen.recipe import Recipe
from artgen.tasks import Executor, RunControl, Task
from artgen.testing.candidate import Offer
from artgen.testing.run_checks import Failed, Lacking


def number(task: Task, observe: object, control: RunControl) -> int:
    """The work: to read the number that is the name of the task."""
    return int(task.stem)


def tasks(offer: Offer) -> None:
    """Every task comes back once, with its result or its exception, and none begins after a stop.

    Yield `(task, work(task, observe, control))`, or `(task, error)` where that raises. Look at
    `control.stop_requested` before each.
    """
    recipe, control = Recipe.from_dict({}), RunControl()
    try:
        executor: Executor = offer.loaded(offer.name, None, None, [recipe], offer.registry)
    except UsageError as error:
        raise Lacking(f"a place that it reaches: {error.message}") from None
    some = [Task(stem, recipe) for stem in ("7", "seven")]
    for when, wanted in (("", {"7": "7", "seven": "ValueError"}), ("after a stop ", {})):
        with executor.session(number, tasks=len(some)):
            ended = [(task.stem, each) for task, each in executor.run(number, some, print, control)]
        found = {stem: str(each) if each == 7 else type(each).__name__ for stem, each in ended}
        if found != wanted or len(ended) > len(found):
            raise Failed(f"{when}the tasks 7 and seven come back as {ended}", type(executor).run)
        control.request_stop()


CHECKS = (tasks,)
