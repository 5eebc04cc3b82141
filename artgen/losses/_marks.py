"""The type of losses, marks of what they can compare, and the weighted mean of pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, TypeVar

import torch
from torch import Tensor

from artgen.values.subject import TargetKind

LossFunction: TypeAlias = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""``(image, target, weight) -> scalar``, as described in `artgen.losses`."""

AnyLoss = TypeVar("AnyLoss", bound=LossFunction)


def per_pixel(loss: AnyLoss) -> AnyLoss:
    """Mark a loss that compares pixels independently of each other and of their positions.

    Such a loss also works on a random batch of M pixels, as [3, 1, M].
    """
    loss.per_pixel = True  # type: ignore[attr-defined]
    return loss


def for_targets(*kinds: TargetKind) -> Callable[[AnyLoss], AnyLoss]:
    """Mark a loss with its kinds of targets: ``image``, ``curve``, ``points``, ``set``.

    A loss without the mark is for images. Curves and points are passed as [outputs, 1, M] in
    arbitrary order, so their losses must be `per_pixel` too. Pictures of a set are passed in
    batches, as [N, channels, height, width], without a weight.
    """

    def mark(loss: AnyLoss) -> AnyLoss:
        loss.targets = kinds  # type: ignore[attr-defined]
        return loss

    return mark


def needs_picture(loss: Callable[[Tensor], LossFunction]) -> Callable[[Tensor], LossFunction]:
    """Mark a function that makes a loss of a picture [3, h, w], named as ``texture:wood.jpg``.

    The loss may have a method ``at(seed)``, which returns the loss with other random numbers. Each
    step has a seed of its own.
    """
    loss.needs_picture = True  # type: ignore[attr-defined]
    return loss


def needs_text(loss: Callable[[str, Path | None], LossFunction]) -> Callable[..., LossFunction]:
    """Mark a function that makes a loss of a text and perhaps a file: ``text:"a horse"@FILE``.

    The path is None where no file was named. The loss may have a method ``at(seed)`` as above, and
    ``of_view(index)``, which returns that of a view, from 0 on.
    """
    loss.needs_text = True  # type: ignore[attr-defined]
    return loss


def pixel_mean(error: Tensor, weight: Tensor | None) -> Tensor:
    """Return the weighted mean of `error` [..., h, w] over its pixels, 0 if all weights are 0."""
    if weight is None:
        return error.mean((-2, -1))
    total = weight.sum(dtype=error.dtype).clamp_min(torch.finfo(error.dtype).tiny)
    return (error * weight).sum((-2, -1)) / total


def ignore_unweighted(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Replace pixels of weight 0 by the target, since windows would spread them."""
    return image if weight is None else torch.where(weight > 0, image, target)
