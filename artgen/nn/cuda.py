"""Grids of features and small networks on CUDA, by Triton kernels.

Gradients of a table are summed as whole numbers, of a size that the largest of them decides. Such
sums do not depend on their order, so the same input gives the same bits.
"""

from __future__ import annotations

import functools
import importlib.util
import warnings
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import accumulate, product
from operator import add, mul, xor
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear, pad

from artgen.base.errors import install_hint
from artgen.compiler import kernel_cache
from artgen.compiler.field_layers import PRIMES
from artgen.compiler.grid_printer import cuda_grid_kernels
from artgen.compiler.templates import fill
from artgen.compiler.triton_launch import launch

POSITIONS, GRID_WARPS = 128, 4
"""Positions and warps per program of a grid."""

ROWS, NETWORK_WARPS = 32, 8
"""Rows of values and warps per program of a network."""

NARROWEST, WIDEST, DEEPEST = 16, 64, 4
"""Widths and the number of layers that fit into a program's registers and a moment of compiling;
layers are padded to a power of two."""

BITS = 40
"""Of the largest gradient; 2²² of these can be added."""


def usable(tensor: Tensor) -> bool:
    """Whether the kernels work where a tensor is; where they should and do not, warns once."""
    return tensor.device.type == "cuda" and _work(tensor.device)


@functools.cache
def _work(device: torch.device) -> bool:
    reason = f"kernels for CUDA need Triton: {install_hint('triton')}"
    if importlib.util.find_spec("triton") is not None:
        try:
            if _agree(device):
                return True
            reason = "their kernels do not agree with plain torch"
        except Exception as error:
            # Whatever a compiler throws must not stop a fit, only say why that is slow.
            first = str(error).partition("\n")[0]
            reason = f"their kernels fail: {type(error).__name__}: {first}"
    warnings.warn(f"hash grids run on plain torch: {reason}", RuntimeWarning, stacklevel=2)
    return False


@torch.enable_grad()
def _agree(device: torch.device) -> bool:
    """Whether a small grid and a small network are those of plain torch, with their gradients."""
    rng = torch.Generator().manual_seed(1)
    shapes = ((9, 2), (9 + 16, 2), (8, 4), (3, 8), (8,), (3,))
    positions, *leaves = (torch.rand(shape, generator=rng).to(device) for shape in shapes)
    table, *weights = (leaf.requires_grad_() for leaf in leaves)
    levels = np.array([[2, 2, 0, 0], [9, 9, 9, 1]])
    results = []
    for interpolate, layers in (
        (interpolate_on_cuda, layers_on_cuda),
        (interpolate_plainly, layers_plainly),
    ):
        features = interpolate(positions, table, levels, 16)
        out = layers(features, weights[:2], weights[2:])
        results.append([out, *torch.autograd.grad(out.square().sum(), leaves)])
    return all(
        torch.allclose(mine, plain, rtol=1e-3, atol=1e-3)
        for mine, plain in zip(*results, strict=True)
    )


def interpolate_plainly(
    positions: Tensor, table: Tensor, levels: NDArray[np.int64], largest: int
) -> Tensor:
    """Compute what `interpolate_on_cuda` computes: any device and dtype, differentiable in both."""
    features = []
    axes = positions.shape[1]
    for *cells, first, hashed in levels.tolist():
        scaled = positions * positions.new_tensor(cells)
        low = torch.minimum(
            scaled.detach().floor().clamp_min(0), positions.new_tensor(cells) - 1
        ).long()
        near, far = 1 - (scaled - low), scaled - low
        factors = PRIMES if hashed else [*accumulate((n + 1 for n in cells), mul, initial=1)]
        corners = []
        for corner in product((0, 1), repeat=axes):
            weight = reduce(mul, ((near, far)[step][:, a] for a, step in enumerate(corner)))
            places = ((low[:, a] + step) * factors[a] for a, step in enumerate(corner))
            row = reduce(xor, places) & (largest - 1) if hashed else reduce(add, places)
            corners.append(weight[:, None] * table[first + row])
        features.append(reduce(add, corners))
    return torch.cat(features, dim=1)


def layers_plainly(
    value: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor], linear: Any = linear
) -> Tensor:
    """Compute what `layers_on_cuda` computes, each layer by `linear`."""
    last = len(weights) - 1
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        value = linear(value, weight, bias)
        value = torch.relu(value) if i < last else value
    return value


