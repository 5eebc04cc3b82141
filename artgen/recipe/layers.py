"""Laying over: what was asked for in several places becomes the data of one recipe.

The data has the form of a recipe file and holds only what was asked for, in a file or by a flag; a
resumed run must agree with exactly that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from artgen.base.errors import UsageError
from artgen.base.options import parse_value, whole
from artgen.recipe.tables import SIZE_KEYS, PrimitiveTable, Stage
from artgen.recipe.texts import parse_number, split_outside

_FLAG_OF_PRIMITIVE = {
    "name": "--primitive",
    "count": "--count",
    "target_bytes": "--target-bytes",
    "parameter_bytes": "--target-bytes",
    "plugin": "--plugin",
}
_FLAG_OF_STAGE = {key: f"--{key.replace('_', '-')}" for key in Stage.declared()}
_BUDGET = ("steps", "time", "stop", "replanned", "evaluations", "test_pictures", "quality")


@dataclass(frozen=True)
class Laid:
    """The data of a recipe so far, and the layer that each value comes from, by its path."""

    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def then(
        self, layer: str, data: Mapping[str, Any], said: Mapping[str, Any] | None = None
    ) -> Laid:
        """What it is after `layer` was laid over or under it: `data`.

        Values that are new or other than before are the layer's, and those that it `said`.
        """
        before, stated = leaves(self.data), leaves(said or {})
        origins = {
            path: self.origins[path]
            if path in before and before[path] == value and path not in stated
            else layer
            for path, value in leaves(data).items()
        }
        return Laid(dict(data), origins)


def leaves(data: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """The values inside tables and lists of tables, by their paths: ``stage.1.steps``."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        inside = value
        if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
            inside = {str(i): each for i, each in enumerate(value, 1)}
        if isinstance(inside, Mapping):
            found |= leaves(inside, f"{path}{key}.")
        elif value is not None:
            found[f"{path}{key}"] = list(value) if isinstance(value, tuple) else value
    return found


def start_from(
    base: Mapping[str, Any], art: Mapping[str, Any], primitive: str | None
) -> dict[str, Any]:
    """The data with what `--init` adds: the target unless another is named, the edges of a picture
    in its palette, and the primitive unless another is asked for.

    `art` is the data of the drawing's own recipe, `primitive` the value of `-p`.
    """
    target = base.get("target", {})
    data = {**base, "target": target if "source" in target else {**art.get("target", {}), **target}}
    if edges := art.get("output", {}).get("edges"):
        data["output"] = {"edges": edges, **base.get("output", {})}
    own = base.get("primitive", {})
    if (primitive or own.get("name")) in (None, art.get("primitive", {}).get("name")):
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
    the texts after `--set`. One number of steps is that of the last stage, one time that of all.

    Another primitive or preset leaves behind what belonged to the one before: its count, its
    options, those of the engines, the drawing to start from, unless it is asked for here too.
    """
    told, engine_options = _split_settings(settings)
    data, before = dict(base), dict(base.get("primitive", {}))
    stages_before = [dict(stage) for stage in base.get("stage", ())]
    primitive = {**_given(tables.get("primitive", {})), **told.pop("primitive")}
    name, preset = before.get("name", PrimitiveTable().name), before.get("preset")
    another = primitive.get("name", name) != name
    if another or primitive.get("preset", preset) != preset:
        kept = () if another else ("name", "plugin")
        before = {key: value for key, value in before.items() if key in kept}
        stages_before = [_without_options(stage) for stage in stages_before]
        # Nothing is left that would have to be migrated.
        data = {key: value for key, value in data.items() if key not in ("init", "schema")}

    # Each says how many parts there are, so asking for one drops the others.
    if any(key in primitive for key in SIZE_KEYS):
        before = {key: value for key, value in before.items() if key not in SIZE_KEYS}

    if primitive and "parameter_bytes" in base.get("run", {}):  # those of what it was
        own = {k: v for k, v in base["run"].items() if k != "parameter_bytes"}
        base, data = {**base, "run": own}, {**data, "run": own}
    others = {key: {**tables.get(key, {}), **values} for key, values in told.items()}
    for key, value in {**tables, "primitive": primitive, **others}.items():
        if key == "primitive":
            data[key] = {**before, **primitive}
        elif isinstance(value, Mapping):
            data[key] = {**base.get(key, {}), **_given(value)}
        elif value is not None:
            data[key] = value
    asked = {**tables.get("target", {}), **tables.get("output", {})}
    # Of a complete recipe, the frames are those that its own time had room for.
    is_complete = "sha256" in base.get("target", {})
    left = {"frames"} if is_complete and _given(stages).keys() & _BUDGET else set[str]()
    if data.get("look") and asked.get("palette") and not asked.get("edges"):
        left.add("edges")  # the look's go with its own palette
    data["output"] = {k: v for k, v in data.get("output", {}).items() if k not in left}
    if asked.get("crop_at") and not asked.get("pad"):  # a border shows all
        data["target"] = {k: v for k, v in data.get("target", {}).items() if k != "pad"}
    stage = lay_stages(stages_before, _given(stages), engine_options)
    if any(stage):
        data["stage"] = stage
    return {key: value for key, value in data.items() if value != {}}


def aim(data: Mapping[str, Any], target: str | None, seed: int | None) -> dict[str, Any]:
    """`data` for one run of a batch: another target has not the hash of the one before."""
    aimed = {**data, **_given({"seed": seed})}
    if target is not None:
        table = {k: v for k, v in data.get("target", {}).items() if k != "sha256"}
        aimed["target"] = {**table, "source": target}
    return aimed


def for_other_pictures(data: Mapping[str, Any]) -> dict[str, Any]:
    """`data` without what it says of its own picture: circles and places are found anew.

    Of a look these are faces, as most looks have it, also where its own picture had none.
    """
    table, look = data.get("target", {}), data.get("look")
    texts = {key: value for key, value in table.items() if isinstance(value, str)}
    closer = texts.get("crop_at", "").count(",") == 2
    words = {"focus": "faces" if look else "auto", "crop_at": "face" if closer else "auto"}
    found = {key: word for key, word in words.items() if "," in texts.get(key, "")}
    if look and "sha256" in table and texts.get("focus") == "none":
        found["focus"] = "faces"
    return {**data, "target": {**table, **found}} if found else dict(data)


def _given(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def _without_options(stage: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in stage.items() if key in Stage.declared()}


_EngineOptions = dict[str | None, dict[str, Any]]
"""By the text of the stage's number; None for `engine`, the only stage."""


