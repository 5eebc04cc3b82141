"""The objective of codecs: batches of training pictures, evaluated on the test pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from artgen.engines.base import Problem, State
from artgen.engines.gradient.objective import Objective, objective_of, trial_clock
from artgen.families.codec.batches import Batches, BatchOptions
from artgen.families.codec.contract import Codec
from artgen.families.codec.paint import pass_through
from artgen.init import Context
from artgen.primitives import Arithmetic
from artgen.raster import reconstruct
from artgen.values.canvas import Canvas

LARGE_STEP = 200_000
"""The memory of steps on more pixels is estimated first."""

PICTURES = 100
"""A trial takes no more pictures than this."""


class CodecObjective(Objective):
    """The reconstruction of a batch of pictures."""

    # An evaluation of thousands of test pictures takes longer than a step.
    reports = 15

    Options = BatchOptions

    @classmethod
    def trial(cls, primitive: Codec, device: torch.device, batch: int) -> CodecTrial:
        """The codec itself on some pictures."""
        return CodecTrial(primitive, device, min(batch or PICTURES, PICTURES))

    def __init__(self, problem: Problem, options: Any) -> None:
        super().__init__(problem, options)
        assert isinstance(problem.primitive, Codec)
        assert problem.training is not None
        self.codec = problem.primitive
        self.batches = Batches(problem.training, options, problem.seed, self.device)
        self.total, self.steps = torch.zeros((), dtype=torch.float64), 0
        if self.batches.epochs.size * self.codec.height * self.codec.width > LARGE_STEP:
            self.check_step(self.batches.epochs.size, self._sample)

    def _sample(self, tensors: Mapping[str, Tensor], number: int) -> object:
        """A step on this many gray pictures."""
        images = torch.full((number, self.codec.channels, self.codec.height, self.codec.width), 0.5)
        labels = torch.zeros(number, dtype=torch.int64)
        return pass_through(self.codec, tensors, images, labels, "fp32", torch.Generator())

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


class CodecTrial:
    """A step of the codec itself, but for the optimizer, on noise."""

    def __init__(self, codec: Codec, device: torch.device, batch: int) -> None:
        rng = torch.Generator().manual_seed(0)
        self.codec = codec
        self.tensors = {
            name: tensor.to(device).requires_grad_()
            for name, tensor in codec.initial(Context(rng, Canvas(1, 1), 1)).items()
        }
        images = torch.rand(batch, codec.channels, codec.height, codec.width, generator=rng)
        self.images = images.to(device)
        self.labels = torch.zeros(batch, dtype=torch.int64, device=device)

    def seconds(self, arithmetic: Arithmetic) -> float:
        """The seconds that a step takes, on as many threads as there are."""
        clock = trial_clock(self.images.device)
        began = clock()
        batch, rng = (self.images, self.labels), torch.Generator(self.images.device)
        outputs, _ = pass_through(self.codec, self.tensors, *batch, arithmetic, rng)
        learned = list(self.tensors.values())
        gradients = torch.autograd.grad(outputs.square().mean(), learned, allow_unused=True)
        float(next((gradient.sum() for gradient in gradients if gradient is not None), 0.0))
        return clock() - began


objective_of.register(Codec)(lambda primitive: CodecObjective)
