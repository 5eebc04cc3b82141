"""Diagrams, soft and anisotropic: a pixel belongs to the sites that are nearest in their measure.

Site i has a height hᵢ and measures the distance dᵢ from its centre in scales of its own, which are
longer along one direction. Its share of a pixel is the softmax of hᵢ - dᵢ over all sites. Where
scales are short beside the cells, these meet at a crisp edge; where they are long, one melts into
the other (after soft anisotropic diagrams, SIGGRAPH 2026, arXiv 2604.21984).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from typing import ClassVar

import torch
from torch import Tensor

from artgen import Param, Params, Preset, Splat, init, pixels

FAINT = 7.0
"""A site ends where its weight is exp(-FAINT): nearer ones outweigh it there."""

HIGHEST = 40.0
"""The greatest height; squares of sums of exp(HIGHEST) are still numbers in 32 bits."""


class Diagram(Splat):
    """Sites whose cells meet at crisp edges or melt into each other."""

    blend = "normalized"
    defaults = Preset(count=600, stage={"steps": 1000})
    # Of few steps, the last ones are kept for what there is: heads and beaks stay whole.
    presets: ClassVar[Mapping[str, Preset]] = {
        "brief": Preset(
            stage={"steps": 300, "every": 0.05, "until": 0.5, "blur": 0.15, "relocate": 0.1}
        )
    }
    params: Mapping[str, Param] = {
        "scale": Param(2, init=init.from_spacing(0.2), min=pixels(0.1), lr=0.1, map="exp"),
        "angle": Param(init=init.uniform(0, pi), lr=0.15, period=pi),
        "height": Param(init=7.0, min=-5.0, max=HIGHEST, lr=0.2),
    }

    def footprint(self, dx: Tensor, dy: Tensor, p: Params) -> Tensor:
        """Return exp(h - d), with d the distance in the site's own scales."""
        c, s = torch.cos(p.angle), torch.sin(p.angle)
        u, v = (c * dx + s * dy) / p.scale[0], (c * dy - s * dx) / p.scale[1]
        # Inside the root, the small term gives the centre a gradient.
        return torch.exp(p.height - torch.sqrt(u * u + v * v + 1e-4))

    def ellipse(self, p: Params) -> tuple[Tensor, Tensor, Tensor]:
        """Return the ellipse on which the weight is exp(-FAINT)."""
        reach = p.height + FAINT
        return reach * p.scale[0], reach * p.scale[1], p.angle
