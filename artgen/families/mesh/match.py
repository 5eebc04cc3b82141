"""Match vertices by place and colour: corners with corners, those on a side with those on it."""

from __future__ import annotations

import numpy as np

from artgen.families.mesh.contract import Mesh, outermost
from artgen.matching import Appearance, Tensors, appearance


@appearance.register(Mesh)
def _appearance(mesh: Mesh, tensors: Tensors) -> Appearance:
    """A vertex without a partner comes out of another, and has its place and colours until then."""
    first, last = outermost(tensors["xy"])
    side = first.long() - last.long()
    colours = tensors["colour"].double().numpy().reshape(-1, 3, side.shape[1]).mean(0).T
    return Appearance(
        tensors["xy"].double().numpy().T,
        np.clip(colours, -1, 2),
        kinds=(3 * side[0] + side[1]).numpy(),
    )
