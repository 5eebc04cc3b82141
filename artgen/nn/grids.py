"""Features from grids of many resolutions: what a multiresolution hash encoding learns.

Every level is a grid of vertices over the positions 0 to 1, and each vertex has a row of learned
features in a table. A position gets, from every level, the mean of the vertices of its cell,
weighted by how near they are. A level with more vertices than rows shares them: vertices are
hashed, and those that collide learn what serves most of them. (Müller, Evans, Schied and Keller:
Instant neural graphics primitives with a multiresolution hash encoding, SIGGRAPH 2022.)

On a CPU this is done by numba kernels, written out for the number of axes and of features, that
find the vertices again for every position: that is faster than reading where they are. On CUDA
Triton kernels do the same. Elsewhere it is done by torch.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from artgen.compiler.field_layers import PRIMES
from artgen.compiler.grid_printer import grid_kernels
from artgen.compiler.record import Recorded
from artgen.compiler.threads import share
from artgen.nn import cuda

AT_ONCE = 4096
"""Positions in a thread's piece."""


def grid_rows(cells: Sequence[Sequence[int]], largest: int) -> list[int]:
    """Return the rows of the table that each level takes: one per vertex, at most `largest`.

    `cells` is the number of cells of every level along every axis.
    """
    return [min(math.prod(n + 1 for n in level), largest) for level in cells]


def interpolate_grids(
    positions: Tensor, table: Tensor, cells: Sequence[Sequence[int]], largest: int
) -> Tensor:
    """Return the features of all levels at `positions`, [M, levels·F], differentiable in `table`.

    `positions` are [M, d], from 0 to 1 along each axis; what is outside is continued linearly from
    the cell at the edge. `table` is [rows, F], with the rows of all levels one after another, as
    many as `grid_rows(cells, largest)`; `largest` is a power of two. The result has the levels in
    their order, each with its F features. Raises ValueError where the shapes do not agree.
    """
    levels = _levels(tuple(map(tuple, cells)), largest)
    axes, rows = positions.shape[1], levels.rows
    if any(len(level) != axes for level in cells) or not 1 <= axes <= len(PRIMES):
        raise ValueError(f"positions have {axes} axes, but cells {list(cells)} have others")
    if largest & (largest - 1) or table.shape[0] != rows:
        raise ValueError(
            f"the table must have {rows} rows for largest={largest}, got {table.shape[0]}"
        )
    if isinstance(positions, Recorded):
        return positions.interpolated(table, levels.table, largest)
    plain = positions.dtype == table.dtype == torch.float32 and not positions.requires_grad
    if plain and table.device.type == "cpu":
        return _interpolate_on_cpu(positions, table, levels)
    if plain and cuda.usable(table):
        return cuda.interpolate_on_cuda(positions, table, levels.table, largest)
    return cuda.interpolate_plainly(positions, table, levels.table, largest)


class _Levels:
    """The levels: `table` is int64 [levels, d + 2], their cells along every axis,
    their first row, and whether vertices are hashed; `rows` is how many rows there are in all.
    """

    def __init__(self, cells: tuple[tuple[int, ...], ...], largest: int) -> None:
        *first, self.rows = accumulate(grid_rows(cells, largest), initial=0)
        self.largest = largest
        table = [
            [*level, start, math.prod(n + 1 for n in level) > largest]
            for level, start in zip(cells, first, strict=True)
        ]
        self.table = np.array(table, np.int64)


_levels = functools.lru_cache(maxsize=32)(_Levels)


class _Interpolate(torch.autograd.Function):
    """The kernels as one differentiable operation."""

    @staticmethod
    def forward(ctx: Any, positions: Tensor, table: Tensor, levels: _Levels) -> Tensor:
        kernels = grid_kernels(positions.shape[1], table.shape[1])
        at = positions.detach().contiguous().numpy()
        values = table.detach().contiguous().numpy()
        features = torch.empty(
            len(positions), len(levels.table) * table.shape[1], dtype=torch.float32
        )
        out = features.numpy()
        ctx.saved = kernels, at, levels, table.shape
        share(
            lambda start: kernels.forward(
                at, values, levels.table, levels.largest, out, start, start + AT_ONCE
            ),
            range(0, len(at), AT_ONCE),
        )
        return features

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[None, Tensor, None]:
        kernels, at, levels, shape = ctx.saved
        incoming = grad_outputs[0].contiguous().numpy()
        gradient = torch.zeros(shape)
        out = gradient.numpy()
        # A level is one thread's: its rows are added up in the order of the positions.
        share(
            lambda level: kernels.backward(at, levels.table, levels.largest, incoming, out, level),
            range(len(levels.table)),
        )
        return None, gradient, None


_interpolate_on_cpu: Callable[..., Tensor] = _Interpolate.apply
