"""Gaussian splats: the soft anisotropic dab, w = exp(-(u² + v²) / 2) in a rotated, scaled frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi
from typing import Any, Literal

import torch
from torch import Tensor

from artgen import Param, Params, Preset, Splat, init, option, pixels
from artgen.errors import UsageError
from artgen.init import Context
from artgen.primitives import Map
from artgen.targets import parse_colour

# exp(-3.7² / 2) = 0.001, which 8 bits cannot show.
CUT = 3.7

DEEPEST = 8.0
"""The largest depth that is learned."""


def _relative(k: float) -> Callable[[Context], float]:
    """Return a rate of `k` divided by the mean spacing, for inverse lengths."""

    def rate(context: Context) -> float:
        return k / context.mean_spacing

    return rate


class Gaussian(Splat):
    """Anisotropic Gaussian splats: position, two scales, rotation and an unbounded colour."""

    @dataclass(frozen=True)
    class Options:
        """Options of `gaussian`."""

        blend: Literal["sum", "mean", "normalized", "depth", "over"] = option(
            "sum", "how weights become a picture"
        )
        scale: Literal["inverse", "log"] = option(
            "log", "learn the inverse of each scale, or its logarithm"
        )
        spot_colours: str | None = option(
            None, "with blend=over: the only colours, dealt to parts in turn; the last lies on top"
        )

    defaults = Preset(count=1000, stage={"steps": 1000})

    def take_options(self) -> None:
        """Read the spot colours. Raises UsageError where they add up, and for what is none."""
        self.fixed_colours = [
            parse_colour(each)
            for each in (self.options.spot_colours or "").split(",")
            if each.strip()
        ]
        if self.fixed_colours and self.options.blend != "over":
            raise UsageError(
                f"spot colours add up with blend={self.options.blend}",
                hint="add --set blend=over",
            )

    @property
    def params(self) -> Mapping[str, Param]:
        """Two scales (standard deviations, in canvas units) and a rotation in radians."""
        length: dict[str, Any] = {"init": init.from_spacing(0.4), "min": pixels(1 / 3)}
        if self.options.scale == "inverse":
            scale = Param(2, lr=_relative(0.1), map="reciprocal", **length)
        else:
            scale = Param(2, lr=0.1, map="exp", **length)
        own = {"scale": scale, "angle": Param(init=init.uniform(0, pi), lr=0.15, period=pi)}
        if self.fixed_colours:
            own["colour"] = Param(3, init=self._dealt, lr=0.0)
            own["z"] = Param(init=self._printed, lr=0.02, map=Map("sigmoid", DEEPEST))
        return own

    def _dealt(self, context: Context, shape: tuple[int, ...]) -> Tensor:
        """Give part i the ink i modulo their number, [3, N]."""
        return torch.tensor(self.fixed_colours).T[:, self._ink(shape)].contiguous()

    def _printed(self, context: Context, shape: tuple[int, ...]) -> Tensor:
        """Lay inks over one another as they are named, from depth 3 to depth 1, [N]."""
        above = (self._ink(shape) + context.random(*shape)) / len(self.fixed_colours)
        return 3 - 2 * above

    def _ink(self, shape: tuple[int, ...]) -> Tensor:
        return torch.arange(shape[-1]) % len(self.fixed_colours)

    def footprint(self, dx: Tensor, dy: Tensor, p: Params) -> Tensor:
        """Return exp(-(u² + v²) / 2), with (u, v) the offset, rotated and divided by the scales."""
        c, s = torch.cos(p.angle), torch.sin(p.angle)
        u, v = (c * dx + s * dy) / p.scale[0], (c * dy - s * dx) / p.scale[1]
        return torch.exp(-0.5 * (u * u + v * v))

    def ellipse(self, p: Params) -> tuple[Tensor, Tensor, Tensor]:
        """Return the ellipse on which the weight is a thousandth."""
        return CUT * p.scale[0], CUT * p.scale[1], p.angle
