"""Draw windows of a large canvas, each from the parts that touch it: memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from artgen.base.errors import PluginError
from artgen.base.generic import generic
from artgen.primitives import Primitive
from artgen.raster.painting import draw
from artgen.values.canvas import LARGE, Canvas
from artgen.values.drawing import Drawing

STRIP = 2**22
"""Pixels of a strip, about."""

_ALIGNED = 256
"""Rows of a strip are a multiple of this, and so of those of a tile of a TIFF."""


@generic("paint")
def boxes(primitive: Primitive, tensors: Mapping[str, Tensor], canvas: Canvas) -> Tensor:
    """The pixels that each part can reach, int32 [N, 4]: left, right, top, bottom.

    Right and bottom are the first ones outside. A family whose parts are local registers it.
    """
    raise PluginError(f"{type(primitive).__name__} does not say which pixels its parts reach")


class Windows:
    """The parts of a drawing by the pixels of `canvas` that they touch.

    `primitive.is_local` must be true.
    """

    def __init__(self, primitive: Primitive, tensors: Mapping[str, Tensor], canvas: Canvas) -> None:
        self.tensors, self.canvas = tensors, canvas
        self.boxes = boxes(primitive, tensors, canvas)
        _, _, top, bottom = self.boxes.unbind(1)
        self._tallest = int((bottom - top).amax()) if len(top) else 0
        # By their upper ends, so that those near the rows of a window lie together.
        self._tops, self._order = top.sort()

    def touching(self, left: int, top: int, width: int, height: int) -> Tensor:
        """Indices of the parts that may change a pixel of the window, ascending, int64 [n]."""
        right, bottom = left + width, top + height
        ends = self._tops.new_tensor([top - self._tallest, bottom])
        first, last = torch.searchsorted(self._tops, ends).tolist()
        near = self._order[first:last].sort().values
        first_column, end_column, first_row, end_row = self.boxes[near].unbind(1)
        across = (first_column < right) & (end_column > left)
        down = (first_row < bottom) & (end_row > top)
        # A box without pixels touches nothing.
        drawn = (first_column < end_column) & (first_row < end_row)
        return near[across & down & drawn]

    def window(
        self, left: int, top: int, width: int, height: int
    ) -> tuple[dict[str, Tensor], Canvas]:
        """The parts that touch a window, as they are on a canvas of these pixels alone."""
        chosen = self.touching(left, top, width, height)
        canvas, centre = self.canvas.window(left, top, width, height)
        tensors = {name: tensor[..., chosen] for name, tensor in self.tensors.items()}
        return moved(tensors, (-centre[0], -centre[1])), canvas


def moved(tensors: Mapping[str, Tensor], by: tuple[float, float]) -> dict[str, Tensor]:
    """The parts moved by `by`, in canvas units."""
    offset = torch.tensor(by, dtype=torch.float64)[:, None]
    xy = tensors["xy"]
    return {**tensors, "xy": (xy.double() + offset.to(xy.device)).to(xy.dtype)}


def draw_strips(
    drawing: Drawing,
    primitive: Primitive,
    canvas: Canvas,
    *,
    supersample: int = 1,
    **how: Any,
) -> Iterator[Tensor]:
    """Draw as `draw` does, from top to bottom: strips [channels, rows, width].

    A picture of at most `LARGE` pixels, supersampled ones counted, is a single strip, and so is one
    of parts that are not local. Strips differ from a picture drawn at once by rounding only.
    """
    fine = canvas.enlarged(supersample)
    if fine.width * fine.height <= LARGE or not primitive.is_local:
        yield draw(drawing, primitive, canvas, supersample=supersample, **how)
        return
    primitive.check_tensors(drawing)
    windows = Windows(primitive, drawing.tensors, fine)
    rows = max(1, STRIP // (fine.width * supersample * _ALIGNED)) * _ALIGNED
    for top in range(0, canvas.height, rows):
        height = min(rows, canvas.height - top)
        box = (0, top * supersample, fine.width, height * supersample)
        tensors, _ = windows.window(*box)
        part, _ = canvas.window(0, top, canvas.width, height)
        some = replace(drawing, tensors=tensors)
        yield draw(some, primitive, part, supersample=supersample, **how)
