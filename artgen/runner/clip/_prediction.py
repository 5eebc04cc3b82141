"""Where the parts of a clip are expected in the next frame."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch

import torch
from torch import Tensor

from artgen.primitives import Primitive, Splat

NEIGHBOURS = 24
"""A splat moves by the median of the movements of this many neighbours."""


@singledispatch
def predict(
    primitive: Primitive,
    tensors: Mapping[str, Tensor],
    before: Mapping[str, Tensor],
    changed: Tensor,
) -> dict[str, Tensor]:
    """Predict the tensors of the next frame from those of the last and the one before.

    `changed`, bool [N], marks parts that were not there before; it is empty where all were. By
    default nothing moves.
    """
    return dict(tensors)


@predict.register(Splat)
def _splats(
    splat: Splat, tensors: Mapping[str, Tensor], before: Mapping[str, Tensor], changed: Tensor
) -> dict[str, Tensor]:
    """Splats move as their neighbours did."""
    xy, then = tensors["xy"], before["xy"]
    old = ~changed if len(changed) else torch.ones(xy.shape[1], dtype=torch.bool)
    neighbours = min(NEIGHBOURS, int(old.sum()))
    if not neighbours:
        return dict(tensors)
    from scipy.spatial import cKDTree

    _, nearest = cKDTree(xy[:, old].t().numpy()).query(
        xy.t().numpy(), k=[*range(1, neighbours + 1)]
    )
    movement = (xy - then)[:, old][:, torch.from_numpy(nearest)].median(dim=-1).values
    return {**tensors, "xy": xy + movement}
