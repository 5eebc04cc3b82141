"""Placing marks of ink: an algorithm finds all of them, and the steps draw one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from artgen.base.faults import broken
from artgen.engines.base import Engine, Problem, Report, State
from artgen.engines.evaluation import check_finite, picture_psnr
from artgen.families.ink.contract import Ink
from artgen.families.ink.paint import LUMA, separate
from artgen.ink import Marks, Sheet
from artgen.primitives import Primitive
from artgen.raster import paint
from artgen.values.drawing import Drawing

NIGHT = 0.15
"""The median luma below which a picture is one of a night."""
MOST_STEPS = 400
"""More marks are drawn several at a time, unless more steps are asked for."""


class PlaceEngine(Engine):
    """For primitives that define `place`. The marks are found again when a run is resumed."""

    supports = ("palette", "replanning", "views")
    known_deviations: ClassVar[Mapping[str, str]] = {
        "best": "more marks are better, also where their pixels differ more from the target",
        "progress": "ink shows tone as seen from afar, and not the pixels that losses compare",
    }

    @classmethod
    def default_steps(
        cls, primitive: Primitive, options: Mapping[str, Any], count: int | None
    ) -> int | None:
        """A step for each mark, up to a limit."""
        return min(count or 1, MOST_STEPS)

    @classmethod
    def first_count(cls, primitive: Primitive, options: Mapping[str, Any], count: int) -> int:
        """None: the paper is empty."""
        return 0

    def start(self, problem: Problem) -> None:
        """Separate the target into inks and place all marks.

        Raises PluginError where `place` gives something else.
        """
        self.problem = problem
        self.parse(problem)
        ink = problem.primitive
        assert isinstance(ink, Ink)
        self.step = self.best_step = 0
        drawing = problem.drawing
        amounts = separate(problem.target, ink, drawing.background)
        ink.clear_margin(amounts)
        rng = np.random.default_rng(problem.seed)
        weight = None if problem.weight is None else problem.weight.detach().cpu().double().numpy()
        target = problem.target.detach().cpu().double().numpy()
        goals = {k: v.detach().cpu().double().numpy() for k, v in problem.loss.goals.items()}
        count, paper = problem.count or 1, drawing.background
        sheet = Sheet(amounts, drawing.canvas, count, rng, weight, target, goals, paper)
        marks = _checked(ink.place(sheet), ink, sheet.count)
        self.tensors = ink.pack(ink.repeated(marks, drawing.canvas))
        notice = marks.notice or _night(target, np.array(drawing.background), ink)
        self.notices = (notice,) if notice else ()

    def advance(self, steps: int) -> None:
        """Draw more marks."""
        self.step += steps

    def report(self) -> Report:
        """Evaluate the marks drawn so far. More marks are always better."""
        problem, tensors = self.problem, self._drawn(self.step)
        drawing = problem.drawing
        picture = paint(problem.primitive, tensors, drawing.canvas, background=drawing.background)
        others = [pose(problem.primitive, tensors) for pose in problem.loss.poses[1:]]
        seen = [
            paint(problem.primitive, each, drawing.canvas, background=drawing.background)
            for each in others
        ]
        loss = float(problem.loss(torch.cat([picture, *seen]), problem.target, problem.weight))
        check_finite({**tensors, "the loss": loss}, self.step)
        improved = self.step >= self.best_step
        self.best_step = max(self.best_step, self.step)
        psnr = picture_psnr(picture, problem.target, problem.weight)
        return Report(self.step, loss, psnr, improved)

    def drawing(self, best: bool) -> Drawing:
        """The marks drawn so far."""
        tensors = self._drawn(self.best_step if best else self.step)
        return replace(self.problem.drawing, tensors=tensors)

    def identities(self, best: bool) -> Tensor | None:
        """The places of the marks in the order of drawing."""
        return torch.arange(self._count(self.best_step if best else self.step))

    def state_dict(self) -> State:
        """The steps; `start` places the marks again."""
        return {"step": self.step, "best_step": self.best_step}

    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        self.step, self.best_step = int(state["step"]), int(state["best_step"])

    def _drawn(self, step: int) -> dict[str, Tensor]:
        count = self._count(step)
        return {name: tensor[..., :count].clone() for name, tensor in self.tensors.items()}

    def _count(self, step: int) -> int:
        """The number of marks after this many steps."""
        return round(self.tensors["ink"].shape[-1] * self.problem.progress(step))


def _night(target: Any, paper: Any, ink: Ink) -> str:
    """A note where a picture [3, height, width] is dark, and ink on light paper too."""
    dark = float(np.median(np.tensordot(LUMA, target, 1)))
    if ink.separation != "mixed" or dark > NIGHT or LUMA @ paper < 0.5:
        return ""
    return (
        "most of the picture is dark, and of ink on light paper an even field;"
        " a light ink on a dark --background suits it better"
    )


def _checked(marks: Marks, ink: Ink, count: int) -> Marks:
    """Return marks that can be drawn. Raises PluginError."""
    what = f"place of {type(ink).__name__}"
    hint = "return artgen.ink.dots(...), polyline(...) or joined([...])"
    if not isinstance(marks, Marks):
        raise broken(what, type(ink).place, f"gave {type(marks).__name__}, not Marks", hint)
    if not np.isfinite(marks.strokes).all():
        raise broken(what, type(ink).place, "gave NaN or infinite numbers", hint)
    if len(marks) > count:
        raise broken(what, type(ink).place, f"gave {len(marks)} marks, more than {count}", hint)
    return marks
