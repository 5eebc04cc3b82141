"""From a recipe to a job: its inputs are read, its names resolved, its first drawing made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.art import quantised
from artgen.drawing import Drawing
from artgen.errors import Diverged, InputError
from artgen.metrics import psnr
from artgen.output import to_pixels
from artgen.primitives import Arithmetic, Context
from artgen.raster import Backend, choose_backend, draw
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.resolve import Plan, resolve
from artgen.runner._device import resolve_arithmetic, resolve_device
from artgen.runner._init import InitialArt, open_initial
from artgen.runner._inputs import InputFiles
from artgen.targets import ImageTarget, TargetRequest, open_image, parse_colour, split_source

__all__ = ["Job", "Picture", "check_finite", "prepare"]


@dataclass(frozen=True, eq=False)
class Picture:
    """A drawing at the fitting size: as floats [3, height, width], and as it is saved."""

    image: Tensor
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Job:
    """All that is known before the first step.

    `plan.recipe` is complete, but for `time` that has not become `steps` yet. `goal` is the 8-bit
    target [3, height, width], `weight` [height, width] or None; `start` is the first drawing;
    `inputs` are the files that were read, `notices` what the user should know.
    """

    plan: Plan
    target: ImageTarget
    goal: Tensor
    weight: Tensor | None
    start: Drawing
    device: str
    backend: Backend
    arithmetic: Arithmetic
    inputs: tuple[Path, ...]
    notices: tuple[str, ...] = ()

    @property
    def recipe(self) -> Recipe:
        """The recipe of the plan."""
        return self.plan.recipe

    def draw(self, drawing: Drawing) -> Picture:
        """Draw at the fitting size. Raises Diverged where the result is not finite."""
        check_finite(drawing)
        image = draw(drawing, self.plan.primitive, device=self.device, backend=self.backend)
        return Picture(image, to_pixels(image.permute(1, 2, 0).numpy()))

    def psnr(self, drawing: Drawing) -> float:
        """What the summary would say of `drawing`: rounded to its precision and to 8 bits."""
        saved = quantised(drawing, self.recipe.run.precision)
        return psnr(self.draw(saved).pixels, self.target.pixels)


def prepare(
    recipe: Recipe,
    registry: Registry,
    *,
    target: ImageTarget | None,
    search: Sequence[Path],
    threads: int,
) -> Job:
    """Read the inputs of `recipe` and complete it; `target` replaces its source.

    Raises InputError, PluginError, UsageError.
    """
    files = InputFiles(search)
    device = resolve_device(recipe.run.device)
    target = target or _open_target(recipe, registry, files)
    init = None
    if recipe.init is not None:
        init = open_initial(recipe.init, files, registry)
        recipe = init.continued(recipe)
    plan = resolve(recipe, registry, target.canvas)
    backend = choose_backend(plan.primitive, device, recipe.run.backend)
    arithmetic = resolve_arithmetic(recipe.run.arithmetic, device, _batch(plan))
    run = {"device": device, "backend": backend.name, "threads": threads, "arithmetic": arithmetic}
    plan = replace(plan, recipe=_complete(plan.recipe, target, files, run))
    # Fitting and judging share the 8-bit target, so that the figures on the way are the still's.
    goal = torch.from_numpy(target.pixels.astype(np.float32) / 255).permute(2, 0, 1).contiguous()
    weight = None if target.weight is None else torch.from_numpy(target.weight)
    return Job(
        plan=plan,
        target=target,
        goal=goal,
        weight=weight,
        start=_first_drawing(plan, target, goal, weight, init),
        device=device,
        backend=backend,
        arithmetic=arithmetic,
        inputs=tuple(files.found.values()),
        notices=(
            *(f"{target.source}: {warning}" for warning in target.warnings),
            *_slow(plan, backend, recipe.run.backend),
        ),
    )


def check_finite(drawing: Drawing) -> None:
    """Raise Diverged where a parameter is NaN or infinite: such a part may just not be drawn."""
    for name, tensor in drawing.tensors.items():
        if not tensor.isfinite().all():
            raise Diverged(
                f"parameter {name!r} became NaN or infinite",
                hint="try a smaller --set engine.rate=0.3",
            )


def _batch(plan: Plan) -> int | None:
    """The positions per step of the first stage that may use bfloat16; None where none does."""
    for engine, stage in zip(plan.engines, plan.recipe.stage, strict=True):
        if plan.primitive.family == "field" and "bf16" in engine.arithmetics:
            return int(stage.options.get("batch", 0))
    return None


def _slow(plan: Plan, backend: Backend, asked: str) -> list[str]:
    """Why a footprint that could have been compiled was not."""
    if asked != "auto" or backend.name == "compiled" or plan.primitive.family != "splat":
        return []
    return [f"{plan.recipe.primitive.name} runs on the slower eager backend: {backend.reason}"]


def _open_target(recipe: Recipe, registry: Registry, files: InputFiles) -> ImageTarget:
    table = recipe.target
    mask = None
    if table.mask is not None:
        mask = files.find("mask", table.mask.name, table.mask.sha256)
    request = TargetRequest(
        size=table.size,
        background=parse_colour(table.background),
        mask=mask,
        alpha_weight=table.alpha_weight,
        max_pixels=table.max_pixels,
    )
    scheme, rest = split_source(table.source)
    if scheme is None:
        return open_image(files.find("target", rest, table.sha256), request)
    opened: ImageTarget = registry.load("target", scheme)(rest, request)
    if table.sha256 not in (None, opened.sha256):
        raise InputError(
            f"{table.source} is not the picture the recipe was made with: its SHA-256 differs",
            hint="give the target on the command line to use it anyway",
        )
    return opened


def _complete(
    recipe: Recipe, target: ImageTarget, files: InputFiles, run: dict[str, Any]
) -> Recipe:
    """The recipe with all that was resolved: hashes, seed, size and where it runs."""
    canvas = target.canvas
    table: dict[str, Any] = {
        "source": target.source,
        "sha256": target.sha256,
        "size": max(canvas.width, canvas.height),
    }
    changes: dict[str, Any] = {"target": table, "run": run}
    if "mask" in files.found:
        table["mask"] = files.reference("mask")
    if "init" in files.found:
        changes["init"] = files.reference("init")
    if recipe.seed is None:
        changes["seed"] = int(np.random.SeedSequence().generate_state(1)[0])
    return recipe.updated(changes)


def _first_drawing(
    plan: Plan, target: ImageTarget, goal: Tensor, weight: Tensor | None, init: InitialArt | None
) -> Drawing:
    """Another drawing's parts, or the primitive's own start."""
    table, canvas = plan.recipe.primitive, target.canvas
    background = parse_colour(plan.recipe.target.background)
    if init is not None:
        tensors = init.tensors_for(plan.primitive)
    else:
        context = Context(
            rng=torch.Generator().manual_seed(plan.recipe.seed or 0),
            canvas=canvas,
            count=plan.first_count,
            target=goal,
            weight=weight,
            background=background,
        )
        tensors = plan.primitive.initial(context)
    return Drawing(
        primitive=table.name.rpartition("/")[2],
        options=plan.primitive.option_values(),
        tensors=tensors,
        width=canvas.width,
        height=canvas.height,
        background=background,
        plugin=plan.identity,
    )
