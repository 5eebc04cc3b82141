"""A cloud of dots in a room: from the front it shows one picture, from the side another.

A pose turns the cloud about its upright axis, by degrees. Dots have one size and one colour, so
what is drawn is where they are: `artgen fit a.png -p cloud --view pose=90:b.png`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

import artgen
from artgen import Param, Params, Preset, Splat, option, pixels, rates
from artgen.init import Context
from artgen.targets import parse_colour

CUT = 1.37
"""Radii at which a dot ends: a weight of 0.0014."""


class Cloud(Splat):
    """Dots of one size and colour, at x, y and a depth."""

    @dataclass(frozen=True)
    class Options:
        """Options of `cloud`."""

        colour: str = option("#1d1b20", "colour of the dots")
        size: float = option(0.011, "radius of a dot in canvas units", low=1e-3, high=0.2)

    blend = "over"
    known_deviations: ClassVar[Mapping[str, str]] = {
        "gradients": "the depth is seen in other poses alone"
    }
    defaults = Preset(count=4000, stage={"steps": 1000, "loss": "pyramid"}, background="#f4f1ea")

    @property
    def params(self) -> Mapping[str, Param]:
        """Places and depths, in canvas units; size and colour stay as they begin."""
        return {
            "xy": Param(2, init=self._places, lr=rates.per_spacing(0.05)),
            "depth": Param(init=self._depths, lr=rates.per_spacing(0.05)),
            "size": Param(init=self.options.size, min=pixels(1.2), lr=0.0),
            "colour": Param(3, init=self._colour, lr=0.0),
            "opacity": Param(init=0.9, lr=0.02, map="sigmoid"),
            "z": Param(init=1.0, lr=0.0),
        }

    def _colour(self, context: Context, shape: tuple[int, ...]) -> Tensor:
        return torch.tensor(parse_colour(self.options.colour))[:, None].expand(shape).clone()

    def _places(self, context: Context, shape: tuple[int, ...]) -> Tensor:
        """Draw places where the picture has the colour of dots, in rows that all pictures share."""
        if context.target is None:
            return context.places(shape[-1], 0.0)
        dark = self._amounts(context.target, context)
        rows = [self._amounts(goal, context).sum(1) for goal in context.goals.values()]
        rows.append(dark.sum(1))
        most = torch.stack(rows).max(0).values * (torch.stack(rows).min(0).values > 0)
        density = dark / rows[-1].clamp_min(1e-9)[:, None] * most[:, None] + 1e-9
        return context.in_pixels(density / density.sum(), shape[-1])

    def _depths(self, context: Context, shape: tuple[int, ...]) -> Tensor:
        """Draw depths at which a dot is seen, in its row, where the first other pose has dots."""
        found = ((pose, goal) for pose, goal in context.goals.items() if pose % 180)
        pose, goal = next(found, (90.0, None))
        reach, (x, y) = context.canvas.reach, context.values["xy"]
        if goal is None:
            return reach[0] * (2 * context.random(*shape) - 1)
        dark = self._amounts(goal, context) + 1e-9
        height, width = dark.shape
        row = ((y / reach[1] + 1) / 2 * height).long().clamp(0, height - 1)
        sums = dark.cumsum(1)[row]
        pick = torch.searchsorted(sums, context.random(*shape)[:, None] * sums[:, -1:])[:, 0]
        seen = reach[0] * (2 * (pick + context.random(*shape)) / width - 1)
        c, s = math.cos(math.radians(pose)), math.sin(math.radians(pose))
        depths: Tensor = (seen - c * x) / s
        return depths

    def _amounts(self, picture: Tensor, context: Context) -> Tensor:
        """Return how far each pixel is on the way from the paper to the colour of dots."""
        paper = torch.tensor(context.background)
        way = torch.tensor(parse_colour(self.options.colour)) - paper
        share = ((picture - paper[:, None, None]) * way[:, None, None]).sum(
            0
        ) / way.square().sum().clamp_min(1e-9)
        amounts = F.adaptive_avg_pool2d(share[None], (context.canvas.height, context.canvas.width))
        return amounts[0].clamp(0, 1)

    def footprint(self, dx: Tensor, dy: Tensor, p: Params) -> Tensor:
        """Return exp(-r⁶), with r in radii: a disc whose edge is a little soft."""
        area = (dx * dx + dy * dy) / (p.size * p.size)
        return torch.exp(-area * area * area)

    def radius(self, p: Params) -> Tensor:
        """Return where the weight is a thousandth, about."""
        return CUT * p.size


@artgen.family.posed.register(Cloud)
def turned(cloud: Cloud, tensors: Mapping[str, Tensor], pose: float) -> dict[str, Tensor]:
    """Turn the cloud by `pose` degrees about its upright axis: at 90 the depth is seen as x."""
    c, s = math.cos(math.radians(pose)), math.sin(math.radians(pose))
    (x, y), depth = tensors["xy"], tensors["depth"]
    return {**tensors, "xy": torch.stack([c * x + s * depth, y]), "depth": c * depth - s * x}
