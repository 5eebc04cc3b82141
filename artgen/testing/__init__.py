"""The conformance kit: does a primitive keep the contract that the framework relies on?

In the tests of a plugin, two lines make a test of every check::

    from artgen.testing import conformance

    test_petal = conformance(Petal)

`artgen plugins check` runs the same from the command line. A check proves one thing and says what
to do when it fails. What a primitive cannot keep, and why, it declares itself::

    class Petal(Splat):
        known_deviations = {"compiled": "it looks its outline up in a table"}

That is then expected: it is an error when the check passes after all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from artgen.errors import PluginError
from artgen.registry import Entry, Registry
from artgen.testing._families import checks_of
from artgen.testing._judging import Check, Failed, Outcome, advice, claim, judge
from artgen.testing._subject import Subject, find_entries

__all__ = [
    "Check",
    "Failed",
    "Outcome",
    "Subject",
    "advice",
    "checks_of",
    "claim",
    "conformance",
    "examine",
    "judge",
]


def examine(entry: Entry, registry: Registry) -> Iterator[Outcome]:
    """Load what a plugin offers and, if it is a primitive, run all checks of its family.

    Never raises for what they find.
    """
    try:
        loaded = entry.load()
    except PluginError as error:
        cause = error.__cause__
        yield Outcome(entry.name, "loads", "failed", error.message, error.hint, cause or error)
        return
    yield Outcome(entry.name, "loads", "ok")
    if entry.kind == "primitive":
        subject = Subject(entry, registry, loaded)
        for check in checks_of(subject.cls):
            yield judge(check, subject)


def conformance(what: Any) -> Callable[..., None]:
    """A pytest test with one case per primitive and check.

    `what` is a primitive class, a plugin's module with its hooks, the path of a loose file, or the
    name of a registered primitive. Raises PluginError where that offers no primitive.
    """
    import pytest

    registry, entries = find_entries(what)
    subjects = [Subject(entry, registry, entry.load()) for entry in entries]
    cases = [
        pytest.param(check, subject, id=f"{subject.name}-{check.__name__}")
        for subject in subjects
        for check in checks_of(subject.cls)
    ]

    @pytest.mark.parametrize(("check", "subject"), cases)
    def test(check: Check, subject: Subject) -> None:
        outcome = judge(check, subject)
        if outcome.status == "known":
            pytest.xfail(outcome.detail)
        if outcome.status == "skipped":
            pytest.skip(outcome.detail)
        if outcome.status == "failed":
            text = f"{outcome.detail}\nhint: {outcome.hint}"
            if outcome.error is None:
                pytest.fail(text, pytrace=False)
            # Its own traceback leads to where it went wrong.
            outcome.error.add_note(text)
            raise outcome.error

    return test
