"""Layers that plugins share: grids of features, PReLU, and networks with ReLU."""

from artgen.nn.grids import grid_rows, interpolate_grids
from artgen.nn.layers import relu_layers
from artgen.nn.prelu import prelu

__all__ = ["grid_rows", "interpolate_grids", "prelu", "relu_layers"]
