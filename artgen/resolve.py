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

from artgen._migration import migrated_engine_options
from artgen.art.precision import bytes_of_shapes
from artgen.canvas import Canvas
from artgen.engines.protocols import (
    AddsParts,
    FindsCount,
    HasFamilyOptions,
    SuggestsSteps,
    options_type,
)
from artgen.errors import PluginError, UsageError
from artgen.options import describe_options, parse_options
from artgen.recipe import MOST_PARTS, SCHEMA, Precision, PrimitiveTable, Recipe, Stage
from artgen.registry import Entry, Registry
from artgen.samples import Subject, kind_of

if TYPE_CHECKING:
    from artgen.engines import Engine
    from artgen.losses import Loss
    from artgen.primitives import Primitive


DEFAULT_LOSS = "mse"
DEFAULT_STEPS = 300
DEFAULT_COUNT = 500
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
        """How many parts there shall be at most; None for a field."""
        count = self.recipe.primitive.count
        assert count != "auto"
        return count

    @property
    def first_count(self) -> int:
        """How many parts the first drawing has: engines may add others on the way."""
        if self.count is None:
            return 1
        options = self.recipe.stage[0].options
        engine = self.engines[0]
        if not issubclass(engine, AddsParts):
            return self.count
        return engine.first_count(self.primitive, options, self.count)


def resolve(
    recipe: Recipe, registry: Registry, canvas: Canvas, subject: Subject | None = None
) -> Plan:
    """Check names and options and fill in every default, for a picture of the size of `canvas`.

    A `subject` takes the place of the picture. Raises PluginError for unknown or broken plugins,
    UsageError for options and for what does not fit the kind of target.
    """
    if recipe.morph is not None:
        first, second = recipe.morph.first.name, recipe.morph.second.name
        raise UsageError(
            "a morph is not fitted: its recipe names two drawings",
            hint=f"use artgen morph {first} {second}",
        )
    table = recipe.primitive
    entry = find_primitive(recipe, registry)
    cls = entry.load()
    if kind_of(subject) not in cls.targets:
        raise _unfit(registry, table.name, kind_of(subject))
    if subject is not None:
        _check_for_pictures(recipe, subject)

    asked = {**table.options, **_sized(cls, table)}

    def make(**options: Any) -> Any:
        """The primitive with the table's options, and `options` over them, for this target."""
        primitive = cls({**asked, **options}, preset=table.preset)
        primitive.take(subject)
        primitive.resolve_options(canvas if subject is None else subject.grid)
        return primitive

    if table.target_bytes is None:
        primitive = make()
        count = _count(primitive, table.name, table.count, canvas)
    else:
        primitive, count = _within_bytes(make, table, recipe.run.precision)

    if recipe.output.transparent:
        primitive.check_transparent(table.name)
    stages, engines, losses = [], [], []
    for index, stage in enumerate(recipe.stage):
        name = _engine_name(primitive, table.name, stage.engine)
        engine = registry.load("engine", name)
        if recipe.schema_version == 1:
            known = _names(options_type(engine, primitive))
            options = migrated_engine_options(name, stage.options, known)
            stage = Stage(**stage.model_dump(include=set(Stage.model_fields)), **options)
        layered = _layered(primitive, stage, name, engine, count)
        if table.count == "auto" and index == 0:
            layered = {**layered, **_automatic(engine, primitive, table.name), **stage.options}
        layered.setdefault("loss", DEFAULT_LOSS if subject is None else subject.loss)
        stages.append(_complete(layered, name, engine, primitive))
        keeps_palette = "palette" in engine.supports and primitive.palettes
        if recipe.target.palette is not None and not keeps_palette:
            raise UsageError(
                f"engine {name} cannot keep to a palette",
                hint="climb and genetic can, with shapes: -p triangle --palette 5",
            )
        engines.append(engine)
        losses.append(_loss(registry, layered["loss"]))
        losses[-1].check_target(kind_of(subject))

    data = {**recipe.to_dict(), "schema": SCHEMA}
    data["primitive"] = {
        "name": registry.spelling(entry),
        **({"count": count} if count is not None else {}),
        **({"preset": table.preset} if table.preset else {}),
        **_plugin_file(registry.identity(entry)),
        **_without_none(primitive.option_values()),
    }
    data["stage"] = [stage.model_dump(mode="json", exclude_none=True) for stage in stages]
    return Plan(
        recipe=Recipe.from_dict(data),
        primitive=primitive,
        identity=registry.identity(entry),
        engines=tuple(engines),
        losses=tuple(losses),
    )


