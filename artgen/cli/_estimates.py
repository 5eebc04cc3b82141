"""`artgen fit --dry-run`: complete recipes, and what their runs would take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from artgen.batch import Run
from artgen.cli._console import print_json, say
from artgen.cli._flags import Common
from artgen.events import Event, Notice
from artgen.registry import Registry
from artgen.runner import Estimate, estimate, output_paths


def print_estimates(
    runs: Sequence[Run], registry: Registry, search: Sequence[Path], common: Common, out: Path
) -> None:
    """Print the recipe of every run on stdout, as TOML with the estimates as comments, or as JSON.

    Raises what would end the first run that cannot begin.
    """

    def observe(event: Event) -> None:
        if isinstance(event, Notice) and not common.quiet:
            say(f"{event.level}: {event.message}")

    shown = []
    for run in runs:
        found = estimate(run.recipe, registry, name=run.stem, search=search, observe=observe)
        if not common.as_json:
            print(_to_toml(found, run.stem), flush=True)
        paths = output_paths(out, run.stem, found.recipe)
        if not found.recipe.output.video:
            del paths["video"]
        shown.append(
            {
                "seconds": found.seconds,
                "memory": found.memory,
                "art_bytes": found.art_bytes,
                "still_bytes": found.still_bytes,
                "video_bytes": found.video_bytes,
                "outputs": {kind: str(path) for kind, path in paths.items() if kind != "folder"},
                "recipe": found.recipe.to_dict(),
            }
        )
    if common.as_json:
        result: dict[str, Any] = shown[0] if len(shown) == 1 else {"runs": shown}
        print_json(result)


def _to_toml(found: Estimate, stem: str) -> str:
    facts = [f"{stem}: an estimate"]
    if found.seconds is None:
        facts = [f"{stem}: of a clip, nothing is estimated"]
    else:
        facts.append(f"time of fitting: {found.seconds:.3g} s")
    if found.memory is not None:
        facts.append(f"memory: {found.memory / 1e6:,.0f} MB")
    if found.art_bytes is not None:
        facts.append(f"{stem}.art: {found.art_bytes:,} bytes")
    if found.still_bytes is not None:
        facts.append(f"{stem}.png: {found.still_bytes:,} bytes")
    if found.video_bytes is not None:
        name = f"{stem}.{found.recipe.output.video_format}"
        facts.append(f"{name}: {found.video_bytes:,} bytes")
    return "".join(f"# {fact}\n" for fact in facts) + found.recipe.to_toml()
