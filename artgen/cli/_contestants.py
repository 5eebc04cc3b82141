"""Contestants of a comparison as they are written: `gaussian@gradient:count=500,blend=over`.

The parts are a primitive or a recipe file, the engines after an `@`, and settings after a colon:
what `--set` takes, and those of the recipe's own keys that make sense for a single contestant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from artgen.base.errors import UsageError
from artgen.base.files import numbered
from artgen.base.options import whole
from artgen.cli._recipe import read_recipe_file
from artgen.compare import Contestant
from artgen.recipe import Recipe
from artgen.recipe.layers import lay_over
from artgen.recipe.texts import parse_count
from artgen.registry import Registry
from artgen.targets import file_safe

_BEFORE_KEY = r"(?=\s*[\w.]+\s*=)"
_OWN = ("count", "steps", "time", "loss", "precision", "seed")
_RECIPE_FILES = (".art", ".json", ".mp4", ".png", ".toml")


@dataclass(frozen=True)
class Limits:
    """The budget of every contestant; None where it is not limited."""

    time: float | None = None
    steps: int | None = None
    bytes: int | None = None

    def per_stage(self, stages: int) -> dict[str, str]:
        """The values of `--steps`, divided evenly, and of `--time`, without what is not limited."""
        limits = {}
        if self.steps is not None:
            # The first ones take what cannot be divided, so that none is without a step.
            parts = [(self.steps + i) // stages for i in reversed(range(stages))]
            limits["steps"] = ",".join(map(str, parts))
        if self.time is not None:
            limits["time"] = repr(self.time)
        return limits


def parse_contestants(
    texts: Sequence[str],
    budget: Limits,
    seed: int | None,
    run: Mapping[str, object],
    registry: Registry,
    targets: Sequence[str] = (),
) -> list[Contestant]:
    """The contestants with `budget`, `seed` and the table `run` of everybody laid over them.

    They are for all `targets`, also those that come from files of recipes.

    Raises UsageError for one that cannot be read or is there twice, InputError for its file.
    """
    contestants: list[Contestant] = []
    for text in texts:
        if any(text == each.name for each in contestants):
            raise UsageError(
                f"-p {text} was given twice", hint="give one of them another seed: seed=2"
            )
        what, engine, own, settings = _split(text)
        file = Path(what) if what.lower().endswith(_RECIPE_FILES) else None
        limited = {"time": budget.time, "target_bytes": budget.bytes, **own}
        anew = {key for key, value in limited.items() if value}
        base = read_recipe_file(file, registry, anew=anew, targets=targets) if file else {}
        for key in ("steps", "time"):
            if key in own and (budget.steps or budget.time):
                raise UsageError(
                    f"-p {text}: {key} is the same for all", hint=f"leave it out, or use --{key}"
                )
        stages = len(engine.split(",")) if engine else len(base.get("stage", ())) or 1
        limits = {"steps": own.get("steps"), "time": own.get("time"), **budget.per_stage(stages)}
        data = lay_over(
            base,
            {
                "seed": _seed(text, own["seed"]) if "seed" in own else seed,
                "primitive": {
                    "name": None if file else what,
                    "count": parse_count(own.get("count")),
                    "parameter_bytes": budget.bytes,
                },
                "run": {**run, **{key: own[key] for key in ("precision",) if key in own}},
            },
            {"engine": engine or None, "loss": own.get("loss"), **limits},
            settings,
        )
        stem = _free(file_safe(file.stem if file and not settings else text), contestants)
        search = (file.parent, Path()) if file else (Path(),)
        contestants.append(Contestant(text, stem, Recipe.from_request(data), search, file))
    return contestants


def _split(text: str) -> tuple[str, str, dict[str, str], list[str]]:
    """The primitive or file, the engines, the contestant's own keys, and what `--set` takes."""
    head, *rest = re.split(":" + _BEFORE_KEY, text, maxsplit=1)
    # A comma that no key follows belongs to the value, as in steps=20,10.
    pairs = re.split("," + _BEFORE_KEY, rest[0]) if rest else []
    what, _, engine = head.strip().partition("@")
    if not what or (":" in what and not what.lower().endswith(_RECIPE_FILES)):
        raise UsageError(
            f"-p {text!r} is not NAME, NAME@ENGINE or NAME:KEY=VALUE,KEY=VALUE",
            hint="for example gaussian:count=500,blend=over",
        )
    own, settings = {}, []
    for pair in pairs:
        key, _, value = (part.strip() for part in pair.partition("="))
        if key in _OWN:
            own[key] = value
        else:
            settings.append(pair)
    return what, engine, own, settings


def _seed(text: str, value: str) -> int:
    seed = whole(value)
    if seed is None or seed >= 2**63:
        raise UsageError(f"-p {text}: seed must be 0 to 2^63 - 1, got {value!r}", hint="use seed=2")
    return seed


def _free(stem: str, contestants: Sequence[Contestant]) -> str:
    """The stem, numbered where another contestant has it already."""
    taken = {each.stem.casefold() for each in contestants}
    return numbered(stem, lambda name: name.casefold() in taken, "-")