class _Interpolate(torch.autograd.Function):
    """Features [M, levels·F] at positions [M, d], differentiable in the table [rows, F]."""

    @staticmethod
    def forward(
        ctx: Any, positions: Tensor, table: Tensor, levels: NDArray[np.int64], largest: int
    ) -> Tensor:
        positions, table = positions.contiguous(), table.contiguous()
        (count, axes), features = positions.shape, table.shape[1]
        kernels, rows = cuda_grid_kernels(axes, features), _rows(levels.tobytes(), table.device)
        out = table.new_empty(count, len(levels) * features)
        programs = (-(-count // POSITIONS), len(levels))
        sizes = (count, len(levels), largest, POSITIONS)
        launch(kernels.interpolate, GRID_WARPS, programs, positions, table, rows, out, *sizes)
        ctx.save_for_backward(positions, rows)
        ctx.kernels, ctx.programs, ctx.sizes, ctx.shape = kernels, programs, sizes, table.shape
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        positions, rows = ctx.saved_tensors
        incoming = grad_outputs[0].contiguous()
        sums = torch.zeros(ctx.shape, dtype=torch.int64, device=incoming.device)
        largest = incoming.abs().sum(1).amax(0, keepdim=True) if len(incoming) else incoming.sum()
        scale = torch.exp2(BITS - torch.ceil(torch.log2(largest.clamp_min(1e-25))))
        given = (positions, rows, incoming, scale, sums)
        launch(ctx.kernels.scatter, GRID_WARPS, ctx.programs, *given, *ctx.sizes)
        # Where a gradient is not finite the scale is 0 or NaN, and the quotient is NaN.
        return None, (sums.double() / scale).float(), None, None


interpolate_on_cuda: Callable[..., Tensor] = _Interpolate.apply


@functools.cache  # recorded steps keep no reference to what they read
def _rows(levels: bytes, device: torch.device) -> Tensor:
    """The rows of `grids._Levels.table` one after the other, on a device."""
    return torch.tensor(np.frombuffer(levels, np.int64), device=device)


@functools.cache
def network_kernels(layers: int, width: int) -> ModuleType:
    """Load the Triton kernels for this number of layers, each this wide."""
    source = fill("triton/layers.txt", layers=str(layers), width=str(width))
    return kernel_cache.load(source, of="small networks")


class _Layers(torch.autograd.Function):
    """A network of layers [L, W, W] with ReLU between them, of values [M, inputs]."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, weights: Tensor, biases: Tensor, outputs: int) -> Tensor:
        value, (count, inputs), (layers, width, _) = value.contiguous(), value.shape, weights.shape
        kernels = network_kernels(layers, width)
        kept, out = value.new_empty(layers, count, width), value.new_empty(count, outputs)
        programs, sizes = (-(-count // ROWS),), (count, inputs, outputs, ROWS)
        given = (value, weights, biases, kept, out)
        launch(kernels.forward, NETWORK_WARPS, programs, *given, *sizes)
        ctx.save_for_backward(weights, kept)
        ctx.kernels, ctx.programs, ctx.sizes = kernels, programs, sizes
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        weights, kept = ctx.saved_tensors
        count, inputs, *_ = ctx.sizes
        gradients, out = torch.empty_like(kept), kept.new_empty(count, inputs)
        given = (grad_outputs[0].contiguous(), weights, kept, gradients, out)
        launch(ctx.kernels.backward, NETWORK_WARPS, ctx.programs, *given, *ctx.sizes)
        return out, gradients.transpose(1, 2) @ kept, gradients.sum(1), None


_apply_layers: Callable[..., Tensor] = _Layers.apply


def layers_on_cuda(value: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> Tensor:
    """Apply linear layers with ReLU between them, none wider than WIDEST, to values [M, inputs]."""
    widest = max(NARROWEST, *(max(weight.shape) for weight in weights))
    width = 1 << (widest - 1).bit_length()
    square = [pad(w, (0, width - w.shape[1], 0, width - w.shape[0])) for w in weights]
    rows = [pad(b, (0, width - len(b))) for b in biases]
    return _apply_layers(value, torch.stack(square), torch.stack(rows), len(biases[-1]))
