"""`artgen fit --dry-run`: complete recipes, and what their runs would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from artgen.cli._console import print_json, say
from artgen.cli._flags import Common
from artgen.events import Event, Notice
from artgen.plan.origins import annotated, find_origins
from artgen.registry import Registry
from artgen.runs import Estimate, estimate, output_paths
from artgen.runs.task import Run


def print_estimates(
    runs: Sequence[Run], registry: Registry, common: Common, told: Mapping[str, str] | None
) -> None:
    """Print the recipe of every run on stdout, as TOML with the estimates as comments, or as JSON.

    Where the origins of what was asked for are `told`, those of all values are printed too.

    Raises what would end the first run that cannot begin.
    """

    def observe(event: Event) -> None:
        if isinstance(event, Notice) and not common.quiet:
            say(f"{event.level}: {event.message}")

    shown: list[dict[str, object]] = []
    for run in runs:
        found = estimate(
            run.recipe, registry, name=run.stem, search=run.search, video=run.video, observe=observe
        )
        recipe = found.recipe
        paths = output_paths(run.place, run.stem, recipe, run.video)
        text = recipe.to_toml()
        origins: dict[str, object] = {}
        if told is not None:
            said = find_origins(recipe, told, registry, other="chosen by the run")
            text, origins = annotated(recipe, said), {"origins": said}
        if not common.as_json:
            print(_facts(found, run.stem, paths) + text, flush=True)
        left_out = {"folder"} if recipe.output.video else {"folder", "video"}
        shown.append(
            {
                **{key: value for key, value in vars(found).items() if key != "recipe"},
                "outputs": {kind: paths[kind] for kind in paths if kind not in left_out},
                "recipe": recipe.to_dict(),
                **origins,
            }
        )
    if common.as_json:
        print_json(shown[0] if len(shown) == 1 else {"runs": shown})


def _facts(found: Estimate, stem: str, paths: Mapping[str, Path]) -> str:
    facts = [f"{stem}: an estimate"]
    if found.seconds is None:
        facts = [f"{stem}: of {found.recipe.run_kind or 'a clip'}, nothing is estimated"]
    else:
        facts.append(f"time of fitting: {found.seconds:.3g} s")
    if found.memory is not None:
        facts.append(f"memory: {found.memory / 1e6:,.0f} MB")
    sizes = {"art": found.art_bytes, "still": found.still_bytes, "video": found.video_bytes}
    facts += [f"{paths[kind].name}: {size:,} bytes" for kind, size in sizes.items() if size]
    if found.focus:
        facts += ["the focus:", *found.focus.split("\n")]
    return "".join(f"# {fact}".rstrip() + "\n" for fact in facts)
