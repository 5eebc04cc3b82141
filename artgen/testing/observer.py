"""Checks of observers: they watch, and change nothing."""

from __future__ import annotations

import copy
import inspect
import io
from contextlib import redirect_stderr
from dataclasses import asdict, replace
from functools import cache

import numpy as np

from artgen.events import (
    Evaluated,
    Event,
    Finished,
    FrameTaken,
    Measured,
    Notice,
    PreviewDrawn,
    Started,
    TileFitted,
)
from artgen.testing.candidate import Offer, find_entries
from artgen.testing.drawings import fit
from artgen.testing.run_checks import Failed
from artgen.testing.side_effects import check_side_effects


def events(offer: Offer) -> str:
    """It takes every event, of pictures and of curves, whose PSNR and target are None.

    Ask `isinstance(event, artgen.events.Evaluated)`, and whether a field is None, before using it.
    """
    seen = [*_events(), *map(_of_a_curve, _events())]
    for event in seen:
        _tell(offer, event)
    return f"{len({type(event) for event in seen})} kinds of events"


def runs(offer: Offer) -> None:
    """It takes runs that are resumed, interrupted, or take turns in one process.

    Keep state by `event.run`; a run may go on from a step above 0 and end without `Finished`.
    """
    whole = _events()
    resumed = [replace(each, step=2) if isinstance(each, Started) else each for each in whole]
    for event in [*whole[:-1], *resumed, *whole]:
        _tell(offer, event)
    for event in whole:
        _tell(offer, replace(event, run="one"))
        _tell(offer, replace(event, run="other"))
    for event in reversed(whole):
        _tell(offer, replace(event, run="without a start"))


def purity(offer: Offer) -> None:
    """It changes neither the events nor their pictures, and returns nothing.

    Copy `event.pixels` and `event.recipe` before changing them.
    """
    for event in copy.deepcopy(_events()):
        before = copy.deepcopy(event)
        if (answer := _tell(offer, event)) is not None:
            raise Failed(f"{type(event).__name__}: it returns {type(answer).__name__}, not None")
        for name, value in asdict(before).items():
            found = getattr(event, name)
            same = np.array_equal(found, value) if name in ("target", "pixels") else found == value
            if not same:
                raise Failed(f"{type(event).__name__}: it changes {name}")


def result(offer: Offer) -> None:
    """It changes nothing that a fit depends on, and leaves stdout to the command.

    Use generators of your own, restore settings of torch, and print to `sys.stderr`.
    """
    with check_side_effects(offer):
        for event in _events():
            _tell(offer, event)


CHECKS = (events, runs, purity, result)


def _tell(offer: Offer, event: Event) -> object:
    """Pass an event on as pluggy does, which leaves out arguments that are not declared.

    What it says on stderr is no result of the check.
    """
    with redirect_stderr(io.StringIO()):
        return offer.loaded(*[event][: len(inspect.signature(offer.loaded).parameters)])


def _of_a_curve(event: Event) -> Event:
    if isinstance(event, Started):
        return replace(event, target=None)
    if isinstance(event, Evaluated):
        return replace(event, psnr=None)
    if isinstance(event, Finished):
        return replace(event, summary={**event.summary, "psnr": None})
    return event


@cache
def _events() -> list[Event]:
    """Return the events of a short fit, and those that it did not have."""
    table, alone = {"name": "gaussian", "count": 3}, {"device": "cpu", "threads": 1}
    tables = {"primitive": table, "stage": [{"steps": 4}], "run": {**alone, "backend": "eager"}}
    seen: list[Event] = []
    fit(find_entries("gaussian")[0], tables, observers=[seen.append])
    pixels = np.zeros((8, 12, 3), np.uint8)
    name = seen[0].run
    more = [Measured(name, 1, {}), FrameTaken(name, 2), PreviewDrawn(name, 2, pixels)]
    more += [Notice(name, "a notice"), TileFitted(name, 3, 4, 1, 2, 20.0, 0.1)]
    return [*seen[:1], *more, *seen[1:]]
