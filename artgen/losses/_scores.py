"""Losses by networks that score pictures: they see random cutouts of the picture."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.losses._marks import LossFunction, ignore_unweighted

SMALLEST = 0.4
"""Side of the smallest cutout, as a share of the shorter side of the picture."""


def cutouts(picture: Tensor, size: int, number: int, seed: int) -> Tensor:
    """Squares out of a picture [3, h, w], [number, 3, size, size]; the first is its middle.

    The others have random places and sizes, and every other one is mirrored. They follow from the
    `seed`. Differentiable.
    """
    rng = torch.Generator().manual_seed(seed)
    height, width = picture.shape[1:]
    short, found = min(height, width), []
    for index in range(number):
        share, x, y = torch.rand(3, generator=rng).tolist()
        side = short if index == 0 else max(1, round(short * (SMALLEST + (1 - SMALLEST) * share)))
        x, y = (0.5, 0.5) if index == 0 else (x, y)
        left, top = round(x * (width - side)), round(y * (height - side))
        square = picture[None, :, top : top + side, left : left + side]
        cut = F.interpolate(square, (size, size), mode="bilinear", antialias=True)
        found.append(cut.flip(3) if index % 2 else cut)
    return torch.cat(found)


def scored(
    network: Callable[[Tensor], Tensor], size: int, number: int = 16, *, best: float = 1.0
) -> LossFunction:
    """Make a loss of a network that scores pictures: `best` minus the mean score of cutouts.

    `network` maps a batch [number, 3, size, size], sRGB-encoded, 1.0 = 255, to scores [number], of
    which high is good. A `torch.nn.Module` is moved to the device of the picture, and its
    parameters are not learned. Cutouts of a step follow from its seed; an evaluation always has the
    same.
    """
    if isinstance(network, torch.nn.Module):
        network.eval().requires_grad_(False)

    def of_seed(seed: int) -> LossFunction:
        def loss(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
            if isinstance(network, torch.nn.Module):
                network.to(image.device, image.dtype)
            seen = ignore_unweighted(image, target, weight)
            return best - network(cutouts(seen, size, number, seed)).mean()

        loss.at = of_seed  # type: ignore[attr-defined]
        return loss

    return of_seed(0)
