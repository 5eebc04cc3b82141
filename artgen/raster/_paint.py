"""Paint parts on a canvas: splats with their blends, fields in batches, shapes, partitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from artgen.canvas import Canvas
from artgen.drawing import BACKGROUND_WEIGHT, Drawing
from artgen.errors import PluginError, UsageError
from artgen.primitives import Field, Params, Partition, Primitive, Shape, Splat
from artgen.raster import eager
from artgen.raster._memory import memory_errors
from artgen.raster.backend import EAGER, Backend
from artgen.raster.eager import Memory
from artgen.raster.partitions import draw_partition
from artgen.raster.span_gradients import draw_with_gradients
from artgen.raster.spans import draw_shapes
from artgen.raster.threads import share_torch

__all__ = ["FIELD_PIECE", "draw", "evaluate", "paint"]

FIELD_PIECE = 8192
"""The positions at which a thread evaluates a field at a time, on a CPU.

Few enough that what its layers hand on stays in the processor's cache.
"""

SHARPEST = 0.05
"""The least difference of depth that weighs e times as much, so that weights stay finite."""


def draw(
    drawing: Drawing,
    primitive: Primitive,
    canvas: Canvas | None = None,
    *,
    device: str = "cpu",
    supersample: int = 1,
    transparent: bool = False,
    memory: Memory | None = None,
    backend: Backend = EAGER,
) -> Tensor:
    """Draw at any resolution: float32 [3, height, width] on the CPU, sRGB-encoded, not clamped.

    `canvas` defaults to the fitting size. `supersample` = k draws k times larger and averages
    k × k pixels. With `transparent` (shapes, and the blend ``over``) the result is
    [4, height, width] with colours not multiplied by alpha. Raises InputError where the tensors are
    not the primitive's, OutOfMemory, UsageError.
    """
    canvas = canvas or drawing.canvas
    primitive.check_tensors(drawing)
    over = isinstance(primitive, Splat) and primitive.blend == "over"
    if transparent and not (over or isinstance(primitive, Shape)):
        raise UsageError(
            f"{drawing.primitive} cannot be drawn on a transparent background",
            hint="only shapes and splats with blend=over have one",
        )
    large = Canvas(canvas.width * supersample, canvas.height * supersample)
    complaint = f"drawing at {large.width}x{large.height} needs more memory than there is"
    with torch.no_grad(), memory_errors(complaint, hint="draw it smaller"):
        image = paint(
            primitive,
            {name: tensor.to(device) for name, tensor in drawing.tensors.items()},
            large,
            background=drawing.background,
            background_weight=drawing.background_weight,
            memory=memory or Memory(),
            transparent=transparent,
            backend=backend,
        )
        if supersample > 1:
            image = _box(image, supersample)
        return image.cpu()


def paint(
    primitive: Primitive,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    *,
    background: tuple[float, float, float] = (0.0, 0.0, 0.0),
    background_weight: float = BACKGROUND_WEIGHT,
    memory: Memory | None = None,
    transparent: bool = False,
    tile_side: int | None = None,
    backend: Backend = EAGER,
    softness: float = 0.0,
) -> Tensor:
    """Mapped tensors to [3, height, width] (4 channels when transparent), differentiably.

    Shapes and partitions are drawn on the CPU; partitions, and shapes when transparent, without
    gradients.

    A compiled `backend` takes float32 on its device and needs neither `memory` nor `tile_side`.
    With `softness` from 0 to 1 so much of the blend ``over`` does not depend on the order of the
    parts, but on their depth, in which it is differentiable: see `_unordered`.
    """
    memory = memory or Memory()
    if isinstance(primitive, Splat):
        return _paint_splats(
            primitive,
            dict(tensors),
            canvas,
            background,
            background_weight,
            memory,
            transparent,
            tile_side,
            backend,
            softness,
        )
    if isinstance(primitive, Field):
        return _paint_field(primitive, dict(tensors), canvas, memory)
    if isinstance(primitive, Shape):
        if transparent or not any(tensor.requires_grad for tensor in tensors.values()):
            return draw_shapes(primitive, tensors, canvas, background, transparent=transparent)
        return draw_with_gradients(primitive, tensors, canvas, background)
    if isinstance(primitive, Partition):
        return draw_partition(primitive, tensors, canvas, background)
    raise PluginError(
        f"{type(primitive).__name__} is neither a Splat nor a Field nor a Shape nor a Partition"
    )


def evaluate(
    field: Field, tensors: Mapping[str, Tensor], positions: Tensor, memory: Memory | None = None
) -> Tensor:
    """The values of a field at `positions` [M, inputs], [outputs, 1, M], differentiably.

    They have the form of a picture one pixel high, so that losses take them.
    """
    at_once = _at_once(tensors, memory or Memory())
    params = Params(tensors)
    values = [field.forward(piece, params) for piece in torch.split(positions, at_once)]
    return torch.cat(values).t()[:, None]


def _paint_splats(
    splat: Splat,
    tensors: dict[str, Tensor],
    canvas: Canvas,
    background: tuple[float, float, float],
    background_weight: float,
    memory: Memory,
    transparent: bool,
    side: int | None,
    backend: Backend,
    softness: float,
) -> Tensor:
    def accumulate(features: Tensor) -> Tensor:
        if backend.footprint is not None:
            return backend.footprint.accumulate(splat, tensors, features, canvas)
        return eager.accumulate(splat, tensors, features, canvas, memory, side)

    colour, blend, far = tensors["colour"], splat.blend, splat.far
    if far and splat.options.visibility == "buffer":
        raise PluginError(
            f"visibility=buffer needs far = 0, but {type(splat).__name__} has far = {far}",
            hint="use visibility=full",
        )
    # A tensor made of a list would be copied to a GPU, which has to wait for that.
    base = torch.stack([colour.new_full((1, 1), channel) for channel in background])
    if blend in ("sum", "mean"):
        total = accumulate(colour)
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
        what = ordered["colour"], ordered["opacity"], canvas
        if backend.footprint is not None:
            layers = backend.footprint.composite(splat, ordered, *what)
        else:
            layers = eager.composite(splat, ordered, *what, memory, side)
        colours, through = layers[:3], layers[3:]
        if softness:
            unordered = _unordered(tensors, accumulate, softness) * (1 - through)
            colours = torch.lerp(colours, unordered, softness)
        if transparent:
            alpha = 1 - through
            return torch.cat([colours / alpha.clamp_min(1e-6), alpha])
        return colours + through * base
    near = torch.exp(-tensors["z"]) if blend == "depth" else torch.ones_like(colour[0])
    features = torch.cat([near * colour, near[None]])
    total = accumulate(features)
    return (total[:3] + background_weight * base) / (total[3:] + background_weight)


def _unordered(
    tensors: Mapping[str, Tensor], accumulate: Callable[[Tensor], Tensor], softness: float
) -> Tensor:
    """The mean colour of all parts, weighted by alpha and by e^(-z/softness), [3, height, width].

    Weighted, blended order-independent transparency (McGuire and Bavoil 2013).
    """
    depth = tensors["z"] - tensors["z"].detach().mean()
    weight = tensors["opacity"] * torch.exp(-depth / max(softness, SHARPEST))
    total = accumulate(torch.cat([weight * tensors["colour"], weight[None]]))
    return total[:3] / (total[3:] + 1e-6)


def _paint_field(
    field: Field, tensors: dict[str, Tensor], canvas: Canvas, memory: Memory
) -> Tensor:
    first = next(iter(tensors.values()))
    x, y = (torch.from_numpy(centres).to(first) for centres in canvas.pixel_centres())
    on_cpu, at_once = first.device.type == "cpu", _at_once(tensors, memory)
    rows = max(1, (min(FIELD_PIECE, at_once) if on_cpu else at_once) // canvas.width)
    params = Params(tensors)
    strips: dict[int, Tensor] = {}

    def paint_strip(top: int) -> None:
        some = y[top : top + rows]
        grid = torch.stack(
            [x.expand(len(some), -1), some[:, None].expand(-1, canvas.width)], dim=-1
        )
        colours = field.forward(grid.reshape(-1, field.inputs), params).float()
        strips[top] = colours.reshape(len(some), canvas.width, -1).permute(2, 0, 1)

    tops = range(0, canvas.height, rows)
    if on_cpu:
        share_torch(paint_strip, tops)
    else:
        for top in tops:
            paint_strip(top)
    return torch.cat([strips[top] for top in tops], dim=1)


def _at_once(tensors: Mapping[str, Tensor], memory: Memory) -> int:
    """How many positions a field may be evaluated at, at a time."""
    # A table has more rows than any layer has neurons.
    widest = min(1024, max(max(tensor.shape, default=1) for tensor in tensors.values()))
    return max(1, 16 * memory.evaluations // max(16, widest))


def _box(image: Tensor, k: int) -> Tensor:
    """Average k × k pixels; colours of a transparent picture count by their alpha."""
    pool = torch.nn.functional.avg_pool2d
    if image.shape[0] == 4:
        alpha = pool(image[3:], k)
        return torch.cat([pool(image[:3] * image[3:], k) / alpha.clamp_min(1e-6), alpha])
    return pool(image, k)
