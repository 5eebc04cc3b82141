"""The second pass: the options of the primitive and the engines, as they were asked for.

A recipe of an older schema gets the current one here, which takes the engines' options.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from artgen.base.errors import UsageError, did_you_mean
from artgen.base.faults import broken
from artgen.base.options import describe_options
from artgen.plan.names import Named
from artgen.recipe import SCHEMA, PrimitiveTable, Recipe, Stage, home_of
from artgen.recipe.migration import earlier_options, migrated_engine_options
from artgen.registry import check_required
from artgen.values.canvas import Canvas

if TYPE_CHECKING:
    from artgen.engines import Engine
    from artgen.primitives import Primitive
    from artgen.values.subject import Subject


@dataclass(frozen=True)
class Chosen:
    """The names of a recipe of the current schema, the options asked for, and an engine per stage.

    `options` are the primitive's; `engines` are names and classes.
    """

    named: Named
    options: Mapping[str, Any]
    engines: tuple[tuple[str, type[Engine]], ...]

    @property
    def recipe(self) -> Recipe:
        """The recipe."""
        return self.named.recipe

    def make(self, canvas: Canvas, subject: Subject | None, **options: Any) -> Primitive:
        """The primitive for a target, with `options` over those that were asked for."""
        table, palette = self.recipe.primitive, self.recipe.target.palette
        primitive = self.named.primitive({**self.options, **options}, preset=table.preset)
        primitive.take(subject)
        if isinstance(palette, tuple):
            primitive.take_palette(palette)
        grid = canvas if subject is None else subject.grid
        primitive.resolve_options(grid)
        primitive.place_group(grid)
        return primitive


def choose_options(named: Named) -> Chosen:
    """Find the engines, and the options asked for. Raises PluginError, UsageError."""
    if named.recipe.morph is not None:
        first, second = named.recipe.morph.first.name, named.recipe.morph.second.name
        raise UsageError(
            "this recipe is of a morph, which is not fitted to a target",
            hint=f"use artgen morph {first} {second}",
        )
    if named.recipe.edit:
        raise UsageError(
            "this recipe is of a drawing that was edited after its fit",
            hint="--init FILE.art goes on from it; without [[edit]] the recipe repeats the fit",
        )
    named, cls = named.of(migrated(named)), named.primitive
    table = named.recipe.primitive
    check_required(cls.__name__, cls)
    earlier = earlier_options(table.name, table.options, names_of(cls.Options))
    options = {**earlier, **table.options, **_sized(cls, table)}
    _check_engines(named)
    engines = tuple(named.engine(stage.engine) for stage in named.recipe.stage)
    return Chosen(named, options, engines)


def migrated(named: Named) -> Recipe:
    """A recipe of schema 1 in the current schema, others as they are. Raises PluginError.

    Options that engines have for other families today are dropped: schema 1 stored them for all.
    """
    recipe = named.recipe
    if recipe.schema_version == SCHEMA:
        return recipe
    primitive, stages = named.primitive(), []
    for stage in recipe.stage:
        name, engine = named.engine(stage.engine)
        known = names_of(engine.options_for(primitive))
        own = {key: value for key, value in stage.to_dict().items() if key in stage.asked}
        options = migrated_engine_options(name, stage.options, known)
        stages.append(Stage.parse({**own, **options}))
    return recipe.replace(schema_version=SCHEMA, stage=tuple(stages))


def names_of(options: type[Any]) -> set[str]:
    """The names of the options of a dataclass."""
    return {option.name for option in describe_options(options)}


def check_engine_options(
    name: str, given: Iterable[str], known: set[str], families: Mapping[str, set[str]], family: str
) -> None:
    """Raise UsageError for an option that the engine `name` does not have for a family.

    `known` are those that it has, `families` those of other families.
    """
    for key in (each for each in given if each not in known):
        others = [each for each, names in families.items() if key in names]
        if others:
            raise UsageError(
                f"engine {name} has no option {key!r} for a {family}",
                hint=f"{key} is an option of the engine for {' and '.join(others)} primitives",
            )
        hint = home_of(key) or did_you_mean(key, {*known, *Stage.declared()})
        raise UsageError(f"engine {name} has no option {key!r}", hint=hint)


def _sized(cls: type[Primitive], table: PrimitiveTable) -> dict[str, int]:
    """The option that a count sets for a codec, which has none: how much its latent holds."""
    if cls.has_count or table.count is None:
        return {}
    if cls.count_is_size and cls.size_option and table.count != "auto":
        return {cls.size_option: table.count}
    raise UsageError(
        f"{table.name} is a {cls.family}, which has no count",
        hint=f"see its options: artgen plugins show {table.name}",
    )


def _check_engines(named: Named) -> None:
    """Raise PluginError if the stage keys of the preset are for an engine that does not exist."""
    cls, preset = named.primitive, named.recipe.primitive.preset
    known = {*cls.engines, *(entry.name for entry in named.registry.entries("engine"))}
    for name in cls.find_preset(preset).engines:
        if name not in known:
            raise broken(
                f"preset {preset!r} of {cls.__name__}",
                cls,
                f"is for the unknown engine {name!r}",
                hint=did_you_mean(name, known),
            )
