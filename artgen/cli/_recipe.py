"""The recipes of files, and the runs that one recipe, targets and seeds ask for."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from artgen.base.errors import PluginError, UsageError
from artgen.recipe import SCHEMA, Recipe
from artgen.recipe.layers import aim, for_other_pictures
from artgen.registry import Registry
from artgen.runs import claim_file, default_stem
from artgen.runs.task import Run
from artgen.targets import stems_of


def read_recipe_file(
    path: Path,
    registry: Registry | None = None,
    *,
    anew: Collection[str] = (),
    targets: Collection[str] = (),
) -> dict[str, Any]:
    """The data of a TOML recipe, or of the one stored in an output. Raises InputError.

    With a `registry` it has the current schema if its plugin is there: an older one accepts options
    of other families, which flags must not add. Where it gets a quality, time or count `anew`, what
    it holds in full lacks the options that follow from them, and the steps that its own count had.
    For other `targets` than its own it lacks what was found in that picture.
    """
    if path.suffix.lower() == ".toml":
        recipe = Recipe.from_toml(path)
    else:
        from artgen.output import read_recipe

        recipe = Recipe.from_dict(json.loads(read_recipe(path)), where=str(path))
    if registry is not None and (anew or recipe.schema_version != SCHEMA):
        from artgen.plan import find_names, migrated

        # Where flags do not replace what is wrong with it, the run says so.
        with suppress(PluginError, UsageError):
            named = find_names(recipe, registry)
            recipe, count, basic = migrated(named), recipe.primitive.count, named.primitive()
            for index, stage in enumerate(recipe.stage if recipe.target.sha256 else ()):
                engine, follow = named.engine(stage.engine)[1], set[str]()
                if not {"quality", "time"}.isdisjoint(anew):
                    follow |= {*(engine.quality_options("best") or ()), *engine.timed_options()}
                due = count != "auto" and engine.default_steps(basic, stage.options, count)
                if stage.steps == due and not {"count", "target_bytes"}.isdisjoint(anew):
                    follow |= {"steps", "stop"}
                recipe = recipe.with_stage(index, **dict.fromkeys(follow))
    data = recipe.requested()
    own = data.get("target", {}).get("source")
    if own is None or all(own in (each, Path(each).name) for each in targets):
        return data
    return for_other_pictures(data)


def plan_runs(
    data: Mapping[str, object], targets: Mapping[str, str], seeds: Sequence[int], name: str | None
) -> list[Run]:
    """One run per target (as typed: as it is found) and seed, or one without either.

    Files of one name but for the suffix are told apart by it.

    Raises UsageError where two would write the same files.
    """
    if name is not None and len(targets) > 1:
        raise UsageError(
            f"--name {name} cannot name {len(targets)} targets",
            hint="leave it out, or run them one by one",
        )
    runs: list[Run] = []
    stems = stems_of(targets.values())
    owners: dict[str, str] = {}
    for target, source in targets.items() or ((None, None),):
        for seed in seeds or (None,):
            recipe = Recipe.from_request(aim(data, source, seed))
            stem = default_stem(recipe, stems.get(source or "")) if name is None else name
            if seed is not None:
                stem += f"-s{seed}"
            hint = "run them one by one, with --name or --out"
            claim_file(f"{stem}.png", str(target), owners, hint)
            runs.append(Run(stem, recipe, asked={"target": target, "seed": seed}))
    return runs
