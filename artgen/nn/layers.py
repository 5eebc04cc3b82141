"""Small networks: linear layers with ReLU between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from artgen.nn import cuda
from artgen.primitives import Arithmetic


class LinearLayers(Protocol):
    """A primitive with linear layers, computed in its `arithmetic`: see `artgen.Field`."""

    arithmetic: Arithmetic

    def linear(self, value: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return value @ weight.T + bias."""


def relu_layers(
    field: LinearLayers, value: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]
) -> Tensor:
    """Apply the layers of `field` to `value` [M, k], with ReLU between them; differentiable.

    Each weight is [n, k], each bias [n]. On CUDA, in float32, up to `cuda.DEEPEST` layers are one
    kernel if none is wider than `cuda.WIDEST`; elsewhere each is a `Field.linear`.
    """
    widest = max(max(weight.shape) for weight in weights)
    small = widest <= cuda.WIDEST and len(weights) <= cuda.DEEPEST
    single = field.arithmetic == "fp32" and biases[0].dtype == torch.float32
    if small and single and cuda.usable(biases[0]):
        return cuda.layers_on_cuda(value, weights, biases)
    return cuda.layers_plainly(value, weights, biases, field.linear)
