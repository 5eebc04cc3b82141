"""A promise, how it is tried, and the count of what came of that."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field

__all__ = ["AREAS", "Promise", "Tally", "every_promise", "find_promise"]

AREAS = ("kills", "disk", "files", "security", "numbers", "endurance", "compatibility")
"""The modules with a list of `PROMISES`."""


class Noticed(Exception):
    """A failure was found, and one is enough."""


@dataclass
class Tally:
    """What a trial found: how many cases were tried, what failed, and what could not be tried."""

    cases: int = 0
    failures: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)
    """What was measured on the way."""
    first_failure: bool = False
    """Whether the first failure ends the trial."""

    def case(self, name: str, *problems: str | None) -> None:
        """Count one case; it failed for every problem that is not None."""
        self.add(1, [f"{name}: {problem}" for problem in problems if problem])

    def add(self, cases: int, failures: Sequence[str]) -> None:
        """Count several cases and what failed in them."""
        self.cases += cases
        self.failures += failures
        if self.first_failure and self.failures:
            raise Noticed


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
        """Try it in the small size with the bug put in, until that is noticed."""
        tally = Tally(first_failure=True)
        with self.bug(), suppress(Noticed):
            self.trial(tally, True)
        return tally


def every_promise(areas: Sequence[str] = AREAS) -> list[Promise]:
    """The promises of some areas, in order."""
    modules = [importlib.import_module(f"soak.{area}") for area in areas]
    return [promise for module in modules for promise in module.PROMISES]


def find_promise(name: str) -> Promise:
    """The promise called `name`."""
    return next(promise for promise in every_promise() if promise.name == name)