def check_polish(recipe: Recipe, registry: Registry) -> None:
    """Raise UsageError where the engine `gradient` cannot refine what another engine found."""
    if "gradient" not in find_primitive(recipe, registry).load().engines[1:]:
        raise UsageError(
            f"only shapes can be polished, and {recipe.primitive.name} is none",
            hint="leave it out; more --steps refine what is fitted by gradients",
        )


def find_primitive(recipe: Recipe, registry: Registry) -> Entry:
    """The recipe's primitive, from the loose file that it names, if any. Raises PluginError."""
    table = recipe.primitive
    recorded = (
        {"file": table.plugin.name, "sha256": table.plugin.sha256 or ""} if table.plugin else {}
    )
    return registry.find("primitive", table.name, plugin=recorded)


def _unfit(registry: Registry, name: str, kind: str) -> UsageError:
    """What to say of a primitive that cannot be fitted to this kind of target."""
    fitting = []
    for entry in registry.entries("primitive"):
        with suppress(PluginError):
            if kind in entry.load().targets:
                fitting.append(registry.spelling(entry))
    return UsageError(
        f"{name} cannot be fitted to a target of kind {kind}",
        hint=f"use -p {' or '.join(fitting)}" if fitting else "no plugin offers what can",
    )


def _check_for_pictures(recipe: Recipe, subject: Subject) -> None:
    """Raise UsageError for what a recipe may only ask for with a picture."""
    asked = {
        "target_psnr": any(stage.target_psnr is not None for stage in recipe.stage),
        "transparent": recipe.output.transparent,
    }
    for key in (key for key, given in asked.items() if given):
        raise UsageError(
            f"{key} is for pictures, and this is a target of kind {subject.kind}",
            hint=f"leave {key} out",
        )


def _sized(cls: type[Any], table: PrimitiveTable) -> dict[str, int]:
    """The option that a count sets for a codec, which has none: how much its latent holds."""
    if cls.has_count or table.count is None:
        return {}
    if cls.count_is_size and cls.size_option and table.count != "auto":
        return {cls.size_option: table.count}
    raise UsageError(
        f"{table.name} is one {cls.family}, it has no count",
        hint=f"see its options: artgen plugins show {table.name}",
    )


