"""Losses: what a fit minimises, per pixel or by structure, and weighted mixtures of losses.

A loss is a function ``(image, target, weight) -> scalar``:

- `image`, `target`: float32 or float64 [3, height, width], sRGB-encoded, 1.0 = 255. The image may
  leave 0..1, and even be negative. Losses that are marked by `for_targets` also take samples of a
  curve and labelled points, as [outputs, 1, M], and pictures of a set, as [N, channels, height,
  width].
- `weight`: [height, width], at least 0, or None for all ones. Means are sum(w·e) / sum(w), so a
  pixel of weight 0 has no effect and no gradient. If all weights are 0, the loss is 0.

A loss of pictures is 0 for equal ones. Values and gradients are finite everywhere. `parse_loss`
reads a mixture such as ``l1+0.1*ssim``.
"""

from artgen.losses._marks import LossFunction, for_targets, per_pixel
from artgen.losses._mixture import Loss, Term, parse_loss
from artgen.losses._pixel import bce, cross_entropy, exponential, l1, mse, oklab, rmse
from artgen.losses._structure import MS_SSIM_SIDE, ms_ssim, ssim

__all__ = [
    "MS_SSIM_SIDE",
    "Loss",
    "LossFunction",
    "Term",
    "bce",
    "cross_entropy",
    "exponential",
    "for_targets",
    "l1",
    "ms_ssim",
    "mse",
    "oklab",
    "parse_loss",
    "per_pixel",
    "rmse",
    "ssim",
]
