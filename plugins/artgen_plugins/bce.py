"""The binary cross-entropy of pixels, for codecs."""

from __future__ import annotations

from torch import Tensor

from artgen.losses import for_targets, per_pixel, pixel_mean

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