def _count(
    primitive: Any, name: str, asked: int | Literal["auto"] | None, canvas: Canvas
) -> int | None:
    """How many parts: asked for, else the preset's, else the primitive's default.

    For ``auto`` it is the limit of what the engine may find.
    """
    if not primitive.has_count:
        return None
    if asked == "auto":
        return max(1, canvas.width * canvas.height // PIXELS_PER_PART)
    count: int | None = asked or primitive.preset.count or primitive.defaults.count
    return DEFAULT_COUNT if count is None else count


def _within_bytes(
    make: Callable[..., Any], table: PrimitiveTable, precision: Precision
) -> tuple[Any, int | None]:
    """The primitive and the largest count whose parameters fit the table's ``target_bytes``.

    What has no count is made as large by its `size_option`; where it has none, or the user set it,
    it has to fit as it is. Raises UsageError where nothing does.
    """
    primitive, limit = make(), table.target_bytes or 0
    option = primitive.size_option
    if table.count is not None:
        raise UsageError(
            f"a count of {table.count} and target_bytes = {limit} were both asked for",
            hint="leave one of them out",
        )

    def size(primitive: Any, count: int) -> int:
        shapes = [primitive.tensor_shape(each, count) for each in primitive.parameters().values()]
        return bytes_of_shapes(shapes, precision)

    def counted(count: int) -> int:
        return size(primitive, count)

    def sized(value: int) -> int:
        return size(make(**{option: value}), 1)

    if primitive.has_count:
        count = _largest(counted, limit, 1, MOST_PARTS)
        if count is None:
            raise _too_few_bytes(f"one part of {table.name}", counted(1), limit, precision)
        return primitive, count
    if option is None or option in table.options:
        if counted(1) > limit:
            raise UsageError(
                f"{table.name} takes {counted(1)} bytes at {precision}, more than {limit}",
                hint=f"make it smaller by its options: artgen plugins show {table.name}",
            )
        return primitive, None
    [metadata] = [f.metadata for f in dataclasses.fields(primitive.Options) if f.name == option]
    low, high = metadata.get("low") or 1, metadata.get("high") or MOST_PARTS
    value = _largest(sized, limit, int(low), int(high))
    if value is None:
        raise _too_few_bytes(f"the smallest {table.name}", sized(int(low)), limit, precision)
    return make(**{option: value}), None


def _largest(size: Callable[[int], int], limit: int, low: int, high: int) -> int | None:
    """The largest n from `low` to `high` with size(n) ≤ `limit`, for a size that grows with n."""
    if size(low) > limit:
        return None
    # Up in ever larger strides, so that nothing far larger than needed is ever made, then back.
    best, stride, growing = low, 1, True
    while stride:
        fits = best + stride <= high and size(best + stride) <= limit
        best += stride if fits else 0
        growing = growing and fits
        stride = 2 * stride if growing else stride // 2
    return best


def _too_few_bytes(what: str, needed: int, limit: int, precision: Precision) -> UsageError:
    return UsageError(
        f"{what} takes {needed} bytes at {precision}, more than {limit}",
        hint="allow more bytes" + (", or use --precision int8" if precision != "int8" else ""),
    )


def _engine_name(primitive: Any, name: str, asked: str) -> str:
    """The engine's name; ``auto`` is the primitive's first."""
    if asked == "auto":
        return str(primitive.engines[0])
    if asked.removeprefix("artgen/") not in primitive.engines:
        right = " or ".join(primitive.engines)
        raise UsageError(f"{name} does not work with engine {asked!r}", hint=f"use -e {right}")
    return asked


def _layered(
    primitive: Any, stage: Stage, name: str, engine: type[Any], count: int | None
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
        options = {**below, **stage.options}
        suggests = issubclass(engine, SuggestsSteps)
        steps = engine.default_steps(primitive, options, count) if suggests else None
        below.setdefault("steps", steps or DEFAULT_STEPS)
    return {**below, **data}


def _automatic(engine: type[Any], primitive: Any, name: str) -> dict[str, Any]:
    """The options under which the first stage finds the count."""
    options = engine.automatic(primitive) if issubclass(engine, FindsCount) else {}
    if not options:
        raise UsageError(
            f"the count of {name} cannot be found automatically", hint="give --count a number"
        )
    return options


def _complete(data: dict[str, Any], name: str, engine: type[Any], primitive: Any) -> Stage:
    """The stage with every engine option spelled out."""
    own = {key: value for key, value in data.items() if key in Stage.model_fields}
    given = {key: value for key, value in data.items() if key not in Stage.model_fields}
    _check_family(given, name, engine, primitive)
    options = parse_options(options_type(engine, primitive), given, owner=f"engine {name}")
    own.update(engine=name)
    return Stage(**own, **_without_none(dataclasses.asdict(options)))


def _check_family(given: Mapping[str, Any], name: str, engine: type[Any], primitive: Any) -> None:
    """Raise UsageError for an option that the engine has for other families alone."""
    if not issubclass(engine, HasFamilyOptions):
        return
    known = _names(engine.options_for(primitive))
    families = {family: _names(options) for family, options in engine.family_options().items()}
    for key in set(given) - known:
        others = [f"{family}s" for family, names in families.items() if key in names]
        if others:
            raise UsageError(
                f"engine {name} has no option {key!r} for a {primitive.family}",
                hint=f"{key} is for {' and '.join(others)}",
            )


def _names(options: type[Any]) -> set[str]:
    return {option.name for option in describe_options(options)}


def _loss(registry: Registry, text: str) -> Any:
    """The loss mixture `text`, with the names of all plugins."""
    from artgen.losses import parse_loss

    names = [entry.name for entry in registry.entries("loss")]
    return parse_loss(text, lambda name: registry.load("loss", name), names)


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _plugin_file(identity: dict[str, str]) -> dict[str, Any]:
    """The loose file a primitive comes from, by name and hash."""
    if "file" not in identity:
        return {}
    return {"plugin": {"name": identity["file"], "sha256": identity["sha256"]}}
