"""Field: a function of position, such as a small network from (x, y) to a colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from artgen.drawing import Drawing
from artgen.primitives._params import Param, Params
from artgen.primitives._primitive import Primitive

if TYPE_CHECKING:
    from artgen.engines.scratch import Node

__all__ = ["Field"]


class Field(Primitive):
    """A stateless function from positions to colours; its parameters have no instance axis."""

    family: ClassVar[str] = "field"

    def forward(self, xy: Tensor, p: Params) -> Tensor:
        """Colours [M, c], sRGB-encoded, at positions `xy` [M, 2] in canvas units."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def encode(self, xy: Tensor) -> Tensor:
        """What `graph` reads at positions [M, 2]: features [M, k] without anything learned."""
        return xy

    def graph(self, features: Node, p: Mapping[str, Node]) -> Node:
        """`forward` once more, as a graph of the engine `scratch`: colours [M, c].

        `features` are those of `encode` [M, k]. `p` holds a matrix [n, k] for every parameter of
        that shape, and a node [1, n] for every parameter of shape [n]. Only fields that name
        `scratch` among their `engines` need it.
        """
        raise NotImplementedError

    def tensor_shape(self, param: Param, count: int) -> tuple[int, ...]:
        """The shape the parameter was declared with."""
        return param.shape

    def count_of(self, drawing: Drawing) -> int:
        """A field is one part."""
        return 1
