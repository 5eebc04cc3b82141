"""A loss that compares textures: the patches of a picture with those of another, wherever they are.

Distributions of patches are matched by the sliced Wasserstein distance at several scales, after
Elnekave and Weiss 2022, "Generating natural images with direct patch distribution matching".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.losses import LossFunction, ignore_unweighted, needs_picture

_PATCH = 7
"""Side of a patch in pixels."""
_SCALES = 4
"""The first is the picture itself; each has half the size of the one before."""
_PATCHES = 24
"""Largest number of patches along an axis."""
_DIRECTIONS = 4
"""Of grain and of colour, for each channel of `_OPPONENT`."""
_OPPONENT = ((1, 1, 1), (1, -1, 0), (1, 1, -2))
"""Gray, red against green, yellow against blue."""
_LEAST_VARIANCE = 1e-4
_UNIT = 5.0
"""A factor with which weights below 1 show beside `mse`."""


@needs_picture
def texture(picture: Tensor) -> LossFunction:
    """Distance of the patches from those of `picture` [3, h, w], wherever these are.

    It is the squared sliced Wasserstein distance of patches of 7×7 pixels (Elnekave and Weiss
    2022), the mean over four scales, for patches and for patches without their mean colour. The
    target has no effect on it: use it in a mixture, such as ``mse+0.3*texture:wood.jpg``. Slices
    and the grid of patches are random; those of a step follow from the seed and the step.
    """
    return _Texture(picture)


@dataclass(frozen=True, eq=False)
class _Texture:
    picture: Tensor
    seed: int = 0

    def at(self, seed: int) -> _Texture:
        return replace(self, seed=seed)

    def __call__(self, image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        image, reference = ignore_unweighted(image, target, weight), self.picture.to(image)
        generator = torch.Generator().manual_seed(self.seed)
        total, scales = image.new_zeros(()), 0
        for _ in range(_SCALES):
            if scales and min(*image.shape[1:], *reference.shape[1:]) < _PATCH:
                break
            size = min(_PATCH, *image.shape[1:], *reference.shape[1:])
            directions = _directions(size, generator).to(image)
            ours, theirs = (
                (directions @ _patches(each, size, generator)).sort(dim=1).values
                for each in (image, reference)
            )
            distance = (ours - _resampled(theirs, ours.shape[1])).square().mean(1)
            # Grain counts as much as colour, though it has less contrast.
            colour, grain = (theirs.var(1, correction=0) + _LEAST_VARIANCE).view(2, -1).mean(1)
            factors = torch.stack([torch.ones_like(colour), colour / grain])
            total = total + (factors * distance.view(2, -1).mean(1)).sum()
            scales += 1
            image, reference = (
                F.avg_pool2d(each, 2, ceil_mode=True) for each in (image, reference)
            )
        return _UNIT * total / scales


def _patches(picture: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Return patches [3·size², N] of a picture [3, h, w], on a grid that begins at random."""
    for axis in (1, 2):
        places = picture.shape[axis] - size + 1
        stride = -(-places // _PATCHES)
        first = int(torch.randint(stride, (), generator=generator)) % places
        picture = picture.narrow(axis, first, picture.shape[axis] - first)
        picture = picture.unfold(axis, size, stride)
    return picture.permute(0, 3, 4, 1, 2).reshape(3 * size**2, -1)


def _directions(size: int, generator: torch.Generator) -> Tensor:
    """Return directions [n, 3·size²] of slices; those of grain ignore the mean of a patch."""
    filters = torch.randn(2, len(_OPPONENT), _DIRECTIONS, 1, size**2, generator=generator)
    filters[1] -= filters[1].mean(-1, keepdim=True)
    channels = torch.tensor(_OPPONENT, dtype=filters.dtype)[:, None, :, None]
    return F.normalize((channels * filters).flatten(0, 2).flatten(1), dim=1)


def _resampled(values: Tensor, count: int) -> Tensor:
    """Return `count` equally spaced quantiles of sorted values [directions, N]."""
    places = (torch.arange(count, device=values.device) + 0.5) * (values.shape[1] / count)
    return values[:, places.long()]
