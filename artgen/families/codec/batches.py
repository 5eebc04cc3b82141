"""Batches of training pictures for codecs, with random affine maps as augmentation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.base.options import option
from artgen.engines.gradient.epochs import Epochs
from artgen.engines.gradient.schedule import AdamOptions
from artgen.values.examples import Examples


@dataclass(frozen=True)
class BatchOptions(AdamOptions):
    """Options of `gradient` for codecs: batches, and affine maps of a share of their pictures.

    The maps are random, and uniform within the bounds.
    """

    batch: int = option(0, "pictures per step; 0 uses all", low=0)
    augment: float = option(0.0, "share of the training pictures that are augmented", low=0, high=1)
    degrees: float = option(15.0, "largest rotation, in degrees", low=0, high=180)
    translate: float = option(0.1, "largest translation, as a share of a side", low=0, high=1)
    scale: float = option(0.1, "largest change in scale, as a share", low=0, high=0.9)
    shear: float = option(10.0, "largest shear along x, in degrees", low=0, high=80)


class Batches:
    """Training pictures in batches as `options` say, in an order of `seed`'s."""

    def __init__(
        self, examples: Examples, options: BatchOptions, seed: int, device: torch.device
    ) -> None:
        self.examples = Examples(*(tensor.to(device) for tensor in examples))
        count = len(examples.images)
        self.epochs = Epochs(count, options.batch or count, seed)
        self.options = options

    def batch(self, step: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Pictures of a step, floats in 0 to 1, and their classes.

        Moves are drawn from `generator`.
        """
        images, labels = self.examples
        chosen = self.epochs.batch(step).to(images.device)
        pictures = images[chosen].float() / 255
        if self.options.augment > 0:
            pictures = augmented(pictures, self.options, generator)
        return pictures, labels[chosen]


def augmented(images: Tensor, how: BatchOptions, generator: torch.Generator) -> Tensor:
    """The pictures [N, C, h, w], a share of them moved; what comes from outside is their edge.

    Values between pixels are linear in their neighbours.
    """
    count, device = len(images), images.device

    def within(bound: float) -> Tensor:
        return bound * (2 * torch.rand(count, generator=generator, device=device) - 1)

    moved = (torch.rand(count, generator=generator, device=device) < how.augment).float()
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
