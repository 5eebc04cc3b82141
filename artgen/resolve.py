"""From what was asked for to what will run: names, presets, defaults and options of a recipe.

Precedence: what the recipe says (flags are laid over it before) > its preset > the primitive's
defaults > the engine's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from artgen._migration import earlier_options, migrated_engine_options
from artgen.art.precision import bytes_of_shapes
from artgen.canvas import Canvas
from artgen.engines.protocols import (
    AddsParts,
    FindsCount,
    HasFamilyOptions,
    KnowsQuality,
    SuggestsSteps,
    options_type,
)
from artgen.errors import PluginError, UsageError, did_you_mean
from artgen.faults import broken
from artgen.options import describe_options, parse_options
from artgen.recipe import (
    MOST_PARTS,
    SCHEMA,
    FileReference,
    Precision,
    PrimitiveTable,
    Recipe,
    Stage,
)
from artgen.registry import Entry, Registry, check_required
from artgen.samples import Subject, kind_of

if TYPE_CHECKING:
    from artgen.engines import Engine
    from artgen.losses import Loss
    from artgen.primitives import Primitive


DEFAULT_LOSS = "mse"
DEFAULT_STEPS = 300
DEFAULT_COUNT = 500
QUALITY = {"draft": 0.2, "good": 1.0, "best": 4.0}
"""The number of steps by quality, in those of the default."""
PIXELS_PER_PART = 16
"""How many pixels there are at least for each part where the engine finds the count."""


@dataclass(frozen=True)
class Plan:
    """A recipe with every name found and every option checked.

    `recipe` is complete; `engines` and `losses` hold one entry per stage.
    """

    recipe: Recipe
    primitive: Primitive
    identity: dict[str, str]
    engines: tuple[type[Engine], ...]
    losses: tuple[Loss, ...]

    @property
    def count(self) -> int | None:
        """The largest number of parts; None for a field."""
        count = self.recipe.primitive.count
        assert count != "auto"
        return count

    @property
    def first_count(self) -> int:
        """The number of parts of the first drawing: engines may add others on the way."""
        if self.count is None:
            return 1
        options = self.recipe.stage[0].options
        engine = self.engines[0]
        if not issubclass(engine, AddsParts):
            return self.count
        return engine.first_count(self.primitive, options, self.count)


def resolve(
    recipe: Recipe,
    registry: Registry,
    canvas: Canvas,
    subject: Subject | None = None,
    *,
    header: int = 0,
) -> Plan:
    """Check names and options and fill in every default, for a picture of the size of `canvas`.

    A `subject` takes the place of the picture; `header` is how many of its `target_bytes` a file
    needs beside its parameters. Raises PluginError for unknown or broken plugins,
    UsageError for options and for what does not fit the kind of target.
    """
    if recipe.morph is not None:
        first, second = recipe.morph.first.name, recipe.morph.second.name
        raise UsageError(
            "this recipe is of a morph, which is not fitted to a target",
            hint=f"use artgen morph {first} {second}",
        )
    recipe, table = migrated(recipe, registry), recipe.primitive
    cls = load_primitive(recipe, registry)
    check_required(cls.__name__, cls)
    if kind_of(subject) not in cls.targets:
        raise _unfit(registry, table.name, kind_of(subject))
    if subject is not None:
        _check_for_pictures(recipe, subject)

    earlier = earlier_options(table.name, table.options, _names(cls.Options))
    asked = {**earlier, **table.options, **_sized(cls, table)}

    def make(**options: Any) -> Primitive:
        """The primitive with the table's options, and `options` over them, for this target."""
        primitive = cls({**asked, **options}, preset=table.preset)
        primitive.take(subject)
        if isinstance(recipe.target.palette, tuple):
            primitive.take_palette(recipe.target.palette)
        primitive.resolve_options(canvas if subject is None else subject.grid)
        return primitive

    _check_engines(cls, table.preset, registry)

    if table.target_bytes is None and table.parameter_bytes is None:
        primitive = make()
        count = _count(primitive, table.count, canvas)
    else:
        primitive, count = _within_bytes(make, table, recipe.run.precision, header)

    if recipe.output.transparent:
        primitive.check_transparent(table.name)
    if recipe.run.precision not in primitive.precisions:
        raise UsageError(
            f"{table.name} cannot be stored as {recipe.run.precision}, which is too coarse for it",
            hint=f"use --precision {primitive.precisions[-1]}",
        )
    stages, engines, losses = [], [], []
    for index, stage in enumerate(recipe.stage):
        name, engine = _find_engine(primitive, table.name, stage.engine, registry)
        layered = _layered(primitive, stage, name, engine, count)
        if table.count == "auto" and index == 0:
            layered = {**layered, **_automatic(engine, primitive, table.name), **stage.options}
        layered.setdefault("loss", DEFAULT_LOSS if subject is None else subject.loss)
        stages.append(_complete(layered, name, engine, primitive))
        keeps_palette = "palette" in engine.supports and primitive.palettes
        if recipe.target.palette is not None and not keeps_palette:
            raise UsageError(
                f"engine {name} does not support palettes",
                hint="shapes with climb or genetic do, and ink: -p triangle --palette 5",
            )
        engines.append(engine)
        losses.append(_loss(registry, layered["loss"]))
        losses[-1].check_target(kind_of(subject))

    entry = find_primitive(recipe, registry)
    identity = registry.identity(entry)
    resolved = recipe.with_stages(stages).with_primitive(
        name=registry.spelling(entry),
        count=count,
        target_bytes=None,
        parameter_bytes=None,
        plugin=FileReference(name=identity["file"], sha256=identity["sha256"])
        if "file" in identity
        else None,
        **primitive.option_values(),
    )
    return Plan(resolved, primitive, identity, tuple(engines), tuple(losses))


