"""Densification of splats: which of them save little error, and make room for others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from artgen.engines.evaluation import Paint, summed_colour
from artgen.engines.gradient.densify import Densification
from artgen.engines.gradient.device_steps import Survey
from artgen.families.splat.contract import Splat
from artgen.families.splat.importance import added_error, importance
from artgen.primitives import Params
from artgen.raster import paint
from artgen.values.drawing import Drawing

ALL_POINTS, FEWEST_POINTS, MOST_POINTS = 2**18, 64, 256
"""Sample points for all splats, and in the ellipse of one; many of these are in other cells."""


class SplatDensification(Densification):
    """Densification that knows how much of the error each splat saves."""

    primitive: Splat

    @property
    def adds(self) -> bool:
        """Whether splats add up; others share the picture."""
        return self.primitive.blend == "sum"

    @property
    def moving(self) -> float:
        """The share of the splats that a round moves, before it is divided."""
        return float(self.options.move if self.adds else self.options.relocate)

    def survey(self, tensors: Mapping[str, Tensor]) -> Survey:
        """The picture, and what `rank` asks of it."""
        if self.adds or self.options.importance == "colour":
            return super().survey(tensors)
        return Survey(self.paint(tensors))

    def rank(self, tensors: Mapping[str, Tensor], image: Tensor, worth: Tensor | None) -> Tensor:
        """Order splats by their summed colour, or by the error that it saves."""
        if self.options.importance == "colour":
            return super().rank(tensors, image, worth)
        if self.adds:
            return error_without(self.primitive, tensors, super().rank(tensors, image, worth))
        drawing = replace(self.problem.drawing, tensors=tensors)
        # Of a white ground, this is what parts without colour leave.
        ground = paint(
            self.primitive,
            {**tensors, "colour": torch.zeros_like(tensors["colour"])},
            drawing.canvas,
            background=(1.0, 1.0, 1.0),
            background_weight=drawing.background_weight,
            backend=self.problem.backend,
        )[:1]
        weights = drawing.background_weight * (1 / ground - 1)
        error_weight = torch.ones_like(ground) if self.weight is None else self.weight[None]
        lacking = torch.cat([self.target - image, error_weight])
        points = ALL_POINTS // tensors["xy"].shape[1]
        points = min(MOST_POINTS, max(FEWEST_POINTS, points))
        return added_error(drawing, self.primitive, torch.cat([image, weights]), lacking, points)

    def lacking(self, image: Tensor) -> Tensor:
        """What the picture lacks, or the target where a new splat takes the place of others."""
        return super().lacking(image) if self.adds else self.target

    @torch.no_grad()
    def relocate(
        self, tensors: Mapping[str, Tensor], most: int
    ) -> tuple[Tensor, dict[str, Tensor]] | None:
        """Indices of up to `most` splats that save little error, and others for their places.

        Little is less than the mean error per splat: where the picture is good, none is. None for
        splats that share the picture.
        """
        if not self.adds:
            return None
        splat = self.primitive
        drawing = replace(self.problem.drawing, tensors=tensors)
        saved, error = error_saved(splat, drawing, self.paint, self.target, self.weight)
        weakest = saved.argsort(stable=True)[:most]
        ended = weakest[saved[weakest] < error / len(saved)].sort().values
        if not len(ended):
            return None
        kept = torch.ones_like(saved, dtype=torch.bool)
        kept[ended] = False
        image = self.paint({name: tensor[..., kept] for name, tensor in tensors.items()})
        return ended, self.parts_among(tensors["xy"][:, kept], len(ended), image, 0, 1.0, 0.5)


def error_without(splat: Splat, tensors: Mapping[str, Tensor], colour: Tensor) -> Tensor:
    """The squared error that leaving out each splat would add, up to a common factor, [N].

    `colour` is `summed_colour`. Where colours are the least squares, that error is ∑ w² c² over the
    pixels, with weights w and the colour c. Its estimate is (∑ w c)², divided by the area of the
    ellipse: exact for splats of one shape, whatever their size.
    """
    long, wide, _ = splat.ellipse(Params(tensors))
    return colour.square() / (long * wide)


def error_saved(
    splat: Splat, drawing: Drawing, paint: Paint, target: Tensor, weight: Tensor | None
) -> tuple[Tensor, float]:
    """The squared error that each splat can save where it is, float32 [N], and that of the picture.

    It is what leaving out a splat would add if its colour c were the best one for all others as
    they are, I - 2 c·g + g² c² / I, where I = ∑ w² c² is `importance` and g half the derivative of
    the squared error by c. Splats that something else hides by now save next to nothing, and so do
    those that left the canvas. `target` is [3, height, width] and `weight` [height, width].
    """
    colour = drawing.tensors["colour"].detach().clone().requires_grad_()
    with torch.enable_grad():
        squares = (paint({**drawing.tensors, "colour": colour}) - target).square()
        half = (squares if weight is None else squares * weight).sum() / 2
    (slope,) = torch.autograd.grad(half, colour)
    here = replace(drawing, tensors={name: t.cpu() for name, t in drawing.tensors.items()})
    own = importance(here, splat).to(colour.device) * (math.pi / drawing.canvas.pixel**2)
    if weight is not None:
        covered = (summed_colour(paint, drawing.tensors, each) for each in (weight, None))
        own = own * torch.div(*covered).nan_to_num(0.0, 0.0, 0.0)
    colour = colour.detach()
    rest = slope.square().sum(0) * colour.square().sum(0) / own.clamp_min(1e-12)
    return own - 2 * (colour * slope).sum(0) + rest, 2 * float(half)
