"""The objective of codecs: batches of training pictures, evaluated on the test pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from artgen.engines.base import Problem, State
from artgen.engines.gradient.batches import Batches, RandomAffine
from artgen.engines.gradient.objective import Objective, objective_of
from artgen.engines.gradient.schedule import AdamOptions
from artgen.nn.codec import pass_through, reconstruct
from artgen.options import option
from artgen.primitives import Codec


class CodecObjective(Objective):
    """The reconstruction of a batch of pictures."""

    # An evaluation of thousands of test pictures takes longer than a step.
    reports = 15

    @dataclass(frozen=True)
    class Options(AdamOptions):
        """Options of `gradient` for codecs."""

        batch: int = option(0, "pictures per step; 0 uses all", low=0)
        augment: float = option(
            0.0, "share of the training pictures that are augmented", low=0, high=1
        )
        degrees: float = option(15.0, "largest rotation, in degrees", low=0, high=180)
        translate: float = option(0.1, "largest translation, as a share of a side", low=0, high=1)
        scale: float = option(0.1, "largest change in scale, as a share", low=0, high=0.9)
        shear: float = option(10.0, "largest shear along x, in degrees", low=0, high=80)

    def __init__(self, problem: Problem, options: Any) -> None:
        super().__init__(problem, options)
        assert isinstance(problem.primitive, Codec)
        assert problem.training is not None
        self.codec = problem.primitive
        how = RandomAffine(
            options.augment, options.degrees, options.translate, options.scale, options.shear
        )
        self.batches = Batches(problem.training, options.batch, how, problem.seed, self.device)
        self.total, self.steps = torch.zeros((), dtype=torch.float64), 0

    def loss(self, tensors: Mapping[str, Tensor], step: int) -> Tensor:
        """The loss of the step's batch, with the term of the codec."""
        images, labels = self.batches.batch(step, self.generator)
        outputs, term = pass_through(
            self.codec, tensors, images, labels, self.problem.arithmetic, self.generator
        )
        loss = self.problem.loss(outputs, images, None)
        loss = loss if term is None else loss + term
        self.total += loss.detach().cpu()
        self.steps += 1
        return loss

    def picture(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """The reconstructed test pictures, [N, channels, height, width]."""
        assert self.problem.test is not None
        return reconstruct(self.codec, tensors, self.problem.test).to(self.device)

    def training_loss(self) -> float | None:
        """The mean loss of the steps since the last call."""
        if not self.steps:
            return None
        mean = float(self.total) / self.steps
        self.total, self.steps = torch.zeros_like(self.total), 0
        return mean

    def state_dict(self) -> State:
        """The training loss too."""
        own = {"learned": self.total.clone(), "learned_steps": self.steps}
        return super().state_dict() | own

    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        self.total, self.steps = state["learned"].clone(), int(state["learned_steps"])


@objective_of.register(Codec)
def _(primitive: Codec) -> type[Objective]:
    return CodecObjective
