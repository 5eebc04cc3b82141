"""The simplest splat with every blend, for tests that need one of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from artgen import Param, Splat, from_spacing, option, pixels

__all__ = ["Blob"]


class Blob(Splat):
    @dataclass(frozen=True)
    class Options:
        blend: Literal["sum", "mean", "normalized", "depth", "over"] = option("sum", "the blend")

    params = {
        "size": Param(init=from_spacing(0.6), min=pixels(0.5), max=0.8, lr=0.05, map="exp"),
    }

    @property
    def blend(self):
        return self.options.blend

    def footprint(self, dx, dy, p):
        return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))

    def radius(self, p):
        return 2.6 * p.size
