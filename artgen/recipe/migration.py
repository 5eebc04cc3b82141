"""Migration of recipes and drawings of schema 1, written by artgen 0.1.0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_RENAMED: Mapping[str, Mapping[str, str]] = {
    "hashgrid": {"rows": "log2_rows"},
    "gradient": {"turn": "degrees", "shift": "translate", "zoom": "scale", "settle": "converge"},
    "climb": {"settle": "converge"},
    "genetic": {"rivals": "tournament_size", "again": "extra_mutation"},
}
"""Old names of options and their current names, by primitive or engine."""

_OF_SOME_FAMILIES = frozenset(
    {
        *("batch", "jitter", "start", "add", "move", "every", "until", "soften", "coarse", "alpha"),
        *("converge", "augment", "degrees", "translate", "scale", "shear"),
    }
)
"""Options that `gradient` had for every family and now has for some."""

_ADDED: Mapping[str, Mapping[str, Any]] = {
    "gradient": {
        "importance": "colour",
        "exponent": 1.0,
        "blur": 0.5,
        "interval": 0,
        "relocate": 0.0,
    },
    **{
        codec: {"brightness": 0.5, "hidden": None}
        for codec in ("autoencoder", "conditional", "vae")
    },
    **{ink: {"optical": False} for ink in ("stipple", "halftone")},
    "string": {"optical": False, "fade": 0.0, "detail": 121, "crisp": 0.0, "scattered": False},
    "wash": {"optical": False, "washes": "0.1,0.3,0.6,1.0,1.6"},
    "charcoal": {"optical": False, "tones": "0.08,0.21,0.35,0.48,0.6,0.72,0.8,0.9"},
}
"""Options by primitive or engine that were added later, with values that repeat earlier fits.

None: one that is written where it is given alone.
"""


SLOW_SAMPLE = "pan=0.04&turn=2.5"
"""The options of `sample:clip` that were its only speed."""


def migrated_options(name: object, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the primitive or engine `name` by their current names."""
    names = _RENAMED.get(_bare(name), {})
    return {names.get(key, key): value for key, value in options.items()}


def migrated_recipe(data: dict[str, Any], schema: int) -> dict[str, Any]:
    """A recipe, as data, with the current names of options where owners are named.

    Clips of before there was motion keep what a complete recipe of then did not have to say, and so
    do pictures in a palette of before edges were hard.
    """
    data = _migrated_palette(_migrated_clip(dict(data)))
    if schema != 1:
        return data
    if isinstance(data.get("primitive"), dict):
        data["primitive"] = migrated_options(data["primitive"].get("name"), data["primitive"])
    if isinstance(data.get("stage"), list):
        data["stage"] = [
            migrated_options(stage.get("engine"), stage) if isinstance(stage, dict) else stage
            for stage in data["stage"]
        ]
    return data


def _migrated_clip(data: dict[str, Any]) -> dict[str, Any]:
    """A complete recipe of a clip, with what one of then did not have to say.

    Without `motion` parts went on as before, and so did engines; without `rate` rates were lower,
    and without `stretch` all frames took as many steps.
    """
    clip, target, stages = data.get("clip"), data.get("target"), data.get("stage")
    if not (isinstance(clip, dict) and isinstance(target, dict) and isinstance(stages, list)):
        return data
    if "steady" not in clip or "sha256" not in target:
        return data
    clip = {"stretch": 1.0, **clip}
    engine = stages[-1].get("engine") if stages and isinstance(stages[-1], dict) else None
    if "rate" not in clip and _bare(engine) == "gradient":
        clip = {**clip, "rate": 0.15, "final": 1.0}
    if "motion" in clip:
        return {**data, "clip": clip}
    source = str(target.get("source"))
    if source.partition("?")[0] == "sample:clip":
        source += ("&" if "?" in source else "?") + SLOW_SAMPLE
        target = {**target, "source": source}
    return {**data, "target": target, "clip": {"motion": "extrapolate", "engine": engine, **clip}}


def _migrated_palette(data: dict[str, Any]) -> dict[str, Any]:
    """A complete recipe with a palette; if it does not say how edges are, they mixed colours."""
    target, output = data.get("target"), data.get("output", {})
    if not (isinstance(target, dict) and isinstance(output, dict)) or "edges" in output:
        return data
    if not isinstance(target.get("palette"), list) or "sha256" not in target:
        return data
    return {**data, "output": {**output, "edges": "smooth"}}


def migrated_engine_options(
    name: str, options: Mapping[str, object], known: Iterable[str]
) -> dict[str, Any]:
    """The options of the engine `name` by their current names, without those of other families.

    `known` are the names of the options that the engine has for the recipe's primitive.
    """
    foreign = _OF_SOME_FAMILIES.difference(known) if _bare(name) == "gradient" else ()
    options = migrated_options(name, options)
    return {key: value for key, value in options.items() if key not in foreign}


def earlier_options(name: str, given: Mapping[str, object], known: Iterable[str]) -> dict[str, Any]:
    """Values of options of the primitive or engine `name` that a fit that wrote `given` had not.

    A fit writes every option but a symmetry that is none. So nothing is missing where one of the
    others `known` is missing.
    """
    added = _ADDED.get(_bare(name), {})
    complete = added.keys() <= {*known} <= {*given, *added, "symmetry"}
    return dict(added) if complete else {}


def drawn_options(name: str, options: Mapping[str, object]) -> dict[str, Any]:
    """The options of a drawing of the primitive `name`, with those that an earlier one had not."""
    added = _ADDED.get(_bare(name), {}) if options else {}
    return {**{key: value for key, value in added.items() if value is not None}, **options}


def _bare(name: object) -> str:
    return str(name).removeprefix("artgen/")
