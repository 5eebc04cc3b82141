"""Gradient descent: Adam on the raw parameters of any primitive that has an objective.

What a step minimises, and how it is evaluated, is up to the `Objective` of the primitive's family;
see `objective`. The engine owns the optimizer, the schedule, the best parameters and the state.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from artgen.base.errors import PluginError
from artgen.base.options import parse_options
from artgen.compiler.threads import torch_alone
from artgen.engines.base import Engine, Problem, Report, ReportPace, State
from artgen.engines.evaluation import check_finite, fit_memory_errors
from artgen.engines.gradient.device_steps import DeviceSteps, Found
from artgen.engines.gradient.objective import objective_of
from artgen.engines.gradient.optimizer import Moments, Optimizer
from artgen.engines.gradient.schedule import AdamOptions, rate_factor
from artgen.init import Context
from artgen.primitives import Primitive, known_families
from artgen.values.drawing import Drawing

FEWEST_STEPS, FOLLOWING_SHARE, FOLLOWING_RATE, FOLLOWING_FINAL = 10, 0.1, 0.4, 0.4
"""Of a frame that follows another one: its steps, the factor on all rates, and their fall."""

UNUSED = ("move", "soften", "coarse", "converge")
"""Options that are 0 for such a frame."""


class GradientEngine(Engine):
    """Adam or AdamW with a rate per parameter, warm-up and a schedule."""

    supports = ("bf16", "palette", "replanning", "finite")

    Options = AdamOptions

    @classmethod
    def options_for(cls, primitive: Primitive) -> type[AdamOptions]:
        """Those that the objective of the primitive reads."""
        return objective_of(primitive).Options

    @classmethod
    def family_options(cls) -> dict[str, type[AdamOptions]]:
        """Those of all objectives."""
        options: dict[str, type[AdamOptions]] = {}
        for family in known_families():
            # A plugin's function may fail, which matters to its own family alone.
            with suppress(PluginError):
                if objective_of.is_answered(family):
                    options[family.family] = objective_of.dispatch(family)(None).Options
        return options

    @classmethod
    def automatic(cls, primitive: Primitive) -> dict[str, Any]:
        """Those of the objective."""
        return objective_of(primitive).automatic(primitive)

    @classmethod
    def first_count(cls, primitive: Primitive, options: Mapping[str, Any], count: int) -> int:
        """The share `start`, where parts can be added."""
        parsed = parse_options(cls.options_for(primitive), options, owner="engine gradient")
        return objective_of(primitive).first_count(primitive, parsed, count)

    @classmethod
    def default_steps(
        cls, primitive: Primitive, options: Mapping[str, Any], count: int | None
    ) -> int | None:
        """Few for shapes, which another engine has found."""
        return objective_of(primitive).default_steps()

    @classmethod
    def follow(
        cls, options: Mapping[str, Any], steps: int, count: int | None
    ) -> dict[str, Any] | None:
        """A few steps at small rates: parts are where they were, all of them, and only move."""
        return {
            "steps": max(FEWEST_STEPS, round(FOLLOWING_SHARE * steps)),
            "rate": FOLLOWING_RATE * options.get("rate", 1.0),
            "schedule": "cosine",
            "final": FOLLOWING_FINAL,
            "warmup": 0,
            **{name: 0.0 for name in UNUSED if name in options},
        }

    def start(self, problem: Problem) -> None:
        """Move everything to the device and make raw parameters of the drawing."""
        self.problem = problem
        self.options = parse_options(
            self.options_for(problem.primitive), problem.options, owner="engine gradient"
        )
        self.options.check_betas()
        self.objective = objective_of(problem.primitive)(problem, self.options)
        self.step, self.factor = 0, 1.0
        self.params = problem.primitive.parameters()
        first = problem.primitive.count_of(problem.drawing)
        self.device: DeviceSteps | None = None
        self._adopt(self._raw(self.objective.initial(), first))
        self.notices = self.objective.notices
        # A number for every part, in the order in which parts are made; `made` is how many were.
        self.numbers = self.best_numbers = torch.arange(self.count)
        self.made = self.count
        self.best_loss, self.best = math.inf, self._copy()

    def advance(self, steps: int) -> None:
        """Take optimizer steps; only rounds of densification read back from the device."""
        end = self.step + steps
        alone = torch_alone() if self.objective.alone else nullcontext()
        with alone, fit_memory_errors("--size or --count"):
            while self.step < end:
                self._densify()
                if self.device is not None:
                    self._change_view()
                    together = range(self.step, self._same_until(end))
                    softness = [self.objective.softness(step) for step in together]
                    self.device.take([self._rates(step) for step in together], softness)
                    self.step = together.stop
                    continue
                for raw in self.raw.values():
                    raw.grad = None
                self.objective.backward(self.raw, self._mapped(), self.step)
                self._take_step()
                self.step += 1

    def _same_until(self, end: int) -> int:
        """The first step after which parts are added, or the size of the picture is another."""
        view, rounds = self.objective.shrinking, self.rounds
        for step in range(self.step + 1, end):
            if step in rounds or view(step) != self.shrinking:
                return step
        return end

    @torch.no_grad()
    def _change_view(self) -> None:
        """Continue on the device with the size of the picture that this step has."""
        if self.shrinking != self.objective.shrinking(self.step):
            self._fetch()
            self._adopt(self.raw, self.optimizer.moments)

    def _rates(self, step: int) -> dict[str, float]:
        """The learning rates of the step after `step`."""
        factor = self.factor * self.options.rate
        factor *= rate_factor(self.options, step, self.problem.progress(step))
        return {name: rate * factor for name, rate in self.rates.items()}

    @torch.no_grad()
    def _take_step(self) -> None:
        """Change all parameters by one step of the optimizer, within their bounds."""
        rates = self._rates(self.step)
        for name, raw in self.raw.items():
            self.optimizer.step(name, raw, rates[name])
            low, high = self.bounds[name]
            if math.isfinite(low) or math.isfinite(high):
                raw.clamp_(low, high)
        self.objective.after_step(self.raw)

    @torch.no_grad()
    def report(self) -> Report:
        """Loss and PSNR of the full target; raises Diverged where something is not finite."""
        tensors: dict[str, Tensor] = {}
        finite = False
        with fit_memory_errors("--size or --count"):
            if self.device is None or self.shrinking > 1:
                self._fetch()
                tensors = self._mapped()
                loss, psnr = self.objective.evaluate(tensors)
            else:
                loss, psnr, finite = self.device.evaluate()
        if not (finite and math.isfinite(loss)):
            self._fetch()
            check_finite({**(tensors or self._mapped()), "the loss": loss}, self.step)
        improved = loss < self.best_loss
        if improved:
            self.best_loss, self.best_numbers = loss, self.numbers
            if self.device is not None:
                self.device.keep()
            else:
                self.best = self._copy()
        return Report(self.step, loss, psnr, improved, self.objective.training_loss())

    def report_pace(self) -> ReportPace:
        """The number of evaluations that suits the objective."""
        return ReportPace(self.objective.reports)

    @torch.no_grad()
    def drawing(self, best: bool) -> Drawing:
        """Mapped copies of the current or the best parameters."""
        self._fetch()
        raw = self.best if best else self.raw
        tensors = {name: param.map(raw[name]).detach() for name, param in self.params.items()}
        return replace(self.problem.drawing, tensors=tensors).detach()

    @torch.no_grad()
    def recover(self, rate: float) -> None:
        """Back to the best parameters with fresh moments and smaller rates."""
        self._fetch()
        self._adopt(self.best)
        self.numbers = self.best_numbers
        self.factor *= rate

    def identities(self, best: bool) -> Tensor | None:
        """Parts keep their numbers while others are added; a part that is moved gets a new one."""
        return self.best_numbers if best else self.numbers

    def hand_over(self) -> State:
        """Adam's moments."""
        self._fetch()
        return {
            f"{key}.{name}": value.detach().to("cpu", copy=True)
            for name, moments in self.optimizer.moments.items()
            for key, value in moments.items()
        }

    @torch.no_grad()
    def take_over(self, state: State, fresh: Tensor) -> None:
        """Continue with these moments; those of fresh parts are zero, as in `_replace`."""
        self.optimizer.moments |= self._moments(state)
        for moments in self.optimizer.moments.values():
            if len(fresh):
                for key in ("exp_avg", "exp_avg_sq"):
                    moments[key][..., fresh.to(moments[key].device)] = 0
        self._load()

    @torch.no_grad()
    def renew(self, most: int) -> Tensor:
        """Put splats that save little error to where there is more of it."""
        densification = self.objective.densification
        renewed = torch.zeros(self.count, dtype=torch.bool)
        change = None if densification is None else densification.relocate(self._mapped(), most)
        if change is not None:
            places, fresh = change
            renewed[places.cpu()] = True
            for name, values in self._raw(fresh, self.count).items():
                self.raw[name].data[..., places] = values
            self._adopt(self.raw)
        return renewed

    def limit_memory(self, share: float) -> None:
        """Evaluate smaller pieces at a time."""
        self.objective.limit_memory(share)

    def state_dict(self) -> State:
        """Raw and best parameters, Adam's moments, the step, and the state of the objective."""
        self._fetch()
        state: State = {"step": self.step, "factor": self.factor, "best_loss": self.best_loss}
        state["made"] = self.made
        state["numbers"], state["best_numbers"] = self.numbers, self.best_numbers
        for name, raw in self.raw.items():
            state[f"raw.{name}"] = raw.detach().clone()
            state[f"best.{name}"] = self.best[name].clone()
            for key, value in self.optimizer.moments.get(name, {}).items():
                state[f"{key}.{name}"] = value.detach().clone()
        return state | self.objective.state_dict()

    @torch.no_grad()
    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        self.step, self.factor = int(state["step"]), float(state["factor"])
        self.best_loss = float(state["best_loss"])
        self.objective.load_state_dict(state)
        device = self.objective.device
        self.best = {name: state[f"best.{name}"].to(device) for name in self.params}
        raw = {name: state[f"raw.{name}"].to(device) for name in self.params}
        self._adopt(raw, self._moments(state))
        # Checkpoints of earlier versions have none of these.
        self.made = int(state.get("made", self.count))
        self.numbers = state.get("numbers", torch.arange(self.count))
        self.best_numbers = state.get("best_numbers", self.numbers)

    def converged(self) -> dict[str, Any]:
        """The count that densification ended with, where it was to find one."""
        densification = self.objective.densification
        return {} if densification is None else densification.converged(self.step)

    def _raw(self, mapped: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
        """Raw values on the device, inside the bounds for `count` parts."""
        context = Context(torch.Generator(), self.objective.canvas, count)
        return {
            name: param.map.inverse(mapped[name].to(self.objective.device)).clamp(
                *param.raw_bounds(context)
            )
            for name, param in self.params.items()
        }

    def _adopt(
        self, raw: Mapping[str, Tensor], moments: Mapping[str, Moments] | None = None
    ) -> None:
        """Continue with copies of these raw values, of any number of parts, and these moments."""
        self.raw = {
            name: raw[name].detach().clone(memory_format=torch.contiguous_format)
            for name in self.params
        }
        self.count = self.problem.primitive.count_of(
            replace(self.problem.drawing, tensors=self.raw)
        )
        context = Context(torch.Generator(), self.objective.canvas, self.count)
        frozen, params = self.objective.frozen, self.params.items()
        self.bounds = {name: param.raw_bounds(context) for name, param in params}
        self.rates = {
            name: 0.0 if name in frozen else param.rate(context) for name, param in params
        }
        for name, tensor in self.raw.items():
            tensor.requires_grad_(self.rates[name] > 0)
        options = self.options
        betas = (options.beta1, options.beta2)
        self.optimizer = Optimizer(
            options.optimizer, betas, options.epsilon, options.weight_decay, dict(moments or {})
        )
        stepper = self.objective.stepper(self.count, self.step)
        self.shrinking = 1 if stepper is None else self.objective.shrinking(self.step)
        corrected = options.optimizer != "adamw-uncorrected"
        self.device = None if stepper is None else DeviceSteps(stepper, betas, corrected=corrected)
        self._load()

    def _load(self) -> None:
        """Start steps on the device from what is here."""
        if self.device is not None:
            self.device.load(self.raw, self.optimizer.moments, self.bounds)

    @torch.no_grad()
    def _fetch(self) -> None:
        """Read what steps on the device have changed."""
        if self.device is not None and self.device.ahead:
            self._take_found(self.device.read())

    def _take_found(self, found: Found) -> None:
        for name, values in found.raw.items():
            self.raw[name].copy_(values)
        self.optimizer.moments = {n: m for n, m in found.moments.items() if self.rates[n] > 0}
        self.best = found.best or self.best

    def _moments(self, state: State) -> dict[str, Moments]:
        """Copies of Adam's moments in a state, on the device."""
        return {
            name: {
                key: state[f"{key}.{name}"].to(self.objective.device, copy=True)
                for key in ("step", "exp_avg", "exp_avg_sq")
            }
            for name in self.params
            if f"exp_avg.{name}" in state
        }

    @property
    def rounds(self) -> Collection[int]:  # type: ignore[override]
        """The steps that begin with densification."""
        densification = self.objective.densification
        return () if densification is None else densification.rounds

    @torch.no_grad()
    def _densify(self) -> None:
        """Add and move parts where that is due."""
        densification = self.objective.densification
        if densification is None or not densification.is_due(self.step, self.count):
            return
        survey = None
        if self.device is None or self.shrinking > 1:
            self._fetch()
        else:
            found, survey = self.device.survey()
            self._take_found(found)
        change = densification.densify(self._mapped(), self.step, survey)
        if change is None:
            return
        kept, fresh = change
        count = len(kept) + fresh["xy"].shape[-1]
        self._replace(kept, self._raw(fresh, count))
        added = torch.arange(self.made, self.made + count - len(kept))
        self.numbers = torch.cat([self.numbers[kept.cpu()], added])
        self.made += len(added)

    def _replace(self, kept: Tensor, fresh: dict[str, Tensor]) -> None:
        """Continue with the parts `kept`, moments included, and `fresh` ones after them.

        New moments are zero. Adam counts steps per tensor, so it does not correct their bias: for
        some tens of steps new parts are faster than others, about twice with `beta2` = 0.99, which
        fits better than correcting it.
        """
        moments = {}
        for name, state in self.optimizer.moments.items():
            zeros = torch.zeros_like(fresh[name])
            moments[name] = {
                "step": state["step"],
                **{
                    key: torch.cat([state[key][..., kept], zeros], dim=-1)
                    for key in ("exp_avg", "exp_avg_sq")
                },
            }
        self._adopt(
            {
                name: torch.cat([raw.detach()[..., kept], fresh[name]], dim=-1)
                for name, raw in self.raw.items()
            },
            moments,
        )

    def _copy(self) -> dict[str, Tensor]:
        return {name: raw.detach().clone() for name, raw in self.raw.items()}

    def _mapped(self) -> dict[str, Tensor]:
        return {name: param.map(self.raw[name]) for name, param in self.params.items()}
