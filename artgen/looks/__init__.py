"""Looks: styles by name, each a TOML table of what a recipe needs to look like that.

`NAME.toml` beside this module is a recipe without a target, with a `summary`. A file of the user's
own is a look too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from artgen._files import read_regular
from artgen._toml import parse_toml
from artgen.errors import InputError, UsageError, did_you_mean
from artgen.options import describe_options
from artgen.recipe import Recipe
from artgen.registry import Registry

_HERE = Path(__file__).parent
_LARGEST = 2**20

LOOKS = tuple(sorted(file.stem for file in _HERE.glob("*.toml")))
"""The names of the looks."""


class Look(NamedTuple):
    """A style: data in the form of a recipe, without a target."""

    name: str
    summary: str
    data: dict[str, Any]


class Applied(NamedTuple):
    """The data of a recipe with a look, and what of the look it cannot have."""

    data: dict[str, Any]
    left_out: tuple[str, ...]


def read_look(asked: str) -> Look:
    """The look called `asked`, or in the TOML file `asked`. Raises UsageError, InputError."""
    file = _HERE / f"{asked}.toml" if asked in LOOKS else Path(asked)
    if file.suffix != ".toml":
        raise UsageError(f"there is no look {asked!r}", hint=did_you_mean(asked, LOOKS))
    try:
        text = read_regular(file, f"look {file}", _LARGEST).decode("utf-8")
        data = parse_toml(text)
    except ValueError as error:
        raise InputError(f"look {file} is not TOML: {error}") from None
    summary = str(data.pop("summary", ""))
    Recipe.from_dict(data, where=f"look {file}")
    return Look(file.stem, summary, data)


def apply_look(
    base: Mapping[str, Any], look: Look, asked: str | None, registry: Registry
) -> Applied:
    """`base`, the data of a recipe, with the tables of `look` over it.

    A primitive that is `asked` for takes the place of the look's. It gets those of the look's
    options that it has too, and not the number of parts, which suits another kind.
    """
    table, stages = dict(look.data.get("primitive", {})), list(look.data.get("stage", []))
    target, left_out = dict(look.data.get("target", {})), []
    if asked is not None and asked != table.get("name"):
        cls = registry.load("primitive", asked)
        known = {option.name for option in describe_options(cls.Options)}
        for key in set(table) - {"name"}:
            if key not in known:
                del table[key]
                left_out += [key] if key != "count" else []
        table["name"] = asked
        other = any(stage.get("engine", cls.engines[0]) not in cls.engines for stage in stages)
        searched = cls.engines[0] != "gradient" and any(
            "loss" in stage and "engine" not in stage for stage in stages
        )
        if other or searched:
            left_out += [key for stage in stages for key in stage if key != "engine"]
            stages = []
        options = {key: value for key, value in table.items() if key != "name"}
        if "palette" in target and not cls(options).palettes:
            del target["palette"]
            left_out.append("palette")
    data = {**base, "look": look.name}
    if table.get("name") != base.get("primitive", {}).get("name"):
        data = {key: data[key] for key in data if key not in ("primitive", "stage", "init")}
    tables = {key: value for key, value in look.data.items() if key != "stage"}
    for key, value in {**tables, "primitive": table, "target": target}.items():
        data[key] = {**data.get(key, {}), **value} if isinstance(value, dict) else value
    data["stage"] = stages or data.get("stage", [{}])
    return Applied(data, tuple(sorted(set(left_out))))
