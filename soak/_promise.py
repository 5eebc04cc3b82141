"""A promise, its trial, and the tally of the results."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field

__all__ = ["AREAS", "Promise", "Tally", "choose", "every_promise", "short"]

AREAS = (
    "kills",
    "outside",
    "disk",
    "files",
    "fuzz",
    "commands",
    "security",
    "pages",
    "numbers",
    "endurance",
    "compatibility",
    "versions",
)
"""The modules with a list of `PROMISES`."""


class Noticed(Exception):
    """A failure was found, and one is enough."""


@dataclass
class Tally:
    """What a trial found: how many cases were tried, what failed, and what could not be tried."""

    cases: int = 0
    failures: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)
    measurements: dict[str, str] = field(default_factory=dict)
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
    trial: Callable[..., None]
    bug: Callable[[], AbstractContextManager[object]]
    bug_text: str
    pieces: tuple[str, ...] = ()
    """What can be tried one at a time; `trial` gets the name of one as its third argument."""
    bug_piece: str = ""
    """The piece that the bug is in."""
    small_pieces: tuple[str, ...] = ()
    """The pieces of the small size, where those are not all."""

    def check(self, *, small: bool, piece: str = "") -> Tally:
        """Try it, or a piece of it."""
        tally = Tally()
        self._try(tally, small, piece)
        return tally

    def check_with_bug(self) -> Tally:
        """Run the small trial with the bug inserted, until a failure is noticed."""
        tally = Tally(first_failure=True)
        with self.bug(), suppress(Noticed):
            self._try(tally, True, self.bug_piece)
        return tally

    def _try(self, tally: Tally, small: bool, piece: str) -> None:
        if not self.pieces:
            self.trial(tally, small)
            return
        every = self.small_pieces if small and self.small_pieces else self.pieces
        for each in [piece] if piece else every:
            self.trial(tally, small, each)


def every_promise(areas: Sequence[str] = AREAS) -> list[Promise]:
    """The promises of some areas, in order."""
    modules = [importlib.import_module(f"soak.{area}") for area in areas]
    return [promise for module in modules for promise in module.PROMISES]


def choose(words: Sequence[str], *, small: bool = False) -> list[tuple[Promise, str]]:
    """Promises and the pieces of them ("" where there are none) that some words ask for.

    A word is an area, `AREA:PROMISE` or `AREA:PIECE`; names are compared as `short` gives them.
    Raises ValueError for a word that names nothing.
    """
    chosen: list[tuple[Promise, str]] = []
    for word in words or AREAS:
        area, _, name = word.partition(":")
        there = every_promise([area]) if area in AREAS else []
        found = [
            (promise, piece)
            for promise in there
            for piece in (small and not name and promise.small_pieces) or promise.pieces or ("",)
            if not name or short(name) in (promise.name, short(piece))
        ]
        if not found:
            raise ValueError(f"there is no {word}")
        chosen += [each for each in found if each not in chosen]
    return chosen


def short(name: str) -> str:
    """A name that is easy to type: `set-as-idx`."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
