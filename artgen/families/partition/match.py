"""Match sites. One without a partner divides the cell of another, and both have its colour."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from artgen.families.partition.contract import Partition
from artgen.matching import Appearance, Tensors, appearance, move


@appearance.register(Partition)
def _appearance(partition: Partition, tensors: Tensors) -> Appearance:
    colours = np.clip(tensors["colour"].double().numpy().T, -1, 2)
    return Appearance(tensors["sites"][:2].double().numpy().T, colours)


@move.register(Partition)
def _move(partition: Partition, tensors: Tensors, by: Tensor) -> Tensors:
    sites = tensors["sites"].clone()
    sites[:2] += by
    return {**tensors, "sites": sites}
