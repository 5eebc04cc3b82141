"""Paint shapes, with gradients where they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from artgen.families.shape.contract import Shape
from artgen.families.shape.gradients import draw_with_gradients
from artgen.families.shape.spans import draw_shapes
from artgen.init import Context
from artgen.raster.painting import BLACK, Ground, draw, paint, part_alone
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing


@paint.register(Shape)
def paint_shapes(
    shape: Shape,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    *,
    background: Ground = BLACK,
    transparent: bool = False,
    **_: Any,
) -> Tensor:
    """Draw shapes by area, on the CPU; differentiably unless transparent."""
    if transparent or not any(tensor.requires_grad for tensor in tensors.values()):
        return draw_shapes(shape, tensors, canvas, background, transparent=transparent)
    return draw_with_gradients(shape, tensors, canvas, background)


@part_alone.register(Shape)
def _shape(shape: Shape, side: int) -> tuple[Tensor, float]:
    """A white shape on black."""
    first = shape.initial(Context(torch.Generator().manual_seed(0), Canvas(side, side), 1))
    ones = {"colour": torch.ones(3, 1), "alpha": torch.ones(1)}
    drawing = Drawing("part", shape.option_values(), first | ones, side, side)
    return draw(drawing, shape)[0], 1.0