def migrated(recipe: Recipe, registry: Registry) -> Recipe:
    """A recipe of schema 1 in the current schema, others as they are. Raises PluginError.

    Options that engines have for other families today are dropped: schema 1 stored them for all.
    """
    if recipe.schema_version == SCHEMA:
        return recipe
    primitive, stages = load_primitive(recipe, registry)(), []
    for stage in recipe.stage:
        name, engine = _find_engine(primitive, recipe.primitive.name, stage.engine, registry)
        known = _names(options_type(engine, primitive))
        own = stage.model_dump(include=set(Stage.model_fields), exclude_unset=True)
        stages.append(Stage(**own, **migrated_engine_options(name, stage.options, known)))
    return recipe.migrated(stages)


def check_polish(recipe: Recipe, registry: Registry) -> None:
    """Raise UsageError where the engine `gradient` cannot refine what another engine found."""
    if "gradient" not in load_primitive(recipe, registry).engines[1:]:
        raise UsageError(
            f"--polish refines shapes only, not {recipe.primitive.name}",
            hint="leave it out, or use more --steps",
        )


def load_primitive(recipe: Recipe, registry: Registry) -> type[Primitive]:
    """The class of the recipe's primitive, from the loose file that it names, if any.

    Raises PluginError.
    """
    cls: type[Primitive] = find_primitive(recipe, registry).load()
    return cls


def with_preset_target(recipe: Recipe, registry: Registry) -> Recipe:
    """The recipe with the keys of its target that a preset sets and the recipe does not.

    Raises PluginError, UsageError.
    """
    # The recipe of a fit has the hash of its target, and was completed already.
    if recipe.primitive.preset is None or recipe.target.sha256 is not None:
        return recipe
    keys = load_primitive(recipe, registry).find_preset(recipe.primitive.preset).target
    asked = recipe.target.model_dump(exclude_defaults=True)
    return recipe.with_target(**{key: keys[key] for key in keys if key not in asked})


def find_primitive(recipe: Recipe, registry: Registry) -> Entry:
    """The entry of the recipe's primitive. Raises PluginError."""
    table = recipe.primitive
    recorded = (
        {"file": table.plugin.name, "sha256": table.plugin.sha256 or ""} if table.plugin else {}
    )
    return registry.find("primitive", table.name, plugin=recorded)


def _unfit(registry: Registry, name: str, kind: str) -> UsageError:
    """The error for a primitive that cannot be fitted to this kind of target."""
    fitting = []
    for entry in registry.entries("primitive"):
        with suppress(PluginError):
            if kind in entry.load().targets:
                fitting.append(registry.spelling(entry))
    hint = f"use -p {' or '.join(fitting)}" if fitting else "no installed primitive supports it"
    return UsageError(f"{name} cannot be fitted to a target of kind {kind}", hint=hint)


def _check_for_pictures(recipe: Recipe, subject: Subject) -> None:
    """Raise UsageError for what a recipe may only ask for with a picture."""
    asked = {
        "target_psnr": any(stage.target_psnr is not None for stage in recipe.stage),
        "transparent": recipe.output.transparent,
    }
    for key in (key for key, given in asked.items() if given):
        raise UsageError(
            f"{key} is for pictures only, not for a target of kind {subject.kind}",
            hint=f"leave {key} out",
        )


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


