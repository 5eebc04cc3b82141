"""The objective of shapes: drawn as they are exported, they keep their order and stay valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from artgen.base.options import option
from artgen.engines.evaluation import in_palette
from artgen.engines.gradient.objective import Objective, PictureOptions, objective_of
from artgen.families.shape.contract import Shape

POLISH_STEPS = 300
"""Shapes that another engine found gain little in later steps."""


class ShapeObjective(Objective):
    """The picture of the shapes, with gradients of the area that they cover."""

    @dataclass(frozen=True)
    class Options(PictureOptions):
        """Options of `gradient` for shapes."""

        alpha: Literal["auto", "keep", "learn"] = option(
            "auto", "opacity of the shapes; auto learns it unless all are opaque"
        )

    @classmethod
    def default_steps(cls) -> int:
        """Few: another engine found the shapes."""
        return POLISH_STEPS

    def initial(self) -> dict[str, Tensor]:
        """The first drawing, in the nearest colours of the palette if there is one."""
        return in_palette(super().initial(), self.problem.palette)

    @property
    def frozen(self) -> frozenset[str]:
        """The colours of a palette, and opacities unless they are asked for."""
        opaque = bool((self.problem.drawing.tensors["alpha"] == 1).all())
        alpha = self.options.alpha
        frozen = {
            "alpha": alpha == "keep" or (alpha == "auto" and opaque),
            "colour": self.problem.palette is not None,
        }
        return frozenset(name for name, keep in frozen.items() if keep)

    def backward(self, raw: Mapping[str, Tensor], tensors: Mapping[str, Tensor], step: int) -> None:
        """Set gradients, and keep the shapes as they are for `after_step`."""
        self._before = {name: value.detach().clone() for name, value in raw.items()}
        super().backward(raw, tensors, step)

    def after_step(self, raw: dict[str, Tensor]) -> None:
        """Undo changes that make a shape invalid."""
        shape = self.problem.primitive
        assert isinstance(shape, Shape)
        raw["genes"].copy_(shape.keep_valid(self._before, raw["genes"]))


objective_of.register(Shape)(lambda primitive: ShapeObjective)
