"""The objective of fields: random batches of pixels or samples, or all of them."""

from __future__ import annotations

import copy
import functools
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from artgen.base.errors import UsageError
from artgen.base.options import option
from artgen.compiler.threads import torch_alone
from artgen.compiler.vjp import vjp
from artgen.engines.base import Problem
from artgen.engines.gradient.epochs import Epochs
from artgen.engines.gradient.objective import (
    Objective,
    PictureOptions,
    check_differentiable,
    objective_of,
    trial_clock,
)
from artgen.families.field.contract import Field
from artgen.families.field.paint import FIELD_PIECE, share_pieces
from artgen.losses import cross_entropy
from artgen.primitives import Arithmetic, Params
from artgen.raster import evaluate

LARGE_STEP = 20_000
"""The memory of steps on more positions is estimated first."""

FEWEST = 1024
"""On fewer positions a processor loses more by converting numbers than it wins: 0.4 to 1.0 times as
fast in bfloat16, read with its own instructions for that (AMX)."""


class FieldObjective(Objective):
    """The values of a field where the target is known."""

    @dataclass(frozen=True)
    class Options(PictureOptions):
        """Options of `gradient` for fields."""

        batch: int = option(0, "pixels or samples per step; 0 uses all", low=0)
        jitter: float = option(0.0, "share of a batch sampled between pixel centres", low=0, high=1)
        epochs: bool = option(
            False, "take every pixel or sample once, in random order, before any is taken again"
        )

    @classmethod
    def trial(cls, primitive: Field, device: torch.device, batch: int) -> FieldTrial | None:
        """Layers as small networks have them, unless there are too few positions."""
        if device.type == "cpu" and 0 < batch < FEWEST:
            return None
        return FieldTrial(device, min(batch or FIELD_PIECE, FIELD_PIECE))

    def __init__(self, problem: Problem, options: Any) -> None:
        field, samples = problem.primitive, problem.target[0].numel()
        assert isinstance(field, Field)
        # As many samples as there are, each once, are better than as many with replacement. Pixels
        # are drawn at random all the same, as `jitter` moves them.
        enough = problem.positions is not None and options.batch >= samples
        self.sampled, self.samples = options.batch > 0 and not enough, samples
        if self.sampled and not problem.loss.per_pixel:
            raise UsageError(
                f"loss {problem.loss.text!r} needs whole pictures, not batches of pixels",
                hint="add --set engine.batch=0",
            )
        if options.coarse and problem.positions is not None:
            raise UsageError("engine.coarse is for pictures only", hint="leave it at 0")
        if options.coarse and self.sampled:
            self.notices = ("engine.coarse does nothing to batches: add --set engine.batch=0",)
        super().__init__(problem, options)
        self.field, self.pictures = field, problem.positions is None
        self.goal = field.goal(self.target)
        # Of two colours that mix to a third one, it is that one which is to be learned.
        self.step_loss = problem.loss if field.palette is None else cross_entropy
        at_once = options.batch if self.sampled else samples
        if at_once > LARGE_STEP:
            self.check_step(
                at_once,
                lambda tensors, n: field.forward(torch.zeros(n, field.inputs), Params(tensors)),
            )
        self.positions = None if problem.positions is None else problem.positions.to(self.device)
        # Only steps are computed in another arithmetic; evaluations and drawings are not.
        self.stepping = copy.copy(field)
        self.stepping.arithmetic = problem.arithmetic
        once = self.sampled and options.epochs
        self.epochs = Epochs(samples, options.batch, problem.seed) if once else None
        if self.sampled:
            x, y = self.canvas.pixel_centres()
            self.columns = torch.from_numpy(x).to(self.device)
            self.rows = torch.from_numpy(y).to(self.device)
            self.reach = self.rows.new_tensor(self.canvas.reach)
            self.flat_target = self.goal.flatten(1).t().contiguous()

    def loss(self, tensors: Mapping[str, Tensor], step: int) -> Tensor:
        """The loss of all samples, or of the whole picture."""
        if self.positions is None:
            return super().loss(tensors, step)
        return self.problem.loss(self.picture(tensors), self.target, self.weight)

    def picture(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """The picture, or the values at the samples [outputs, 1, M]."""
        if self.positions is None:
            return super().picture(tensors)
        return evaluate(self.field, tensors, self.positions, self.memory)

    def backward(self, raw: Mapping[str, Tensor], tensors: Mapping[str, Tensor], step: int) -> None:
        """Set in every raw parameter the gradient of the loss of a batch.

        On a CPU threads compute pieces of the batch: splitting every operation does not pay.
        Gradients are added in the order of the pieces.
        """
        if not self.sampled:
            return super().backward(raw, tensors, step)
        xy, target, weight = self._batch(step)
        # Pieces go back to copies: the way from there to raw parameters can be gone once.
        copies = {k: v.detach().requires_grad_(v.requires_grad) for k, v in tensors.items()}
        params, learned = Params(copies), [k for k in copies if copies[k].requires_grad]
        pieces = torch.split(xy, FIELD_PIECE if self.device.type == "cpu" else len(xy))

        def forward(piece: Tensor) -> Tensor:
            return self.stepping.scores(piece, params).float()

        def backward(piece: tuple[Tensor, Tensor]) -> list[Tensor | None]:
            value, arriving = piece
            return vjp(value, [copies[k] for k in learned], arriving)

        values = share_pieces(self.device, forward, pieces)
        check_differentiable(self.field, values[0])
        joined = torch.cat(values).detach().requires_grad_()
        loss = self.step_loss(joined.t()[:, None], target.t()[:, None], weight)
        (gradient,) = torch.autograd.grad(loss, joined)
        incoming = torch.split(gradient, len(pieces[0]))
        gradients = share_pieces(self.device, backward, [*zip(values, incoming, strict=True)])
        for k, parts in zip(learned, zip(*gradients, strict=True), strict=True):
            total = functools.reduce(_add, parts)
            if total is not None and tensors[k] is not raw[k]:
                (total,) = vjp(tensors[k], [raw[k]], total)
            raw[k].grad = total

    def recordable(self, step: int) -> Hashable | None:
        """Steps on pixels drawn on the device; those of a subclass may depend on `step`."""
        drawn = self.sampled and self.epochs is None and self.problem.function is None
        plain = type(self) is FieldObjective and self.device.type == "cuda"
        return "batch" if drawn and plain else None

    def _batch(self, step: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """Positions [M, inputs], values [M, outputs], weights [1, M] of random pixels or samples.

        They are drawn with replacement unless in epochs; those of a function are anywhere. The
        first pixels of a batch are moved anywhere inside themselves, where the target is
        interpolated by a cubic: without that the values between pixels would be arbitrary.
        """
        batch, function = self.options.batch, self.problem.function
        if self.epochs is not None:
            chosen = self.epochs.batch(step).to(self.device)
        elif function is not None and self.positions is not None:
            shape = batch, self.positions.shape[1]
            xy = 2 * torch.rand(shape, generator=self.generator, device=self.device) - 1
            return xy, function(xy.cpu()).to(self.device), None
        else:
            chosen = torch.randint(
                self.samples, (batch,), generator=self.generator, device=self.device
            )
        xy, target = self._places(chosen), self.flat_target[chosen]
        weight = None if self.weight is None else self.weight.flatten()[chosen][None]
        moved = 0 if self.positions is not None else round(self.options.jitter * len(chosen))
        if moved:
            inside = torch.rand(moved, 2, generator=self.generator, device=self.device) - 0.5
            xy[:moved] += self.canvas.pixel * inside
            target[:moved] = _between(self.goal, xy[:moved] / self.reach)
        return xy, target, weight

    def _places(self, chosen: Tensor) -> Tensor:
        """The positions of the pixels or samples of these numbers, [batch, inputs]."""
        if self.positions is not None:
            return self.positions[chosen]
        row = torch.div(chosen, self.canvas.width, rounding_mode="floor")
        return torch.stack([self.columns[chosen % self.canvas.width], self.rows[row]], dim=1)


class FieldTrial(Field):
    """Three layers of 64, as small networks have them."""

    def __init__(self, device: torch.device, batch: int) -> None:
        super().__init__()
        self.value = torch.ones(batch, 64, device=device, requires_grad=True)
        self.weight = torch.full((64, 64), 1 / 64, device=device, requires_grad=True)

    def forward(self, xy: Tensor, p: Params) -> Tensor:
        """Apply the layers."""
        for _ in range(3):
            xy = torch.relu(self.linear(xy, self.weight))
        return xy

    def seconds(self, arithmetic: Arithmetic) -> float:
        """The seconds that a step takes, on one thread as in a fit."""
        self.arithmetic = arithmetic
        with torch_alone():
            clock = trial_clock(self.value.device)
            began = clock()
            result = self.forward(self.value, Params({})).sum()
            gradients = torch.autograd.grad(result, [self.value, self.weight])
            # A device that works on its own has to be waited for.
            float(gradients[1].sum())
            return clock() - began


objective_of.register(Field)(lambda primitive: FieldObjective)


def _add(total: Tensor | None, more: Tensor | None) -> Tensor | None:
    """The sum of gradients, in place; a parameter that was not used has none."""
    if total is None or more is None:
        return more if total is None else total
    # Of a constant slope autograd gives a tensor whose elements share their memory.
    return total.contiguous().add_(more)


def _between(target: Tensor, places: Tensor) -> Tensor:
    """Colours [M, 3] of a picture [3, h, w] by cubic interpolation; `places` [M, 2] in -1 to 1."""
    colours = torch.nn.functional.grid_sample(
        target[None],
        places[None, None],
        mode="bicubic",
        padding_mode="border",
        align_corners=False,
    )
    return colours[0, :, 0].t()
