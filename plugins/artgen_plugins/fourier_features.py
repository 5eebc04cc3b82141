"""A network on random waves.

A network of positions learns what is smooth long before detail. Given many sines and cosines of
positions instead, with random directions and frequencies, it learns both: `sigma` is how fine.
(Tancik et al.: Fourier features let networks learn high frequency functions in low dimensional
domains, NeurIPS 2020.)

The waves are not learned, but they belong to the drawing. None is finer than pixels can show; all
the same the network needs samples between the pixels (the engine's `jitter`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from artgen import Canvas, Field, Param, Params, Preset, init, option
from artgen.init import Context
from artgen_plugins._presets import read_presets

RATE = 0.003
"""The learning rate of all parameters but the waves."""


def relu_params(widths: Sequence[int], rate: float) -> dict[str, Param]:
    """`weight0` [width 1, width 0], `bias0` [width 1] and so on of layers of these widths.

    He et al. 2015, which keeps the variance through ReLU layers; the last one is linear.
    """
    params = {}
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        last = i == len(widths) - 2
        bound = math.sqrt((1 if last else 6) / inputs)
        params[f"weight{i}"] = Param(outputs, inputs, init=init.uniform(-bound, bound), lr=rate)
        params[f"bias{i}"] = Param(outputs, init=init.constant(0.5 if last else 0.0), lr=rate)
    return params


class FourierFeatures(Field):
    """Gaussian random Fourier features, ReLU layers, a linear last one."""

    @dataclass(frozen=True)
    class Options:
        """Options of `fourier_features`."""

        waves: int = option(128, "number of random waves", low=1, high=4096)
        sigma: float | None = option(
            None,
            "standard deviation of their frequencies along each axis, in periods along the longer "
            "side; a twelfth of its pixels if not given",
            low=0.01,
            high=10000,
        )
        hidden: int = option(128, "width of the hidden layers", low=1, high=4096)
        layers: int = option(2, "number of hidden layers", low=1, high=16)
        pixels: int | None = option(
            None, "pixels along the longer side; from the target if not given", low=1
        )
        reach: float | None = option(
            None, "half the longer side in canvas units; from the target if not given", low=1
        )

    targets = ("image", "curve", "points")
    size_option = "hidden"
    defaults = Preset(stage={"steps": 1500, "batch": 8192, "jitter": 0.5, "final": 0.01})
    presets = read_presets("fourier_features")

    def resolve_options(self, canvas: Canvas) -> None:
        """Set sigma, pixels and reach from the canvas."""
        pixels = self.options.pixels or max(canvas.width, canvas.height)
        self.options = replace(
            self.options,
            sigma=self.options.sigma or max(0.01, pixels / 12),
            pixels=pixels,
            reach=self.options.reach or max(canvas.reach),
        )

    @property
    def params(self) -> Mapping[str, Param]:
        """`waves` [waves, inputs], then `weight0` [hidden, 2·waves], `bias0` and so on."""
        options = self.options
        params = {"waves": Param(options.waves, self.inputs, init=self._waves, lr=0)}
        widths = [2 * options.waves] + [options.hidden] * options.layers + [self.outputs]
        return params | relu_params(widths, RATE)

    def _waves(self, context: Context, shape: tuple[int, ...]) -> Tensor:
        """Frequencies in periods along the longer side, at most one per two pixels."""
        highest = (self.options.pixels or 1) / 2
        return ((self.options.sigma or 1.0) * context.randn(*shape)).clamp(-highest, highest)

    def forward(self, xy: Tensor, p: Params) -> Tensor:
        """Return values [M, outputs] at positions [M, inputs]."""
        # Neighbouring pixels differ in the last bits of their position only.
        angles = torch.pi / (self.options.reach or 1.0) * (xy @ p.waves.t())
        value = torch.cat([angles.sin(), angles.cos()], dim=1)
        for i in range(self.options.layers):
            value = torch.relu(self.linear(value, getattr(p, f"weight{i}"), getattr(p, f"bias{i}")))
        last = self.options.layers
        return self.linear(value, getattr(p, f"weight{last}"), getattr(p, f"bias{last}"))
