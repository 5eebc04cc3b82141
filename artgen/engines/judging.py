"""What every engine's report needs: the PSNR of a picture, and whether the fit is still finite."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from artgen.errors import Diverged

__all__ = ["check_finite", "picture_psnr"]


def picture_psnr(image: Tensor, target: Tensor, weight: Tensor | None) -> float:
    """Of the picture [3, h, w] as it would be shown, in dB, weighted [h, w]; at most 100."""
    error = (image.clamp(0, 1) - target) ** 2
    if weight is None:
        mse = float(error.mean())
    else:
        mse = float((error * weight).sum() / (3 * weight.sum()))
    return min(100.0, -10 * math.log10(max(mse, 1e-10)))


def check_finite(tensors: Mapping[str, Tensor], loss: float, step: int) -> None:
    """Raise Diverged where the loss or a parameter is not finite.

    A part with a NaN is not drawn, so a finite loss does not tell.
    """
    lost = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
    if lost or not math.isfinite(loss):
        raise Diverged(
            f"{lost[0] if lost else 'the loss'} became NaN or infinite at step {step}",
            hint="try a smaller --set engine.rate=0.3",
        )
