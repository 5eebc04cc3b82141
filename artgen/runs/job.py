"""A job is everything known before the first step; what was fitted is everything known after."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from artgen.art import LOSS, quantised
from artgen.base.errors import Diverged, divergence
from artgen.display import METRICS
from artgen.display.views import FramedView, Rendering, View, open_view
from artgen.engines import Problem
from artgen.film.scenes import Film
from artgen.film.trajectory import Trajectory
from artgen.losses import Views
from artgen.losses.metrics import psnr
from artgen.output import Pixels
from artgen.plan import Plan
from artgen.primitives import Arithmetic
from artgen.raster import Backend
from artgen.recipe import Recipe
from artgen.targets import ImageTarget, Target, TargetTensors, parse_colour
from artgen.values.drawing import Drawing

HOLD_SECONDS = 2.0
"""For how long a video shows its end, unless it is shorter than twice that."""


@dataclass(frozen=True, eq=False)
class Job:
    """Everything known before the first step.

    `plan.recipe` is complete, but for `time` that has not become `steps` yet. `data` are the
    tensors of the `target`, `start` is the first drawing; `device` is where the tensors are, which
    for WebGPU is the CPU; `inputs` are the files that were read, `notices` are warnings for the
    user, and `notes` are no warnings. `views` are what the drawing shall show, if it has several.
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
    views: Views | None = None

    @property
    def recipe(self) -> Recipe:
        """The recipe of the plan."""
        return self.plan.recipe

    @cached_property
    def view(self) -> View:
        """Shows drawings at the fitting size."""
        return open_view(self.start, self.plan.primitive, **self.means)

    @property
    def means(self) -> dict[str, Any]:
        """What views of this job draw with."""
        where = {"device": self.device, "backend": self.backend}
        return {**where, "test": self.data.test, "colours": self.recipe.exact_colours}

    @cached_property
    def camera(self) -> FramedView | None:
        """Shows drawings at the size of the video; None where that is the fitting size."""
        size = self.recipe.output.video_size
        if size is None:
            return None
        frame, start = self.recipe.framed(size), self.shown(self.start)
        return FramedView(frame, start, self.plan.primitive, **self.means)

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

    def draw_frame(self, drawing: Drawing) -> Pixels:
        """Draw at the size of the video. Raises Diverged where the result is not finite."""
        if self.camera is None:
            return self.draw(drawing).pixels
        check_finite(drawing)
        return self.camera.show(self.shown(drawing))

    def problem(self, drawing: Drawing, data: TargetTensors, **given: Any) -> Problem:
        """A problem of this job for an engine: to fit `data`; `given` are its other fields."""
        return Problem(
            drawing=drawing,
            target=data.goal,
            weight=data.weight,
            positions=data.positions,
            training=data.training,
            test=data.test,
            function=data.function,
            palette=self.palette,
            device=self.device,
            backend=self.backend,
            arithmetic=self.arithmetic,
            random=self.recipe.run.random,
            even=data.even,
            **given,
        )

    def metrics(self, picture: Rendering) -> dict[str, float | None]:
        """All of `METRICS`, by name."""
        return {**dict.fromkeys(METRICS), **self.view.metrics(picture, self.measured)}

    @cached_property
    def measured(self) -> Target:
        """The target that metrics compare with.

        With `alpha`, it is laid over the background of the recipe as parts are: colours are mixed
        as they are encoded. So the metrics count what is seen alone.
        """
        if not (self.recipe.target.alpha and isinstance(self.target, ImageTarget)):
            return self.target
        goal = self.target.goal_over(parse_colour(self.recipe.target.background))
        return replace(self.target, image=goal.permute(1, 2, 0).numpy())

    def shown_psnr(self, drawing: Drawing) -> float:
        """The PSNR of a picture as it is shown: engines may draw over another ground."""
        assert self.measured.pixels is not None
        return psnr(self.draw(drawing).pixels, self.measured.pixels, self.measured.counted)

    def error(self, picture: Rendering) -> float | None:
        """The mean squared error that PSNR is made of, or of a curve; None where there is none."""
        if self.measured.pixels is not None:
            decibels = psnr(picture.pixels, self.measured.pixels, self.measured.counted)
            return float(10 ** (-decibels / 10))
        return self.metrics(picture)["mse"]

    def psnr(self, drawing: Drawing) -> float:
        """The PSNR of `drawing` as it would be saved: at its precision, in 8 bits.

        One that has no part yet is only its background: that is never near, minus infinity.
        """
        if not drawing.parameters:
            return -math.inf
        saved = quantised(drawing, self.recipe.run.precision)
        loss = LOSS if self.recipe.run.precision == "auto" else 0.0
        return (self.metrics(self.draw(saved))["psnr"] or 0.0) - loss


@dataclass(frozen=True, eq=False)
class Fitted:
    """What was fitted: the best `drawing`, and the `recipe` that gives it again.

    `job` may be on another device than at first. `stopped_by` says why the fit ended after `steps`
    and `seconds`; `diverged` is why it did early. `film` holds the progress or the clip as key
    drawings, `trajectory` an approximation of the progress.
    """

    job: Job
    recipe: Recipe
    drawing: Drawing
    steps: int = 0
    seconds: float = 0.0
    stopped_by: str = "steps"
    film: Film | None = None
    trajectory: Trajectory | None = None
    diverged: Diverged | None = None


def check_finite(drawing: Drawing) -> None:
    """Raise Diverged where a parameter is NaN or infinite: such a part may just not be drawn."""
    for name, tensor in drawing.tensors.items():
        if not tensor.isfinite().all():
            raise divergence(f"parameter {name!r} became NaN or infinite")
