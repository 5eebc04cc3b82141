"""A multilayer perceptron from position to colour, on a frequency encoding of the position.

Every axis becomes sin and cos of 2^i·π·t for `bands` values of i, with t from 0 to 1 along the
longer side: "smooth bits" of the pixel's number. Bands above the pixel grid would be constants on
the grid and noise between the pixels, so there are floor(log2(size)) of them unless asked
otherwise, from half a period along the longer side (i = 0) to the finest that pixels can show.
Curves and labelled points have samples in place of pixels.

The presets that end in -v1, -v2 and -v3 are published, to the number: `compression` is a pair of
articles and their author's later code, `curve` and `classifier` are two other articles of his.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from artgen import Canvas, Field, Param, Params, Preset, init, option
from artgen.errors import UsageError
from artgen.init import Context
from artgen_plugins.autograd import Node

Init = Callable[[Context, tuple[int, ...]], Tensor]

RATE = 0.01
"""The learning rate of all parameters."""


def _published(
    first_band: int, *, batch: int, rate: float, decay: float, loss: str, optimizer: str
) -> Preset:
    """64 features, 32,000 steps, an AdamW of their own, a rate that falls by a factor per step."""
    stage: dict[str, Any] = {
        "steps": 32_000,
        "batch": batch,
        "loss": loss,
        "optimizer": optimizer,
        "rate": rate / RATE,
        "schedule": "exponential",
        "decay": decay,
        "warmup": 0,
        "beta1": 0.92,
        "beta2": 0.95,
        "weight_decay": 0.01,
        # The published loss is a sum over the batch and its channels, ours a mean.
        "epsilon": 1e-8 / (3 * batch),
    }
    options = {"hidden": 64, "layers": 3, "bands": 16, "first_band": first_band, "slope": 0.1}
    return Preset(options=options, stage=stage, engines=("gradient", "scratch"))


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
    presets: ClassVar[Mapping[str, Preset]] = {
        "compression": Preset(
            options={"hidden": 70, "layers": 3},
            stage={"steps": 32_000, "batch": 256, "rate": 0.6, "final": 0.01},
            engines=("gradient", "scratch"),
        ),
        "large": Preset(
            options={"hidden": 256},
            stage={"steps": 2000, "batch": 8192, "rate": 0.3, "jitter": 0.5, "final": 0.01},
        ),
        "compression-v1": _published(
            0, batch=256, rate=3.33e-4, decay=0.9999, loss="l1+mse", optimizer="adamw-centred"
        ),
        "compression-v2": _published(
            1, batch=64, rate=5.33e-4, decay=0.99999, loss="mse", optimizer="adamw-centred"
        ),
        "compression-v3": _published(
            1,
            batch=64,
            rate=5.33e-4,
            decay=0.99999,
            loss="mse+0.25*exponential",
            optimizer="adamw-uncorrected",
        ),
        "curve-v1": Preset(
            options={
                "hidden": 64,
                "layers": 2,
                "slope": 0.1,
                "encoding": "position",
                "last_bias": True,
                "weights": "uniform",
            },
            stage={
                "steps": 3000,
                "batch": 1,
                "loss": "mse",
                "optimizer": "adamw-centred",
                "rate": 1e-3 / RATE,
                "schedule": "constant",
                "warmup": 0,
                "beta1": 0.9,
                "beta2": 0.9,
                "epsilon": 1e-8,
                "weight_decay": 1e-3,
            },
            engines=("gradient", "scratch"),
        ),
        "classifier": Preset(
            options={
                "hidden": 32,
                "bands": 2,
                "activation": "tanh",
                "last_bias": True,
            },
            # The decay keeps borders between classes simple.
            stage={"steps": 2000, "batch": 0, "optimizer": "adamw", "weight_decay": 0.1},
        ),
        "classifier-v1": Preset(
            options={
                "hidden": 16,
                "layers": 4,
                "encoding": "unit",
                "activation": "tanh",
                "output": "tanh",
                "last_bias": True,
                "weights": "normal",
            },
            stage={
                # 256 times every one of 32 points.
                "steps": 256 * 32,
                "batch": 1,
                "epochs": True,
                "loss": "l1",
                "optimizer": "adamw",
                "rate": 1e-3 / RATE,
                "schedule": "constant",
                "warmup": 0,
                "beta1": 0.9,
                "beta2": 0.999,
                "epsilon": 1e-8,
                "weight_decay": 1e-2,
            },
        ),
    }

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
