"""The squared error at every scale, so that what lies in a wrong place is drawn from afar.

A dot on white paper has the same squared error wherever it lies. Two things tell it where to go:
pictures of half, a quarter, an eighth of the size, in which darkness is missing somewhere (Burt and
Adelson: The Laplacian pyramid, 1983), and the least and largest values of the target around it:
within reach of a dark place, a dark dot is less wrong.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.losses import ignore_unweighted, mse

SMALLEST = 4
"""Pixels of the shorter side of the smallest picture, at least."""


def pyramid(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Return a sum over scales of 1, 2, 4 … pixels, for pictures [3, h, w].

    It is of `mse` of pictures so many times smaller, and of the squared distance of each value from
    those that the target has as many pixels around it.
    """
    image = ignore_unweighted(image, target, weight)
    size = image.shape[1:]
    total, small, goal, share = mse(image, target, weight), image, target, weight
    least, most = target[None], target[None]
    while min(small.shape[1:]) >= 2 * SMALLEST:
        small, goal = F.avg_pool2d(small, 2), F.avg_pool2d(goal, 2)
        share = None if share is None else F.avg_pool2d(share[None], 2)[0]
        least, most = -F.max_pool2d(-least, 2), F.max_pool2d(most, 2)
        near = [F.interpolate(each, size, mode="bilinear")[0] for each in (least, most)]
        beyond = F.relu(near[0] - image) + F.relu(image - near[1])
        total = total + mse(small, goal, share) + mse(beyond, torch.zeros_like(beyond), weight)
    return total
