"""Field: a function of position, such as a small network from (x, y) to a colour.

A field has as many inputs and outputs as its target asks for: 2 and 3 for a picture, 1 and 1 for a
curve y(x), 2 and one per class for labelled points (1 for two classes).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from artgen.drawing import Drawing
from artgen.primitives._params import Param, Params
from artgen.primitives._primitive import Primitive
from artgen.subject import Subject

if TYPE_CHECKING:
    from artgen.engines.scratch import Node

__all__ = ["Field"]


class Field(Primitive):
    """A stateless function from positions to colours; its parameters have no instance axis.

    `inputs` and `outputs` are the numbers of them that the target asks for; they are set before
    `resolve_options` is called. A field that follows them can be fitted to more than pictures, and
    says so: ``targets = ("image", "curve", "points")``.
    """

    family: ClassVar[str] = "field"
    inputs: int = 2
    outputs: int = 3

    def take(self, subject: Subject | None) -> None:
        """Set `inputs` and `outputs`."""
        if subject is not None:
            self.inputs, self.outputs = subject.inputs, subject.outputs

    def forward(self, xy: Tensor, p: Params) -> Tensor:
        """Values [M, outputs] at positions `xy` [M, inputs].

        Positions are in canvas units, or from -1 to 1 along each axis where there is no canvas.
        Values are sRGB-encoded colours, the height of a curve, or scores of classes.
        """
        raise NotImplementedError

    def encode(self, xy: Tensor) -> Tensor:
        """What `graph` reads at positions [M, inputs]: features [M, k] with nothing learned."""
        return xy

    def graph(self, features: Node, p: Mapping[str, Node]) -> Node:
        """`forward` once more, as a graph of the engine `scratch`: values [M, outputs].

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
