"""The objective of splats: the whole picture; parts are added and moved where the error is."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from artgen.base.options import option
from artgen.compiler.step_program import NoStep
from artgen.engines.base import Problem
from artgen.engines.gradient.device_steps import Stepper
from artgen.engines.gradient.objective import Objective, PictureOptions, objective_of
from artgen.families.splat.contract import Splat
from artgen.families.splat.densify import SplatDensification
from artgen.families.splat.footprint import Goal, StepProblem, footprint_of
from artgen.losses import exponential, l1, mse
from artgen.primitives import Primitive
from artgen.raster import paint

_LOSSES = (mse, l1, exponential)
"""Losses that a device knows, by the names of the functions."""


class SplatObjective(Objective):
    """The painted picture; under blend `over` the order of the splats is soft at first."""

    @dataclass(frozen=True)
    class Options(PictureOptions):
        """Options of `gradient` for splats."""

        start: float = option(0.1, "share of the count that the fit starts with", low=1e-4, high=1)
        add: float = option(
            0.4, "share of parts added in a round before it is divided", low=0.01, high=10
        )
        move: float = option(
            0.1, "share of parts moved in a round before it is divided", low=0, high=0.5
        )
        relocate: float = option(
            0.06,
            "share of parts moved in a round under the blends `normalized` and `depth`",
            low=0,
            high=0.5,
        )
        importance: Literal["error", "colour"] = option(
            "error", "move parts without which the error grows least, or that add least colour"
        )
        exponent: float = option(
            4.0, "power of the error by which places of parts are drawn", low=0, high=10
        )
        blur: float = option(
            0.1, "blur of that error: a standard deviation in mean spacings", low=0.01, high=10
        )
        every: float = option(0.03, "share of the steps between rounds", low=0.001, high=1)
        interval: int = option(
            50, "divide rounds that are more steps apart, by up to five; 0: never", low=0
        )
        until: float = option(0.65, "share of the steps up to the last round", low=0, high=1)
        soften: float = option(
            0.15, "share of the steps in which `over` learns the order of depth", low=0, high=1
        )
        converge: float = option(
            0.0, "stop adding parts when twice as many gain less than this, in dB", low=0
        )

    def __init__(self, problem: Problem, options: Any) -> None:
        super().__init__(problem, options)
        assert isinstance(problem.primitive, Splat)
        self.splat, self.kernels = problem.primitive, footprint_of(problem.backend)
        self._goals: dict[int, Goal] = {}
        if self.splat.can_move:
            self.densification = SplatDensification(self, options.interval)

    @classmethod
    def automatic(cls, primitive: Primitive) -> dict[str, Any]:
        """Start with few parts and add others while they gain enough."""
        if not primitive.can_densify:
            return {}
        more = {"until": 0.6, "converge": 1.0, "exponent": 2.0, "interval": 0}
        return {"start": 1 / 32, "add": 0.35, "blur": 0.5, **more}

    @classmethod
    def first_count(cls, primitive: Primitive, options: Any, count: int) -> int:
        """The share `start`, where parts can be added."""
        return max(1, round(options.start * count)) if primitive.can_densify else count

    def stepper(self, count: int, step: int) -> Stepper | None:
        """Steps by the kernels alone; a notice says why a device takes none, where that is."""
        if self.kernels is None:
            return None
        if self.alone:
            canvas, goal = self._view(step).canvas, self._goal(step)
            return self.kernels.stepper_here(self.splat, canvas, goal, self.options)
        if not self.kernels.takes_steps:
            return None
        try:
            return self.kernels.stepper(self.splat, self._step_problem(step), count)
        except NoStep as error:
            self.notices = (f"every step reads back from the device: {error}",)
            return None

    def _step_problem(self, step: int) -> StepProblem:
        """The steps as a device can take them. Raises NoStep."""
        problem, options = self.problem, self.options
        if not self._is_plain:
            raise NoStep("a plugin or --symmetry changes what is minimised")
        if min(problem.drawing.background) < 0:
            raise NoStep("the picture is transparent")
        for term in problem.loss.terms:
            if term.function not in _LOSSES:
                raise NoStep(f"the loss {term.name} has no kernel")
        drawing = problem.drawing
        scene = {
            **dict(zip(("red", "green", "blue"), drawing.background, strict=True)),
            "background_weight": drawing.background_weight,
            "beta1": options.beta1,
            "beta2": options.beta2,
            "epsilon": options.epsilon,
            "decay": options.weight_decay,
        }
        loss = tuple((term.weight, term.function.__name__) for term in problem.loss.terms)
        return StepProblem(*self._view(step), loss, options.optimizer, scene)

    @property
    def alone(self) -> bool:
        """Where kernels take the steps: what torch does then are operations per splat."""
        options = self.options
        known = options.optimizer == "adamw" or (
            options.optimizer == "adam" and not options.weight_decay
        )
        if self.kernels is None or self.device.type != "cpu" or not self._is_squared_error:
            return False
        source = self.kernels.kernels(3)[0]
        # Of a colour that a footprint reads, the kernels find two gradients; the slope of a map is
        # found from its value, which a shift rounds.
        shifted = any(param.map.shift for param in self.splat.parameters().values())
        return known and source.keeps and "colour" not in dict(source.columns) and not shifted

    def recordable(self, step: int) -> Hashable | None:
        """Steps of kernels for CUDA; under `over` these wait for the length of their lists."""
        plain = self._is_plain and self.splat.blend != "over"
        if self.device.type != "cuda" or self.kernels is None or not plain:
            return None
        known = all(term.function in _LOSSES for term in self.problem.loss.terms)
        return (self.shrinking(step), self._turn(step)) if known else None

    @cached_property
    def _is_plain(self) -> bool:
        """Whether no plugin changes how splats are painted and what is minimised."""
        painted = paint.dispatch(type(self.splat))
        plain = painted is paint.dispatch(Splat) and self.splat.group is None
        return type(self) is SplatObjective and plain

    @cached_property
    def _is_squared_error(self) -> bool:
        """Whether a sum of splats is fitted, and the loss is the squared error."""
        adds = (self.splat.blend, self.splat.far) == ("sum", 0)
        squared = [term.function for term in self.problem.loss.terms] == [mse]
        return self._is_plain and adds and squared

    @torch.enable_grad()
    def _goal(self, step: int) -> Goal:
        divisor = self.shrinking(step)
        if divisor not in self._goals:
            _, target, weight = self._view(step)
            ones = torch.ones_like(target).requires_grad_()
            error = self.problem.loss(ones, torch.zeros_like(target), weight)
            (slope,) = torch.autograd.grad(error, ones)
            background = self.problem.drawing.background
            self._goals[divisor] = Goal(target.contiguous(), slope[0].contiguous(), background)
        return self._goals[divisor]

    def softness(self, step: int) -> float:
        """From 1 to 0 in the share `soften` of the steps: the order of the parts hardens."""
        learning = self.options.soften * self.problem.total_steps
        return max(0.0, 1 - self.problem.position(step) / learning) if learning else 0.0

    @cached_property
    def _colour_bounds(self) -> tuple[float, float]:
        """The raw colours of which the mapped ones are 0 and 1."""
        return self.splat.parameters()["colour"].map.raw_bounds(0.0, 1.0)

    def after_step(self, raw: dict[str, Tensor]) -> None:
        """Keep colours in 0..1 where the fit has an alpha: none may imitate the background."""
        if min(self.problem.drawing.background) < 0:
            raw["colour"].clamp_(*self._colour_bounds)


objective_of.register(Splat)(lambda primitive: SplatObjective)
