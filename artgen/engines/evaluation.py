"""What engines share: the PSNR of a picture, a check of finite values, colours of a palette."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from artgen.errors import Diverged, memory_errors
from artgen.metrics import decibels


def picture_psnr(image: Tensor, target: Tensor, weight: Tensor | None) -> float:
    """Of the picture [3, h, w] as it would be shown, in dB, weighted [h, w]; at most 100."""
    error = (image.clamp(0, 1) - target.clamp(0, 1)) ** 2
    if weight is None:
        mse = float(error.mean())
    else:
        mse = float((error * weight).sum() / (3 * weight.sum()))
    return decibels(mse)


def check_finite(values: Mapping[str, Tensor | float], step: int) -> None:
    """Raise Diverged naming the first of the `values` that holds NaN or infinity.

    Check parameters beside the loss: a part with a NaN is not drawn, so the loss stays finite.
    """
    for name, value in values.items():
        if not torch.isfinite(torch.as_tensor(value)).all():
            raise Diverged(
                f"{name} became NaN or infinite at step {step}",
                hint="lower the learning rate: --set engine.rate=0.3",
            )


def fit_memory_errors(smaller: str) -> AbstractContextManager[None]:
    """Raise OutOfMemory where a fit runs out of it, with the advice to make something smaller."""
    return memory_errors("the fit needs more memory than there is", f"try a smaller {smaller}")


def in_palette(tensors: Mapping[str, Tensor], palette: Tensor | None) -> dict[str, Tensor]:
    """The tensors of a drawing with each `colour` [3, N] replaced by the nearest of `palette`."""
    if palette is None:
        return dict(tensors)
    nearest = torch.cdist(tensors["colour"].t(), palette).argmin(1)
    return {**tensors, "colour": palette[nearest].t().contiguous()}
