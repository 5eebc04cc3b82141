"""Paint shapes by area, with gradients where they are asked for: what is optimised is exported.

The share of a pixel that a shape covers changes with its genes wherever its edge is, so a picture
of hard edges has gradients, almost everywhere. By coverage they follow from compositing, backwards
from the topmost shape to the lowest. By the genes there is one sum for each shape, of these
gradients times its coverage: added up along every row of pixels it costs the two ends of each span,
as scoring a candidate does. Its derivative by a gene is the difference between two such sums, with
the gene a little larger and a little smaller. That takes nothing but what draws the shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from artgen.compiler.threads import share
from artgen.families.shape.contract import Shape, keep_valid
from artgen.families.shape.spans import as_drawn, draw_shapes, functions_of, load_shared, unpack
from artgen.init import Context
from artgen.raster.painting import BLACK, Ground, paint, part_alone
from artgen.raster.sampling import SAMPLE_ROWS, as_ground, cut_strips, make_grid
from artgen.values.canvas import Canvas

ROWS = 4
"""Sample rows per pixel for the derivatives by genes: with more a polish gained no more."""

STEP = 0.25
"""Step of a gene in pixels, either way: a sample row, so that horizontal edges count."""


@paint.register(Shape)
def paint_shapes(
    shape: Shape,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    *,
    background: Ground = BLACK,
    transparent: bool = False,
    **_: object,
) -> Tensor:
    """Draw shapes by area, on the CPU; differentiably unless transparent.

    By `colour` and `alpha` gradients are exact; by `genes`, which are lengths, they are central
    differences of what a shape contributes, over half a pixel. The order of shapes has none.
    """
    if transparent or not any(tensor.requires_grad for tensor in tensors.values()):
        return draw_shapes(shape, tensors, canvas, background, transparent=transparent)
    return _draw(shape, canvas, background, tuple(tensors), *tensors.values())


@part_alone.register(Shape)
def _shape(shape: Shape, side: int) -> tuple[Tensor, float]:
    """A white shape on black."""
    canvas = Canvas(side, side)
    first = shape.initial(Context(torch.Generator().manual_seed(0), canvas, 1))
    white = {**first, "colour": torch.ones(3, 1), "alpha": torch.ones(1)}
    return draw_shapes(shape, white, canvas, BLACK)[0], 1.0


@keep_valid.register(Shape)
def _keep_valid(shape: Shape, before: Mapping[str, Tensor], genes: Tensor) -> Tensor:
    """`genes` [genes, N] without the changes since `before` that make a shape not valid."""
    kind, valid_genes, *_ = unpack(before)
    changed = np.ascontiguousarray(genes.detach().cpu().numpy().T, np.float64)
    _kernels().keep_valid(functions_of(shape), kind, valid_genes, changed)
    return torch.from_numpy(changed.T).to(genes)


class _Drawn(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any,
        shape: Shape,
        canvas: Canvas,
        background: ArrayLike,
        names: tuple[str, ...],
        *values: Tensor,
    ) -> Tensor:
        context.given = shape, canvas, background, names
        context.save_for_backward(*values)
        return draw_shapes(shape, dict(zip(names, values, strict=True)), canvas, background)

    @staticmethod
    def backward(context: Any, incoming: Tensor) -> tuple[Tensor | None, ...]:
        shape, canvas, background, names = context.given
        values = dict(zip(names, context.saved_tensors, strict=True))
        found = _gradients(shape, values, canvas, background, incoming)
        return *[None] * 4, *(
            found[name].to(values[name]) if name in found else None for name in names
        )


_draw: Callable[..., Tensor] = _Drawn.apply


def _gradients(
    shape: Shape,
    values: Mapping[str, Tensor],
    canvas: Canvas,
    background: ArrayLike,
    incoming: Tensor,
) -> dict[str, Tensor]:
    """By `genes`, `colour` and `alpha`; strips are added up in order, so threads change nothing."""
    parts = (functions_of(shape), *as_drawn(shape, unpack(values)))
    count, number = parts[2].shape
    light = incoming.detach().cpu().numpy()
    ground = np.broadcast_to(as_ground(background), light.shape)
    sampling = make_grid(canvas, SAMPLE_ROWS), SAMPLE_ROWS, make_grid(canvas, ROWS), ROWS
    backward = _kernels().over_backward

    def of_strip(strip: tuple[int, int]) -> NDArray[np.float64]:
        first, last = strip
        some = light[:, first:last].astype(np.float32, "C")
        picture = np.empty_like(some)
        picture[:] = ground[:, first:last]
        gradients = np.zeros((count, number + 4))
        backward(*parts, picture, some, *sampling, STEP * canvas.pixel, first, last, gradients)
        return gradients

    total = np.zeros((count, number + 4))
    for gradients in share(of_strip, cut_strips(canvas.height)):
        total += gradients
    by = torch.from_numpy(total.T.copy())
    return {"genes": by[:number], "colour": by[number:-1], "alpha": by[-1]}


def _kernels() -> ModuleType:
    return load_shared("families.shape.gradient_kernels")
