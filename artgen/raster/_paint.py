"""Paint parts on a canvas: the blends of splats, and fields in batches of positions."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from artgen.canvas import Canvas
from artgen.drawing import BACKGROUND_WEIGHT, Drawing
from artgen.errors import OutOfMemory, PluginError, UsageError
from artgen.primitives import Field, Params, Primitive, Splat
from artgen.raster import eager
from artgen.raster.eager import Memory

__all__ = ["draw", "paint"]


def draw(
    drawing: Drawing,
    primitive: Primitive,
    canvas: Canvas | None = None,
    *,
    device: str = "cpu",
    supersample: int = 1,
    transparent: bool = False,
    memory: Memory | None = None,
) -> Tensor:
    """Draw at any resolution: float32 [3, height, width] on the CPU, sRGB-encoded, not clamped.

    `canvas` defaults to the fitting size. `supersample` = k draws k times larger and averages
    k × k pixels. With `transparent` (blend ``over`` only) the result is [4, height, width] with
    colours not multiplied by alpha. Raises InputError where the tensors are not the primitive's,
    OutOfMemory, UsageError.
    """
    canvas = canvas or drawing.canvas
    primitive.check_tensors(drawing)
    if transparent and not (isinstance(primitive, Splat) and primitive.blend == "over"):
        raise UsageError(
            f"{drawing.primitive} cannot be drawn on a transparent background",
            hint="only splats with blend=over have one",
        )
    large = Canvas(canvas.width * supersample, canvas.height * supersample)
    tensors = {name: tensor.to(device) for name, tensor in drawing.tensors.items()}
    try:
        with torch.no_grad():
            image = paint(
                primitive,
                tensors,
                large,
                background=drawing.background,
                background_weight=drawing.background_weight,
                memory=memory or Memory(),
                transparent=transparent,
            )
            if supersample > 1:
                image = _box(image, supersample)
    except (MemoryError, torch.OutOfMemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        raise OutOfMemory(
            f"drawing at {large.width}x{large.height} needs more memory than there is",
            hint="draw it smaller",
        ) from None
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
) -> Tensor:
    """Mapped tensors to [3, height, width] (4 channels when transparent), differentiably."""
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
        )
    if isinstance(primitive, Field):
        return _paint_field(primitive, dict(tensors), canvas, memory)
    raise PluginError(f"{type(primitive).__name__} is neither a Splat nor a Field")


def _paint_splats(
    splat: Splat,
    tensors: dict[str, Tensor],
    canvas: Canvas,
    background: tuple[float, float, float],
    background_weight: float,
    memory: Memory,
    transparent: bool,
    side: int | None,
) -> Tensor:
    colour, blend, far = tensors["colour"], splat.blend, splat.far
    base = colour.new_tensor(background)[:, None, None]
    if blend in ("sum", "mean"):
        total = eager.accumulate(splat, tensors, colour, canvas, memory, side)
        if far:
            total = total + far * colour.sum(1)[:, None, None]
        return base + (total / colour.shape[1] if blend == "mean" else total)
    if far:
        raise PluginError(
            f"blend {blend!r} needs far = 0, but {type(splat).__name__} has far = {far}",
            hint="use blend sum or mean",
        )
    if blend == "over":
        order = torch.argsort(tensors["z"].detach(), stable=True)
        ordered = {name: tensor[..., order] for name, tensor in tensors.items()}
        layers = eager.composite(
            splat, ordered, ordered["colour"], ordered["opacity"], canvas, memory, side
        )
        through = layers[3:]
        if transparent:
            alpha = 1 - through
            return torch.cat([layers[:3] / alpha.clamp_min(1e-6), alpha])
        return layers[:3] + through * base
    near = torch.exp(-tensors["z"]) if blend == "depth" else torch.ones_like(colour[0])
    features = torch.cat([near * colour, near[None]])
    total = eager.accumulate(splat, tensors, features, canvas, memory, side)
    return (total[:3] + background_weight * base) / (total[3:] + background_weight)


def _paint_field(
    field: Field, tensors: dict[str, Tensor], canvas: Canvas, memory: Memory
) -> Tensor:
    first = next(iter(tensors.values()))
    x, y = (torch.from_numpy(centres).to(first) for centres in canvas.pixel_centres())
    widest = max(max(tensor.shape, default=1) for tensor in tensors.values())
    rows = max(1, 16 * memory.evaluations // (canvas.width * max(16, widest)))
    params = Params(tensors)
    strips = []
    for some in y.split(rows):
        grid = torch.stack(
            [x.expand(len(some), -1), some[:, None].expand(-1, canvas.width)], dim=-1
        )
        colours = field.forward(grid.reshape(-1, 2), params)
        strips.append(colours.reshape(len(some), canvas.width, -1).permute(2, 0, 1))
    return torch.cat(strips, dim=1)


def _box(image: Tensor, k: int) -> Tensor:
    """Average k × k pixels; colours of a transparent picture count by their alpha."""
    pool = torch.nn.functional.avg_pool2d
    if image.shape[0] == 4:
        alpha = pool(image[3:], k)
        return torch.cat([pool(image[:3] * image[3:], k) / alpha.clamp_min(1e-6), alpha])
    return pool(image, k)
