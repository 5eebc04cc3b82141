"""Pictures of a set that a codec learns from, or is evaluated on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.values.subject import ImageSet

PICTURE_PIECE = 250
"""Pictures per batch; larger batches are not faster."""


class Examples(NamedTuple):
    """Pictures of a set, uint8 [N, channels, height, width], and their classes, int64 [N].

    A class is -1 where none are known.
    """

    images: Tensor
    labels: Tensor

    @classmethod
    def from_arrays(cls, pictures: NDArray[np.uint8], labels: NDArray[np.int64]) -> Examples:
        """Copies of pictures [N, height, width, channels] and their classes [N]."""
        images = torch.from_numpy(np.array(pictures.transpose(0, 3, 1, 2), order="C"))
        return cls(images, torch.from_numpy(np.array(labels)))

    def piece(self, start: int, end: int) -> tuple[Tensor, Tensor]:
        """Return pictures `start` to `end` as floats in 0 to 1, and their classes."""
        return self.images[start:end].float() / 255, self.labels[start:end]


def kept_examples(subject: ImageSet) -> Examples:
    """The pictures that belong to a drawing."""
    return Examples.from_arrays(subject.pictures, subject.labels)
