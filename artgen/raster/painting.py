"""Draw parts on a canvas. Each family says how its parts are painted: see `paint`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from artgen.base.errors import PluginError, UsageError, memory_errors
from artgen.base.faults import broken
from artgen.base.generic import generic
from artgen.primitives import Primitive
from artgen.raster.backend import EAGER, Backend, Memory
from artgen.raster.edges import draw_edges
from artgen.values.canvas import Canvas
from artgen.values.drawing import BACKGROUND_WEIGHT, Colour, Drawing
from artgen.values.examples import Examples

Ground = Colour | Tensor
"""A colour, or a picture [3, height, width]."""

BLACK: Colour = (0.0, 0.0, 0.0)


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
    k × k pixels. With `transparent` (shapes, cells, flat meshes, `over`) the result is
    [4, height, width] with colours not multiplied by alpha. Raises InputError where the tensors are
    not the primitive's, OutOfMemory, UsageError.
    """
    canvas = canvas or drawing.canvas
    primitive.check_tensors(drawing)
    if transparent:
        primitive.check_transparent(drawing.primitive)
    large = canvas.enlarged(supersample)
    complaint = f"drawing at {large.width}x{large.height} needs more memory than there is"
    device = "cpu" if primitive.always_compiled else device
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
        expected = [4 if transparent else 3, large.height, large.width]
        if drawing.subject is not None:
            expected[:-2] = image.shape[:-2]  # of a field the outputs, of a codec the pictures
        if list(image.shape) != expected:
            raise broken(
                f"paint of {type(primitive).__name__}",
                paint.dispatch(type(primitive)),
                f"gave {list(image.shape)}, not a tensor of shape {expected}",
                hint="return [channels, height, width] of the canvas that it is given",
            )
        image = draw_edges(image, primitive, drawing.tensors, large)
        if supersample > 1:
            image = _box(image, supersample, transparent)
        return image.cpu()


@generic("paint")
def paint(
    primitive: Primitive,
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
    """Paint mapped tensors: float32 [3, height, width] (4 channels when transparent).

    Each family registers its own function, which may leave the keywords that mean nothing to it in
    ``**_``. The result is on the device of the tensors and differentiable by them, with these
    exceptions: shapes, partitions and meshes are drawn on the CPU; partitions, and shapes when
    transparent, have no gradients.

    A compiled `backend` takes float32 on its device and needs neither `memory` nor `tile_side`.
    `softness`, from 0 to 1, makes that share of the blend ``over`` independent of the order of the
    parts, and differentiable in their depth. Families with `alpha_counts` are also painted over a
    picture as the `background`. Raises PluginError where the family registers nothing.
    """
    raise PluginError(
        f"{type(primitive).__name__} cannot be painted: its family has no function for that",
        hint="register one with artgen.family.paint",
    )


@generic("paint")
def posed(primitive: Primitive, tensors: Mapping[str, Tensor], pose: float) -> Mapping[str, Tensor]:
    """Mapped tensors of the same parts in another pose, differentiably; at 0 they are unchanged.

    What the number means is up to the primitive: an angle, or a share of a way. Raises UsageError
    where parts have one pose alone.
    """
    raise UsageError(
        f"the parts of {type(primitive).__name__} have one pose alone",
        hint="fit parts that have more: -p cloud or -p shard",
    )


@generic("paint")
def evaluate(
    primitive: Primitive,
    tensors: Mapping[str, Tensor],
    positions: Tensor,
    memory: Memory | None = None,
) -> Tensor:
    """The values of a function at `positions` [M, inputs], [outputs, 1, M], differentiably.

    They have the form of a picture one pixel high, so that losses take them. Raises PluginError
    where the parts of the family are no function of the position.
    """
    raise PluginError(f"{type(primitive).__name__} has no values at positions")


@generic("paint")
def reconstruct(primitive: Primitive, tensors: Mapping[str, Tensor], examples: Examples) -> Tensor:
    """The pictures of a set as the parameters give them back, float32 [N, channels, h, w].

    They are on the CPU. Raises OutOfMemory, and PluginError where the family has no sets.
    """
    raise PluginError(f"{type(primitive).__name__} does not reconstruct pictures")


@generic("paint")
def part_alone(primitive: Primitive, side: int) -> tuple[Tensor, float] | None:
    """The values of one part, as it begins, on a grid [side, side], and half the grid's size.

    That is in canvas units. None where a part does not stand alone.
    """
    return None


def _box(image: Tensor, k: int, transparent: bool) -> Tensor:
    """Average k × k pixels; colours of a transparent picture count by their alpha."""
    pool = torch.nn.functional.avg_pool2d
    if transparent:
        alpha = pool(image[3:], k)
        return torch.cat([pool(image[:3] * image[3:], k) / alpha.clamp_min(1e-6), alpha])
    return pool(image, k)
