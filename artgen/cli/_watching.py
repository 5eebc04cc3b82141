"""`artgen fit --watch`: small previews of a plugin that is being written, one after every save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from artgen.cli._console import print_error, say
from artgen.cli._progress import progress
from artgen.errors import UsageError
from artgen.live import Live, SavedFiles, watch
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.resolve import find_primitive
from artgen.runner import graceful_signals, run

__all__ = ["watch_plugins"]

SIZE = 192
"""The long side of a preview, in pixels, unless another is asked for."""
SECONDS = 5.0
"""How long a preview learns, unless something else is asked for."""


def watch_plugins(
    files: Sequence[Path],
    asked: Mapping[str, Any],
    search: Sequence[Path],
    *,
    quiet: bool,
    verbose: bool,
) -> int:
    """Fit what the recipe `asked` for, with the plugins in `files`, after every save of one.

    Returns 0 when the user ends it. Raises UsageError where there is nothing to watch.
    """
    if not files:
        raise UsageError("--watch has no file to watch", hint="add --plugin FILE.py")
    saved = SavedFiles(files)

    def preview() -> None:
        registry = Registry(files=files)
        recipe = _small(asked, registry, files)
        with progress(registry, quiet=quiet, verbose=verbose) as observers:
            outcome = run(
                recipe,
                registry,
                search=search,
                observers=[*observers, live],
                interruption=saved,
            )
        if outcome.error is not None and not saved.requested:
            raise outcome.error

    with Live(saved) as live:
        say(f"live: {live.address}")
        with graceful_signals(saved):
            watch(saved, live, preview, lambda error: print_error(error, verbose=verbose))
    return 0


def _small(asked: Mapping[str, Any], registry: Registry, files: Sequence[Path]) -> Recipe:
    """The recipe of a preview: small and short, of the primitive in the last file."""
    data = {**asked}
    primitive, target = dict(asked.get("primitive", {})), dict(asked.get("target", {}))
    offered = [e for e in registry.offered_by(files[-1]) if e.kind == "primitive"]
    if "name" not in primitive and offered:
        primitive["name"] = registry.spelling(offered[0])
    stages = [dict(stage) for stage in asked.get("stage", [{}])]
    for stage in stages:
        if not {"steps", "time"} & stage.keys():
            stage["time"] = SECONDS
    data |= {"primitive": primitive, "target": target, "stage": stages}
    recipe = Recipe().updated(data)
    # Pictures of a set are small already, and all of them would be brought to that size.
    if "size" in target or "set" in find_primitive(recipe, registry).load().targets:
        return recipe
    return recipe.updated({"target": {"size": SIZE}})
