"""Gradient descent: Adam on the raw parameters of any primitive that has an objective.

What a step minimises, and how it is evaluated, is up to the `Objective` of the primitive's family;
see `objective`. The engine owns the schedule, the rounds of densification and the state; see
`descent` for the parameters and what changes them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from artgen.base.errors import PluginError
from artgen.base.options import parse_options
from artgen.compiler.threads import torch_alone
from artgen.engines.base import Engine, Problem, Report, ReportPace, State
from artgen.engines.evaluation import check_finite, fit_memory_errors
from artgen.engines.gradient.descent import MEANS, Descent
from artgen.engines.gradient.graphs import StepGraph
from artgen.engines.gradient.objective import objective_of
from artgen.engines.gradient.schedule import AdamOptions, rate_factor
from artgen.primitives import Primitive, known_families
from artgen.values.drawing import Drawing

FEWEST_STEPS, FOLLOWING_SHARE, FOLLOWING_RATE, FOLLOWING_FINAL = 10, 0.1, 0.5, 0.6
"""Of a frame that follows another one: its steps, the factor on all rates, and their fall."""

UNUSED = ("move", "relocate", "soften", "coarse", "converge")
"""Options that are 0 for such a frame."""


class GradientEngine(Engine):
    """Adam or AdamW with a rate per parameter, warm-up and a schedule."""

    supports = ("bf16", "palette", "replanning", "rules", "finite", "views")

    Options = AdamOptions

    descends_by: ClassVar[type[Descent]] = Descent

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
        self.step, self.factor, self.best_loss = 0, 1.0, math.inf
        self.descent = self.descends_by(problem, self.objective, self.options)
        self.notices = self.objective.notices
        # A number for every part, in the order in which parts are made; `made` is how many were.
        self.made = self.descent.count
        self.numbers = self.best_numbers = torch.arange(self.made)

    def advance(self, steps: int) -> None:
        """Take optimizer steps; only rounds of densification read back from the device."""
        end, descent = self.step + steps, self.descent
        alone = torch_alone() if self.objective.alone else nullcontext()
        with alone, fit_memory_errors("--size or --count"):
            while self.step < end:
                self._densify()
                if descent.device is not None:
                    self._take_together(end)
                elif (key := self.objective.recordable(self.step)) is not None:
                    self._take_recorded(key, end)
                else:
                    self._take_one(self._rates(self.step))
                    self.step += 1

    def _take_one(self, rates: Mapping[str, float | Tensor]) -> None:
        """Take a step by torch."""
        descent = self.descent
        for raw in descent.raw.values():
            raw.grad = None
        self.objective.backward(descent.raw, descent.mapped(), self.step)
        descent.take_step(rates)

    def _take_recorded(self, key: Hashable, end: int) -> None:
        """Take steps of this key until `end`, or until something has to be done between two."""
        graphs, names = self.descent.graphs, list(self.descent.rates)
        steps = range(self.step, self._same_until(end, self.objective.recordable))
        if key not in graphs:
            graphs[key] = StepGraph(
                lambda rates: self._take_one(dict(zip(names, rates, strict=True))),
                len(names),
                self.objective.generator,
            )
        graphs[key].take([list(self._rates(step).values()) for step in steps])
        self.step = steps.stop

    def _take_together(self, end: int) -> None:
        """Take steps on the device until `end`, or until something has to be done between two."""
        descent, objective = self.descent, self.objective
        if descent.shrinking != objective.shrinking(self.step):
            # Continue with the size of the picture that this step has.
            descent.fetch()
            descent.adopt(descent.raw, self.step, descent.optimizer.moments)
        assert descent.device is not None
        steps = range(self.step, self._same_until(end, objective.shrinking))
        softness = [objective.softness(step) for step in steps]
        descent.device.take([self._rates(step) for step in steps], softness)
        self.step = steps.stop

    def _same_until(self, end: int, of_step: Callable[[int], object]) -> int:
        """The first step after which parts are added, or `of_step` gives something else."""
        rounds, now = self.rounds, of_step(self.step)
        later = range(self.step + 1, end)
        return next((s for s in later if s in rounds or of_step(s) != now), end)

    def _rates(self, step: int) -> dict[str, float]:
        """The learning rates of the step after `step`."""
        factor = self.factor * self.options.rate
        factor *= rate_factor(self.options, step, self.problem.progress(step))
        return {name: rate * factor for name, rate in self.descent.rates.items()}

    @torch.no_grad()
    def report(self) -> Report:
        """Loss and PSNR of the full target; raises Diverged where something is not finite."""
        descent, tensors, there = self.descent, dict[str, Tensor](), None
        with fit_memory_errors("--size or --count"):
            if descent.device is not None and descent.shrinking == 1:
                there = descent.device.evaluate()
            if there is None:
                descent.fetch()
                tensors = descent.mapped()
            loss, psnr, finite = there or (*self.objective.evaluate(tensors), False)
        if not (finite and math.isfinite(loss)):
            descent.fetch()
            check_finite({**(tensors or descent.mapped()), "the loss": loss}, self.step)
        improved = loss < self.best_loss
        if improved:
            self.best_loss, self.best_numbers = loss, self.numbers
            descent.keep()
        return Report(self.step, loss, psnr, improved, self.objective.training_loss())

    def report_pace(self) -> ReportPace:
        """The number of evaluations that suits the objective."""
        return ReportPace(self.objective.reports)

    @torch.no_grad()
    def drawing(self, best: bool) -> Drawing:
        """Mapped copies of the current or the best parameters."""
        self.descent.fetch()
        tensors = self.descent.mapped(self.descent.best if best else None)
        return replace(self.problem.drawing, tensors=tensors).detach()

    @torch.no_grad()
    def recover(self, rate: float) -> None:
        """Back to the best parameters with fresh moments and smaller rates."""
        self.descent.fetch()
        self.descent.adopt(self.descent.best, self.step)
        self.numbers = self.best_numbers
        self.factor *= rate

    def identities(self, best: bool) -> Tensor | None:
        """Parts keep their numbers while others are added; a part that is moved gets a new one."""
        return self.best_numbers if best else self.numbers

    def hand_over(self) -> State:
        """Adam's moments."""
        self.descent.fetch()
        return {name: value.to("cpu", copy=True) for name, value in self.descent.moments().items()}

    @torch.no_grad()
    def take_over(self, state: State, fresh: Tensor) -> None:
        """Continue with these moments; those of fresh parts are zero, as in `replace_parts`."""
        known = self.descent.optimizer.moments
        known |= self.descent.moments_in(state)
        for moments in known.values() if len(fresh) else ():
            for key in MEANS:
                moments[key][..., fresh.to(moments[key].device)] = 0
        self.descent.load()

    @torch.no_grad()
    def renew(self, most: int) -> Tensor:
        """Put splats that save little error to where there is more of it."""
        densification, descent = self.objective.densification, self.descent
        renewed = torch.zeros(descent.count, dtype=torch.bool)
        change = None if densification is None else densification.relocate(descent.mapped(), most)
        if change is not None:
            places, fresh = change
            renewed[places.cpu()] = True
            for name, values in descent.raw_of(fresh, descent.count).items():
                descent.raw[name].data[..., places] = values
            descent.adopt(descent.raw, self.step)
        return renewed

    def limit_memory(self, share: float) -> None:
        """Evaluate smaller pieces at a time."""
        self.objective.limit_memory(share)

    def state_dict(self) -> State:
        """Raw and best parameters, Adam's moments, the step, and the state of the objective."""
        self.descent.fetch()
        state: State = {"step": self.step, "factor": self.factor, "best_loss": self.best_loss}
        state |= {"made": self.made, "numbers": self.numbers, "best_numbers": self.best_numbers}
        for name, raw in self.descent.copy().items():
            state |= {f"raw.{name}": raw, f"best.{name}": self.descent.best[name].clone()}
        state |= {name: value.clone() for name, value in self.descent.moments().items()}
        return state | self.objective.state_dict()

    @torch.no_grad()
    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        self.step, self.factor = int(state["step"]), float(state["factor"])
        self.best_loss = float(state["best_loss"])
        self.objective.load_state_dict(state)
        descent, device = self.descent, self.objective.device
        raw, descent.best = (
            {name: state[f"{which}.{name}"].to(device) for name in descent.params}
            for which in ("raw", "best")
        )
        descent.adopt(raw, self.step, descent.moments_in(state))
        # Checkpoints of earlier versions have none of these.
        self.made = int(state.get("made", descent.count))
        self.numbers = state.get("numbers", torch.arange(descent.count))
        self.best_numbers = state.get("best_numbers", self.numbers)

    def converged(self) -> dict[str, Any]:
        """The count that densification ended with, where it was to find one."""
        densification = self.objective.densification
        return {} if densification is None else densification.converged(self.step)

    @property
    def rounds(self) -> Collection[int]:  # type: ignore[override]
        """The steps that begin with densification."""
        densification = self.objective.densification
        return () if densification is None else densification.rounds

    @torch.no_grad()
    def _densify(self) -> None:
        """Add and move parts where that is due."""
        densification, descent = self.objective.densification, self.descent
        if densification is None or not densification.is_due(self.step, descent.count):
            return
        survey = None
        if descent.device is None or descent.shrinking > 1:
            descent.fetch()
        else:
            found, survey = descent.device.survey()
            descent.take_found(found)
        change = densification.densify(descent.mapped(), self.step, survey)
        if change is None:
            return
        kept, fresh = change
        count = len(kept) + fresh["xy"].shape[-1]
        descent.replace_parts(kept, descent.raw_of(fresh, count), self.step)
        added = torch.arange(self.made, self.made + count - len(kept))
        self.numbers = torch.cat([self.numbers[kept.cpu()], added])
        self.made += len(added)
