"""The parameters of a fit by gradient descent: raw values, bounds, rates and Adam's moments.

Steps are taken here by an optimizer, or by kernels, often on a device; what these have is not here
until it is fetched.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from artgen.engines.base import Problem, State
from artgen.engines.gradient.device_steps import DeviceSteps, Found
from artgen.engines.gradient.graphs import StepGraph
from artgen.engines.gradient.objective import Objective
from artgen.engines.gradient.optimizer import Moments, Optimizer
from artgen.engines.gradient.schedule import AdamOptions
from artgen.init import Context

MEANS = ("exp_avg", "exp_avg_sq")
"""The moments that have a number for each one of a parameter."""


class Descent:
    """The parameters of `count` parts; `raw` is what steps change, `best` what a report kept.

    `device` takes the steps if it is not None, for a picture `shrinking` times smaller than the
    target. `graphs` are steps that were recorded for the tensors which are here.
    """

    def __init__(self, problem: Problem, objective: Objective, options: AdamOptions) -> None:
        self.problem, self.objective, self.options = problem, objective, options
        self.params = problem.primitive.parameters()
        self.device: DeviceSteps | None = None
        self.graphs: dict[Hashable, StepGraph] = {}
        first = problem.primitive.count_of(problem.drawing)
        self.adopt(self.raw_of(objective.initial(), first), 0)
        self.best = self.copy()

    def raw_of(self, mapped: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
        """Raw values on the device, inside the bounds for `count` parts."""
        context = Context(torch.Generator(), self.objective.canvas, count)
        return {
            name: param.map.inverse(mapped[name].to(self.objective.device)).clamp(
                *param.raw_bounds(context)
            )
            for name, param in self.params.items()
        }

    def mapped(self, raw: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Mapped values of these raw ones, or of the present ones."""
        raw = self.raw if raw is None else raw
        return {name: param.map(raw[name]) for name, param in self.params.items()}

    def copy(self) -> dict[str, Tensor]:
        """Copies of the present raw values."""
        return {name: raw.detach().clone() for name, raw in self.raw.items()}

    def adopt(
        self, raw: Mapping[str, Tensor], step: int, moments: Mapping[str, Moments] | None = None
    ) -> None:
        """Continue at `step` with copies of these raw values, of any number of parts."""
        self.raw = {
            name: raw[name].detach().clone(memory_format=torch.contiguous_format)
            for name in self.params
        }
        drawing = replace(self.problem.drawing, tensors=self.raw)
        self.count = self.problem.primitive.count_of(drawing)
        context = Context(torch.Generator(), self.objective.canvas, self.count)
        frozen, params = self.objective.frozen, self.params.items()
        self.bounds = {name: param.raw_bounds(context) for name, param in params}
        self.rates = {
            name: 0.0 if name in frozen else param.rate(context) for name, param in params
        }
        for name, tensor in self.raw.items():
            tensor.requires_grad_(self.rates[name] > 0)
        self.optimizer = Optimizer(self.options, dict(moments or {}))
        stepper = self.objective.stepper(self.count, step)
        self.shrinking = 1 if stepper is None else self.objective.shrinking(step)
        self.device = None if stepper is None else DeviceSteps(stepper, self.options)
        self.load()

    def replace_parts(self, kept: Tensor, fresh: Mapping[str, Tensor], step: int) -> None:
        """Continue with the parts `kept`, moments included, and raw `fresh` ones after them.

        New moments are zero. Adam counts steps per tensor, so it does not correct their bias: for
        some tens of steps new parts are faster than others, about twice with `beta2` = 0.99, which
        fits better than correcting it.
        """
        moments = {}
        for name, state in self.optimizer.moments.items():
            zeros = torch.zeros_like(fresh[name])
            means = {key: torch.cat([state[key][..., kept], zeros], dim=-1) for key in MEANS}
            moments[name] = {"step": state["step"], **means}
        raw = {
            name: torch.cat([values.detach()[..., kept], fresh[name]], dim=-1)
            for name, values in self.raw.items()
        }
        self.adopt(raw, step, moments)

    @torch.no_grad()
    def take_step(self, rates: Mapping[str, float | Tensor]) -> None:
        """Change all parameters by one step of the optimizer, within their bounds."""
        for name, raw in self.raw.items():
            self.optimizer.step(name, raw, rates[name])
            low, high = self.bounds[name]
            if math.isfinite(low) or math.isfinite(high):
                raw.clamp_(low, high)
        self.objective.after_step(self.raw)

    def keep(self) -> None:
        """Keep the present parameters as the best."""
        if self.device is not None:
            self.device.keep()
        else:
            self.best = self.copy()

    def load(self) -> None:
        """Start steps on the device from what is here."""
        self.graphs.clear()
        if self.device is not None:
            self.device.load(self.raw, self.optimizer.moments, self.bounds)

    @torch.no_grad()
    def fetch(self) -> None:
        """Read what steps on the device have changed."""
        if self.device is not None and self.device.ahead:
            self.take_found(self.device.read())

    def take_found(self, found: Found) -> None:
        """Continue with what was read from the device."""
        for name, values in found.raw.items():
            self.raw[name].copy_(values)
        self.optimizer.moments = {n: m for n, m in found.moments.items() if self.rates[n] > 0}
        self.best = found.best or self.best

    def moments(self) -> State:
        """Adam's moments by flat names; call `fetch` before."""
        return {
            f"{key}.{name}": value.detach()
            for name, moments in self.optimizer.moments.items()
            for key, value in moments.items()
        }

    def moments_in(self, state: State) -> dict[str, Moments]:
        """Copies of the moments in a state, on the device."""
        return {
            name: {
                key: state[f"{key}.{name}"].to(self.objective.device, copy=True)
                for key in ("step", *MEANS)
            }
            for name in self.params
            if f"exp_avg.{name}" in state
        }
