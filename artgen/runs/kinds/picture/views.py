"""The views that a recipe names: their pictures, and the one picture that comes nearest to all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from artgen.art import quantised
from artgen.base.errors import UsageError
from artgen.base.waiting import report
from artgen.losses import View, Views, mse
from artgen.plan import Plan
from artgen.recipe import FileReference
from artgen.registry import Registry
from artgen.runs.job import Fitted, Job
from artgen.runs.opening import Inputs
from artgen.targets import ImageTarget, Source, TargetRequest, open_source
from artgen.values.frame import Frame

WHITE = (1.0, 1.0, 1.0)
"""What is behind transparent pixels of the pictures that views shall show."""


def open_views(inputs: Inputs, registry: Registry) -> tuple[Inputs, Views | None]:
    """The inputs with the views of the recipe, and those; None where there are none.

    The target becomes the picture that comes nearest to all goals: parts start from it, engines
    that know one goal fit it, and metrics compare with it. Raises InputError, PluginError and
    UsageError.
    """
    recipe, target = inputs.recipe, inputs.target
    if recipe.view is None:
        return inputs, None
    if not isinstance(target, ImageTarget):
        raise UsageError(
            f"{target.source} is not a single picture, so it has no views",
            hint="leave out --view",
        )
    table = recipe.target
    if target.weight is not None or table.alpha or recipe.output.transparent:
        raise UsageError(
            "a fit with views has no mask, focus or alpha",
            hint="leave out --mask and --transparent; --focus none undoes the focus of a look",
        )
    report("reading the views")
    # A stored recipe has a background where another had none: both see the same pictures.
    target = target.over(WHITE).flat()
    own, views = target.tensors().goal, list[View]()
    if all(view.target is not None for view in recipe.view):
        views.append(View("plain", own, registry=registry))
    for view in recipe.view:
        seen = View(view.how, own, view.weight, registry)
        _, height, width = seen.sight.see(torch.zeros_like(own)).shape
        goal, named = own, view.target
        if named is None and (height, width) != own.shape[1:]:
            raise UsageError(
                f"view {view.how!r} is {width} x {height} pixels, and the target is not",
                hint=f"name a picture for it: --view {view.how}:PICTURE",
            )
        if named is not None:
            source = Source.parse(str(named))
            if isinstance(named, FileReference):
                source = Source(None, str(inputs.files.find("view", named.name, named.sha256)))
            request = TargetRequest(
                size=max(width, height),
                background=WHITE,
                max_pixels=table.max_pixels,
                frame=Frame(aspect=(width, height)),
            )
            opened = open_source(source, registry, request)
            if not isinstance(opened, ImageTarget):
                raise UsageError(f"{source} is not a picture", hint="name a picture in --view")
            goal = torch.nn.functional.adaptive_avg_pool2d(opened.tensors().goal, (height, width))
        views.append(replace(seen, goal=goal))
    every = Views(tuple(views), mse)
    if all(view.sight.pose.ways for view in views):
        raise UsageError(
            "no view shows the parts as they are", hint="name a picture for each other pose"
        )
    report("looking for the picture nearest to all views")
    nearest = every.nearest(torch.full_like(own, 0.5))
    image = np.ascontiguousarray(nearest.permute(1, 2, 0).numpy())
    return replace(inputs, target=replace(target, image=image)), every


def with_views(plan: Plan, views: Views | None) -> Plan:
    """The plan with losses of all views, for the engines that take them.

    Raises UsageError where there are poses that the primitive lacks, or that an engine cannot fit.
    """
    if views is None:
        return plan
    if len(views.poses) > 1:
        for pose in views.poses:
            pose.check(plan.primitive)
        for stage, engine in zip(plan.recipe.stage, plan.engines, strict=True):
            if "views" not in engine.supports:
                raise UsageError(
                    f"the engine {stage.engine} knows one pose alone", hint="use -e gradient"
                )
    pairs = zip(plan.engines, plan.losses, strict=True)
    losses = [views.over(loss) if "views" in engine.supports else loss for engine, loss in pairs]
    return replace(plan, losses=tuple(losses))


def bound_note(views: Views | None, nearest: torch.Tensor) -> tuple[str, ...]:
    """What can be reached at most, in words, given the picture nearest to all goals."""
    if views is None or len(views.poses) > 1:
        return ()  # Each pose can show all of its own goal.
    each = [f"{decibels:.1f} dB" for decibels in views.psnr(nearest)]
    most = " and ".join(filter(None, (", ".join(each[:-1]), each[-1])))
    return (f"views: at most {most} can be reached" + " together" * (len(each) > 1),)


def in_poses(fitted: Fitted, picture: torch.Tensor) -> torch.Tensor:
    """What losses of the run compare: the picture, and after it those of the other poses."""
    job, others = fitted.job, fitted.job.views.poses[1:] if fitted.job.views else ()
    if not others:
        return picture
    drawing = quantised(fitted.drawing, fitted.recipe.run.precision)
    drawings = [pose.drawing(drawing, job.plan.primitive) for pose in others]
    return torch.cat([picture, *(job.draw(each).outputs for each in drawings)])


def view_metrics(job: Job, pictures: torch.Tensor) -> list[dict[str, Any]]:
    """Of each view its PSNR in dB, and as `bound` that of the picture nearest to all.

    There is no bound where the parts have several poses: each can show its own goal.
    """
    if job.views is None:
        return []
    bounds: list[float | None] = [None] * len(job.views.views)
    if len(job.views.poses) == 1:
        bounds = [round(each, 4) for each in job.views.psnr(job.data.goal)]
    found = zip(job.views.views, job.views.psnr(pictures), bounds, strict=True)
    return [
        {"how": view.how, "weight": view.weight, "psnr": round(psnr, 4), "bound": bound}
        for view, psnr, bound in found
    ]
