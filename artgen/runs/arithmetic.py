"""The arithmetic of a fit: ``auto`` is the one that is faster in a short trial."""

from __future__ import annotations

import math

import torch

from artgen.base.errors import UsageError
from artgen.engines.gradient.objective import objective_of
from artgen.primitives import Arithmetic, Primitive

FASTER = 1.3
"""The least speed-up for which bfloat16 is chosen: with instructions for it, it is 2 to 3."""

_TRIALS = 5

_INSTRUCTIONS = ("bf16", "avx_ne_convert")
"""What the names of a processor's instructions for bfloat16 have in them."""


def resolve_arithmetic(
    asked: str, primitive: Primitive, device: str, batch: int | None
) -> Arithmetic:
    """Choose the faster arithmetic for steps on `batch` positions or pictures (0: many).

    `batch` is None where nothing can be computed in bfloat16. Raises UsageError where it is asked
    for all the same.
    """
    if batch is None and asked == "bf16":
        raise UsageError(
            "arithmetic bf16 is for fields and codecs under the engine gradient",
            hint="leave it at auto",
        )
    if batch is None or asked != "auto":
        return "bf16" if asked == "bf16" else "fp32"
    # Without instructions for it a step takes several times as long, and so would each trial.
    if device == "cpu" and not _has_instructions():
        return "fp32"
    trial = objective_of(primitive).trial(primitive, torch.device(device), batch)
    if trial is None:
        return "fp32"
    full = half = math.inf
    try:
        for number in range(_TRIALS):
            full = min(full, trial.seconds("fp32"))
            half = min(half, trial.seconds("bf16"))
            # The first may compile kernels.
            if number == 1 and half > full:
                break
    except RuntimeError:
        # Not every device has it at all.
        return "fp32"
    return "bf16" if full > FASTER * half else "fp32"


def _has_instructions() -> bool:
    """Whether the processor may have instructions for bfloat16, as far as torch knows its kind."""
    every = torch.cpu.get_capabilities().items()
    known = [has for name, has in every if any(part in name for part in _INSTRUCTIONS)]
    return not known or any(known)
