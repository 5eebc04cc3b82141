"""Losses that compare the structure of pictures in windows: SSIM and MS-SSIM."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.losses import ignore_unweighted, pixel_mean

_WINDOW = 11
_SIGMA = 1.5
_STABILIZERS = 0.01**2, 0.03**2
_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_LEAST_SIMILARITY = 1e-4
"""Lower bound of the mean of a scale: powers need positive numbers, with a finite slope."""


def ssim(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """One minus the mean structural similarity (Wang et al. 2004), from 0 to 2.

    Gaussian windows of 11×11 pixels with a sigma of 1.5 inside the picture, separate channels, data
    range 1. A smaller picture uses the largest odd window that fits. The weight of a window is the
    weighted sum of its pixels; pixels of weight 0 count as equal. By the published formula the
    negative of the target, with all colours below 0, is nearly equal to it: add a little `l1` or
    `mse` to keep a fit away from there.
    """
    image = ignore_unweighted(image, target, weight)
    luminance, structure, weight = _similarity(image, target, weight)
    return pixel_mean(1 - luminance * structure, weight).mean()


def ms_ssim(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """One minus the multi-scale structural similarity (Wang, Simoncelli and Bovik 2003), 0 to 1.

    It combines structure at up to five scales, each half the size of the previous one, and
    luminance at the coarsest. Scales smaller than the window are left out; the exponents of the
    others sum to 1.
    """
    image = ignore_unweighted(image, target, weight)
    side = min(image.shape[-2:])
    scales = 1 + sum(side >> halvings >= _WINDOW for halvings in range(1, len(_EXPONENTS)))
    exponents = _EXPONENTS[:scales]
    product = image.new_ones(())
    for scale, exponent in enumerate(exponents):
        if scale > 0:
            image, target = F.avg_pool2d(image, 2), F.avg_pool2d(target, 2)
            weight = None if weight is None else F.avg_pool2d(weight[None], 2)[0]
        luminance, structure, window_weight = _similarity(image, target, weight)
        similarity = luminance * structure if scale == scales - 1 else structure
        mean = 1 - pixel_mean(1 - similarity, window_weight)
        product = product * mean.clamp_min(_LEAST_SIMILARITY) ** (exponent / sum(exponents))
    return 1 - product.mean()


def _similarity(
    image: Tensor, target: Tensor, weight: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return luminance and structure terms of SSIM, [3, h', w'], and the weights of the windows.

    With s = image + target and d = image - target, the published formula
    (2·μ·μ' + C1) / (μ² + μ'² + C1) equals 1 - 2·μd² / (μs² + μd² + 2·C1), and likewise for
    variances. This form has no cancellation for equal pictures and stays within [-1, 1].
    """
    both = torch.cat([image + target, image - target])
    squared_mean = _blur(both).square()
    variance = (_blur(both.square()) - squared_mean).clamp_min(0)
    terms = []
    for moment, stabilizer in zip((squared_mean, variance), _STABILIZERS, strict=True):
        of_sum, of_difference = moment.chunk(2)
        terms.append(1 - 2 * of_difference / (of_sum + of_difference + 2 * stabilizer))
    return terms[0], terms[1], None if weight is None else _blur(weight[None])[0]


def _blur(maps: Tensor) -> Tensor:
    """Convolve the maps [c, h, w] with the window of SSIM, without padding."""
    channels, height, width = maps.shape
    size = min(_WINDOW, height, width)
    radius = (size - 1) // 2
    offset = torch.arange(-radius, radius + 1, dtype=maps.dtype, device=maps.device)
    window = torch.exp(-0.5 * (offset / _SIGMA) ** 2)
    window = (window / window.sum()).expand(channels, 1, -1)
    # Two depthwise passes are 20 times as fast on a CPU as a batch of single-channel maps.
    rows = F.conv2d(maps[None], window[..., :, None], groups=channels)
    return F.conv2d(rows, window[..., None, :], groups=channels)[0]
