"""Checks of kinds of run: recipes are complete, runs repeat themselves, stop and go on."""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from artgen.base.errors import Interrupted, UsageError
from artgen.events import Advanced, Event
from artgen.recipe import Recipe
from artgen.runs import Asked, run
from artgen.runs.kind import Estimate, find_kind
from artgen.tasks import RunControl
from artgen.testing.candidate import Offer
from artgen.testing.run_checks import Failed, basic, schema
from artgen.testing.side_effects import check_side_effects

_TARGETS = {
    "a picture": ({"source": "sample:coffee", "size": 24}, {"name": "gaussian", "count": 20}),
    "a clip": ({"source": "sample:clip-balls?n=2", "size": 24}, {"name": "gaussian", "count": 20}),
    "samples": ({"source": "curve:sin(x)"}, {"name": "mlp"}),
    "a set": ({"source": "sample:digits?n=60"}, {"name": "autoencoder"}),
}
"""Targets and what is fitted to them; the first that a kind takes is tried.

The thousand parts that are the default would take seconds, and show no more of a kind.
"""


@basic
def takes(offer: Offer) -> str:
    """It takes a picture, a clip, samples or a set, and a run writes a still and an `.art` file.

    Yield an `artgen.runs.Reason` for recipes that it does not take; return an artgen.runs.Fitted.
    """
    _whole(offer)
    return _taken(offer)[0]


def complete(offer: Offer) -> None:
    """The recipe of its job has all options, and an estimate is an `artgen.runs.Estimate`.

    Make the job by `self.with_options(recipe)`, as `artgen.runs.PictureRun.prepare` does.
    """
    asked = Asked(_taken(offer)[1], offer.registry)
    with closing(find_kind(asked)) as kind:
        job = kind.prepare()
        table = job.recipe.kind
        if table is not None and table.options != asdict(kind.options):
            raise Failed(f"the recipe of the job has {table.options}", offer.loaded.prepare)
        if not isinstance(kind.estimate(job, []), Estimate):
            raise Failed("estimate gives no artgen.runs.Estimate", offer.loaded.estimate)


def again(offer: Offer) -> None:
    """The same recipe gives the same still and `.art` file, and nothing else changes.

    Take random numbers from generators that the seed of the recipe starts.
    """
    first, _ = _whole(offer)
    with check_side_effects(offer):
        second = _files(offer, _taken(offer)[1])
    for kind in first:
        if first[kind] != second[kind]:
            raise Failed(f"the {kind} of a second run differs", offer.loaded.fit)


def steps(offer: Offer) -> str:
    """It says how far it is: events `Advanced`, whose steps rise up to `total_steps`.

    Emit them by `self.context.emit`, and set `total_steps` in `begin`.
    """
    _, seen = _whole(offer)
    steps = [(event.step, event.total_steps) for event in seen if isinstance(event, Advanced)]
    if not steps or steps != sorted(steps) or any(step > total for step, total in steps):
        raise Failed(f"it says {steps}: steps of how many", offer.loaded.fit)
    return f"{len(steps)} events"


def resume(offer: Offer) -> str:
    """A run that is stopped and resumed gives the same still and `.art` file.

    Keep in the folder of the run what `resume` needs, or start again there.
    """
    recipe, control = _taken(offer)[1], RunControl()
    whole, _ = _whole(offer)

    def stop(event: Event) -> None:
        if isinstance(event, Advanced):
            control.request_stop()

    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {"out": Path(folder), "name": "run"}
        try:
            stopped = run(recipe, offer.registry, observers=[stop], control=control, **options)
        except Interrupted:
            return "it keeps nothing of a run that is stopped at once"
        if stopped.error is None:
            return "it ends before it can be stopped"
        if not isinstance(stopped.error, Interrupted):
            raise stopped.error
        result = run(recipe, offer.registry, resume=True, **options)
        if whole != _contents(result.summary):
            raise Failed("a run that was resumed differs", offer.loaded.resume)
    return ""


CHECKS = (schema, takes, complete, steps, again, resume)


def _whole(offer: Offer) -> tuple[dict[str, bytes], list[Event]]:
    """The files of an undisturbed run, and its events."""

    def made() -> tuple[dict[str, bytes], list[Event]]:
        seen = list[Event]()
        return _files(offer, _taken(offer)[1], observers=[seen.append]), seen

    return offer.once(_whole, made)


def _taken(offer: Offer) -> tuple[str, Recipe]:
    """What of `_TARGETS` it takes, and a recipe for that. Raises Failed."""
    # artgen's own are found by the target, or by a table of theirs.
    own = offer.entry.plugin.origin == "built-in"
    tables: dict[str, object] = {name: {} for name in offer.loaded.tables}
    named = tables if own else {"kind": {"name": offer.registry.spelling(offer.entry)}}
    refused = []
    for what, (target, primitive) in _TARGETS.items():
        recipe = Recipe.from_dict(
            {
                "seed": 3,
                "target": target,
                "primitive": primitive,
                "stage": [{"steps": 12}],
                "output": {"video": False, "history": 0},
                "run": {"device": "cpu", "backend": "eager", "threads": 1, "arithmetic": "fp32"},
                **named,
            }
        )
        try:
            with closing(find_kind(Asked(recipe, offer.registry))) as kind:
                if type(kind) is offer.loaded:
                    kind.prepare()
                    return what, recipe
        except UsageError as error:
            refused.append(f"{what}: {error.message}")
    raise Failed("; ".join(refused), offer.loaded.reasons_against)


def _files(offer: Offer, recipe: Recipe, **options: Any) -> dict[str, bytes]:
    """The still and the `.art` file of a run."""
    with tempfile.TemporaryDirectory() as folder:
        result = run(recipe, offer.registry, out=Path(folder), name="run", **options)
        result.require_art()
        return _contents(result.summary)


def _contents(summary: dict[str, Any]) -> dict[str, bytes]:
    return {kind: Path(summary["outputs"][kind]).read_bytes() for kind in ("still", "art")}
