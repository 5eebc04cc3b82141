"""The arithmetic of a fit: ``auto`` is the one that is faster in a short trial."""

from __future__ import annotations

import torch

from artgen.base.errors import UsageError
from artgen.engines.gradient.objective import objective_of
from artgen.primitives import Arithmetic, Primitive

FASTER = 1.3
"""The least speed-up for which bfloat16 is chosen: with instructions for it, it is 2 to 3."""

_TRIALS = 5


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
    trial = objective_of(primitive).trial(primitive, torch.device(device), batch)
    if trial is None:
        return "fp32"
    try:
        trials = [(trial.seconds("fp32"), trial.seconds("bf16")) for _ in range(_TRIALS)]
    except RuntimeError:
        # Not every device has it at all.
        return "fp32"
    full, half = (min(times) for times in zip(*trials, strict=True))
    return "bf16" if full > FASTER * half else "fp32"
