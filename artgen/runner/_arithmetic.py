"""The arithmetic of a fit: ``auto`` is the one that is faster in a short trial."""

from __future__ import annotations

import time
from functools import singledispatch
from typing import Protocol

import torch

from artgen.canvas import Canvas
from artgen.errors import UsageError
from artgen.nn.codec import pass_through
from artgen.primitives import Arithmetic, Codec, Context, Field, Params, Primitive
from artgen.raster import FIELD_PIECE
from artgen.runner._device import threads

FASTER = 1.3
"""The least speed-up for which bfloat16 is chosen: with instructions for it, it is 2 to 3."""

FEWEST = 1024
"""On fewer positions a processor loses more by converting numbers than it wins: 0.4 to 1.0 times as
fast in bfloat16, read with its own instructions for that (AMX)."""

_TRIALS = 5
_PICTURES = 100
"""A trial of a codec takes no more pictures than this."""


class Trial(Protocol):
    """A step of a fit, to be timed."""

    def seconds(self, arithmetic: Arithmetic) -> float:
        """Take the step and return how long it took."""
        ...


def resolve_arithmetic(
    asked: str, primitive: Primitive, device: str, batch: int | None
) -> Arithmetic:
    """Choose the faster arithmetic for steps on `batch` positions or pictures (0: many).

    `batch` is None where nothing can be computed in bfloat16. Raises UsageError where it is asked
    for all the same.
    """
    if batch is None:
        if asked == "bf16":
            raise UsageError(
                "arithmetic bf16 is for fields and codecs under the engine gradient",
                hint="leave it at auto",
            )
        return "fp32"
    if asked in ("fp32", "bf16"):
        return "bf16" if asked == "bf16" else "fp32"
    trial = trial_of(primitive, torch.device(device), batch)
    if trial is None:
        return "fp32"
    try:
        trials = [(trial.seconds("fp32"), trial.seconds("bf16")) for _ in range(_TRIALS)]
    except RuntimeError:
        # Not every device has it at all.
        return "fp32"
    full, half = (min(times) for times in zip(*trials, strict=True))
    return "bf16" if full > FASTER * half else "fp32"


@singledispatch
def trial_of(primitive: Primitive, device: torch.device, batch: int) -> Trial | None:
    """Return a step to time; None where float32 is the better choice without a trial."""
    return None


@trial_of.register(Field)
def _field_trial(field: Field, device: torch.device, batch: int) -> Trial | None:
    if device.type == "cpu" and 0 < batch < FEWEST:
        return None
    return FieldTrial(device, min(batch or FIELD_PIECE, FIELD_PIECE))


@trial_of.register(Codec)
def _codec_trial(codec: Codec, device: torch.device, batch: int) -> Trial:
    return _CodecTrial(codec, device, min(batch or _PICTURES, _PICTURES))


class FieldTrial(Field):
    """Three layers of 64, as small networks have them."""

    def __init__(self, device: torch.device, batch: int) -> None:
        super().__init__()
        self.value = torch.ones(batch, 64, device=device, requires_grad=True)
        self.weight = torch.full((64, 64), 1 / 64, device=device, requires_grad=True)

    def forward(self, xy: torch.Tensor, p: Params) -> torch.Tensor:
        for _ in range(3):
            xy = torch.relu(self.linear(xy, self.weight))
        return xy

    def seconds(self, arithmetic: Arithmetic) -> float:
        """The seconds that a step takes, on one thread as in a fit."""
        self.arithmetic = arithmetic
        with threads(1):
            began = time.perf_counter()
            result = self.forward(self.value, Params({})).sum()
            gradients = torch.autograd.grad(result, [self.value, self.weight])
            # A device that works on its own has to be waited for.
            float(gradients[1].sum())
            return time.perf_counter() - began


class _CodecTrial:
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
        began = time.perf_counter()
        batch, rng = (self.images, self.labels), torch.Generator(self.images.device)
        outputs, _ = pass_through(self.codec, self.tensors, *batch, arithmetic, rng)
        learned = list(self.tensors.values())
        gradients = torch.autograd.grad(outputs.square().mean(), learned, allow_unused=True)
        float(next((gradient.sum() for gradient in gradients if gradient is not None), 0.0))
        return time.perf_counter() - began
