"""Looks: styles by name, each the tables that a recipe needs to look like that.

Plugins offer looks through the hook `artgen_looks`. Each is a recipe without a target. A
TOML file of the user's own is a look too.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from artgen.base.errors import UsageError
from artgen.base.toml import read_toml
from artgen.recipe import LARGEST_FILE, PrimitiveTable, Recipe
from artgen.registry import Registry


class Look(NamedTuple):
    """A style: data in the form of a recipe, without a target."""

    name: str
    data: dict[str, Any]


class Applied(NamedTuple):
    """The data of a recipe with a look, and what of the look it cannot have."""

    data: dict[str, Any]
    left_out: tuple[str, ...]


def read_look(asked: str, registry: Registry) -> Look:
    """The look called `asked`, or in the TOML file `asked`. Raises InputError, PluginError."""
    if Path(asked).suffix.lower() != ".toml":
        entry = registry.find("look", asked)
        name, data, where = entry.name, copy.deepcopy(dict(entry.load())), f"look {asked!r}"
    else:
        where = f"look {asked}"
        wrong = f"{where} is not TOML"
        data = read_toml(Path(asked), where, LARGEST_FILE, wrong, empty=False)
        name = Path(asked).stem
    data.pop("summary", None)
    Recipe.from_dict(data, where=where)
    return Look(name, data)


def apply_look(
    base: Mapping[str, Any], look: Look, asked: str | None, registry: Registry
) -> Applied:
    """`base`, the data of a recipe, with the tables of `look` over it.

    A primitive that is `asked` for takes the place of the look's. It gets those of the look's
    options that it takes too, and not the number of parts, which suits another kind.
    """
    table, stages = dict(look.data.get("primitive", {})), list(look.data.get("stage", []))
    target, left_out = dict(look.data.get("target", {})), []
    if asked is not None and asked != table.get("name"):
        cls = registry.load("primitive", asked)
        for key in set(table) - {"name"}:
            try:
                cls({key: table[key]})
            except UsageError:
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
    before = base.get("primitive", {}).get("name", PrimitiveTable().name)
    if table.get("name", before) != before:
        data = {key: data[key] for key in data if key not in ("primitive", "stage", "init")}
    tables = {key: value for key, value in look.data.items() if key != "stage"}
    for key, value in {**tables, "primitive": table, "target": target}.items():
        data[key] = {**data.get(key, {}), **value} if isinstance(value, dict) else value
    data["stage"] = stages or data.get("stage", [{}])
    return Applied(data, tuple(sorted(set(left_out))))
