"""Losses that compare pixels, or samples, one by one."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.losses._marks import for_targets, per_pixel, pixel_mean


@per_pixel
@for_targets("image", "curve", "points", "set")
def mse(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean squared error."""
    return pixel_mean(F.mse_loss(image, target, reduction="none"), weight).mean()


@per_pixel
@for_targets("image", "curve", "points", "set")
def l1(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean absolute error."""
    return pixel_mean(F.l1_loss(image, target, reduction="none"), weight).mean()


@per_pixel
@for_targets("image", "curve", "points", "set")
def rmse(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Root of the mean squared error; its gradient at an error of 0 is 0."""
    # The slope of the root is infinite at 0, that of the clamp is 0.
    return mse(image, target, weight).clamp_min(torch.finfo(image.dtype).tiny).sqrt()


_KNEE = 20.0
"""Larger errors, far outside any picture, continue along the tangent, to avoid overflow."""


@per_pixel
@for_targets("image", "curve", "points", "set")
def exponential(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean of e^|error| − 1: like `l1` for small errors, increasingly steep for large ones."""
    error = (image - target).abs()
    tangent = math.exp(_KNEE) * (1 + error - _KNEE) - 1
    value = torch.where(error < _KNEE, torch.expm1(error.clamp_max(_KNEE)), tangent)
    return pixel_mean(value, weight).mean()


@per_pixel
@for_targets("points")
def cross_entropy(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean of −log p, where p is the predicted probability of the class of a point.

    A single output is the log odds of the second of two classes (logistic regression). Several
    outputs are the logits of the classes (softmax regression).
    """
    if len(image) == 1:
        error = F.binary_cross_entropy_with_logits(image, target, reduction="none")[0]
    else:
        error = -(target * F.log_softmax(image, dim=0)).sum(0)
    return pixel_mean(error, weight)
