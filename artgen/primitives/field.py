"""Field: a function of position, such as a small network from (x, y) to a colour.

A field has as many inputs and outputs as its target asks for: 2 and 3 for a picture, 1 and 1 for a
curve y(x), 2 and one per class for labelled points (1 for two classes).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from artgen.drawing import Drawing
from artgen.primitives._params import Param, Params
from artgen.primitives._primitive import Primitive
from artgen.subject import Curve, Points, Subject

if TYPE_CHECKING:
    from artgen.engines.scratch import Node

__all__ = ["Arithmetic", "Field"]

Arithmetic: TypeAlias = Literal["fp32", "bf16"]


class Field(Primitive):
    """A stateless function from positions to colours; its parameters have no instance axis.

    `inputs` and `outputs` are the numbers of them that the target asks for; they are set before
    `resolve_options` is called. A field that follows them can be fitted to more than pictures, and
    says so: ``targets = ("image", "curve", "points")``. `arithmetic` is what `linear` computes in:
    float32, but bfloat16 in the steps of a fit that asks for it. Parameters, drawings and figures
    are float32 all the same.
    """

    family: ClassVar[str] = "field"
    has_count: ClassVar[bool] = False
    inputs: int = 2
    outputs: int = 3
    arithmetic: Arithmetic = "fp32"

    def take(self, subject: Subject | None) -> None:
        """Set `inputs` and `outputs`."""
        if isinstance(subject, Curve | Points):
            self.inputs, self.outputs = subject.inputs, subject.outputs

    def forward(self, xy: Tensor, p: Params) -> Tensor:
        """Values [M, outputs] at positions `xy` [M, inputs].

        Positions are in canvas units, or from -1 to 1 along each axis where there is no canvas.
        Values are sRGB-encoded colours, the height of a curve, or scores of classes.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def linear(self, value: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """A layer of a network, value @ weight.T + bias: [M, k] to [M, n] by a weight [n, k].

        The framework may choose to compute it with 8 significant bits, which processors that have
        bfloat16 do several times faster; the result is bfloat16 then. So it is for layers between
        features, not for positions: use `torch.nn.functional.linear` where every bit counts.
        """
        if self.arithmetic == "fp32":
            return torch.nn.functional.linear(value, weight, bias)
        with torch.autocast(value.device.type, torch.bfloat16):
            return torch.nn.functional.linear(value, weight, bias)

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
