"""Field: a function of position, such as a small network from (x, y) to a colour.

A field has as many inputs and outputs as its target asks for: 2 and 3 for a picture, 1 and 1 for a
curve y(x), 2 and one per class for labelled points (1 for two classes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from artgen.base.errors import UsageError
from artgen.base.options import option
from artgen.primitives.edges import colours_of
from artgen.primitives.params import Param, Params
from artgen.primitives.primitive import Arithmetic, Primitive, SymmetryOptions
from artgen.values.subject import Curve, Points, Subject


@dataclass(frozen=True)
class FieldOptions(SymmetryOptions):
    """Options of every field of pictures."""

    colours: str | None = option(
        None, "the only colours, separated by commas; each position has a score for each"
    )


class Field(Primitive):
    """A stateless function from positions to colours; its parameters have no instance axis.

    `inputs` and `outputs` are the numbers of them that the target asks for; they are set before
    `resolve_options` is called. A field that follows them can be fitted to more than pictures, and
    says so: ``targets = ("image", "curve", "points")``. Samples of these are `scattered`: they may
    be far apart, where pixels are everywhere. `arithmetic` is what `linear` computes in: float32,
    but bfloat16 in the steps of a fit that asks for it. Parameters, drawings and metrics are
    float32 all the same.
    """

    family: ClassVar[str] = "field"
    answers: ClassVar[str | None] = __package__
    required: ClassVar[tuple[str, ...]] = ("forward",)
    common_options: ClassVar[type[Any] | None] = FieldOptions
    Options: ClassVar[type[Any]] = FieldOptions
    arithmetics: ClassVar[tuple[Arithmetic, ...]] = ("fp32", "bf16")
    has_count: ClassVar[bool] = False
    inputs: int = 2
    outputs: int = 3
    scattered: bool = False
    arithmetic: Arithmetic = "fp32"
    palette: Tensor | None = None

    @property
    def palettes(self) -> bool:
        """Whether it has as many outputs as are asked for, and shows a picture."""
        return "points" in self.targets and not self.scattered

    def take_options(self) -> None:
        """Score each colour in place of channels, if there are some. Raises UsageError."""
        if self.options.colours:
            levels = colours_of(self.options.colours)
            self.palette, self.outputs = torch.from_numpy(levels).float(), len(levels)

    def take(self, subject: Subject | None) -> None:
        """Set `inputs`, `outputs` and `scattered` for a curve or labelled points."""
        if isinstance(subject, Curve | Points):
            if self.palette is not None:
                raise UsageError("colours are for pictures", hint="leave out colours")
            if self.group is not None and subject.inputs != 2:
                raise UsageError("a curve has no symmetry", hint="leave out --symmetry")
            self.scattered = True
            self.inputs, self.outputs = subject.inputs, subject.outputs

    def take_palette(self, colours: Sequence[str]) -> None:
        """Score these colours."""
        self.options = replace(self.options, colours=",".join(colours))
        self.take_options()

    def declared_params(self) -> dict[str, Param]:
        """Return all parameters; the last is `colour` [3, K], where colours are scored."""
        params, palette = super().declared_params(), self.palette
        if palette is not None:
            params["colour"] = Param(3, len(palette), init=lambda *_: palette.t().clone(), lr=0)
        return params

    def forward(self, xy: Tensor, p: Params) -> Tensor:
        """Return values [M, outputs] at positions `xy` [M, inputs].

        Positions are in canvas units, or from -1 to 1 along each axis without a canvas.
        Values are sRGB-encoded colours, the height of a curve, or scores of classes.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def at(self, xy: Tensor, p: Params) -> Tensor:
        """Values [M, outputs] at positions `xy` [M, inputs]; the mean colours [M, 3] of scores."""
        value = self.scores(xy, p)
        return value if self.palette is None else value.float().softmax(1) @ p.colour.t()

    def scores(self, xy: Tensor, p: Params) -> Tensor:
        """Values [M, outputs] at positions `xy` [M, inputs], folded into the cell of the group."""
        if self.group is None:
            return self.forward(xy, p)
        places = self.group.fold(xy.detach().cpu().double().numpy())
        return self.forward(torch.from_numpy(places).to(xy), p)

    def goal(self, target: Tensor) -> Tensor:
        """What `scores` shall be for a picture [3, h, w]: itself, or a 1 for the nearest colour."""
        if self.palette is None:
            return target
        palette = self.palette.to(target)
        nearest = torch.cdist(target.flatten(1).t(), palette).argmin(1)
        return torch.eye(len(palette)).to(target)[:, nearest].reshape(-1, *target.shape[1:])

    def linear(self, value: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Apply a linear layer, value @ weight.T + bias: [M, k] to [M, n] by a weight [n, k].

        The framework may compute it in bfloat16, with 8 significant bits, where the processor is
        several times faster then; the result is bfloat16 too. Use it between features; use
        `torch.nn.functional.linear` for positions, where every bit counts.
        """
        if self.arithmetic == "fp32":
            return torch.nn.functional.linear(value, weight, bias)
        with torch.autocast(value.device.type, torch.bfloat16):
            return torch.nn.functional.linear(value, weight, bias)

    def encode(self, xy: Tensor) -> Tensor:
        """Features [M, k] at positions [M, inputs], without parameters: the input of `graph`."""
        return xy

    def graph(self, features: Any, p: Mapping[str, Any]) -> Any:
        """`forward` as a graph of nodes of `artgen_plugins.autograd`: values [M, outputs].

        Only the engine `scratch` needs it. `features` are those of `encode` [M, k]. `p` holds a
        matrix [n, k] for every parameter of that shape, and a node [1, n] for every parameter of
        shape [n].
        """
        raise NotImplementedError

    @property
    def has_graph(self) -> bool:
        """Whether the field defines `graph`, and no group folds its positions."""
        return type(self).graph is not Field.graph and self.group is None
