"""Brush strokes: long, bent dabs with a flat top, soft ends and the furrows that bristles leave.

Along the stroke u runs from -1 to 1, across it v from -1 to 1, after a bend: v = across/width −
bend·u². The weight is an end profile in u times a flat-topped profile in v, times a texture of
furrows that run along the stroke and wander a little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi, sqrt
from typing import Literal

import torch
from torch import Tensor

from artgen import Param, Params, Preset, Splat, init, option, pixels

REACH = 1.5
"""exp(-1.5^8) and exp(-1.5^6) are below 1e-4: there the profiles end."""
HALF = 0.955
"""exp(-0.955^8) is a half."""


class Stroke(Splat):
    """Strokes of a paint brush, with bristles; their order is learned."""

    @dataclass(frozen=True)
    class Options:
        """Options of `stroke`."""

        blend: Literal["depth", "normalized", "sum", "mean", "over"] = option(
            "depth", "how weights become a picture"
        )
        bristles: float = option(5.0, "number of furrows across a stroke", low=0, high=64)
        texture: float = option(0.35, "depth of the furrows", low=0, high=1)
        hair: Literal["even", "natural"] = option(
            "even", "bristles of one width and square ends, or uneven ones and ragged, round ends"
        )

    defaults = Preset(count=400, stage={"steps": 1000})

    @property
    def params(self) -> Mapping[str, Param]:
        """Half length, half width, rotation, bend, and the phase of the furrows."""
        return {
            "length": Param(init=init.from_spacing(1.6), min=pixels(1), lr=0.05, map="exp"),
            "width": Param(init=init.from_spacing(0.5), min=pixels(0.5), lr=0.05, map="exp"),
            "angle": Param(init=init.uniform(0, pi), lr=0.08, period=2 * pi),
            "bend": Param(init=0.0, min=-2.0, max=2.0, lr=0.05),
            "furrow": Param(init=init.uniform(0, 2 * pi), lr=0.05, period=2 * pi),
        }

    def footprint(self, dx: Tensor, dy: Tensor, p: Params) -> Tensor:
        """Return the product of the two profiles and the furrows."""
        c, s = torch.cos(p.angle), torch.sin(p.angle)
        u = (c * dx + s * dy) / p.length
        v = (c * dy - s * dx) / p.width - p.bend * u * u
        body, across = torch.exp(-(v**6)), self.options.bristles * pi * v
        wander = p.furrow + across + 0.7 * torch.sin(2.3 * u + p.furrow)
        bristles = torch.sin(wander)
        ends = torch.exp(-(u**8))
        if self.options.hair == "natural":
            # Waves of unrelated lengths never repeat, so strokes that cross give no plaid.
            finer = torch.sin(2 * p.furrow + 1.73 * across + 1.1 * torch.sin(3.1 * u))
            finest = torch.sin(
                3 * p.furrow + 2.89 * across + 1.7 * torch.sin(1.3 * u + 2 * p.furrow)
            )
            bristles = 0.45 * bristles + 0.33 * finer + 0.22 * finest
            ends = torch.exp(-((u * u + 0.3 * v * v + 0.15 * bristles) ** 4))
        furrows: Tensor = 1 - self.options.texture * (0.5 + 0.5 * bristles)
        return ends * body * furrows

    def ellipse(self, p: Params) -> tuple[Tensor, Tensor, Tensor]:
        """Return the ellipse through the corners of the bent stroke's box."""
        across = p.width * (REACH + REACH * REACH * p.bend.abs())
        return sqrt(2) * REACH * p.length, sqrt(2) * across, p.angle

    def spine(self, p: Params) -> Tensor:
        """Follow the bend between the points where the ends have fallen to a half."""
        u = HALF * torch.linspace(-1, 1, 13, dtype=p.length.dtype)[:, None]
        along, across = u * p.length, p.bend * u * u * p.width
        c, s = torch.cos(p.angle), torch.sin(p.angle)
        return torch.stack([c * along - s * across, s * along + c * across], 1)
