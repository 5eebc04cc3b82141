"""Paint splats: sums of weights times features, one for each blend."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from artgen.canvas import Canvas
from artgen.drawing import BACKGROUND_WEIGHT
from artgen.errors import PluginError
from artgen.primitives import SHARPEST, Splat
from artgen.raster._paint import BLACK, Colour, paint
from artgen.raster.backend import EAGER, Backend
from artgen.raster.eager import Memory, draw_features


@paint.register(Splat)
def paint_splats(
    splat: Splat,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    *,
    background: Colour = BLACK,
    background_weight: float = BACKGROUND_WEIGHT,
    memory: Memory | None = None,
    transparent: bool = False,
    tile_side: int | None = None,
    backend: Backend = EAGER,
    softness: float = 0.0,
) -> Tensor:
    """Paint splats with their blend, differentiably."""
    memory = memory or Memory()

    def draw(features: Tensor, values: Mapping[str, Tensor], over: bool = False) -> Tensor:
        if backend.footprint is not None:
            return backend.footprint.draw_features(splat, values, features, canvas, over=over)
        return draw_features(splat, values, features, canvas, memory, tile_side, over=over)

    colour, blend, far = tensors["colour"], splat.blend, splat.far
    if far and splat.options.visibility == "buffer":
        raise PluginError(
            f"visibility=buffer needs far = 0, but {type(splat).__name__} has far = {far}",
            hint="use visibility=full",
        )
    # A tensor made of a list would be copied to a GPU, which has to wait for that.
    base = torch.stack([colour.new_full((1, 1), channel) for channel in background])
    if blend in ("sum", "mean"):
        total = draw(colour, tensors)
        if far:
            total = total + far * colour.sum(1)[:, None, None]
        return base + (total / max(1, colour.shape[1]) if blend == "mean" else total)
    if far:
        raise PluginError(
            f"blend {blend!r} needs far = 0, but {type(splat).__name__} has far = {far}",
            hint="use blend sum or mean",
        )
    if blend == "over":
        order = torch.argsort(tensors["z"].detach(), stable=True)
        ordered = {name: tensor[..., order] for name, tensor in tensors.items()}
        features = torch.cat([ordered["colour"], ordered["opacity"][None]])
        layers = draw(features, ordered, over=True)
        colours, through = layers[:3], layers[3:]
        if softness:
            unordered = _unordered(tensors, draw, softness) * (1 - through)
            colours = torch.lerp(colours, unordered, softness)
        if transparent:
            alpha = 1 - through
            return torch.cat([colours / alpha.clamp_min(1e-6), alpha])
        return colours + through * base
    near = torch.exp(-tensors["z"]) if blend == "depth" else torch.ones_like(colour[0])
    features = torch.cat([near * colour, near[None]])
    total = draw(features, tensors)
    return (total[:3] + background_weight * base) / (total[3:] + background_weight)


def _unordered(
    tensors: Mapping[str, Tensor], draw: Callable[..., Tensor], softness: float
) -> Tensor:
    """The mean colour of all parts, weighted by alpha and by e^(-z/softness), [3, height, width].

    Weighted, blended order-independent transparency (McGuire and Bavoil 2013).
    """
    depth = tensors["z"] - tensors["z"].detach().mean()
    weight = tensors["opacity"] * torch.exp(-depth / max(softness, SHARPEST))
    total = draw(torch.cat([weight * tensors["colour"], weight[None]]), tensors)
    return total[:3] / (total[3:] + 1e-6)
