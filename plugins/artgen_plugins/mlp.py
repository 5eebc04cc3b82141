"""A multilayer perceptron from position to colour, on a frequency encoding of the position.

Every axis becomes sin and cos of 2^i·π·t for `bands` values of i, with t from 0 to 1 along the
longer side: "smooth bits" of the pixel's number. Bands above the pixel grid would be constants on
the grid and noise between the pixels, so there are floor(log2(size)) of them unless asked
otherwise, from half a period along the longer side (i = 0) to the finest that pixels can show.

The presets are a published pair of articles and their author's later code, to the number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor

from artgen import Canvas, Field, Node, Param, Params, Preset, normal, option

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
    """A small network: frequency encoding, LeakyReLU layers, a linear last one without bias."""

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

    engines = ("gradient", "scratch")
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
    }

    def resolve_options(self, canvas: Canvas) -> None:
        """Take bands and reach from the canvas."""
        bands = self.options.bands or max(1, int(math.log2(max(canvas.width, canvas.height))))
        reach = self.options.reach or max(canvas.reach)
        self.options = replace(self.options, bands=bands, reach=reach)

    @property
    def params(self) -> Mapping[str, Param]:  # type: ignore[override]
        """`weight0` [hidden, 2·inputs·bands], `bias0` [hidden]; the last layer has no bias."""
        options = self.options
        features = 2 * self.inputs * (options.bands or 1)
        widths = [features] + [options.hidden] * options.layers + [self.outputs]
        params = {}
        for i, (inputs, outputs) in enumerate(pairwise(widths)):
            std = 1 / math.sqrt(inputs)
            params[f"weight{i}"] = Param(outputs, inputs, init=normal(std), lr=RATE)
            if i < options.layers:
                params[f"bias{i}"] = Param(outputs, init=normal(std), lr=RATE)
        return params

    def encode(self, xy: Tensor) -> Tensor:
        """Features [M, 2·inputs·bands] at positions [M, inputs]: all sines, then all cosines."""
        t = (xy / self.options.reach + 1) / 2
        first, bands = self.options.first_band, self.options.bands
        octaves = math.pi * 2.0 ** torch.arange(first, first + bands, device=xy.device)
        angles = (t[:, :, None] * octaves.to(t)).flatten(1)
        return torch.cat([angles.sin(), angles.cos()], dim=1)

    def forward(self, xy: Tensor, p: Params) -> Tensor:
        """Colours [M, outputs] at positions [M, inputs]."""
        value = self.encode(xy)
        for i in range(self.options.layers):
            value = self.linear(value, getattr(p, f"weight{i}"), getattr(p, f"bias{i}"))
            value = torch.nn.functional.leaky_relu(value, self.options.slope)
        return self.linear(value, getattr(p, f"weight{self.options.layers}"))

    def graph(self, features: Node, p: Mapping[str, Node]) -> Node:
        """The same colours, from encoded positions."""
        value = features
        for i in range(self.options.layers):
            value = value.times(p[f"weight{i}"])
            value = value + p[f"bias{i}"].broadcast(0, features.shape[0])
            value = value.leaky_relu(self.options.slope)
        return value.times(p[f"weight{self.options.layers}"])
