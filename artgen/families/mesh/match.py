"""Match vertices by place and colour: corners with corners, those on a side with those on it."""

from __future__ import annotations

import numpy as np

from artgen.families.mesh.contract import Mesh, outermost
from artgen.matching import Appearance, Integers, Tensors, appearance, compose, join, select


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


@compose.register(Mesh)
def _compose(mesh: Mesh, *groups: tuple[Tensors, Integers]) -> Tensors:
    """The corners, which are the first vertices, stay; those of the other drawings are the same."""
    corners = np.arange(mesh.least_count)
    inner = [(tensors, which[which >= len(corners)]) for tensors, which in groups]
    return join(select(groups[0][0], corners), *(select(*group) for group in inner))