def _count(primitive: Primitive, asked: int | Literal["auto"] | None, canvas: Canvas) -> int | None:
    """The number of parts: asked for, else the preset's, else the primitive's default.

    For ``auto`` it is the limit of what the engine may find. Raises UsageError where they are too
    few.
    """
    if not primitive.has_count:
        return None
    if asked == "auto":
        return max(1, canvas.width * canvas.height // PIXELS_PER_PART)
    count = asked or primitive.preset.count or primitive.defaults.count or DEFAULT_COUNT
    if count < primitive.least_count:
        raise UsageError(
            f"{type(primitive).__name__} needs a count of at least {primitive.least_count}, "
            f"got {count}",
            hint=f"use -n {primitive.least_count} or more",
        )
    return count


def _within_bytes(
    make: Callable[..., Primitive], table: PrimitiveTable, precision: Precision, header: int
) -> tuple[Primitive, int | None]:
    """The primitive and the largest count that fits the table's limit.

    A file of ``target_bytes`` holds a `header` beside the parameters; ``parameter_bytes`` count
    the parameters alone.

    What has no count is made as large by its `size_option`; where it has none, or the user set it,
    it has to fit as it is. Raises UsageError where nothing does.
    """
    primitive = make()
    option = primitive.size_option
    given = table.sizes
    key, limit = given.popitem()
    if given:
        [(other, value), *_] = given.items()
        raise UsageError(
            f"{other} = {value} and {key} = {limit} were both given", hint="leave one of them out"
        )
    header = header if key == "target_bytes" else 0
    a_file = "a file of " if header else ""

    def size(primitive: Primitive, count: int = 1) -> int:
        shapes = [primitive.tensor_shape(each, count) for each in primitive.parameters().values()]
        return header + bytes_of_shapes(shapes, precision)

    small = primitive.precisions[-1]

    def largest(what: str, size: Callable[[int], int], low: int, high: int) -> int:
        if (needed := size(low)) > limit:
            raise UsageError(
                f"{what} takes {needed} bytes at {precision}, more than {limit}",
                hint="allow more bytes" + f", or use --precision {small}" * (precision != small),
            )
        return _largest(size, limit, low, high)

    if primitive.has_count:
        what = f"{a_file}one part of {table.name}"
        return primitive, largest(what, lambda n: size(primitive, n), 1, MOST_PARTS)
    if option is None or option in table.options:
        if (needed := size(primitive)) > limit:
            raise UsageError(
                f"{a_file}{table.name} takes {needed} bytes at {precision}, more than {limit}",
                hint=f"make it smaller by its options: artgen plugins show {table.name}",
            )
        return primitive, None
    [metadata] = [f.metadata for f in dataclasses.fields(primitive.Options) if f.name == option]
    low, high = metadata.get("low") or 1, metadata.get("high") or MOST_PARTS
    what = f"{a_file}the smallest {table.name}"
    value = largest(what, lambda n: size(make(**{str(option): n})), int(low), int(high))
    return make(**{option: value}), None


def _largest(size: Callable[[int], int], limit: int, low: int, high: int) -> int:
    """The largest n from `low` to `high` with size(n) ≤ `limit`, for a size that grows with n.

    size(low) is known to fit.
    """
    # Up in ever larger strides, so that nothing far larger than needed is ever made, then back.
    best, stride, growing = low, 1, True
    while stride:
        fits = best + stride <= high and size(best + stride) <= limit
        best += stride if fits else 0
        growing = growing and fits
        stride = 2 * stride if growing else stride // 2
    return best


def _find_engine(
    primitive: Primitive, name: str, asked: str, registry: Registry
) -> tuple[str, type[Engine]]:
    """The engine and its name; ``auto`` is the primitive's first.

    Raises UsageError where neither the primitive nor the engine names the other.
    """
    if asked == "auto":
        asked = primitive.engines[0]
        try:
            registry.find("engine", asked)
        except PluginError as error:
            cls, problem = type(primitive), f"names an engine that is not there: {error.message}"
            raise broken(cls.__name__, cls, problem, hint=str(error.hint)) from None
    engine: type[Engine] = registry.load("engine", asked)
    check_required(f"engine {asked!r}", engine)
    named = asked.removeprefix("artgen/") in primitive.engines
    if not (named or primitive.family in engine.families):
        check_families(engine, asked, registry)
        right = " or ".join(primitive.engines)
        raise UsageError(
            f"{name} does not work with engine {asked!r}",
            hint=f"use -e {right}, or an engine that names {primitive.family!r} in `families`",
        )
    return asked, engine


def check_families(engine: type[Engine], name: str, registry: Registry) -> None:
    """Raise PluginError if the engine names a family that no primitive in `registry` is of."""
    known = set()
    for entry in registry.entries("primitive"):
        with suppress(PluginError):
            known.add(entry.load().family)
    for family in engine.families:
        if family not in known:
            problem = f"names {family!r}, which is no family of a primitive"
            hint = did_you_mean(family, known)
            raise broken(f"families of engine {name!r}", engine, problem, hint)


def _layered(
    primitive: Primitive, stage: Stage, name: str, engine: type[Engine], count: int | None
) -> dict[str, Any]:
    """The stage's keys over the preset's over the primitive's, as far as those are for `name`."""
    data = stage.model_dump(mode="json", exclude_none=True)
    below: dict[str, Any] = {}
    bare = name.removeprefix("artgen/")
    defaults, preset = primitive.defaults, primitive.preset
    for keys, engines in (
        (defaults.stage, defaults.engines),
        (primitive.suggested_stage(), defaults.engines),
        (preset.stage, preset.engines),
    ):
        if bare in (engines or primitive.engines[:1]):
            below |= keys
    if "time" in data:
        # Asked for seconds, so the default number of steps is not meant.
        below.pop("steps", None)
    else:
        quality = data.get("quality", "good")
        factor = QUALITY[quality]
        if issubclass(engine, KnowsQuality):
            below |= engine.quality_options(quality)
            factor = 1.0
        options = {**below, **stage.options}
        steps = None
        if issubclass(engine, SuggestsSteps):
            steps = engine.default_steps(primitive, options, count)
        below.setdefault("steps", steps or DEFAULT_STEPS)
        if "steps" not in data:
            below["steps"] = max(1, round(factor * below["steps"]))
    return {**below, **data}


def _check_engines(cls: type[Primitive], preset: str | None, registry: Registry) -> None:
    """Raise PluginError if the stage keys of the preset are for an engine that does not exist."""
    known = {*cls.engines, *(entry.name for entry in registry.entries("engine"))}
    for name in cls.find_preset(preset).engines:
        if name not in known:
            raise broken(
                f"preset {preset!r} of {cls.__name__}",
                cls,
                f"is for the unknown engine {name!r}",
                hint=did_you_mean(name, known),
            )


def _automatic(engine: type[Engine], primitive: Primitive, name: str) -> dict[str, Any]:
    """The options under which the first stage finds the count."""
    options = engine.automatic(primitive) if issubclass(engine, FindsCount) else {}
    if not options:
        raise UsageError(f"count = auto does not work for {name}", hint="give --count a number")
    return options


def _complete(data: dict[str, Any], name: str, engine: type[Engine], primitive: Primitive) -> Stage:
    """The stage with every engine option spelled out."""
    own = {key: value for key, value in data.items() if key in Stage.model_fields}
    given = {key: value for key, value in data.items() if key not in Stage.model_fields}
    _check_family(given, name, engine, primitive)
    known = options_type(engine, primitive)
    for key in set(given) - _names(known):
        hint = did_you_mean(key, {*_names(known), *Stage.model_fields})
        raise UsageError(f"engine {name} has no option {key!r}", hint=hint)
    given = {**earlier_options(name, given, _names(known)), **given}
    options = parse_options(known, given, owner=f"engine {name}")
    own.update(engine=name)
    return Stage(**own, **_without_none(dataclasses.asdict(options)))


def _check_family(
    given: Mapping[str, Any], name: str, engine: type[Engine], primitive: Primitive
) -> None:
    """Raise UsageError for an option that the engine has for other families alone."""
    if not issubclass(engine, HasFamilyOptions):
        return
    known = _names(engine.options_for(primitive))
    families = {family: _names(options) for family, options in engine.family_options().items()}
    for key in set(given) - known:
        others = [family for family, names in families.items() if key in names]
        if others:
            raise UsageError(
                f"engine {name} has no option {key!r} for a {primitive.family}",
                hint=f"{key} is an option of the engine for {' and '.join(others)} primitives",
            )


def _names(options: type[Any]) -> set[str]:
    return {option.name for option in describe_options(options)}


def _loss(registry: Registry, text: str) -> Loss:
    """The loss mixture `text`, with the names of all plugins."""
    from artgen.losses import parse_loss

    names = [entry.name for entry in registry.entries("loss")]
    return parse_loss(text, lambda name: registry.load("loss", name), names)


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
