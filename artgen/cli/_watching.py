"""`artgen fit --watch`: a small preview of a plugin after every save."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from artgen.base.errors import UsageError
from artgen.cli._console import print_error, say
from artgen.cli._flags import Common
from artgen.cli._progress import progress
from artgen.live import Live, SavedFiles, watch
from artgen.live.controls import Controls
from artgen.plan import find_names
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import run
from artgen.tasks import graceful_signals

SIZE = 192
"""Default long side of a preview, in pixels."""
SECONDS = 5.0
"""Default duration of the fit of a preview."""


def watch_plugins(asked: Recipe, search: Sequence[Path], common: Common, *, port: int) -> int:
    """Fit the recipe `asked` for with the plugins in files, again after every save of one.

    Returns 0 when the user ends watching. Raises UsageError if there is no file.
    """
    files = common.plugin or ()
    if not files:
        raise UsageError("--watch needs a file to watch", hint="add --plugin FILE.py")
    saved = SavedFiles(files)
    controls = Controls(asked, saved)

    def preview() -> None:
        controls.end_check()
        registry = Registry(files=files)
        recipe = _small(asked, registry, files)
        cls = find_names(recipe, registry).primitive
        recipe = controls.recipe(recipe, cls)
        controls.show(live.board, cls(recipe.primitive.options, preset=recipe.primitive.preset))
        with progress(registry, common) as story:
            outcome = run(recipe, registry, search=search, observers=[story, live], control=saved)
        if saved.stop_requested:
            return
        if outcome.error is not None:
            raise outcome.error
        controls.check(live.board, files[-1])

    with Live(saved, controls.change, port=port) as live, ExitStack() as ended:
        ended.callback(controls.end_check)
        say(f"live: {live.address}")
        with graceful_signals(saved):
            watch(saved, live, preview, lambda error: print_error(error, verbose=common.verbose))
    return 0


def _small(recipe: Recipe, registry: Registry, files: Sequence[Path]) -> Recipe:
    """The recipe of a preview: small and short, of the primitive in the last file."""
    offered = [e for e in registry.offered_by(files[-1]) if e.kind == "primitive"]
    if "name" not in recipe.primitive.asked and offered:
        recipe = recipe.with_primitive(name=registry.spelling(offered[0]))
    for index, stage in enumerate(recipe.stage):
        if stage.steps is None and stage.time is None:
            recipe = recipe.with_stage(index, time=SECONDS)
    # Pictures of a set are small already, and all of them would be brought to that size.
    if recipe.target.size or "set" in find_names(recipe, registry).primitive.targets:
        return recipe
    return recipe.with_target(size=SIZE)
