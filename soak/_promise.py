"""A promise, how it is tried, and the count of what came of that."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

__all__ = ["AREAS", "Promise", "Tally", "every_promise", "find_promise"]

AREAS = ("kills", "disk", "files", "security", "numbers", "endurance", "compatibility")
"""The modules with a list of `PROMISES`."""


@dataclass
class Tally:
    """What a trial found: how many cases were tried, what failed, and what could not be tried."""

    cases: int = 0
    failures: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)
    """What was measured on the way."""

    def case(self, name: str, *problems: str | None) -> None:
        """Count one case; it failed for every problem that is not None."""
        self.cases += 1
        self.failures += [f"{name}: {problem}" for problem in problems if problem]


@dataclass(frozen=True)
class Promise:
    """`text` is what a user may rely on, `how` the way it is tried.

    `trial` fills a tally, in seconds where its second argument (small) is true. `bug` breaks the
    promise inside of its block, as `bug_text` says.
    """

    name: str
    text: str
    how: str
    trial: Callable[[Tally, bool], None]
    bug: Callable[[], AbstractContextManager[object]]
    bug_text: str

    def check(self, *, small: bool) -> Tally:
        """Try it."""
        tally = Tally()
        self.trial(tally, small)
        return tally

    def check_with_bug(self) -> Tally:
        """Try it in the small size with the bug put in."""
        tally = Tally()
        with self.bug():
            self.trial(tally, True)
        return tally


def every_promise(areas: Sequence[str] = AREAS) -> list[Promise]:
    """The promises of some areas, in order."""
    modules = [importlib.import_module(f"soak.{area}") for area in areas]
    return [promise for module in modules for promise in module.PROMISES]


def find_promise(name: str) -> Promise:
    """The promise called `name`."""
    return next(promise for promise in every_promise() if promise.name == name)
