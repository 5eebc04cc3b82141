"""Run all checks of what a plugin offers: as results, or as tests of pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from artgen.base.errors import PluginError
from artgen.hookspecs import PLUGIN_API as PLUGIN_API
from artgen.registry import Entry, Registry
from artgen.testing.candidate import Candidate, Offer, find_entries
from artgen.testing.families import checks_for
from artgen.testing.run_checks import Check, CheckResult, judge


def examine(entry: Entry, registry: Registry) -> Iterator[CheckResult]:
    """Load an entry of a plugin, and run all checks of its kind.

    Failures are yielded as results, never raised.
    """
    try:
        loaded = entry.load()
    except PluginError as error:
        cause = error.__cause__
        yield CheckResult(entry.name, "loads", "failed", error.message, error.hint, cause or error)
        return
    yield CheckResult(entry.name, "loads", "ok")
    offer = offer_of(entry, registry, loaded)
    for check in checks_for(offer):
        yield judge(check, offer)


def offer_of(entry: Entry, registry: Registry, loaded: Any) -> Offer:
    """Return what the checks of an entry are called with."""
    return (Candidate if entry.kind == "primitive" else Offer)(entry, registry, loaded)


def conformance(what: object) -> Callable[..., None]:
    """Make a pytest test with one case for each object that a plugin offers, and check.

    `what` is a primitive class, a plugin's module with its hooks, the path of a loose file, or the
    name of a registered primitive. Raises PluginError if it offers nothing.
    """
    import pytest

    registry, entries = find_entries(what)
    offers = [offer_of(entry, registry, entry.load()) for entry in entries]
    cases = [
        pytest.param(check, offer, id=f"{offer.name}-{check.__name__}")
        for offer in offers
        for check in checks_for(offer)
    ]

    @pytest.mark.parametrize(("check", "offer"), cases)
    def test(check: Check, offer: Offer) -> None:
        outcome = judge(check, offer)
        if outcome.status == "known":
            pytest.xfail(outcome.detail)
        if outcome.status == "skipped":
            pytest.skip(outcome.detail)
        if outcome.status == "failed":
            text = f"{outcome.detail}\nhint: {outcome.hint}"
            if outcome.error is None:
                pytest.fail(text, pytrace=False)
            # The traceback of the plugin's own error leads to its cause.
            outcome.error.add_note(text)
            raise outcome.error

    return test
