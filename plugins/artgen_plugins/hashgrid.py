"""A hash grid: features from grids of several resolutions, and a small network.

Coarse grids hold what a region looks like and fine ones the detail, so the network can be small and
steps are fast. In a grid with more vertices than rows, vertices share rows by hashing. (Müller,
Evans, Schied and Keller: Instant neural graphics primitives with a multiresolution hash encoding,
SIGGRAPH 2022.)

The finest grid is as fine as the pixels. Half of the training positions lie between pixels (the
engine's `jitter`), because the grids would otherwise hold noise there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from artgen import Canvas, Field, Param, Params, Preset, init, nn, option
from artgen_plugins._presets import read_presets
from artgen_plugins.fourier_features import relu_params

RATE = 0.01
"""The learning rate of all parameters."""


class HashGrid(Field):
    """A multiresolution hash encoding, ReLU layers, a linear last one."""

    @dataclass(frozen=True)
    class Options:
        """Options of `hashgrid`."""

        levels: int = option(16, "number of grids", low=1, high=32)
        log2_rows: int = option(15, "log2 of the largest number of rows of a grid", low=4, high=24)
        features: int = option(2, "features per row", low=1, high=8)
        base: int | None = option(
            None,
            "cells of the coarsest grid along the longer side; 16 for pictures, 1 for samples",
            low=1,
            high=4096,
        )
        finest: int | None = option(
            None,
            "cells of the finest grid; the number of pixels, or of samples of a curve",
            low=1,
            high=2**20,
        )
        hidden: int = option(64, "width of the hidden layers", low=1, high=1024)
        layers: int = option(2, "number of hidden layers", low=1, high=16)
        aspect: float | None = option(
            None, "width relative to height; from the target if not given", low=1e-5, high=1e5
        )

    targets = ("image", "curve", "points")
    size_option = "log2_rows"
    defaults = Preset(
        stage={"steps": 1000, "batch": 16384, "jitter": 0.5, "final": 0.01},
    )
    presets = read_presets("hashgrid")

    def resolve_options(self, canvas: Canvas) -> None:
        """Set the coarsest and the finest grid and the aspect from the canvas.

        Between scattered samples there are cells without any, which coarser grids have to cover. A
        pixel is 8 samples of a curve. Waves as short as a sample would ripple, but grids are
        straight between their vertices.
        """
        pixels = max(canvas.width, canvas.height)
        self.options = replace(
            self.options,
            base=self.options.base or (1 if self.scattered else 16),
            finest=self.options.finest or pixels * (8 if self.inputs == 1 else 1),
            aspect=self.options.aspect or canvas.width / canvas.height,
        )

    @property
    def reach(self) -> list[float]:
        """Half of the range of positions along each axis, in canvas units."""
        aspect = self.options.aspect or 1.0
        return [max(1.0, aspect), max(1.0, 1 / aspect)] if self.inputs == 2 else [1.0] * self.inputs

    @property
    def cells(self) -> list[list[int]]:
        """The number of cells of each grid along each axis: a geometric series of resolutions."""
        options = self.options
        base = options.base or 1
        finest = max(base, options.finest or 1)
        growth = (finest / base) ** (1 / max(1, options.levels - 1))
        longest = max(self.reach)
        return [
            [max(1, round(base * growth**level * reach / longest)) for reach in self.reach]
            for level in range(options.levels)
        ]

    @property
    def params(self) -> Mapping[str, Param]:
        """`table` [rows, features], then `weight0` [hidden, levels·features], `bias0` and so on."""
        options = self.options
        rows = sum(nn.grid_rows(self.cells, 2**options.log2_rows))
        params = {"table": Param(rows, options.features, init=init.uniform(-1e-4, 1e-4), lr=RATE)}
        features = options.levels * options.features
        widths = [features, *[options.hidden] * options.layers, self.outputs]
        return params | relu_params(widths, RATE)

    def forward(self, xy: Tensor, p: Params) -> Tensor:
        """Return values [M, outputs] at positions [M, inputs]."""
        # A tensor made of a list would be copied to a GPU, which could not record the step then.
        reach = torch.cat([xy.new_full((1,), each) for each in self.reach])
        places = (xy / reach + 1) / 2
        value = nn.interpolate_grids(places, p.table, self.cells, 2**self.options.log2_rows)
        numbers = range(self.options.layers + 1)
        weights = [getattr(p, f"weight{i}") for i in numbers]
        biases = [getattr(p, f"bias{i}") for i in numbers]
        return nn.relu_layers(self, value, weights, biases)
