"""From flags to the recipes of runs: flags are laid over the data of a recipe.

The data has the form of a recipe file and holds only what was asked for, in a file or by a flag; a
resumed run must agree with exactly that.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from artgen.batch import Run
from artgen.errors import PluginError, UsageError
from artgen.options import parse_value
from artgen.recipe import MOST_PARTS, SCHEMA, SIZE_KEYS, PrimitiveTable, Recipe, Stage
from artgen.runner import default_stem

if TYPE_CHECKING:
    from artgen.registry import Registry


N = TypeVar("N", int, float)

MOST_SEEDS = 1000

_FLAG_OF_PRIMITIVE = {
    "name": "--primitive",
    "count": "--count",
    "target_bytes": "--target-bytes",
    "parameter_bytes": "--target-bytes",
    "plugin": "--plugin",
}
_FLAG_OF_STAGE = {key: f"--{key.replace('_', '-')}" for key in Stage.model_fields}
_BUDGET = ("steps", "time", "stop", "replanned", "evaluations", "quality")


def read_recipe_file(path: Path, registry: Registry | None = None) -> dict[str, Any]:
    """The data of a TOML recipe, or of the one stored in an output. Raises InputError.

    With a `registry` it has the current schema if its plugin is there: an older one accepts options
    of other families, which flags must not add.
    """
    if path.suffix.lower() == ".toml":
        recipe = Recipe.from_toml(path)
    else:
        from artgen.output import read_recipe

        recipe = Recipe.from_dict(json.loads(read_recipe(path)), where=str(path))
    if registry is not None and recipe.schema_version != SCHEMA:
        from artgen.resolve import migrated

        # Where flags do not replace what is wrong with it, the run says so.
        with suppress(PluginError, UsageError):
            recipe = migrated(recipe, registry)
    return recipe.requested()


def start_from(
    base: Mapping[str, Any], art: Mapping[str, Any], primitive: str | None
) -> dict[str, Any]:
    """The data with what `--init` adds: the target, and the primitive unless another is asked for.

    `art` is the data of the drawing's own recipe, `primitive` the value of `-p`.
    """
    data = {"target": art.get("target", {}), **base}
    own = base.get("primitive", {})
    asked = primitive or own.get("name")
    if asked in (None, art.get("primitive", {}).get("name")):
        data["primitive"] = {**art.get("primitive", {}), **own}
    return data


def lay_over(
    base: Mapping[str, Any],
    tables: Mapping[str, Any],
    stages: Mapping[str, Any],
    settings: Sequence[str] = (),
) -> dict[str, Any]:
    """`base` with the flags over it.

    `tables` has a recipe's form, with None for flags that were not given; `stages` has the values
    of `--engine`, `--steps`, `--time`, `--loss` (texts, with commas between stages),
    `--target-psnr` and `--plateau` (of the last stage), `--quality` and `--polish`; `settings` are
    the texts after `--set`.

    Another primitive or preset leaves behind what belonged to the one before: its count, its
    options, those of the engines, the drawing to start from.
    """
    options, engine_options, of_tables = _split_settings(settings)
    data, before = dict(base), dict(base.get("primitive", {}))
    stages_before = [dict(stage) for stage in base.get("stage", ())]
    primitive = {**_given(tables.get("primitive", {})), **options}
    name, preset = before.get("name", PrimitiveTable().name), before.get("preset")
    if primitive.get("name", name) != name:
        before, stages_before = {}, [_without_options(stage) for stage in stages_before]
        # Nothing is left that would have to be migrated.
        data = {key: value for key, value in data.items() if key not in ("init", "schema")}
    elif primitive.get("preset", preset) != preset:
        before = {key: before[key] for key in ("name", "plugin") if key in before}
        stages_before = [_without_options(stage) for stage in stages_before]

    # Each says how many parts there are, so asking for one drops the others.
    if any(key in primitive for key in SIZE_KEYS):
        before = {key: value for key, value in before.items() if key not in SIZE_KEYS}

    others = {key: {**tables.get(key, {}), **of_tables[key]} for key in _TABLES}
    for key, value in {**tables, "primitive": primitive, **others}.items():
        if key == "primitive":
            data[key] = {**before, **primitive}
        elif isinstance(value, Mapping):
            data[key] = {**base.get(key, {}), **_given(value)}
        elif value is not None:
            data[key] = value
    stage = _stages(stages_before, _given(stages), engine_options)
    if any(stage):
        data["stage"] = stage
    return {key: value for key, value in data.items() if value != {}}


def aim(data: Mapping[str, Any], target: str | None, seed: int | None) -> dict[str, Any]:
    """`data` for one run of a batch: another target has not the hash of the one before."""
    aimed = dict(data)
    if target is not None:
        table = {k: v for k, v in data.get("target", {}).items() if k != "sha256"}
        aimed["target"] = {**table, "source": target}
    if seed is not None:
        aimed["seed"] = seed
    return aimed


def plan_runs(
    data: Mapping[str, Any], targets: Mapping[str, str], seeds: Sequence[int], name: str | None
) -> list[Run]:
    """One run per target (as typed: as it is found) and seed, or one without either.

    Raises UsageError where two would write the same files.
    """
    if name is not None and len(targets) > 1:
        raise UsageError(
            f"--name {name} cannot name {len(targets)} targets",
            hint="leave it out, or run them one by one",
        )
    runs: list[Run] = []
    owners: dict[str, str] = {}
    for target, source in targets.items() or ((None, None),):
        for seed in seeds or (None,):
            recipe = Recipe.from_request(aim(data, source, seed))
            stem = name or default_stem(recipe)
            if seed is not None:
                stem += f"-s{seed}"
            other = owners.setdefault(stem.casefold(), str(target))
            if other != str(target):
                raise UsageError(
                    f"{other} and {target} would both be written to {stem}.png",
                    hint="run them one by one, with --name or --out",
                )
            runs.append(Run(stem, recipe, asked={"target": target, "seed": seed}))
    return runs


def parse_count(text: str | None) -> int | str | None:
    """The value of `--count`: a number or ``auto``. Raises UsageError."""
    if text is None or text == "auto":
        return text
    hint = f"use 1 to {MOST_PARTS}, or auto"
    return _number(int, "--count", text, "parts", hint, below=MOST_PARTS + 1)


def parse_video(file: Path | None) -> str | None:
    """The format that the suffix of `--video` asks for. Raises UsageError."""
    from artgen.output import FORMATS

    if file is None:
        return None
    if file.suffix.lower() not in FORMATS:
        raise UsageError(
            f"--video {file} has an unknown video format",
            hint=f"end the name in {', '.join(FORMATS)}",
        )
    return file.suffix.lower().removeprefix(".")


def parse_seeds(text: str) -> list[int]:
    """The seeds meant by `1..20` or `1,4,7`, each once. Raises UsageError."""
    seeds: dict[int, None] = {}
    for part in text.split(","):
        first, dots, last = part.partition("..")
        try:
            low = int(first)
            high = int(last) if dots else low
        except ValueError:
            raise _bad_seeds(text) from None
        if not 0 <= low <= high < 2**63:
            raise _bad_seeds(text)
        if len(seeds) + high - low >= MOST_SEEDS:
            raise UsageError(
                f"--seeds {text} has more than {MOST_SEEDS} seeds", hint="run fewer at once"
            )
        seeds.update(dict.fromkeys(range(low, high + 1)))
    return list(seeds)


def _bad_seeds(text: str) -> UsageError:
    return UsageError(f"--seeds {text!r} is not a list of seeds", hint="write 1..20 or 1,4,7")


def _given(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def _without_options(stage: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in stage.items() if key in Stage.model_fields}


_EngineOptions = dict[str | None, dict[str, Any]]
"""By the text of the stage's number; None for `engine`, the only stage."""


