"""Where to run, in which arithmetic: ``auto`` never fails, what is asked for is not replaced."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from artgen.canvas import Canvas
from artgen.errors import UsageError
from artgen.primitives import Arithmetic, Codec, Context, Field, Params
from artgen.raster import FIELD_PIECE, pass_through

__all__ = ["resolve_arithmetic", "resolve_device", "threads"]

FASTER = 1.3
"""So many times faster bfloat16 must be to be chosen: with instructions for it, it is 2 to 3."""

FEWEST = 1024
"""On fewer positions a processor loses more by converting numbers than it wins: 0.4 to 1.0 times as
fast in bfloat16, read with its own instructions for that (AMX)."""

_TRIALS = 5
_PICTURES = 100
"""A trial of a codec takes no more pictures than this."""


def resolve_device(asked: str) -> str:
    """``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps`` to a device that is there.

    Raises UsageError for one that is not.
    """
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(asked)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda", "mps"):
        raise UsageError(f"there is no device {asked!r}", hint="use auto, cpu, cuda, cuda:1 or mps")
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there[device.type]:
        raise UsageError(
            f"device {asked!r} is not available on this machine",
            hint="use --device auto; `artgen doctor` shows what there is",
        )
    return asked


def resolve_arithmetic(
    asked: str, device: str, batch: int | None, codec: Codec | None = None
) -> Arithmetic:
    """``auto`` to the faster arithmetic for steps of a network on `batch` positions (0: many).

    For a `codec` these are pictures. `batch` is None where nothing is computed in bfloat16. Raises
    UsageError where it is asked for all the same.
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
    if codec is None and device == "cpu" and 0 < batch < FEWEST:
        return "fp32"
    probe: _Probe | _CodecProbe
    if codec is None:
        probe = _Probe(torch.device(device), min(batch or FIELD_PIECE, FIELD_PIECE))
    else:
        probe = _CodecProbe(codec, torch.device(device), min(batch or _PICTURES, _PICTURES))
    try:
        trials = [(probe.seconds("fp32"), probe.seconds("bf16")) for _ in range(_TRIALS)]
    except RuntimeError:
        # Not every device has it at all.
        return "fp32"
    full, half = (min(times) for times in zip(*trials, strict=True))
    return "bf16" if full > FASTER * half else "fp32"


class _Probe(Field):
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
        """How long a step takes, on one thread as in a fit."""
        self.arithmetic = arithmetic
        with threads(1):
            began = time.perf_counter()
            result = self.forward(self.value, Params({})).sum()
            gradients = torch.autograd.grad(result, [self.value, self.weight])
            # A device that works on its own has to be waited for.
            float(gradients[1].sum())
            return time.perf_counter() - began


class _CodecProbe:
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
        """How long it takes, on as many threads as there are."""
        began = time.perf_counter()
        outputs = pass_through(self.codec, self.tensors, self.images, self.labels, arithmetic)
        learned = list(self.tensors.values())
        gradients = torch.autograd.grad(outputs.square().mean(), learned, allow_unused=True)
        float(next((gradient.sum() for gradient in gradients if gradient is not None), 0.0))
        return time.perf_counter() - began


@contextmanager
def threads(number: int | None) -> Iterator[int]:
    """Run the block on `number` CPU threads (None: as many as torch would use)."""
    before = torch.get_num_threads()
    if number is not None:
        torch.set_num_threads(number)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
