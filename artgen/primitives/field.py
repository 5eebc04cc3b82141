"""Field: a function of position, such as a small network from (x, y) to a colour."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from artgen.drawing import Drawing
from artgen.primitives._params import Param, Params
from artgen.primitives._primitive import Primitive

__all__ = ["Field"]


class Field(Primitive):
    """A stateless function from positions to colours; its parameters have no instance axis."""

    family: ClassVar[str] = "field"

    def forward(self, xy: Tensor, p: Params) -> Tensor:
        """Colours [M, c], sRGB-encoded, at positions `xy` [M, 2] in canvas units."""
        raise NotImplementedError

    def tensor_shape(self, param: Param, count: int) -> tuple[int, ...]:
        """The shape the parameter was declared with."""
        return param.shape

    def count_of(self, drawing: Drawing) -> int:
        """A field is one part."""
        return 1