_TABLES = ("clip", "tiles")
"""The tables of a recipe whose keys `--set` sets by their full names."""


def _split_settings(
    settings: Sequence[str],
) -> tuple[dict[str, Any], _EngineOptions, dict[str, dict[str, Any]]]:
    """The options of the primitive, those of the engines, and the keys of other tables."""
    options: dict[str, Any] = {}
    of_tables: dict[str, dict[str, Any]] = {table: {} for table in _TABLES}
    engine_options: _EngineOptions = {}
    for setting in settings:
        spelled, equals, text = setting.partition("=")
        key = spelled.strip()
        if not (equals and key):
            raise UsageError(
                f"--set {setting!r} is not KEY=VALUE", hint="for example --set blend=depth"
            )
        owner, dot, rest = key.partition(".")
        if dot and (owner == "engine" or owner.isdecimal()):
            flags, key = _FLAG_OF_STAGE, rest
            table = engine_options.setdefault(None if owner == "engine" else owner, {})
        elif dot and owner in _TABLES:
            flags, key, table = {}, rest, of_tables[owner]
        else:
            flags, table = _FLAG_OF_PRIMITIVE, options
        if key in flags:
            known = flags[key] if key != "stop" else "--steps"
            raise UsageError(f"--set {spelled.strip()} is not an option", hint=f"use {known}")
        table[key] = parse_value(text.strip())
    return options, engine_options, of_tables