_TABLES = ("clip", "tiles", "kind")
"""The tables of a recipe whose keys `--set` sets by their full names."""


def _split_settings(
    settings: Sequence[str],
) -> tuple[dict[str, dict[str, object]], _EngineOptions]:
    """The keys of tables, options of the primitive among them, and the options of the engines."""
    told: dict[str, dict[str, object]] = {table: {} for table in ("primitive", *_TABLES)}
    engine_options: _EngineOptions = {}
    for setting in settings:
        spelled, equals, text = setting.partition("=")
        key = spelled.strip()
        if not (equals and key):
            raise UsageError(
                f"--set {setting!r} is not KEY=VALUE", hint="for example --set blend=depth"
            )
        owner, dot, rest = key.partition(".")
        if dot and (owner == "engine" or whole(owner) is not None):
            flags, key = _FLAG_OF_STAGE, rest
            table = engine_options.setdefault(None if owner == "engine" else owner, {})
        elif dot and owner in _TABLES:
            flags, key, table = {}, rest, told[owner]
        else:
            flags, table = _FLAG_OF_PRIMITIVE, told["primitive"]
        if key in flags:
            known = flags[key] if key != "stop" else "--steps"
            raise UsageError(f"--set {spelled.strip()} is not an option", hint=f"use {known}")
        table[key] = parse_value(text.strip())
    return told, engine_options


def lay_stages(
    before: list[dict[str, Any]], flags: Mapping[str, Any], options: _EngineOptions
) -> list[dict[str, Any]]:
    """The stages of a recipe after `flags`, as `lay_over` says, and the `options` of engines.

    Those are by the text of a stage's number; None for the only stage.
    """
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

    budgets = [_given({"quality": flags.get("quality")}) for _ in stages]
    for i, text in _per_stage("steps", flags, count).items():
        budgets[i]["steps"] = parse_number(int, "--steps", text, "steps", "use 1 or more")
    times = _per_stage("time", flags, count)
    whole = len(times) == 1
    for i, budget in enumerate(budgets if times else ()):
        text = times[count - 1 if whole else i]
        seconds = parse_number(float, "--time", text, "seconds", "use a number above 0")
        budget["time"] = seconds / count if whole else seconds
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


def _per_stage(key: str, flags: Mapping[str, object], count: int) -> dict[int, str]:
    """The values of a flag by stage: one per stage, or one for the last."""
    if key not in flags:
        return {}
    texts = [text.strip() for text in split_outside(str(flags[key]), ",")]
    if len(texts) not in (1, count):
        raise UsageError(
            f"--{key} has {len(texts)} values for {count} stage{'s' * (count > 1)}",
            hint="give one value per stage, or a single one",
        )
    return dict(enumerate(texts, count - len(texts)))
