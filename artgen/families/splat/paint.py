"""Paint splats: sums of weights times features, one for each blend."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from artgen.base.errors import PluginError
from artgen.compiler.footprints import SHARPEST
from artgen.families.splat.contract import Splat
from artgen.families.splat.eager import draw_features
from artgen.families.splat.footprint import footprint_of
from artgen.families.splat.repeat import images
from artgen.families.splat.tiles import find_boxes, find_extent
from artgen.init import Context
from artgen.primitives import Params
from artgen.raster.backend import EAGER, Backend, Memory
from artgen.raster.painting import BLACK, Ground, paint, part_alone
from artgen.raster.windows import boxes
from artgen.values.canvas import Canvas
from artgen.values.drawing import BACKGROUND_WEIGHT

MARGIN = 1.1
"""How much of the surroundings of a part alone is shown, relative to its size."""


@paint.register(Splat)
def paint_splats(
    splat: Splat,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    *,
    background: Ground = BLACK,
    background_weight: float = BACKGROUND_WEIGHT,
    memory: Memory | None = None,
    transparent: bool = False,
    tile_side: int | None = None,
    backend: Backend = EAGER,
    softness: float = 0.0,
) -> Tensor:
    """Paint splats with their blend, differentiably."""
    memory, kernels = memory or Memory(), footprint_of(backend)
    count = tensors["colour"].shape[1]
    splat, tensors = images(splat, tensors, canvas.reach)

    def draw(features: Tensor, values: Mapping[str, Tensor], over: bool = False) -> Tensor:
        if kernels is not None:
            return kernels.draw_features(splat, values, features, canvas, over=over)
        return draw_features(splat, values, features, canvas, memory, tile_side, over=over)

    colour, blend, far = tensors["colour"], splat.blend, splat.far
    if far and splat.options.visibility == "buffer":
        raise PluginError(
            f"visibility=buffer needs far = 0, but {type(splat).__name__} has far = {far}",
            hint="use visibility=full",
        )
    # A tensor made of a list would be copied to a GPU, which has to wait for that.
    if isinstance(background, Tensor):
        base = background.to(colour)
    else:
        base = torch.stack([colour.new_full((1, 1), channel) for channel in background])
    if blend in ("sum", "mean"):
        total = draw(colour, tensors)
        if far:
            total = total + far * colour.sum(1)[:, None, None]
        return base + (total / max(1, count) if blend == "mean" else total)
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


@boxes.register(Splat)
def _boxes(splat: Splat, tensors: Mapping[str, Tensor], canvas: Canvas) -> Tensor:
    return find_boxes(tensors["xy"].detach().t(), find_extent(splat, tensors), canvas)


@part_alone.register(Splat)
def _footprint(splat: Splat, side: int) -> tuple[Tensor, float]:
    """The weights inside the ellipse, and somewhat beyond."""
    first = splat.initial(Context(torch.Generator().manual_seed(0), Canvas(side, side), 1))
    along, across, angle = (axis[0] for axis in find_extent(splat, first))
    reach = MARGIN * float(torch.maximum(along, across))
    places = reach * (2 * torch.arange(side) + 1 - side) / side
    dx, dy = places.expand(1, side, side), places[:, None].expand(1, side, side)
    wide = Params({name: tensor[..., None, None] for name, tensor in first.items()})
    with torch.no_grad():
        weight = splat.footprint(dx, dy, wide).expand(1, side, side)[0]
    u = (dx * angle.cos() + dy * angle.sin())[0] / along
    v = (dy * angle.cos() - dx * angle.sin())[0] / across
    return weight.where(u * u + v * v <= 1, splat.far), reach
