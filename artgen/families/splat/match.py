"""Match splats: by place and size, and by colour where that is what is seen."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from artgen.families.splat.contract import DEPTH_RANGE, Splat
from artgen.families.splat.importance import importance
from artgen.matching import (
    Appearance,
    Pairs,
    Tensors,
    appearance,
    building_order,
    hide,
    move,
    pair,
    pair_parts,
    predict,
)
from artgen.primitives import Params
from artgen.values.drawing import Drawing

GONE = 1e-3
"""The size of a splat that cannot fade, as a share of its own."""

NEIGHBOURS = 24
"""A splat moves by the median of the movements of this many neighbours."""


@appearance.register(Splat)
def _appearance(splat: Splat, tensors: Tensors) -> Appearance:
    colours = None
    if splat.blend not in ("sum", "mean"):
        colours = np.clip(tensors["colour"].double().numpy().T, -1, 2)
    with torch.no_grad():
        long, wide, _ = splat.ellipse(Params(tensors))
    area = torch.broadcast_to(torch.as_tensor(long * wide), tensors["xy"].shape[1:])
    return Appearance(
        tensors["xy"].double().numpy().T,
        colours,
        sizes=area.double().clamp_min(0).sqrt().numpy(),
        # Small depths are near.
        layers=-tensors["z"].double().numpy() / DEPTH_RANGE if "z" in tensors else None,
    )


@hide.register(Splat)
def _hide(splat: Splat, tensors: Tensors) -> Tensors:
    if splat.blend == "over":
        return {**tensors, "opacity": torch.zeros_like(tensors["opacity"])}
    if splat.blend in ("sum", "mean"):
        return {**tensors, "colour": torch.zeros_like(tensors["colour"])}
    lengths = ("exp", "softplus", "reciprocal")
    smaller = {
        name: GONE * tensors[name]
        for name, param in splat.parameters().items()
        if param.map.function in lengths
    }
    return {**tensors, **smaller}


@move.register(Splat)
def _move(splat: Splat, tensors: Tensors, by: Tensor) -> Tensors:
    return {**tensors, "xy": tensors["xy"] + by}


@pair.register(Splat)
def _pair(splat: Splat, a: Tensors, b: Tensors) -> Pairs:
    pairs = pair_parts(splat, a, b)
    if splat.blend == "mean":
        # The mean is divided by all of them.
        total = pairs.first["colour"].shape[-1]
        for both, own in ((pairs.first, a), (pairs.second, b)):
            both["colour"] = both["colour"] * (total / own["colour"].shape[-1])
    return pairs


@predict.register(Splat)
def _predict(splat: Splat, tensors: Tensors, before: Tensors, changed: Tensor) -> Tensors:
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


@building_order.register(Splat)
def _most_important_first(splat: Splat, drawing: Drawing) -> Tensor:
    return importance(drawing, splat).argsort(descending=True, stable=True)
