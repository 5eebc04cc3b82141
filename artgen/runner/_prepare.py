"""From a recipe to a job: its inputs are read, its names resolved, its first drawing made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from artgen.art import quantised
from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.errors import Diverged, InputError, UsageError
from artgen.latents import LatentSpace
from artgen.primitives import Arithmetic, Context, Examples
from artgen.raster import Backend, choose_backend, examples_from
from artgen.recipe import Recipe
from artgen.registry import Registry, bare_name
from artgen.resolve import Plan, find_primitive, resolve
from artgen.runner._clip_plan import check_clip, plan_clip
from artgen.runner._device import resolve_arithmetic, resolve_device
from artgen.runner._init import InitialArt, open_initial
from artgen.runner._inputs import InputFiles
from artgen.subject import ImageSet, Points, Subject
from artgen.targets import (
    ClipTarget,
    ImageTarget,
    SetTarget,
    Target,
    TargetRequest,
    hex_colour,
    is_clip,
    is_image_set,
    learn_palette,
    nearest_colour,
    open_clip,
    open_frames,
    open_image,
    open_image_set,
    open_table,
    parse_colour,
    split_source,
)
from artgen.views import FIGURES, Picture, View, open_view

__all__ = ["Job", "check_finite", "open_target", "prepare", "read_target"]


@dataclass(frozen=True, eq=False)
class Job:
    """All that is known before the first step.

    `plan.recipe` is complete, but for `time` that has not become `steps` yet. `goal` is the 8-bit
    target [3, height, width], `weight` [height, width] or None; for samples `goal` is
    [outputs, 1, M] at the `positions` [M, inputs], for a set the pictures of `test`,
    [N, channels, height, width], where `training` is learned from. `start` is the first drawing;
    `inputs` are the files that were read, `notices` what the user should know.
    """

    plan: Plan
    target: Target
    goal: Tensor
    positions: Tensor | None
    weight: Tensor | None
    start: Drawing
    device: str
    backend: Backend
    arithmetic: Arithmetic
    inputs: tuple[Path, ...]
    notices: tuple[str, ...] = ()
    training: Examples | None = None
    test: Examples | None = None

    @property
    def recipe(self) -> Recipe:
        """The recipe of the plan."""
        return self.plan.recipe

    @cached_property
    def view(self) -> View:
        """Shows drawings at the fitting size."""
        return open_view(
            self.start,
            self.plan.primitive,
            device=self.device,
            backend=self.backend,
            test=self.test,
        )

    @property
    def palette(self) -> Tensor | None:
        """The only colours that parts may have, [K, 3]; None: any."""
        colours = self.recipe.target.palette
        if not isinstance(colours, tuple):
            return None
        return torch.tensor([parse_colour(colour) for colour in colours])

    def draw(self, drawing: Drawing) -> Picture:
        """Draw at the fitting size. Raises Diverged where the result is not finite."""
        check_finite(drawing)
        return self.view.show(drawing)

    def figures(self, picture: Picture) -> dict[str, float | None]:
        """All of `FIGURES`, by name."""
        return {**dict.fromkeys(FIGURES), **self.view.figures(picture, self.target)}

    def psnr(self, drawing: Drawing) -> float:
        """What the summary would say of `drawing`: rounded to its precision and to 8 bits."""
        saved = quantised(drawing, self.recipe.run.precision)
        return self.figures(self.draw(saved))["psnr"] or 0.0


def prepare(
    recipe: Recipe,
    registry: Registry,
    *,
    target: Target | None,
    search: Sequence[Path],
    threads: int,
) -> Job:
    """Read the inputs of `recipe` and complete it; `target` replaces its source.

    Raises InputError, PluginError, UsageError.
    """
    files = InputFiles(search)
    device = resolve_device(recipe.run.device)
    init = None if recipe.init is None else open_initial(recipe.init, files, registry)
    recipe, target = _over_background(recipe, registry, files, target, init)
    check_clip(recipe, target)
    if init is not None:
        recipe = init.continued(recipe, find_primitive(recipe, registry).load().family)
    plan = resolve(recipe, registry, target.canvas, target.subject)
    backend = choose_backend(plan.primitive, device, recipe.run.backend)
    codec = plan.primitive if plan.primitive.family == "codec" else None
    arithmetic = resolve_arithmetic(recipe.run.arithmetic, device, _batch(plan, target), codec)
    run = {"device": device, "backend": backend.name, "threads": threads, "arithmetic": arithmetic}
    plan = replace(plan, recipe=_complete(plan.recipe, target, files, run))
    if isinstance(target, ClipTarget):
        plan = plan_clip(plan)
    subject: Subject | None = None
    positions = training = test = None
    if isinstance(target, ImageTarget):
        # Fitting and judging share 8 bits, so that the figures on the way are the still's.
        pixels = torch.from_numpy(target.pixels.astype(np.float32) / 255)
        goal = pixels.permute(2, 0, 1).contiguous()
    elif isinstance(target, SetTarget):
        subject = target.subject
        training = examples_from(target.training, target.training_labels)
        test = examples_from(target.test, target.test_labels)
        goal = test.images.float() / 255
        # A set may be large: a resumed run reads it again from where it is.
        files.found.pop("target", None)
    else:
        subject = samples = target.subject
        assert not isinstance(samples, ImageSet)
        goal = torch.from_numpy(samples.values).t()[:, None].contiguous()
        positions = torch.from_numpy(samples.positions)
        if isinstance(subject, Points):
            subject = replace(subject, logits=plan.losses[-1].takes_logits)
    if isinstance(target, ClipTarget):
        # It may be large too.
        files.found.pop("target", None)
    weight = None if target.weight is None else torch.from_numpy(target.weight)
    start = _first_drawing(plan, target.canvas, subject, goal, weight, init)
    if recipe.output.walk is not None:
        # What is wrong with it shall not be found after hours.
        LatentSpace(start, plan.primitive).walk(recipe.output.walk, 1)
    return Job(
        plan=plan,
        target=target,
        goal=goal,
        positions=positions,
        weight=weight,
        start=start,
        device=device,
        backend=backend,
        arithmetic=arithmetic,
        inputs=tuple(files.found.values()),
        notices=(
            *(f"{target.source}: {warning}" for warning in target.warnings),
            *_slow(plan, backend, recipe.run.backend),
        ),
        training=training,
        test=test,
    )


def open_target(
    recipe: Recipe, registry: Registry, search: Sequence[Path]
) -> ImageTarget | SetTarget:
    """The picture or the set of `recipe`, to `run` several recipes on the same one.

    A background of ``auto`` is black. Raises InputError, PluginError, UsageError.
    """
    target = read_target(recipe, registry, search)
    if isinstance(target, ClipTarget):
        return target.still
    if not isinstance(target, ImageTarget | SetTarget):
        raise UsageError(
            f"{recipe.target.source} is neither a picture nor a set of them",
            hint="compare with pictures, or use artgen fit",
        )
    return target


def read_target(recipe: Recipe, registry: Registry, search: Sequence[Path]) -> Target:
    """What `recipe` is fitted to, of any kind, at its fitting size.

    A background of ``auto`` is black. Raises InputError, PluginError, UsageError.
    """
    if recipe.target.background == "auto":
        recipe = recipe.updated({"target": {"background": "black"}})
    return _open_target(recipe, registry, InputFiles(search))


def check_finite(drawing: Drawing) -> None:
    """Raise Diverged where a parameter is NaN or infinite: such a part may just not be drawn."""
    for name, tensor in drawing.tensors.items():
        if not tensor.isfinite().all():
            raise Diverged(
                f"parameter {name!r} became NaN or infinite",
                hint="try a smaller --set engine.rate=0.3",
            )


def _batch(plan: Plan, target: Target) -> int | None:
    """The batch of the first stage that may use bfloat16 (0: many); None where none does."""
    for engine, stage in zip(plan.engines, plan.recipe.stage, strict=True):
        if plan.primitive.family in ("field", "codec") and "bf16" in engine.arithmetics:
            batch = int(stage.options.get("batch", 0))
            if plan.primitive.family == "field" and isinstance(target, ImageTarget):
                pixels = target.canvas.width * target.canvas.height
                return min(batch or pixels, pixels)
            return batch
    return None


def _slow(plan: Plan, backend: Backend, asked: str) -> list[str]:
    """Why a footprint that could have been compiled was not."""
    if asked != "auto" or backend.name == "compiled" or plan.primitive.family != "splat":
        return []
    return [f"{plan.recipe.primitive.name} runs on the slower eager backend: {backend.reason}"]


def _over_background(
    recipe: Recipe,
    registry: Registry,
    files: InputFiles,
    target: Target | None,
    init: InitialArt | None,
) -> tuple[Recipe, Target]:
    """The target over its background, and the recipe that names this.

    A background of ``auto`` becomes that of the preset, or black; for shapes that of the drawing to
    start from, or the colour that fits the target best: its weighted mean, or the colour of the
    palette next to it.
    """
    asked, named = recipe.target.background, recipe.primitive.preset
    if asked == "auto" and named is not None and init is None:
        preset = find_primitive(recipe, registry).load().find_preset(named)
        asked = preset.background or asked
        recipe = recipe.updated({"target": {"background": asked}})
    if asked != "auto":
        opened = target or _open_target(recipe, registry, files)
        return _with_palette(recipe, opened), opened
    black = recipe.updated({"target": {"background": "black"}})
    opened = target or _open_target(black, registry, files)
    if opened.subject is not None or find_primitive(recipe, registry).load().family != "shape":
        return black, opened
    if init is not None:
        best: Sequence[float] = init.art.drawing.background
    else:
        best = np.average(
            opened.pixels.reshape(-1, 3) / 255,
            axis=0,
            weights=None if opened.weight is None else opened.weight.reshape(-1),
        ).tolist()

    def over(colour: str) -> tuple[Recipe, Target]:
        coloured = recipe.updated({"target": {"background": colour}})
        again = target is None and isinstance(opened, ImageTarget) and opened.transparent
        return coloured, _open_target(coloured, registry, files) if again else opened

    recipe, opened = over(hex_colour(best))
    recipe = _with_palette(recipe, opened)
    palette = recipe.target.palette
    if isinstance(palette, tuple):
        recipe, opened = over(nearest_colour(palette, best))
    return recipe, opened


def _with_palette(recipe: Recipe, target: Target) -> Recipe:
    """The recipe whose palette, if it has one, is a list of ``#rrggbb``."""
    palette = recipe.target.palette
    if palette is None:
        return recipe
    if not isinstance(target, ImageTarget):
        raise UsageError(f"{target.source} is no picture: it has no palette", hint="drop --palette")
    if isinstance(palette, int):
        colours = learn_palette(target.pixels, palette, target.weight)
    else:
        colours = tuple(dict.fromkeys(hex_colour(parse_colour(colour)) for colour in palette))
    return recipe.updated({"target": {"palette": colours}})


