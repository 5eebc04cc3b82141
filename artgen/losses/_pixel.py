"""Losses that compare pixels, or samples, one by one."""

from __future__ import annotations

import functools
import math
from typing import TypeAlias

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


_CERTAIN = 1e-6
"""Smallest distance of a pixel from black and white, since the logarithm of 0 is infinite."""


@per_pixel
@for_targets("set")
def bce(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean binary cross-entropy of pixels as probabilities, minus its value for equal pictures.

    This is the KL divergence per pixel, in nats, for outputs from 0 to 1.
    """
    error = _entropy(image, target) - _entropy(target, target)
    return pixel_mean(error, weight).mean()


def _entropy(image: Tensor, target: Tensor) -> Tensor:
    likely = _CERTAIN + (1 - 2 * _CERTAIN) * image.clamp(0, 1)
    return -(target * likely.log() + (1 - target) * (1 - likely).log())


Matrix: TypeAlias = tuple[tuple[float, float, float], ...]

_LINEAR_TO_CONES: Matrix = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_CONES_TO_LAB: Matrix = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
_CUBE_ROOT_KNEE = 1e-5
"""Bound of the slope of the cube root at 0; changes the darkest 8-bit grey (3e-4) by 0.04%."""


@per_pixel
def oklab(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean squared distance in Oklab (Ottosson 2020), a perceptually uniform colour space.

    Colours outside 0..1 use the odd extension of the transfer curve and of the cube root.
    """
    difference = _oklab_cones(image) - _oklab_cones(target)
    # The last step to Oklab is linear: apply it to the difference instead of both pictures.
    return pixel_mean(transformed(_CONES_TO_LAB, difference).square().sum(0), weight)


def _oklab_cones(encoded: Tensor) -> Tensor:
    """Return the cube roots of the cone responses, [3, h, w], which Oklab is linear in."""
    cones = transformed(_LINEAR_TO_CONES, linear_light(encoded))
    return cones * (cones.square() + _CUBE_ROOT_KNEE**2).pow(-1 / 3)


def linear_light(encoded: Tensor) -> Tensor:
    """Decode sRGB: the odd extension of its transfer curve."""
    size = encoded.abs()
    curve = encoded.sign() * ((size + 0.055) / 1.055) ** 2.4
    return torch.where(size <= 0.04045, encoded / 12.92, curve)


def transformed(matrix: Matrix, channels: Tensor) -> Tensor:
    """Multiply the channels [3, h, w] by a 3 x 3 matrix."""
    rows = _constant(matrix, channels.dtype, channels.device)
    result: Tensor = torch.tensordot(rows, channels, 1)
    return result


@functools.lru_cache(maxsize=16)
def _constant(matrix: Matrix, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return `matrix` as a tensor; it is cached, because every copy makes a GPU wait."""
    # A tensor made in inference mode could never be used in a fit.
    with torch.inference_mode(False):
        return torch.tensor(matrix, dtype=dtype, device=device)
