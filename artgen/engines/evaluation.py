"""What engines share: the PSNR of a picture, checks, colours of a palette, the worth of parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from artgen.base.errors import divergence, memory_errors
from artgen.losses.metrics import decibels

LEAST_ALPHA = 0.1
"""A fainter shape is hardly one."""

SMALL, LARGE = 0.15, 2.0
"""How far random parts reach, in mean spacings."""

Paint = Callable[[Mapping[str, Tensor]], Tensor]
"""From mapped tensors to a picture [3, height, width]."""


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
            raise divergence(f"{name} became NaN or infinite at step {step}")


def fit_memory_errors(smaller: str) -> AbstractContextManager[None]:
    """Raise OutOfMemory where a fit runs out of it, with the advice to make something smaller."""
    return memory_errors("the fit needs more memory than there is", f"try a smaller {smaller}")


def in_palette(tensors: Mapping[str, Tensor], palette: Tensor | None) -> dict[str, Tensor]:
    """The tensors of a drawing with each `colour` [3, N] replaced by the nearest of `palette`."""
    if palette is None:
        return dict(tensors)
    nearest = torch.cdist(tensors["colour"].t(), palette).argmin(1)
    return {**tensors, "colour": palette[nearest].t().contiguous()}


def summed_colour(paint: Paint, tensors: Mapping[str, Tensor], weight: Tensor | None) -> Tensor:
    """The magnitude of the colour that each part adds to the picture, summed over pixels, [N].

    It is the part's colour times the derivative of the summed picture by it. Only what lies on the
    canvas and is not hidden counts, times the `weight` [height, width] if there is one.
    """
    return picture_and_colour(paint, tensors, weight)[1]


def picture_and_colour(
    paint: Paint, tensors: Mapping[str, Tensor], weight: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The picture, and the `summed_colour` of the parts."""
    colour = tensors["colour"].detach().clone().requires_grad_()
    with torch.enable_grad():
        picture = paint({**tensors, "colour": colour})
        total = picture.sum() if weight is None else (picture * weight).sum()
    (coverage,) = torch.autograd.grad(total, colour)
    return picture.detach(), (coverage * colour.detach()).norm(dim=0)


def random_sizes(spacing: float, pixel: float) -> tuple[float, float]:
    """Return how far random parts reach, at least and at most, in canvas units.

    `spacing` is the mean spacing of the parts, `pixel` the side of a pixel.
    """
    return max(SMALL * spacing, pixel), max(LARGE * spacing, 2 * pixel)
