"""The fitting size of pictures whose parts need more pixels than usual, and whether it is tiled."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from artgen.base.decode import guarded_image
from artgen.base.files import open_regular, printable
from artgen.engines import Engine
from artgen.engines.gradient.engine import GradientEngine
from artgen.plan import find_names, make_plan
from artgen.primitives import Primitive
from artgen.recipe import Recipe, TilesTable
from artgen.registry import Registry
from artgen.runs.context import RunContext
from artgen.runs.files.inputs import InputFiles
from artgen.runs.kind import Reason
from artgen.targets import Source
from artgen.targets.image import DEFAULT_LONG_SIDE
from artgen.targets.opening import find_opener
from artgen.values.canvas import Canvas

PIXELS = 10
"""Pixels for each part that the fitting size has at least, if the picture has them.

Their 30 values are about three for each number of a Gaussian.
"""
WHOLE = 1536
"""The longest side, in pixels, that is fitted as a whole unless the user asks for tiles."""


def reasons_against(recipe: Recipe) -> Iterator[Reason]:
    """What a fit in tiles cannot have."""
    table = recipe.target
    cannot_have = {
        "a crop or border": table.frame.aspect is not None,
        "a mask": table.mask is not None,
        "a focus": table.focus not in (None, "none"),
        "alpha": bool(table.alpha or table.alpha_weight or recipe.output.transparent),
        "a palette": table.palette is not None,
        "a drawing to start from": recipe.init is not None,
        "a history": bool(recipe.output.history),
        "a count of auto": recipe.primitive.count == "auto",
        "a loss with a picture": any(stage.loss_files for stage in recipe.stage),
        "views": recipe.view is not None,
        "several stages": len(recipe.stage) > 1,
        "a time, a PSNR or a plateau to stop at": any(
            (stage.time, stage.target_psnr, stage.plateau) != (None, None, None)
            for stage in recipe.stage
        ),
    }
    for what, applies in cannot_have.items():
        yield Reason(f"a fit in tiles cannot have {what}", applies, "leave out --tiles")


def suits_tiles(primitive: Primitive, engine: type[Engine]) -> bool:
    """Whether parts add up and reach a limited number of pixels, and the engine moves them."""
    return primitive.is_local and primitive.can_densify and issubclass(engine, GradientEngine)


def with_fitting_size(
    recipe: Recipe, registry: Registry, search: Sequence[Path], context: RunContext
) -> Recipe:
    """The recipe with the size, and perhaps the tiles, that its count needs; a note says so.

    They are chosen for a picture file, if the recipe has neither and could be fitted in tiles.
    """
    named = find_names(recipe, registry).with_preset_target()
    recipe = named.recipe
    table, count = recipe.target, recipe.primitive.count
    source = Source.parse(table.source)
    if recipe.tiles is not None or table.size is not None or not isinstance(count, int):
        return recipe
    if source.path is None or any(reason.applies for reason in reasons_against(recipe)):
        return recipe
    if find_opener(source, registry).name != "image":
        return recipe
    path = InputFiles(search).find("target", source.path, table.sha256)
    where = printable(path)
    with (
        open_regular(path, where) as file,
        guarded_image(file, table.max_pixels, where) as image,
    ):
        width, height = image.size
    needed = math.ceil(max(width, height) * math.sqrt(count * PIXELS / (width * height)))
    size = min(needed, max(width, height))
    if size <= DEFAULT_LONG_SIDE:
        return recipe
    plan = make_plan(named, Canvas(width, height).scaled(size))
    if not suits_tiles(plan.primitive, plan.engines[0]):
        return recipe
    note = f"{count:,} parts get a fitting size of {size} pixels"
    if size > WHOLE:
        note += ", in tiles, without a video of the steps"
        recipe = recipe.replace(tiles=TilesTable())
    context.notify(f"{note}; --size asks for another", "note")
    return recipe.with_target(size=size)
