"""Batches of samples: every epoch has each sample once, in an order of its own."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from artgen.base.seeds import derived_seed


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
