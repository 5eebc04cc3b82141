"""Where each value of a complete recipe comes from, by the order of precedence.

A flag comes before a look, a look before a recipe file, that before the drawing to start from, and
all of them before settings, the preset, the primitive, the engine and the built-in defaults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from artgen.plan.catalogue import facts_of, options_for
from artgen.plan.complete import DEFAULT_LOSS, DEFAULT_STEPS
from artgen.plan.names import find_primitive
from artgen.plan.target import DEFAULT_COUNT
from artgen.recipe import Recipe, Stage
from artgen.recipe.layers import leaves
from artgen.registry import Registry

_KEY = re.compile(r'^("[^"]*"|[\w-]+) = ')


def find_origins(
    recipe: Recipe, told: Mapping[str, str], registry: Registry, *, other: str
) -> dict[str, str]:
    """The origin of each value of a complete recipe, by its path: ``stage.1.steps``.

    `told` are those of values that were asked for. The others come from the first layer below that
    states them, if it states the same; `other` is what is said of the rest. Raises PluginError.
    """
    below = [(name, leaves(data)) for name, data in _below(recipe, registry)]
    origins = {}
    for path, value in leaves(recipe.to_dict()).items():
        layer, stated = next((each for each in below if path in each[1]), (other, {path: value}))
        origins[path] = told.get(path) or (layer if stated[path] == value else other)
    return origins


def annotated(recipe: Recipe, origins: Mapping[str, str]) -> str:
    """The recipe as TOML, each value with its origin in a comment."""
    lines, table, numbers = [], "", dict[str, int]()
    for line in recipe.to_toml().splitlines():
        if line.startswith("["):
            name, *inside = line.strip("[]").split(".")
            numbers[name] = numbers.get(name, 0) + (line == f"[[{name}]]")
            number = [str(numbers[name])] if numbers[name] else []
            table = ".".join([name, *number, *inside, ""])
        elif (found := _KEY.match(line)) and table + found[1].strip('"') in origins:
            line += f"  # {origins[table + found[1].strip(chr(34))]}"
        lines.append(line + "\n")
    return "".join(lines)


def _below(recipe: Recipe, registry: Registry) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield what stands below all that was asked for, the higher layers first."""
    table, facts = recipe.primitive, facts_of(find_primitive(recipe, registry))
    name, engines = table.name, [stage.engine for stage in recipe.stage]
    for preset in facts["presets"]:
        if preset["name"] == table.preset:
            own = {"count": preset["count"], **preset["options"]}
            more = facts["preset_targets"][preset["name"]]
            yield (
                f"preset {table.preset}",
                {"primitive": own, "target": more, "stage": [preset["stage"] for _ in engines]},
            )
    defaults = {each["name"]: each["default"] for each in facts["options"]}
    own = {"count": facts["count"], **defaults}
    first = {"engine": facts["engines"][0], **facts["stage"]}
    yield f"default of {name}", {"primitive": own, "stage": [first for _ in engines]}
    found = {each: facts_of(registry.find("engine", each)) for each in {*engines} - {"auto"}}
    for index, engine in enumerate(engines):
        if engine in found:
            options = options_for(found[engine], facts["family"])
            own = {option["name"]: option["default"] for option in options}
            yield f"default of {engine}", {"stage": [{} for _ in range(index)] + [own]}
    stage = {**Stage().to_dict(), "loss": DEFAULT_LOSS, "steps": DEFAULT_STEPS}
    plain = {**Recipe().to_dict(), "stage": [stage for _ in engines]}
    yield "default", {**plain, "primitive": {**plain["primitive"], "count": DEFAULT_COUNT}}
