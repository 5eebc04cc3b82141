"""Match splats: by place and size, and by colour where that is what is seen."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from artgen.animation.matching._pairs import (
    Appearance,
    Pairs,
    Tensors,
    appearance,
    hide,
    move,
    pair,
    pair_parts,
)
from artgen.primitives import Params, Splat

__all__: list[str] = []

GONE = 1e-3
"""The size of a splat that cannot fade, as a share of its own."""

DEEPEST = 8.0
"""The largest depth of a splat."""


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
        layers=-tensors["z"].double().numpy() / DEEPEST if "z" in tensors else None,
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
