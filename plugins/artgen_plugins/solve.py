"""Closed form: a codec's best parameters at once, shown one component after the other.

There is nothing to search. The steps only reveal what was solved at the start, until all components
are there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from artgen import Codec, Drawing, Engine, Primitive
from artgen.engines import (
    Problem,
    Report,
    State,
    check_finite,
    fit_memory_errors,
    picture_psnr,
)
from artgen.errors import UsageError
from artgen.family import reconstruct

PICTURE_PIECE = 250
"""The most pictures that are solved for at a time."""
MOST_STEPS = 32
"""More components are revealed several at a time, unless more steps are asked for."""


@runtime_checkable
class SolvableCodec(Protocol):
    """A codec for the engine `solve`."""

    @property
    def components(self) -> int:
        """The number of components there are in the end."""

    def solve(self, pieces: Iterable[Tensor]) -> dict[str, Tensor]:
        """The best parameters in closed form.

        `pieces` are the training pictures, some [n, channels, height, width] at a time.
        """

    def truncated(self, tensors: Mapping[str, Tensor], components: int) -> dict[str, Tensor]:
        """The parameters with the first `components` of `size_option` components alone."""


class SolveEngine(Engine):
    """For codecs that define `solve`."""

    @classmethod
    def default_steps(
        cls, primitive: Primitive, options: Mapping[str, Any], count: int | None
    ) -> int | None:
        """A step for each component."""
        return (
            min(primitive.components, MOST_STEPS) if isinstance(primitive, SolvableCodec) else None
        )

    def start(self, problem: Problem) -> None:
        """Solve. Raises UsageError where the loss is another than what is solved for."""
        self.problem = problem
        self.parse(problem)
        codec = problem.primitive
        assert isinstance(codec, Codec)
        if not isinstance(codec, SolvableCodec):
            name = problem.drawing.primitive
            raise UsageError(f"{name} has no closed form", hint="use -e gradient")
        assert problem.training is not None
        if problem.loss.text != "mse":
            raise UsageError(
                f"engine solve minimises mse, not {problem.loss.text}", hint="leave out --loss"
            )
        self.codec, self.step, self.best_step = codec, 0, 0
        self.best_loss = math.inf
        with fit_memory_errors("--size"):
            self.solution = codec.solve(self._pieces())

    @property
    def finished(self) -> bool:  # type: ignore[override]
        """All components are there."""
        return self._components(self.step) == self.codec.components

    def advance(self, steps: int) -> None:
        """Reveal more."""
        self.step = min(self.step + steps, self.problem.total_steps)

    def report(self) -> Report:
        """The loss and the PSNR of the test pictures."""
        assert self.problem.test is not None
        tensors = self._revealed(self.step)
        outputs = reconstruct(self.codec, tensors, self.problem.test)
        loss = float(self.problem.loss(outputs, self.problem.target, None))
        check_finite({**tensors, "the loss": loss}, self.step)
        improved = loss < self.best_loss
        if improved:
            self.best_loss, self.best_step = loss, self.step
        psnr = picture_psnr(outputs, self.problem.target, None)
        return Report(self.step, loss, psnr, improved)

    def drawing(self, best: bool) -> Drawing:
        """The components so far."""
        tensors = self._revealed(self.best_step if best else self.step)
        return replace(self.problem.drawing, tensors=tensors).detach()

    def recover(self, rate: float) -> None:
        """Back to the best: what is solved does not change."""
        self.step = self.best_step

    def state_dict(self) -> State:
        """The steps; `start` computes the solution again."""
        return {"step": self.step, "best_step": self.best_step, "best_loss": self.best_loss}

    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        self.step, self.best_step = int(state["step"]), int(state["best_step"])
        self.best_loss = float(state["best_loss"])

    def _revealed(self, step: int) -> dict[str, Tensor]:
        return self.codec.truncated(self.solution, self._components(step))

    def _components(self, step: int) -> int:
        """The number of components revealed by `step`: several in each step where these are few."""
        every = self.codec.components
        return min(every, step * math.ceil(every / self.problem.total_steps))

    def _pieces(self) -> Iterator[Tensor]:
        """The training pictures as floats, some at a time."""
        training, device = self.problem.training, torch.device(self.problem.device)
        assert training is not None
        for start in range(0, len(training.images), PICTURE_PIECE):
            yield training.piece(start, start + PICTURE_PIECE)[0].to(device)
