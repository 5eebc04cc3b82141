"""A network with sine activations.

Sines of sines make fine detail of few numbers: of the networks here this one is the best for its
size. All depends on how it starts: with weights for which the sines of every layer get values of
about the same spread, and ω₀, which decides how fine the detail is that is learned first. It is 30
as published, and less where samples are few: finer waves could show anything between them.
(Sitzmann, Martel, Bergman, Lindell and Wetzstein: Implicit neural representations with periodic
activation functions, NeurIPS 2020.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from artgen import Canvas, Field, Param, Params, Preset, init, option
from artgen_plugins._presets import read_presets

RATE = 1e-3
"""The learning rate of all parameters."""

OMEGA = 30.0
"""ω₀ as published, for pictures."""


class Siren(Field):
    """Layers of sin(ω₀(Wx + b)), and a linear last one."""

    @dataclass(frozen=True)
    class Options:
        """Options of `siren`."""

        hidden: int = option(64, "width of the hidden layers", low=1, high=4096)
        layers: int = option(4, "number of layers of sines", low=1, high=16)
        omega: float | None = option(
            None,
            "factor ω₀ inside every sine; 30 for pictures, and less where samples are few",
            low=0.01,
            high=1000,
        )
        reach: float | None = option(
            None, "half the longer side in canvas units; from the target if not given", low=1
        )

    targets = ("image", "curve", "points")
    size_option = "hidden"
    defaults = Preset(stage={"steps": 3000, "batch": 4096, "jitter": 0.5, "final": 0.01})
    presets = read_presets("siren")

    def resolve_options(self, canvas: Canvas) -> None:
        """Set omega and reach from the canvas."""
        few = min(OMEGA, max(canvas.width, canvas.height) / 4)
        self.options = replace(
            self.options,
            omega=self.options.omega or (few if self.scattered else OMEGA),
            reach=self.options.reach or max(canvas.reach),
        )

    @property
    def params(self) -> Mapping[str, Param]:
        """`weight0` [hidden, inputs], `bias0` [hidden], and so on, uniform as published."""
        options, omega = self.options, self.options.omega or OMEGA
        widths = [self.inputs] + [options.hidden] * options.layers
        params = {}
        for i, (inputs, outputs) in enumerate(pairwise([*widths, self.outputs])):
            bound = 1 / inputs if i == 0 else math.sqrt(6 / inputs) / omega
            start = 1 / math.sqrt(inputs)
            params[f"weight{i}"] = Param(outputs, inputs, init=init.uniform(-bound, bound), lr=RATE)
            bias = init.constant(0.5) if i == options.layers else init.uniform(-start, start)
            params[f"bias{i}"] = Param(outputs, init=bias, lr=RATE)
        return params

    def forward(self, xy: Tensor, p: Params) -> Tensor:
        """Return values [M, outputs] at positions [M, inputs]."""
        omega, last = self.options.omega or OMEGA, self.options.layers
        # Neighbouring pixels differ in the last bits of their position only.
        value = torch.nn.functional.linear(xy / (self.options.reach or 1.0), p.weight0, p.bias0)
        for i in range(1, last):
            value = torch.sin(omega * value)
            value = self.linear(value, getattr(p, f"weight{i}"), getattr(p, f"bias{i}"))
        value = torch.sin(omega * value)
        return self.linear(value, getattr(p, f"weight{last}"), getattr(p, f"bias{last}"))
