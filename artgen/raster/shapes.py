"""Paint shapes, with gradients where they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from artgen.canvas import Canvas
from artgen.primitives import Shape
from artgen.raster._paint import BLACK, Colour, paint
from artgen.raster.backend import ALWAYS_COMPILED, Backend, choose_backend, planned_backend
from artgen.raster.span_gradients import draw_with_gradients
from artgen.raster.spans import draw_shapes


@paint.register(Shape)
def paint_shapes(
    shape: Shape,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    *,
    background: Colour = BLACK,
    transparent: bool = False,
    **_: Any,
) -> Tensor:
    """Draw shapes by area, on the CPU; differentiably unless transparent."""
    if transparent or not any(tensor.requires_grad for tensor in tensors.values()):
        return draw_shapes(shape, tensors, canvas, background, transparent=transparent)
    return draw_with_gradients(shape, tensors, canvas, background)


@choose_backend.register(Shape)
@planned_backend.register(Shape)
def _backend(shape: Shape, device: str = "cpu", asked: str = "auto") -> Backend:
    return ALWAYS_COMPILED