def _open_target(recipe: Recipe, registry: Registry, files: InputFiles) -> Target:
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
        path = files.find("target", rest, table.sha256)
        if path.suffix.lower() == ".csv":
            return open_table(str(path), request)
        if is_clip(path):
            return open_clip(path, request)
        if not is_image_set(path):
            return open_image(path, request)
        opened: Target = open_image_set(path, request)
    elif scheme == "frames":
        name, mark, query = rest.partition("?")
        folder = files.find("target", name, None)
        opened = open_frames(f"{folder}{mark}{query}", request)
    else:
        opened = registry.load("target", scheme)(rest, request)
    if table.sha256 not in (None, opened.sha256):
        raise InputError(
            f"{table.source} is not the target the recipe was made with: its SHA-256 differs",
            hint="give the target on the command line to use it anyway",
        )
    return opened


def _complete(recipe: Recipe, target: Target, files: InputFiles, run: dict[str, Any]) -> Recipe:
    """The recipe with all that was resolved: hashes, seed, size and where it runs."""
    canvas = target.canvas
    size = target.size if isinstance(target, SetTarget) else max(canvas.width, canvas.height)
    table: dict[str, Any] = {
        "source": target.source,
        "sha256": target.sha256,
        "size": size,
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
    plan: Plan,
    canvas: Canvas,
    subject: Subject | None,
    goal: Tensor,
    weight: Tensor | None,
    init: InitialArt | None,
) -> Drawing:
    """Another drawing's parts, or the primitive's own start."""
    table = plan.recipe.primitive
    background = parse_colour(plan.recipe.target.background)
    if init is not None:
        tensors = init.tensors_for(plan, goal, weight, background)
    else:
        context = Context(
            rng=torch.Generator().manual_seed(plan.recipe.seed or 0),
            canvas=canvas,
            count=plan.first_count,
            target=goal if subject is None else None,
            weight=weight,
            background=background,
        )
        tensors = plan.primitive.initial(context)
    return Drawing(
        primitive=bare_name(table.name),
        options=plan.primitive.option_values(),
        tensors=tensors,
        width=canvas.width,
        height=canvas.height,
        background=background,
        plugin=plan.identity,
        subject=subject,
    )
