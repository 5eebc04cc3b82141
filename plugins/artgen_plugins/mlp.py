"""A multilayer perceptron from position to colour, on a frequency encoding of the position.

Every axis becomes sin and cos of 2^i·π·t for i < bands, with t from 0 to 1 along the longer side:
"smooth bits" of the pixel's number. Bands above the pixel grid would be constants on the grid and
noise between the pixels, so there are floor(log2(size)) of them unless asked otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from artgen import Canvas, Field, Param, Params, Preset, normal, option


class MLP(Field):
    """A small network: frequency encoding, LeakyReLU layers, a linear last one without bias."""

    @dataclass(frozen=True)
    class Options:
        """Options of `mlp`."""

        hidden: int = option(64, "width of the hidden layers", low=1, high=4096)
        layers: int = option(3, "number of hidden layers", low=1, high=16)
        bands: int | None = option(
            None, "octaves of the encoding; floor(log2(size)) if not given", low=1, high=24
        )
        reach: float | None = option(
            None, "half the longer side in canvas units; from the target if not given", low=1
        )
        slope: float = option(0.1, "slope of the LeakyReLU below zero", low=0, high=1)

    defaults = Preset(stage={"steps": 3000, "batch": 4096})

    def resolve_options(self, canvas: Canvas) -> None:
        """Take bands and reach from the canvas."""
        bands = self.options.bands or max(1, int(math.log2(max(canvas.width, canvas.height))))
        reach = self.options.reach or max(canvas.reach)
        self.options = replace(self.options, bands=bands, reach=reach)

    @property
    def params(self) -> Mapping[str, Param]:  # type: ignore[override]
        """`weight0` [hidden, 4·bands], `bias0` [hidden], and so on; the last layer has no bias."""
        options = self.options
        widths = [4 * (options.bands or 1)] + [options.hidden] * options.layers + [3]
        params = {}
        for i, (inputs, outputs) in enumerate(pairwise(widths)):
            std = 1 / math.sqrt(inputs)
            params[f"weight{i}"] = Param(outputs, inputs, init=normal(std), lr=0.01)
            if i < options.layers:
                params[f"bias{i}"] = Param(outputs, init=normal(std), lr=0.01)
        return params

    def forward(self, xy: Tensor, p: Params) -> Tensor:
        """Colours [M, 3] at positions [M, 2]."""
        t = (xy / self.options.reach + 1) / 2
        octaves = math.pi * 2.0 ** torch.arange(self.options.bands, device=xy.device)
        angles = (t[:, :, None] * octaves.to(t)).flatten(1)
        value = torch.cat([angles.sin(), angles.cos()], dim=1)
        for i in range(self.options.layers):
            value = torch.nn.functional.linear(
                value, getattr(p, f"weight{i}"), getattr(p, f"bias{i}")
            )
            value = torch.nn.functional.leaky_relu(value, self.options.slope)
        return torch.nn.functional.linear(value, getattr(p, f"weight{self.options.layers}"))
