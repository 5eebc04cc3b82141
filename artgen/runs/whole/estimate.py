"""What a run would take, without running it: a rehearsal, and the sizes of its files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from artgen.base.faults import plugin_code
from artgen.base.waiting import listening
from artgen.events import Observer
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs.context import RunContext
from artgen.runs.device import threads
from artgen.runs.kind import Asked, Estimate, find_kind
from artgen.runs.memory import keep_freed_memory
from artgen.runs.paths import default_stem
from artgen.runs.tiles.choose import with_fitting_size
from artgen.runs.whole.run import announce_work


@plugin_code()
def estimate(
    recipe: Recipe,
    registry: Registry,
    *,
    name: str | None = None,
    search: Sequence[Path] = (Path(),),
    observe: Observer = lambda event: None,
) -> Estimate:
    """Prepare a run and rehearse its stages, for some seconds each. Raises as `run` does."""
    context = RunContext(name or default_stem(recipe), observe)
    keep_freed_memory()
    compiled = list[str]()
    announce = announce_work(observe, context.name, compiled)
    with threads(recipe.run.threads) as number, listening(announce):
        recipe, note = with_fitting_size(recipe, registry, search)
        if note is not None:
            context.notify(note, "note")
        asked = Asked(recipe, registry, context, search=search, threads=number)
        with closing(find_kind(asked)) as kind:
            job = kind.prepare()
            for note in job.notes:
                context.notify(note, "note")
            return kind.estimate(job, compiled)