def _stages(
    before: list[dict[str, Any]], flags: Mapping[str, Any], options: _EngineOptions
) -> list[dict[str, Any]]:
    """The stages of a recipe after `flags` and `options`."""
    engines = str(flags["engine"]).split(",") if "engine" in flags else []
    if flags.get("polish"):
        engines = engines or [str(stage.get("engine", "auto")) for stage in before or [{}]]
        engines.append("gradient")
    count = len(engines) or len(before) or 1
    stages = [dict(before[i]) if i < len(before) else {} for i in range(count)]
    for i, engine in enumerate(map(str.strip, engines)):
        if stages[i].get("engine", "auto") not in ("auto", engine):
            stages[i] = _without_options(stages[i])
        stages[i]["engine"] = engine

    budgets: list[dict[str, Any]] = [{} for _ in stages]
    for i, text in _per_stage("steps", flags, count).items():
        budgets[i]["steps"] = _number(int, "--steps", text, "steps", "use 1 or more")
    if "quality" in flags:
        for budget in budgets:
            budget["quality"] = flags["quality"]
    for i, text in _per_stage("time", flags, count).items():
        budgets[i]["time"] = _number(float, "--time", text, "seconds", "use a number above 0")
    for stage, budget in zip(stages, budgets, strict=True):
        if budget:
            # A new budget replaces the whole old one: 5 seconds are not the old number of steps.
            for key in _BUDGET:
                stage.pop(key, None)
            stage.update(budget)
    for i, value in _per_stage("loss", flags, count).items():
        stages[i].pop("loss_files", None)
        stages[i]["loss"] = value
    stages[-1].update({k: flags[k] for k in ("target_psnr", "plateau") if k in flags})

    for number, values in options.items():
        key = next(iter(values))
        if number is None and count > 1:
            spelled = " or ".join(f"{i + 1}.{key}" for i in range(count))
            raise UsageError(
                f"--set engine.{key} does not say which of the {count} stages",
                hint=f"write {spelled}",
            )
        index = 0 if number is None else int(number) - 1
        if not 0 <= index < count:
            there = "is 1 stage" if count == 1 else f"are {count} stages"
            raise UsageError(
                f"--set {number}.{key}: there is no stage {number}", hint=f"there {there}"
            )
        stages[index].update(values)
    return stages


def _per_stage(key: str, flags: Mapping[str, Any], count: int) -> dict[int, str]:
    """The values of a flag by stage: one per stage, or one for the last."""
    if key not in flags:
        return {}
    texts = [text.strip() for text in str(flags[key]).split(",")]
    if len(texts) not in (1, count):
        raise UsageError(
            f"--{key} has {len(texts)} values for {count} stage{'s' * (count > 1)}",
            hint="give one value per stage, or one for the last",
        )
    first = count - len(texts)
    return {first + i: text for i, text in enumerate(texts)}


def _number(
    kind: type[N], flag: str, text: str, what: str, hint: str, *, below: float = math.inf
) -> N:
    """The value of a flag that counts `what`: above 0 and less than `below`."""
    with suppress(ValueError):
        number = kind(text)
        if 0 < number < below:
            return number
    raise UsageError(f"{flag} {text!r} is not a number of {what}", hint=hint)
