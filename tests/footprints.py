"""Footprints and functions that every compiled backend is tested with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from artgen import Param, Splat, option
from artgen_plugins.gaussian import Gaussian


class Odd(Splat):
    """Every function there is, choices of scalars and of pixels, and a parameter per cell."""

    @dataclass(frozen=True)
    class Options:
        blend: Literal["sum", "mean", "normalized", "depth", "over"] = option("sum", "the blend")

    params = {"size": Param(init=0.3), "bend": Param(2, 3, init=0.4)}

    @property
    def blend(self):
        return self.options.blend

    def footprint(self, dx, dy, p):
        u, v = dx / p.size, torch.where(p.bend[0, 0] > 0.2, dy / p.size, -dy)
        r = torch.hypot(u, v) + 0.1
        ring = torch.sigmoid(3 - r) + torch.erf(r) * torch.exp(-r) + torch.log(r) * 0.1
        wave = torch.sin(3 * u) + torch.cos(2 * v) * torch.tanh(u) + torch.tan(u * 0.3)
        turn = torch.atan2(v, u + 3) + torch.atan(u * v) + torch.floor(u) + torch.trunc(v)
        edge = torch.expm1(-r) + torch.log1p(r) + torch.abs(u).clamp(0.1, 2) + torch.sign(v)
        power = torch.pow(r, p.bend[1, 1]) + torch.sqrt(r) + torch.maximum(u, v)
        odd = torch.where(~(u > v) & (r < 2), p.bend[0, 1] * u, v * p.bend[1, 2])
        return (ring + wave * p.bend[1, 0] + turn * p.bend[0, 2] + edge + power + odd) ** 2 / 50

    def radius(self, p):
        return 2 * p.size


class OddFar(Odd):
    far = 0.3


class Constant(Odd):
    def footprint(self, dx, dy, p):
        return p.bend[0, 0]


class Shaded(Odd):
    """Colours that depend on the pixel, on the splat alone, and on nothing."""

    def colours(self, dx, dy, p):
        across = torch.sigmoid((dx * p.bend[0, 1] + dy) / p.size)
        return across, 1 - across * torch.cos(p.bend[1, 0]), p.bend[1, 1] * 1.5


class Sheet(Gaussian):
    """As large as can be."""

    def ellipse(self, p):
        return (*torch.full_like(p.scale, torch.inf), p.angle)


FUNCTIONS = {
    "exp": (np.exp, (-80, 80)),
    "expm1": (np.expm1, (-80, 80)),
    "expm1 near 0": (np.expm1, (-1e-3, 1e-3)),
    "log": (np.log, (1e-6, 1e3)),
    "log1p": (np.log1p, (-0.99, 1e3)),
    "log1p near 0": (np.log1p, (-1e-3, 1e-3)),
    "sin": (np.sin, (-300, 300)),
    "cos": (np.cos, (-300, 300)),
    "tan": (np.tan, (-1.5, 1.5)),
    "tanh": (np.tanh, (-20, 20)),
    "tanh near 0": (np.tanh, (-1e-3, 1e-3)),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), (-80, 80)),
    "atan": (np.arctan, (-1e3, 1e3)),
    "erf": (np.vectorize(math.erf), (-5, 5)),
    "floor": (np.floor, (-10, 10)),
    "trunc": (np.trunc, (-10, 10)),
    "sign": (np.sign, (-1, 1)),
    "abs": (np.abs, (-1, 1)),
    "atan2": (np.arctan2, (-3, 3), (-3, 3)),
    "minimum": (np.minimum, (-3, 3), (-3, 3)),
    "maximum": (np.maximum, (-3, 3), (-3, 3)),
    "power": (np.power, (0.01, 4), (-4, 4)),
}
"""Each with what it should be and the ranges of its arguments."""
