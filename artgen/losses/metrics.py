"""Metrics of a drawing against its target: PSNR, SSIM, MS-SSIM, losses of 8-bit pictures, accuracy.

Pictures are uint8 [height, width, 3], sRGB-encoded.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from artgen.base.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from artgen.losses import LossFunction


HIGHEST_PSNR = 100.0
"""The PSNR of equal pictures, in decibels: JSON knows no infinity."""

_SSIM_WINDOW = 11
_SSIM_SMALLEST_WINDOW = 7
_MS_SSIM_SIDE = 176
"""The smallest side, in pixels, at which MS-SSIM has all its scales."""
_SSIM_STRIP = 2**20
"""Pictures of more pixels are compared in strips: each pixel takes about 100 bytes."""


def decibels(mse: float) -> float:
    """The PSNR of a mean squared error, 1 = 255: 10·log10(1 / MSE), at most 100."""
    return 0.0 - 10 * math.log10(max(mse, 10 ** (-HIGHEST_PSNR / 10)))


def psnr(
    picture: NDArray[np.uint8],
    target: NDArray[np.uint8],
    weight: NDArray[np.floating] | None = None,
) -> float:
    """The peak signal-to-noise ratio 10·log10(255² / MSE) in decibels, at most 100.

    `weight` [height, width], at least 0, weighs the squared errors of the pixels.
    Raises InputError where the sizes differ or no pixel has any weight.
    """
    _require_same_size(picture, target)
    if weight is None:
        # Row by row, for pictures of any size: whole numbers have the same sum in any order.
        rows = (np.subtract(*pair, dtype=np.int32) for pair in zip(picture, target, strict=True))
        mean = sum(int((row**2).sum(dtype=np.int64)) for row in rows) / picture.size
    else:
        squares = np.subtract(picture, target, dtype=np.int32) ** 2
        total = float(weight.sum(dtype=np.float64))
        if total <= 0:
            raise InputError(
                "no pixel has any weight, so there is nothing to measure",
                hint="use a mask that shows at least one pixel",
            )
        mean = float(np.sum(squares.mean(axis=2) * weight)) / total
    return decibels(mean / 255**2)


def ssim(picture: NDArray[np.uint8], target: NDArray[np.uint8]) -> float | None:
    """The mean structural similarity (Wang et al. 2004) over the channels, from -1 to 1.

    The published form: Gaussian windows with a sigma of 1.5, those inside the picture averaged.
    Below 11 pixels the average takes in windows mirrored at the edge; below 7 there is none (None).
    Raises InputError where the sizes differ.
    """
    _require_same_size(picture, target)
    side = min(picture.shape[:2])
    if side < _SSIM_SMALLEST_WINDOW:
        return None
    if picture.shape[0] * picture.shape[1] <= _SSIM_STRIP or side < _SSIM_WINDOW:
        return _mean_ssim(picture, target, side)
    # The windows of a strip of rows, those inside it averaged, are some of those of the picture.
    edge, height = _SSIM_WINDOW // 2, picture.shape[0]
    rows = max(1, _SSIM_STRIP // picture.shape[1])

    def summed(top: int) -> float:
        bottom = min(top + rows, height - edge)
        strip = slice(top - edge, bottom + edge)
        return float((bottom - top) * _mean_ssim(picture[strip], target[strip], side))

    from artgen.compiler.threads import share

    return float(sum(share(summed, range(edge, height - edge, rows))) / (height - 2 * edge))


def _mean_ssim(picture: NDArray[np.uint8], target: NDArray[np.uint8], side: int) -> float:
    """The similarity of pictures whose shorter side, or that of the whole, is `side`."""
    from skimage.metrics import structural_similarity

    return float(
        structural_similarity(  # type: ignore[no-untyped-call]
            picture,
            target,
            channel_axis=2,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            win_size=_SSIM_WINDOW if side >= _SSIM_WINDOW else _SSIM_SMALLEST_WINDOW,
        )
    )


def ms_ssim(
    picture: NDArray[np.uint8], target: NDArray[np.uint8], loss: LossFunction
) -> float | None:
    """The multi-scale structural similarity (Wang, Simoncelli and Bovik 2003), from 0 to 1.

    The published form: five scales, each half the size of the last, averaged over the channels;
    `loss` is one minus that.
    Below 176 pixels the coarsest scale has no room for a window, so there is none (None).
    Raises InputError where the sizes differ.
    """
    _require_same_size(picture, target)
    return None if min(picture.shape[:2]) < _MS_SSIM_SIDE else 1 - by_loss(loss, picture, target)


def by_loss(loss: LossFunction, picture: NDArray[np.uint8], target: NDArray[np.uint8]) -> float:
    """The loss of a picture against its target. Raises InputError where the sizes differ."""
    import torch

    _require_same_size(picture, target)
    first, second = (
        torch.from_numpy(each / np.float32(255)).permute(2, 0, 1) for each in (picture, target)
    )
    with torch.no_grad():
        return float(loss(first, second, None))


def _require_same_size(picture: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
    if picture.shape != target.shape:
        raise InputError(
            f"a picture of {picture.shape[1]}x{picture.shape[0]} pixels cannot be compared with a "
            f"target of {target.shape[1]}x{target.shape[0]}",
            hint="draw it at the target's size",
        )


def accuracy(shares: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """The share of the points [M] whose class has the largest of the `shares` [classes, M]."""
    return float(np.mean(shares.argmax(axis=0) == labels))


def mean_error(shares: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """The mean over points of 1 − p, with p the share of the point's own class: 0 to 1."""
    return float(np.mean(1 - shares[labels, np.arange(len(labels))], dtype=np.float64))


def rank_errors(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The mean squared error of a set after truncated singular value decompositions, by rank.

    `pictures` are [N, height, width, channels]; element r is the error, 1 = 255, where each channel
    of each picture keeps its r largest singular values: what is left out squared, over the pixels
    (Eckart and Young 1936).
    """
    errors = np.zeros(min(pictures.shape[1:3]) + 1)
    for start in range(0, len(pictures), 1000):
        some = pictures[start : start + 1000].transpose(0, 3, 1, 2) / 255.0
        squares = np.linalg.svd(some, compute_uv=False) ** 2
        errors[:-1] += np.cumsum(squares.sum((0, 1))[::-1])[::-1]
    return errors / pictures.size


def equivalent_rank(errors: NDArray[np.float64], mse: float) -> int:
    """The rank whose error, as given by `rank_errors`, is nearest to `mse`."""
    return int(np.abs(errors - mse).argmin())
