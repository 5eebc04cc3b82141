"""Parts of the way from a recipe to a job: what was resolved is written down, and drawn first."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any

import torch
from torch import Tensor

from artgen.art import Art, bytes_of_shapes
from artgen.base.errors import UsageError
from artgen.display import METRICS
from artgen.film.trajectory import trajectory_bytes
from artgen.losses import Views
from artgen.plan import Plan
from artgen.primitives import pack
from artgen.recipe import FileReference, Recipe
from artgen.registry import Registry
from artgen.runs.files.inputs import InputFiles
from artgen.runs.loop.history import LIGHT_KEYS, keeps_trajectory
from artgen.runs.warm_start import Initial
from artgen.targets import (
    ImageTarget,
    Source,
    Target,
    TargetRequest,
    TargetTensors,
    find_faces,
    open_source,
    parse_colour,
)
from artgen.values.drawing import Colour, Drawing
from artgen.values.frame import WHOLE, Frame, paper_sides
from artgen.values.symmetry import MOTIFS

WEIGHTS = "weights"
"""What the files of losses are called; they are large, and a run keeps no copy."""

FASTEST = 100_000
"""Steps per second that no fit exceeds."""

VARIED = 160
"""Bytes by which a compressed header may be longer than that of the longest numbers."""

MOST_CHECKS = 64
"""How many times a budget of time can be revised: 1.25 / 0.02 checks, see `loop.pace`."""


def with_pictures(plan: Plan, size: int, files: InputFiles, registry: Registry) -> Plan:
    """The plan with losses that have the pictures they name, each with a long side of `size`."""
    recipe, losses = plan.recipe, []
    for index, (stage, loss) in enumerate(zip(recipe.stage, plan.losses, strict=True)):
        named = {PureWindowsPath(file.name).name: file for file in stage.loss_files or ()}
        used: list[FileReference] = []

        def open_picture(text: str, named: Any = named, used: Any = used) -> Tensor:
            text = text.strip().strip('"')  # quotes are around names with + or *
            source = Source.parse(text)
            if text in named:
                path = files.find("picture", named[text].name, named[text].sha256)
                source = Source(None, str(path))
                used.append(named[text])
            opened = open_source(source, registry, TargetRequest(size=size)).still
            if opened.pixels is None:
                raise UsageError(f"{text} is not a picture", hint="name a picture in the loss")
            return opened.tensors().goal

        def find(name: str, named: Any = named, used: Any = used) -> Path:
            file = named.get(name) or FileReference(name=name)
            path = files.find(WEIGHTS, file.name, file.sha256)
            used.append(file.replace(licence=_licence(path)))
            return path

        losses.append(loss.with_pictures(open_picture, find))
        if used:
            recipe = recipe.with_stage(index, loss_files=tuple(used))
    return replace(plan, recipe=recipe, losses=tuple(losses))


def _licence(path: Path) -> str | None:
    """The licence that the head of a file of weights states, if any."""
    from safetensors import safe_open

    with suppress(Exception), safe_open(path, "pt") as file:
        head = file.metadata() or {}
        stated = head.get("license") or head.get("licence")
        return stated[:80] if stated and stated.isprintable() else None
    return None


def frame_of(target: Target) -> Frame:
    """What is seen of the file of a picture; of what is no picture, the whole."""
    still = target.still
    return still.frame if isinstance(still, ImageTarget) else WHOLE


def place_of_crop(recipe: Recipe, target: Target) -> Frame:
    """The frame of the target, or of the first output that alone is cropped, its place found."""
    still, frame = target.still, frame_of(target)
    if frame.aspect is not None or not isinstance(still, ImageTarget):
        return frame
    outputs = map(recipe.framed, (recipe.output.still_size, recipe.output.video_size))
    cropped = next((each for each in outputs if each.aspect is not None), frame)
    return cropped.focused(still.pixels, find_faces)


def complete(
    recipe: Recipe, target: Target, files: InputFiles, run: Mapping[str, object], crop: Frame
) -> Recipe:
    """The recipe with all that was resolved: hashes, seed, size, the `crop`, where it runs.

    Places that were asked for stay as they are spelled: with fewer digits they would be others.
    """
    changes: dict[str, object] = {"source": target.source, "sha256": target.sha256}
    size, still, focus = target.size, target.still, recipe.target.focus
    if isinstance(still, ImageTarget) and still.symmetry in MOTIFS:  # that of a motif
        across, down = MOTIFS[still.symmetry]
        size = max(still.canvas.width // across, still.canvas.height // down)
    frame = frame_of(target)
    whole = recipe.target.crop_at == "face-or-whole"
    if frame.aspect is not None and (paper_sides(recipe.target.aspect) or whole):
        changes["aspect"] = "{}:{}".format(*frame.aspect)
    if whole or (recipe.target.crop_at in ("auto", "face") and crop.aspect is not None):
        changes["crop_at"] = ",".join(f"{share:g}" for share in crop.at)
    if focus in ("auto", "faces"):
        found = still.focus if isinstance(still, ImageTarget) else None
        circles = found if isinstance(found, tuple) else ()
        spelled = ";".join(",".join(f"{share:g}" for share in circle) for circle in circles)
        changes["focus"] = spelled or "none"
    return files.named_in(recipe.with_target(size=size, **changes).with_run(**run))


def batch(plan: Plan, target: Target) -> int | None:
    """The batch of the first stage that may use bfloat16 (0: many); None where none does."""
    for engine, stage in zip(plan.engines, plan.recipe.stage, strict=True):
        if "bf16" in plan.primitive.arithmetics and "bf16" in engine.supports:
            return target.batch(int(stage.options.get("batch", 0)))
    return None


def _shapes(plan: Plan) -> dict[str, tuple[int, ...]]:
    """The shapes of the parameters, where there are as many parts as the plan has at most."""
    return plan.primitive.tensor_shapes(plan.count or 1)


def parameter_bytes(plan: Plan) -> int:
    """The size of the parameters at the precision of the plan; of what packs them, if all are 0."""
    packs = pack.is_answered(type(plan.primitive))
    if packs and (packed := pack(plan.primitive, _zeros(plan))) is not None:
        return len(packed)
    return bytes_of_shapes(_shapes(plan).values(), plan.recipe.run.precision)


def _zeros(plan: Plan) -> dict[str, torch.Tensor]:
    return {name: torch.zeros(shape) for name, shape in _shapes(plan).items()}


def art_bytes(plan: Plan, target: Target) -> int:
    """Return the largest size of the `.art` file of a complete plan, in bytes.

    What a run adds to its recipe and its metrics is taken to be as long as it can be. A history is
    taken to have as many keyframes as the recipe allows, without the lifespans of parts.
    """
    recipe, primitive = plan.recipe, plan.primitive
    parameters, steps = parameter_bytes(plan), 0
    for index, stage in enumerate(recipe.stage):
        most, changes = stage.steps or 1, dict[str, Any]()
        if stage.time is not None:
            digits = len(str(math.ceil(FASTEST * stage.time)))
            first, most = 10 ** (digits - 1), 10**digits - 1
            replanned = [(first + i, most + 1) for i in range(MOST_CHECKS)]
            changes = {"time": None, "steps": most, "evaluations": most, "replanned": replanned}
            if target.run_kind == "set":
                changes["test_pictures"] = most
            recipe = recipe.with_output(frames=most)
        recipe = recipe.with_stage(index, stop=most, **changes)
        steps += most
    drawing = _drawing(plan, target, _zeros(plan), parse_colour(recipe.target.background))
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
    art = Art(drawing, recipe, metrics, recipe.run.precision)
    keyframes = len(recipe.stage) * (recipe.output.history or 0)
    size = len(art.to_bytes()) + keyframes * parameters
    if recipe.run.precision == "auto":
        # Numbers of the art are 0 and take no bytes, and those of its metrics few.
        size += VARIED + (0 if pack(primitive, drawing.tensors) else parameters)
    if keeps_trajectory(plan, drawing):
        size += trajectory_bytes(drawing, LIGHT_KEYS, parts=primitive.has_count)
    return size


def first_drawing(
    plan: Plan,
    target: Target,
    data: TargetTensors,
    init: Initial | None,
    views: Views | None,
) -> Drawing:
    """Another drawing's parts, or the primitive's own start."""
    background = parse_colour(plan.recipe.target.background)
    goal, beneath = data.goal, background
    if plan.recipe.target.alpha:
        beneath, goal = (0.0, 0.0, 0.0), goal.clamp(0, 1)
        background = (plan.primitive.clear,) * 3
    if init is not None:
        tensors = init.tensors_for(plan, data, background)
    else:
        tensors = plan.initial(
            plan.recipe.seed or 0,
            target.canvas,
            beneath,
            target=goal if target.subject is None else None,
            weight=data.weight,
            goals=views.goals if views else {},
        )
    return _drawing(plan, target, tensors, background)


def _drawing(plan: Plan, target: Target, tensors: dict[str, Tensor], background: Colour) -> Drawing:
    """A drawing of the plan's primitive with these parameters, of what the target shows."""
    subject = target.subject and target.subject.with_logits(plan.losses[-1].takes_logits)
    return plan.drawing(tensors, target.canvas, background, subject=subject)
