"""From a recipe to a job: its inputs are read, its names resolved, its first drawing made."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen._process import is_webgpu
from artgen.animation.forms import find_form
from artgen.animation.trajectory import trajectory_bytes
from artgen.art import Contents, bytes_of_shapes, quantised, to_bytes
from artgen.display import METRICS, FramedView, Rendering, View, open_view
from artgen.drawing import Drawing
from artgen.errors import Diverged, InputError, UsageError
from artgen.frame import WHOLE, Circle, parse_focus
from artgen.init import make_generator
from artgen.latents.space import open_latents
from artgen.primitives import Arithmetic, Context
from artgen.raster import Backend, choose_backend, tensor_device
from artgen.recipe import FileReference, Recipe, TargetTable
from artgen.registry import Registry, bare_name
from artgen.resolve import Plan, load_primitive, resolve, with_preset_target
from artgen.runner._arithmetic import resolve_arithmetic
from artgen.runner._device import resolve_device
from artgen.runner._history import LIGHT_KEYS, keeps_trajectory
from artgen.runner._inputs import InputFiles
from artgen.runner._warm_start import Initial, open_initial
from artgen.runner.clip._plan import check_clip, plan_clip
from artgen.targets import (
    ImageTarget,
    Source,
    Target,
    TargetRequest,
    TargetTensors,
    ground_colour,
    hex_colour,
    open_source,
    parse_colour,
)
from artgen.waiting import report

FASTEST = 100_000
"""Steps per second that no fit exceeds."""

MOST_CHECKS = 64
"""How many times a budget of time can be revised: 1.25 / 0.02 checks, see `_timing`."""


@dataclass(frozen=True, eq=False)
class Job:
    """Everything known before the first step.

    `plan.recipe` is complete, but for `time` that has not become `steps` yet. `data` are the
    tensors of the `target`, `start` is the first drawing; `device` is where the tensors are, which
    for WebGPU is the CPU; `inputs` are the files that were read, `notices` are warnings for the
    user, and `notes` are no warnings.
    """

    plan: Plan
    target: Target
    data: TargetTensors
    start: Drawing
    device: str
    backend: Backend
    arithmetic: Arithmetic
    inputs: tuple[Path, ...]
    notices: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

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
            test=self.data.test,
        )

    @cached_property
    def _camera(self) -> FramedView | None:
        """Shows drawings at the size of the video; None where that is the fitting size."""
        size = self.recipe.output.video_size
        if size is None:
            return None
        return FramedView(
            self.recipe.framed(size),
            self.shown(self.start),
            self.plan.primitive,
            device=self.device,
            backend=self.backend,
            test=self.data.test,
        )

    @property
    def palette(self) -> Tensor | None:
        """The only colours that parts may have, [K, 3]; None: any."""
        colours = self.recipe.target.palette
        if not isinstance(colours, tuple):
            return None
        return torch.tensor([parse_colour(colour) for colour in colours])

    def shown(self, drawing: Drawing) -> Drawing:
        """The drawing over the background of the recipe: with `alpha` engines use another one."""
        if not self.recipe.target.alpha:
            return drawing
        return replace(drawing, background=parse_colour(self.recipe.target.background))

    def draw(self, drawing: Drawing) -> Rendering:
        """Draw at the fitting size. Raises Diverged where the result is not finite."""
        check_finite(drawing)
        return self.view.show(self.shown(drawing))

    def draw_frame(self, drawing: Drawing) -> NDArray[np.uint8]:
        """Draw at the size of the video. Raises Diverged where the result is not finite."""
        if self._camera is None:
            return self.draw(drawing).pixels
        check_finite(drawing)
        return self._camera.show(self.shown(drawing))

    @property
    def photo(self) -> NDArray[np.uint8]:
        """The target at the size of the video, uint8 [height, width, 3], or as one colour."""
        from PIL import Image

        pixels = self.target.pixels
        assert pixels is not None
        if self._camera is None:
            return pixels
        whole = self._camera.placement.whole
        size = whole.width, whole.height
        large = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
        return self._camera.placement.cut(large, self._camera.border)

    def metrics(self, picture: Rendering) -> dict[str, float | None]:
        """All of `METRICS`, by name."""
        return {**dict.fromkeys(METRICS), **self.view.metrics(picture, self.target)}

    def psnr(self, drawing: Drawing) -> float:
        """The PSNR of `drawing` as it would be saved: at its precision, in 8 bits."""
        saved = quantised(drawing, self.recipe.run.precision)
        return self.metrics(self.draw(saved))["psnr"] or 0.0


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
    report("reading the target")
    files = InputFiles(search)
    if target is None:
        recipe = with_preset_target(recipe, registry)
    asked_target, asked_device = recipe.target, recipe.run.device
    device = resolve_device(asked_device)
    init = None if recipe.init is None else open_initial(recipe.init, files, registry)
    recipe, target = _with_background(recipe, registry, files, target, init)
    check_clip(recipe, target)
    output = recipe.output
    for size in (output.still_size, output.video_size):
        if target.subject is not None and recipe.framed(size).aspect is not None:
            raise UsageError(
                f"{target.source} is not a picture, so {size} cannot crop its plot",
                hint="give the long side alone",
            )
    form = None if output.film is None else find_form(output.film)
    if form is not None and {output.start, output.end, output.walk} - {None, "hold"}:
        raise UsageError(
            "a film has no start, end or walk",
            hint="leave out --film, or --start, --end and --walk",
        )
    if form is not None and form.photo and target.clip is not None:
        raise UsageError(
            f"--film {output.film} shows one picture, and the target is a clip",
            hint="use --side-by-side",
        )
    photo = "photo" in (output.start, output.end) or (form is not None and form.photo)
    if photo and target.pixels is None:
        raise UsageError(
            f"{target.source} is not a picture that a video could show",
            hint="leave out --film, --start photo and --end photo",
        )
    if init is not None:
        recipe = init.continued(recipe, load_primitive(recipe, registry))
    if recipe.seed is None:
        recipe = recipe.with_seed(int(np.random.SeedSequence().generate_state(1)[0]))
    if recipe.primitive.target_bytes is not None:
        if output.history:
            raise UsageError(
                "target_bytes counts the file of one drawing, not of a history",
                hint="leave out --history, or give --count in place of --target-bytes",
            )
        recipe = recipe.with_output(history=0)
    plan = resolve(recipe, registry, target.canvas, target.subject)
    if recipe.primitive.target_bytes is not None:
        # Backends and arithmetics are chosen later; these have the longest names.
        run = {"device": device, "backend": "compiled", "threads": threads, "arithmetic": "fp32"}
        longest = replace(plan, recipe=_complete(plan.recipe, target, files, run))
        header = art_bytes(longest, target) - _parameter_bytes(longest)
        plan = resolve(recipe, registry, target.canvas, target.subject, header=header)
    if output.start == "parts" and not plan.primitive.has_count:
        raise UsageError(
            f"{recipe.primitive.name} has no parts that could appear", hint="leave out --start"
        )
    backend = choose_backend(plan.primitive, device, recipe.run.backend)
    refused = None
    if is_webgpu(device) and backend.footprint is None:
        if asked_device != "auto":
            reason = backend.reason if backend.slow else "it draws splats with kernels alone"
            refused = f"{plan.recipe.primitive.name} runs on the CPU, not on {device}: {reason}"
        device = "cpu"
        backend = choose_backend(plan.primitive, device, recipe.run.backend)
    asked, batch = recipe.run.arithmetic, _batch(plan, target)
    arithmetic = resolve_arithmetic(asked, plan.primitive, str(tensor_device(device)), batch)
    run = {"device": device, "backend": backend.name, "threads": threads, "arithmetic": arithmetic}
    plan = replace(plan, recipe=_complete(plan.recipe, target, files, run))
    plan = _with_pictures(plan, target.size, files, registry)
    if target.clip is not None:
        plan = plan_clip(plan)
    if not target.copied:
        files.found.pop("target", None)
    data = target.tensors()
    if plan.recipe.target.alpha and isinstance(target, ImageTarget):
        data = replace(data, goal=target.goal_over((plan.primitive.clear,) * 3))
    start = _first_drawing(plan, target, data, init)
    if form is not None:
        form.check(plan.primitive, start)
    if recipe.output.walk is not None:
        # Refuse a wrong walk now rather than after hours.
        open_latents(plan.primitive, start).walk(recipe.output.walk, 1)
    return Job(
        plan=plan,
        target=target,
        data=data,
        start=start,
        device=str(tensor_device(device)),
        backend=backend,
        arithmetic=arithmetic,
        inputs=tuple(files.found.values()),
        notices=(
            *(f"{target.source}: {warning}" for warning in target.warnings),
            *([] if init is None else init.notices(target.canvas)),
            *([refused] if refused else []),
            *_slow(plan, backend),
        ),
        notes=_unused_alpha(asked_target, plan, target),
    )


def read_target(recipe: Recipe, registry: Registry, search: Sequence[Path]) -> Target:
    """Open the target of `recipe`, of any kind, at its fitting size.

    A background of ``auto`` is black. Raises InputError, PluginError, UsageError.
    """
    return _open_target(recipe, registry, InputFiles(search))


def open_photo(
    recipe: Recipe,
    registry: Registry,
    folder: Path,
    size: int,
    file: str | None = None,
    *,
    flag: str,
) -> NDArray[np.uint8]:
    """The picture that `recipe` was fitted to, with a long side of `size`: uint8 [h, w, 3].

    It is looked for in `folder` and in the current one, or read from `file`; nothing is downloaded
    for a recipe. `flag` is for messages. Raises InputError where it is missing, and UsageError
    where it is no picture.
    """
    table = recipe.target
    named = Source.parse(file or table.source)
    if file is None and named.scheme not in (None, "sample"):
        raise UsageError(
            f"{flag} needs the photo, and {table.source} is not a file", hint=f"use {flag}=FILE"
        )
    found = recipe.with_target(
        source=file or table.source,
        sha256=None if file else table.sha256,
        size=size,
        mask=None,
        alpha_weight=False,
    )
    try:
        target = read_target(found, registry, (folder, Path()))
    except InputError as error:
        raise InputError(error.message, hint=f"use {flag}=FILE") from None
    if target.pixels is None:
        raise UsageError(f"{target.source} is not a picture", hint=f"use {flag}=FILE")
    return target.pixels


def check_finite(drawing: Drawing) -> None:
    """Raise Diverged where a parameter is NaN or infinite: such a part may just not be drawn."""
    for name, tensor in drawing.tensors.items():
        if not tensor.isfinite().all():
            raise Diverged(
                f"parameter {name!r} became NaN or infinite",
                hint="lower the learning rate: --set engine.rate=0.3",
            )


def _batch(plan: Plan, target: Target) -> int | None:
    """The batch of the first stage that may use bfloat16 (0: many); None where none does."""
    for engine, stage in zip(plan.engines, plan.recipe.stage, strict=True):
        if "bf16" in plan.primitive.arithmetics and "bf16" in engine.supports:
            return target.batch(int(stage.options.get("batch", 0)))
    return None


def _slow(plan: Plan, backend: Backend) -> list[str]:
    """Why a footprint that could have been compiled was not."""
    if not backend.slow:
        return []
    return [f"{plan.recipe.primitive.name} runs on the slower eager backend: {backend.reason}"]


def _unused_alpha(asked: TargetTable, plan: Plan, target: Target) -> tuple[str, ...]:
    """A note on the alpha of a target, if it is fitted without it and could be with it."""
    if not (isinstance(target, ImageTarget) and target.rgba is not None):
        return ()
    chosen = asked.alpha is not None or asked.background != "auto" or asked.alpha_weight
    if chosen or plan.recipe.target.alpha or not plan.primitive.can_be_transparent:
        return ()
    share = 100 * float((target.rgba[:, :, 3] < 0.5).mean())
    if share < 1:
        return ()
    found = f"{target.source} is transparent in {share:.0f} % of its pixels"
    return (f"{found}: --transparent fits its alpha",)


def _with_background(
    recipe: Recipe,
    registry: Registry,
    files: InputFiles,
    target: Target | None,
    init: Initial | None,
) -> tuple[Recipe, Target]:
    """The recipe with its background and palette as ``#rrggbb``, and the target over that.

    A background of ``auto`` becomes that of the preset or of the primitive, or black; for shapes
    that of the drawing to start from, or the colour that fits the target best: its weighted mean,
    or the colour of the palette next to it.
    """
    asked = recipe.target.background
    if asked == "auto" and init is None:
        cls = load_primitive(recipe, registry)
        preset = cls.find_preset(recipe.primitive.preset)
        asked = preset.background or cls.defaults.background or asked
        recipe = recipe.with_target(background=asked)
    opened = target or _open_target(recipe, registry, files)
    alpha = _keeps_alpha(recipe, registry, opened, asked)
    recipe = recipe.with_target(alpha=alpha or None)
    if isinstance(opened, ImageTarget) and alpha and asked == "auto":
        asked = opened.contrasting()
        recipe = recipe.with_target(background=asked)
    palette = recipe.target.palette
    if asked != "auto":
        if palette is not None:
            recipe = recipe.with_target(palette=opened.find_palette(palette))
        return recipe, opened.over(parse_colour(asked))
    mean = load_primitive(recipe, registry).mean_background
    if opened.subject is not None or not mean:
        return recipe.with_target(background="black"), opened.over((0, 0, 0))
    best = opened.mean_colour() if init is None else init.background
    colour = hex_colour(best)
    if palette is not None:
        # Learned over the mean: the colours of transparent pixels follow from it.
        colours = opened.over(parse_colour(colour)).find_palette(palette)
        recipe = recipe.with_target(palette=colours)
        colour = ground_colour(colours, best)
    recipe = recipe.with_target(background=colour)
    return recipe, opened.over(parse_colour(colour))


def _keeps_alpha(recipe: Recipe, registry: Registry, target: Target, background: str) -> bool:
    """Whether the fit has the transparency of its target.

    By default it has where the still shall be transparent: then parts must stay off what is
    transparent. Recipes with a background of their own keep it.
    """
    if not (isinstance(target, ImageTarget) and target.rgba is not None):
        return False
    asked = recipe.target.alpha
    if asked is None:
        asked = recipe.output.transparent and background == "auto"
    table = recipe.primitive
    cls = load_primitive(recipe, registry)
    return asked and cls(table.options, preset=table.preset).can_be_transparent


def _open_target(recipe: Recipe, registry: Registry, files: InputFiles) -> Target:
    """Open what the recipe names, where ``auto`` is black. Raises InputError."""
    table = recipe.target
    mask = None
    if table.mask is not None:
        mask = files.find("mask", table.mask.name, table.mask.sha256)
    focus: tuple[Circle, ...] | Path | None = None
    if isinstance(table.focus, FileReference):
        focus = files.find("focus", table.focus.name, table.focus.sha256)
    elif table.focus is not None:
        focus = parse_focus(table.focus)
    request = TargetRequest(
        size=table.size,
        background=parse_colour("black" if table.background == "auto" else table.background),
        mask=mask,
        focus=focus,
        alpha_weight=table.alpha_weight,
        max_pixels=table.max_pixels,
        frame=table.frame,
    )
    source = Source.parse(table.source)
    if source.path is not None:
        source = source.at(files.find("target", source.path, table.sha256))
    opened = open_source(source, registry, request)
    if table.sha256 not in (None, opened.sha256):
        raise InputError(
            f"{table.source} is not the target the recipe was made with: its SHA-256 differs",
            hint="give the target on the command line to use it anyway",
        )
    return opened


def _with_pictures(plan: Plan, size: int, files: InputFiles, registry: Registry) -> Plan:
    """The plan with losses that have the pictures they name, each with a long side of `size`."""
    recipe, losses = plan.recipe, []
    for index, (stage, loss) in enumerate(zip(recipe.stage, plan.losses, strict=True)):
        named = {PureWindowsPath(file.name).name: file for file in stage.loss_files or ()}
        used: list[FileReference] = []

        def open_picture(text: str, named: Any = named, used: Any = used) -> Tensor:
            source = Source.parse(text)
            if text in named:
                key = f"picture {text}"
                path = files.find("picture", named[text].name, named[text].sha256, key)
                source = Source(None, str(path))
                used.append(files.reference(key))
            opened = open_source(source, registry, TargetRequest(size=size)).still
            if opened.pixels is None:
                raise UsageError(f"{text} is not a picture", hint="name a picture in the loss")
            return opened.tensors().goal

        losses.append(loss.with_pictures(open_picture))
        if used:
            recipe = recipe.with_stage(index, loss_files=tuple(used))
    return replace(plan, recipe=recipe, losses=tuple(losses))


def _complete(recipe: Recipe, target: Target, files: InputFiles, run: dict[str, Any]) -> Recipe:
    """The recipe with all that was resolved: hashes, seed, size and where it runs."""
    recipe = recipe.with_target(source=target.source, sha256=target.sha256, size=target.size)
    frame = target.still.frame if isinstance(target.still, ImageTarget) else WHOLE
    if frame.aspect is not None and frame.at != "auto" and recipe.target.crop_at is not None:
        recipe = recipe.with_target(crop_at=",".join(f"{share:g}" for share in frame.at))
    if isinstance(target.still, ImageTarget) and isinstance(target.still.focus, tuple):
        circles = (",".join(f"{share:g}" for share in circle) for circle in target.still.focus)
        recipe = recipe.with_target(focus=";".join(circles))
    if "focus" in files.found:
        recipe = recipe.with_target(focus=files.reference("focus"))
    if "mask" in files.found:
        recipe = recipe.with_target(mask=files.reference("mask"))
    if "init" in files.found:
        recipe = recipe.with_init(files.reference("init"))
    return recipe.with_run(**run)


def _shapes(plan: Plan) -> dict[str, tuple[int, ...]]:
    """The shapes of the parameters, where there are as many parts as the plan has at most."""
    return {
        name: plan.primitive.tensor_shape(param, plan.count or 1)
        for name, param in plan.primitive.parameters().items()
    }


def _parameter_bytes(plan: Plan) -> int:
    """The size of the parameters at the precision of the plan."""
    return bytes_of_shapes(_shapes(plan).values(), plan.recipe.run.precision)


def art_bytes(plan: Plan, target: Target) -> int:
    """Return the largest size of the `.art` file of a complete plan, in bytes.

    What a run adds to its recipe and its metrics is taken to be as long as it can be. A history is
    taken to have as many keyframes as the recipe allows, without the lifespans of parts.
    """
    recipe, primitive = plan.recipe, plan.primitive
    parameters, steps = _parameter_bytes(plan), 0
    for index, stage in enumerate(recipe.stage):
        most, changes = stage.steps or 1, dict[str, Any]()
        if stage.time is not None:
            digits = len(str(math.ceil(FASTEST * stage.time)))
            first, most = 10 ** (digits - 1), 10**digits - 1
            replanned = [(first + i, most + 1) for i in range(MOST_CHECKS)]
            changes = {"time": None, "steps": most, "evaluations": most, "replanned": replanned}
            recipe = recipe.with_output(frames=most)
        recipe = recipe.with_stage(index, stop=most, **changes)
        steps += most
    tensors = {name: torch.zeros(shape) for name, shape in _shapes(plan).items()}
    drawing = _drawing(plan, target, tensors, parse_colour(recipe.target.background))
    longest = -sys.float_info.max
    measured = METRICS if target.subject is not None else ("psnr", "ssim")
    metrics = {
        "count": plan.count,
        "parameters": drawing.parameters,
        "floats": primitive.floats,
        "steps": steps,
        **dict.fromkeys(METRICS),
        **dict.fromkeys((*measured, "loss", "bpp"), longest),
        "bytes": parameters,
    }
    contents = Contents(drawing, recipe, metrics, recipe.run.precision)
    keyframes = len(recipe.stage) * (recipe.output.history or 0)
    size = len(to_bytes(contents)) + keyframes * parameters
    if keeps_trajectory(plan, drawing):
        size += trajectory_bytes(drawing, LIGHT_KEYS, parts=primitive.has_count)
    return size


def _first_drawing(
    plan: Plan, target: Target, data: TargetTensors, init: Initial | None
) -> Drawing:
    """Another drawing's parts, or the primitive's own start."""
    background = parse_colour(plan.recipe.target.background)
    goal, beneath = data.goal, background
    if plan.recipe.target.alpha:
        beneath, goal = (0.0, 0.0, 0.0), goal.clamp(0, 1)
        background = (plan.primitive.clear,) * 3
    if init is not None:
        tensors = init.tensors_for(plan, data.goal, data.weight, background)
    else:
        context = Context(
            rng=make_generator(plan.recipe.seed or 0, plan.recipe.run.random),
            canvas=target.canvas,
            count=plan.first_count,
            target=goal if target.subject is None else None,
            weight=data.weight,
            background=beneath,
        )
        tensors = plan.primitive.initial(context)
    return _drawing(plan, target, tensors, background)


def _drawing(
    plan: Plan, target: Target, tensors: dict[str, Tensor], background: tuple[float, float, float]
) -> Drawing:
    """A drawing of the plan's primitive with these parameters, at the size of the target."""
    return Drawing(
        primitive=bare_name(plan.recipe.primitive.name),
        options=plan.primitive.option_values(),
        tensors=tensors,
        width=target.canvas.width,
        height=target.canvas.height,
        background=background,
        plugin=plan.identity,
        subject=target.subject and target.subject.with_logits(plan.losses[-1].takes_logits),
    )
