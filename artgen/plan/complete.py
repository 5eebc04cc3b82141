"""The fourth pass: every stage with all of its options, and the plan of the run.

`make_plan` goes through all passes.

Precedence: what the recipe says (flags are laid over it before) > its preset > the primitive's
defaults > the engine's.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from artgen.base.errors import PluginError, UsageError, check_memory
from artgen.base.faults import broken, place_of
from artgen.base.options import parse_options
from artgen.plan.names import Named, find_names, of_look
from artgen.plan.options import Chosen, check_engine_options, choose_options, names_of
from artgen.plan.target import aim
from artgen.recipe import FileReference, Recipe, Stage
from artgen.recipe.migration import earlier_options
from artgen.recipe.table import Misfit
from artgen.registry import Registry, bare_name
from artgen.values.canvas import Canvas
from artgen.values.drawing import Colour, Drawing
from artgen.values.subject import Subject, kind_of

if TYPE_CHECKING:
    from artgen.engines import Engine
    from artgen.losses import Loss
    from artgen.primitives import Primitive

DEFAULT_LOSS = "mse"
DEFAULT_STEPS = 300
BYTES_PER_NUMBER = 28
"""Memory of a fit for each learned number: its value, mapped and best, its gradient, two moments,
and the drawing."""
BYTES_PER_KEY = 8
"""Memory for each of them in each drawing of a history: in the film, and as bytes of its file."""
QUALITY = {"draft": 0.2, "good": 1.0, "best": 4.0}
"""The number of steps by quality, in those of the default."""


@dataclass(frozen=True)
class Plan:
    """A recipe with every name found and every option checked.

    `recipe` is complete; `engines`, `losses` and `primitives` hold one entry per stage: these are
    the `primitive`, or copies that keep to the rule of an engine before.
    """

    recipe: Recipe
    primitive: Primitive
    identity: dict[str, str]
    engines: tuple[type[Engine], ...]
    losses: tuple[Loss, ...]
    primitives: tuple[Primitive, ...]

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
        return self.engines[0].first_count(self.primitive, options, self.count)

    def initial(self, seed: int, canvas: Canvas, background: Colour, **more: Any) -> dict[str, Any]:
        """The parameters that a fit begins with; `more` is what else they may follow from."""
        from artgen.init import Context, make_generator

        rng = make_generator(seed, self.recipe.run.random)
        context = Context(rng, canvas, self.first_count, background=background, **more)
        return self.primitive.initial(context)

    def drawing(
        self, tensors: Mapping[str, Any], canvas: Canvas, background: Colour, **more: Any
    ) -> Drawing:
        """These parameters as a drawing of the size of `canvas`; `more` are its other fields."""
        return Drawing(
            bare_name(self.recipe.primitive.name),
            self.primitive.option_values(),
            tensors,
            canvas.width,
            canvas.height,
            background,
            plugin=self.identity,
            **more,
        )


def resolve(
    recipe: Recipe, registry: Registry, canvas: Canvas, subject: Subject | None = None
) -> Plan:
    """All passes: the plan of a recipe, as by `find_names` and `make_plan`."""
    return make_plan(find_names(recipe, registry), canvas, subject)


def make_plan(
    named: Named,
    canvas: Canvas,
    subject: Subject | None = None,
    *,
    header: Callable[[Plan], int] | None = None,
) -> Plan:
    """Check options and fill in every default, for a picture of the size of `canvas`.

    A `subject` takes the place of the picture; `header` is how many of its `target_bytes` the file
    of a plan needs beside its parameters. Raises PluginError for broken plugins, UsageError for
    options and for what does not fit the kind of target.
    """
    with of_look(named.recipe):
        chosen = choose_options(named)
        plan = complete(chosen, canvas, subject, 0)
        if header is not None and named.recipe.primitive.target_bytes is not None:
            plan = complete(chosen, canvas, subject, header(plan))
        return plan


def complete(chosen: Chosen, canvas: Canvas, subject: Subject | None, header: int) -> Plan:
    """Fill in every default of the stages, for what `aim` makes. Raises PluginError, UsageError."""
    primitive, count, most = aim(chosen, canvas, subject, header)
    named, recipe, table = chosen.named, chosen.recipe, chosen.recipe.primitive
    stages, losses, primitives = list[Stage](), list[Any](), [primitive]
    for index, (stage, (name, engine)) in enumerate(zip(recipe.stage, chosen.engines, strict=True)):
        if primitives[-1] is not primitive and "rules" not in engine.supports:
            raise UsageError(
                f"engine {name} does not keep to the rule of {stages[-1].engine}, which is before",
                hint=f"leave out {name}, or polish with gradient",
            )
        layered = _layered(primitive, stage, name, engine, count)
        if table.count == "auto" and index == 0:
            # The options under which the first stage finds the count.
            if not (finding := engine.automatic(primitive)):
                hint = "give --count a number"
                raise UsageError(f"count = auto does not work for {table.name}", hint=hint)
            layered = {**layered, **finding, **stage.options}
        layered.setdefault("loss", DEFAULT_LOSS if subject is None else subject.loss)
        stages.append(_complete(layered, name, engine, primitive))
        primitives.append(engine.constrain(primitives[-1], stages[-1].options))
        if recipe.target.palette is not None and not primitive.palettes:
            raise UsageError(
                f"{table.name} cannot keep its colours to a palette",
                hint="shapes, cells, flat meshes, fields, ink can: -p triangle, mesh, mlp, mosaic",
            )
        if recipe.target.palette is not None and "palette" not in engine.supports:
            raise UsageError(
                f"engine {name} does not support palettes",
                hint=f"leave out -e: {table.name} is made for {primitive.engines[0]}",
            )
        losses.append(named.loss(layered["loss"]))
        losses[-1].check_target(kind_of(subject))

    numbers = sum(map(math.prod, primitive.tensor_shapes(count or 1).values()))
    asked = "" if count is None else f" with {count:,} parts"
    keys = (recipe.output.history or 0) * len(stages)
    check_memory(
        (BYTES_PER_NUMBER + BYTES_PER_KEY * keys) * numbers,
        f"fitting the {numbers:,} numbers of {table.name}{asked}",
        "use a smaller --count, smaller options, or a shorter --history",
    )
    identity = dict(named.entry.identity)
    resolved = recipe.with_stages(stages).with_primitive(
        name=named.registry.spelling(named.entry),
        count=count,
        target_bytes=None,
        parameter_bytes=None,
        plugin=FileReference(name=identity["file"], sha256=identity["sha256"])
        if "file" in identity
        else None,
        **primitive.option_values(),
    )
    if most != recipe.run.parameter_bytes:
        resolved = resolved.with_run(parameter_bytes=most)
    if primitive.psnr_option is not None:
        resolved = resolved.with_stage(len(stages) - 1, target_psnr=None)
    engines = tuple(engine for _, engine in chosen.engines)
    return Plan(resolved, primitive, identity, engines, tuple(losses), tuple(primitives[:-1]))


def _layered(
    primitive: Primitive, stage: Stage, name: str, engine: type[Engine], count: int | None
) -> dict[str, Any]:
    """The stage's keys over the preset's over the primitive's, as far as those are for `name`."""
    data = stage.to_dict()
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
        below = {**engine.timed_options(), **below}
        below.pop("steps", None)
    else:
        quality = data.get("quality", "good")
        effort = engine.quality_options(quality)
        factor = QUALITY[quality] if effort is None else 1.0
        below |= effort or {}
        steps = engine.default_steps(primitive, {**below, **stage.options}, count)
        below.setdefault("steps", steps or DEFAULT_STEPS)
        if "steps" not in data:
            below["steps"] = max(1, round(factor * below["steps"]))
    return {**below, **data}


def _complete(
    data: Mapping[str, object], name: str, engine: type[Engine], primitive: Primitive
) -> Stage:
    """The stage with every engine option spelled out."""
    own = {key: value for key, value in data.items() if key in Stage.declared()}
    given = {key: value for key, value in data.items() if key not in own}
    known = engine.options_for(primitive)
    names = names_of(known)
    for key in sorted(names & set(Stage.declared())):
        problem = f"has an option {key!r}, which is a key of every stage"
        raise broken(f"options of engine {name}", known, problem, "choose another name")
    if set(given) - names:
        families = {each: names_of(options) for each, options in engine.family_options().items()}
        check_engine_options(name, given, names, families, primitive.family)
    given = {**earlier_options(name, given, names), **given}
    options = parse_options(known, given, owner=f"engine {name}")
    values = {k: v for k, v in dataclasses.asdict(options).items() if v is not None}
    try:
        return Stage.parse({**own, "engine": name, **values})
    except Misfit as misfit:  # what the recipe says has been checked
        owner = known if misfit.path and misfit.path[0] in values else type(primitive)
        raise misfit.of(PluginError, f"stage of {owner.__name__}{place_of(owner)}") from None
