"""A multilayer perceptron from position to colour, on a frequency encoding of the position.

Every axis becomes sin and cos of 2^i·π·t for `bands` values of i, with t from 0 to 1 along the
longer side: "smooth bits" of the pixel's number. Bands above the pixel grid would be constants on
the grid and noise between the pixels, so there are floor(log2(size)) of them unless asked
otherwise, from half a period along the longer side (i = 0) to the finest that pixels can show.
Curves and labelled points have samples in place of pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from artgen import Canvas, Field, Param, Params, Preset, init, option
from artgen.errors import UsageError
from artgen.init import Context
from artgen_plugins._presets import read_presets
from artgen_plugins.autograd import Node

Init = Callable[[Context, tuple[int, ...]], Tensor]

RATE = 0.01
"""The learning rate of all parameters."""


class MLP(Field):
    """A small network: frequency encoding, LeakyReLU layers, a linear last one."""

    @dataclass(frozen=True)
    class Options:
        """Options of `mlp`."""

        hidden: int = option(64, "width of the hidden layers", low=1, high=4096)
        layers: int = option(3, "number of hidden layers", low=1, high=16)
        bands: int | None = option(
            None, "octaves of the encoding; floor(log2(size)) if not given", low=1, high=24
        )
        first_band: int = option(
            0, "the first octave: 0 is half a period along the longer side", low=-8, high=24
        )
        reach: float | None = option(
            None, "half the longer side in canvas units; from the target if not given", low=1
        )
        slope: float = option(0.1, "slope of the LeakyReLU below zero", low=0, high=1)
        encoding: Literal["frequency", "position", "unit"] = option(
            "frequency", "input of the first layer: octaves, -1 to 1, or 0 to 1"
        )
        activation: Literal["leaky_relu", "tanh"] = option(
            "leaky_relu", "activation of the hidden layers"
        )
        output: Literal["linear", "tanh"] = option("linear", "activation of the last layer")
        last_bias: bool = option(False, "whether the last layer has a bias")
        weights: Literal["scaled", "normal", "uniform"] = option(
            "scaled", "initial weights: normal over the root of the inputs, normal, or from 0 to 1"
        )

    engines = ("gradient", "scratch")
    targets = ("image", "curve", "points")
    size_option = "hidden"
    defaults = Preset(stage={"steps": 3000, "batch": 4096}, engines=("gradient", "scratch"))
    presets = read_presets("mlp")

    def resolve_options(self, canvas: Canvas) -> None:
        """Set bands and reach from the canvas."""
        options = self.options
        bands = options.bands or max(1, int(math.log2(max(canvas.width, canvas.height))))
        reach = options.reach or max(canvas.reach)
        self.options = replace(self.options, bands=bands, reach=reach)

    @property
    def params(self) -> Mapping[str, Param]:
        """`weight0` [hidden, features], `bias0` [hidden], and so on."""
        options = self.options
        features = self.inputs
        if options.encoding == "frequency":
            features *= 2 * (options.bands or 1)
        widths = [features] + [options.hidden] * options.layers + [self.outputs]
        params = {}
        for i, (inputs, outputs) in enumerate(pairwise(widths)):
            start = self._start(inputs)
            params[f"weight{i}"] = Param(outputs, inputs, init=start, lr=RATE)
            if i < options.layers or options.last_bias:
                params[f"bias{i}"] = Param(outputs, init=start, lr=RATE)
        return params

    def _start(self, inputs: int) -> Init:
        """Return the initial values of the weights and biases of a layer."""
        if self.options.weights == "uniform":
            return init.uniform(0, 1)
        return init.normal(1 / math.sqrt(inputs) if self.options.weights == "scaled" else 1.0)

    def encode(self, xy: Tensor) -> Tensor:
        """Encode positions [M, inputs] as [M, k]: all sines, then all cosines; or as they are."""
        if self.options.encoding == "position":
            return xy / float(self.options.reach)
        t: Tensor = (xy / self.options.reach + 1) / 2
        if self.options.encoding == "unit":
            return t
        first, bands = self.options.first_band, self.options.bands
        octaves = math.pi * 2.0 ** torch.arange(first, first + bands, device=xy.device)
        angles = (t[:, :, None] * octaves.to(t)).flatten(1)
        return torch.cat([angles.sin(), angles.cos()], dim=1)

    def forward(self, xy: Tensor, p: Params) -> Tensor:
        """Return values [M, outputs] at positions [M, inputs]."""
        options, last = self.options, self.options.layers
        value = self.encode(xy)
        for i in range(last + 1):
            bias = getattr(p, f"bias{i}") if i < last or options.last_bias else None
            value = self.linear(value, getattr(p, f"weight{i}"), bias)
            if (options.activation if i < last else options.output) == "tanh":
                value = torch.tanh(value)
            elif i < last:
                value = torch.nn.functional.leaky_relu(value, options.slope)
        return value

    def graph(self, features: Node, p: Mapping[str, Node]) -> Node:
        """Build the graph of the same values from encoded positions."""
        options, last = self.options, self.options.layers
        if "tanh" in (options.activation, options.output):
            raise UsageError(
                "mlp with tanh has no graph for engine scratch",
                hint="use -e gradient, or leave activation and output as they are",
            )
        value = features
        for i in range(last + 1):
            value = value.times(p[f"weight{i}"])
            if i < last or options.last_bias:
                value = value + p[f"bias{i}"].broadcast(0, features.shape[0])
            if i < last:
                value = value.leaky_relu(options.slope)
        return value
