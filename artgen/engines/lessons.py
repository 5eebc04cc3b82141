"""What codecs are trained on: batches of pictures, each of them moved a little on the fly.

In every epoch each picture comes once, in an order that follows from the seed and the number of the
epoch. Moving a picture is a random affine map: turned, shifted, scaled and sheared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.primitives import Examples

__all__ = ["Augmentation", "Lessons", "augmented"]


@dataclass(frozen=True)
class Augmentation:
    """How far pictures are moved: a `share` of them, each to a random place within these bounds.

    `turn` and `shear` (along x) are in degrees to either side, `shift` is a share of the picture's
    sides, `zoom` the most by which it is larger or smaller.
    """

    share: float = 0.0
    turn: float = 15.0
    shift: float = 0.1
    zoom: float = 0.1
    shear: float = 10.0


class Lessons:
    """Training pictures in batches of `batch` (0: all at once), in an order of `seed`'s."""

    def __init__(
        self,
        examples: Examples,
        batch: int,
        augmentation: Augmentation,
        seed: int,
        device: torch.device,
    ) -> None:
        self.examples = Examples(*(tensor.to(device) for tensor in examples))
        self.count = len(examples.images)
        self.size = min(batch or self.count, self.count)
        self.augmentation, self.seed = augmentation, seed
        self.epoch = -1

    def batch(self, step: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures of a step, floats in 0 to 1, and their classes.

        The last batch of an epoch holds what is left. Moves are drawn from `generator`.
        """
        epoch, place = divmod(step, math.ceil(self.count / self.size))
        if epoch != self.epoch:
            shuffling = torch.Generator().manual_seed((self.seed + 104_729 * epoch) % 2**63)
            self.order = torch.randperm(self.count, generator=shuffling)
            self.epoch = epoch
        images, labels = self.examples
        chosen = self.order[place * self.size : (place + 1) * self.size].to(images.device)
        pictures = images[chosen].float() / 255
        if self.augmentation.share > 0:
            pictures = augmented(pictures, self.augmentation, generator)
        return pictures, labels[chosen]


def augmented(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """The pictures [N, C, h, w], a share of them moved; what comes from outside is their edge.

    Values between pixels are linear in their neighbours.
    """
    count, device = len(images), images.device

    def within(bound: float) -> Tensor:
        return bound * (2 * torch.rand(count, generator=generator, device=device) - 1)

    moved = (torch.rand(count, generator=generator, device=device) < how.share).float()
    turn, shear = (moved * within(math.radians(angle)) for angle in (how.turn, how.shear))
    # Coordinates span -1 to 1, so a share of the side is twice as much.
    across, down = (moved * within(2 * how.shift) for _ in range(2))
    scale = 1 + moved * within(how.zoom)
    cosine, sine, slope = turn.cos(), turn.sin(), shear.tan()
    aspect = images.shape[3] / images.shape[2]
    # From the new place to the old one: back by the shift, then unturned, unsheared, unscaled.
    rows = [
        torch.stack([cosine - slope * sine, (sine + slope * cosine) / aspect, -across], 1),
        torch.stack([-sine * aspect, cosine, -down], 1),
    ]
    back = torch.stack(rows, 1) / scale[:, None, None]
    grid = F.affine_grid(back, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)
