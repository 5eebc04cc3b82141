"""Batches of training pictures for codecs, with random affine maps as augmentation.

Every epoch has each picture once, in an order that depends on the seed and the number of the epoch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.primitives import Examples
from artgen.seeds import derived_seed


@dataclass(frozen=True)
class RandomAffine:
    """A random affine map of a `share` of the pictures, uniform within these bounds.

    `degrees` and `shear` (along x) are in degrees to either side, `translate` is a share of the
    sides, `scale` the largest relative change in size.
    """

    share: float = 0.0
    degrees: float = 15.0
    translate: float = 0.1
    scale: float = 0.1
    shear: float = 10.0


class Epochs:
    """Numbers below `count` in batches of `size`, in an order of `seed`'s that each epoch has anew.

    The last batch of an epoch holds what is left.
    """

    def __init__(self, count: int, size: int, seed: int) -> None:
        self.count, self.size, self.seed = count, min(size, count), seed
        self.epoch = -1

    def batch(self, step: int) -> Tensor:
        """The numbers of a step, int64."""
        epoch, place = divmod(step, math.ceil(self.count / self.size))
        if epoch != self.epoch:
            shuffling = torch.Generator().manual_seed(derived_seed(self.seed, "epoch", epoch))
            self.order = torch.randperm(self.count, generator=shuffling)
            self.epoch = epoch
        return self.order[place * self.size : (place + 1) * self.size]


class Batches:
    """Training pictures in batches of `batch` (0: all at once), in an order of `seed`'s."""

    def __init__(
        self,
        examples: Examples,
        batch: int,
        augmentation: RandomAffine,
        seed: int,
        device: torch.device,
    ) -> None:
        self.examples = Examples(*(tensor.to(device) for tensor in examples))
        count = len(examples.images)
        self.epochs = Epochs(count, batch or count, seed)
        self.augmentation = augmentation

    def batch(self, step: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures of a step, floats in 0 to 1, and their classes.

        Moves are drawn from `generator`.
        """
        images, labels = self.examples
        chosen = self.epochs.batch(step).to(images.device)
        pictures = images[chosen].float() / 255
        if self.augmentation.share > 0:
            pictures = augmented(pictures, self.augmentation, generator)
        return pictures, labels[chosen]


def augmented(images: Tensor, how: RandomAffine, generator: torch.Generator) -> Tensor:
    """The pictures [N, C, h, w], a share of them moved; what comes from outside is their edge.

    Values between pixels are linear in their neighbours.
    """
    count, device = len(images), images.device

    def within(bound: float) -> Tensor:
        return bound * (2 * torch.rand(count, generator=generator, device=device) - 1)

    moved = (torch.rand(count, generator=generator, device=device) < how.share).float()
    rotation, shear = (moved * within(math.radians(angle)) for angle in (how.degrees, how.shear))
    # Coordinates span -1 to 1, so a share of the side is twice as much.
    across, down = (moved * within(2 * how.translate) for _ in range(2))
    scale = 1 + moved * within(how.scale)
    cosine, sine, slope = rotation.cos(), rotation.sin(), shear.tan()
    aspect = images.shape[3] / images.shape[2]
    # From the new place to the old one: back by the shift, then unturned, unsheared, unscaled.
    rows = [
        torch.stack([cosine - slope * sine, (sine + slope * cosine) / aspect, -across], 1),
        torch.stack([-sine * aspect, cosine, -down], 1),
    ]
    back = torch.stack(rows, 1) / scale[:, None, None]
    grid = F.affine_grid(back, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)
