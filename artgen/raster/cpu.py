"""The compiled backend on a CPU: generated kernels over tiles of 8 × 32 pixels.

Tiles are shared out among threads, each is computed sequentially; gradients are summed per pair of
tile and splat, and then per splat in the order of the pairs. So the bits are the same for any
number of threads.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from artgen.canvas import Canvas
from artgen.primitives import Params, Splat
from artgen.raster import kernel_cache
from artgen.raster.emit import Source, emit
from artgen.raster.trace import trace

__all__ = ["Footprint", "emit_for_cpu"]

WIDTH, HEIGHT = 8, 32
"""A tile is as wide as a vector and tall enough to be worth its overhead."""

LARGEST_RADIUS = 1e6
"""In canvas units: an infinite radius must not become a row number."""

Floats = NDArray[np.float32]


def emit_for_cpu(splat: Splat, channels: int = 3) -> Source:
    """The kernels of a footprint before they are compiled. Raises Untraceable."""
    return emit(trace(splat), splat.far, channels, WIDTH, HEIGHT)


class Footprint:
    """A traced footprint; kernels are compiled for a number of channels when first needed.

    Raises Untraceable, or whatever the compiler raises.
    """

    def __init__(self, splat: Splat) -> None:
        self._program, self._far = trace(splat), splat.far
        self._kernels: dict[int, tuple[Source, ModuleType]] = {}

    def kernels(self, channels: int) -> tuple[Source, ModuleType]:
        """The layout and the compiled functions for so many feature channels."""
        if channels not in self._kernels:
            source = emit(self._program, self._far, channels, WIDTH, HEIGHT)
            self._kernels[channels] = source, kernel_cache.load(source.text)
        return self._kernels[channels]

    def accumulate(
        self, splat: Splat, tensors: Mapping[str, Tensor], features: Tensor, canvas: Canvas
    ) -> Tensor:
        """∑ᵢ (wᵢ(x) − far)·featuresᵢ inside the radius, float32 [C, height, width].

        The same as `eager.accumulate`; `features` is [C, N]. Differentiable in `tensors` and
        `features`.
        """
        source, kernels = self.kernels(features.shape[0])
        with torch.no_grad():
            radius = splat.radius(Params(tensors)).expand(features.shape[1])
        columns = [tensors[name][index] for name, index in source.columns]
        image: Tensor = _Accumulate.apply(  # type: ignore[no-untyped-call]
            torch.stack(columns, dim=1).float(),
            features.t().float(),
            radius.float().clamp(max=LARGEST_RADIUS).contiguous(),
            source,
            kernels,
            _grid(canvas),
        )
        return image


class _Accumulate(torch.autograd.Function):
    """The kernels as one differentiable operation of [N, D] parameters and [N, C] features."""

    @staticmethod
    def forward(
        ctx: Any,
        parameters: Tensor,
        features: Tensor,
        radius: Tensor,
        source: Source,
        kernels: ModuleType,
        grid: _Grid,
    ) -> Tensor:
        packed = parameters.detach().contiguous().numpy()
        first = source.columns.index(("xy", (0,)))
        centres = np.ascontiguousarray(packed[:, first : first + 2])
        uniforms = np.empty((len(packed), source.uniforms), np.float32)
        kernels.prepare(packed, uniforms)
        colours = features.detach().contiguous().numpy()
        scene = (centres, radius.numpy(), uniforms, colours, grid.x, grid.y)
        bins = (*grid.bin(centres, radius.numpy()), np.float32(grid.canvas.pixel))
        out = np.empty((grid.tiles, colours.shape[1] * WIDTH * HEIGHT), np.float32)
        _run(kernels.forward, *scene, *bins, out, offset=bins[0])
        ctx.saved = packed, scene, bins, source, kernels, grid
        return grid.assemble(out, colours.shape[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        packed, scene, bins, source, kernels, grid = ctx.saved
        incoming, (offset, splat, _) = grid.disassemble(grad_outputs[0]), bins
        sums = source.leaves + len(grad_outputs[0])
        pairs = np.empty((len(splat), sums), np.float32)
        _run(kernels.backward, *scene, incoming, *bins, pairs, offset=offset)
        totals = np.zeros((len(packed), sums), np.float32)
        _common().sum_pairs(splat, pairs, totals)
        gradient = np.empty_like(packed)
        kernels.finish(packed, totals, gradient)
        # A sum of nothing is 0, whatever it is multiplied by.
        gradient[np.bincount(splat, minlength=len(packed)) == 0] = 0
        features = np.ascontiguousarray(totals[:, source.leaves :])
        return torch.from_numpy(gradient), torch.from_numpy(features), None, None, None, None


def _run(kernel: Callable[..., None], *arguments: Any, offset: NDArray[np.int64]) -> None:
    """Run a kernel over all tiles, in pieces of equal work that idle threads take in turn.

    These threads sleep while they wait. Those of OpenMP, which numba would use, wait in a loop:
    hardly faster on an idle machine, five times slower on one that does something else as well.
    """
    threads, tiles = torch.get_num_threads(), len(offset) - 1
    if threads == 1:
        kernel(*arguments, 0, tiles)
        return
    work = offset + np.arange(tiles + 1)
    cuts = np.searchsorted(work, np.linspace(0, work[-1], 4 * threads + 1))
    pieces = iter(list(pairwise(cuts.tolist())))

    def take() -> None:
        for start, stop in pieces:
            kernel(*arguments, start, stop)

    others = [_pool(threads - 1).submit(take) for _ in range(threads - 1)]
    take()
    for other in others:
        other.result()


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="artgen")


if hasattr(os, "register_at_fork"):
    # A forked process has none of its parent's threads.
    os.register_at_fork(after_in_child=_pool.cache_clear)


@functools.cache
def _common() -> ModuleType:
    path = Path(__file__).with_name("common_kernels.py")
    return kernel_cache.load(path.read_text(encoding="utf-8"))


class _Grid:
    """The tiles of a canvas: pixel centres per tile column and row, and their assembly."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.columns, self.rows = -(-canvas.width // WIDTH), -(-canvas.height // HEIGHT)
        self.tiles = self.columns * self.rows
        shorter = min(canvas.width, canvas.height)
        column = np.arange(self.columns * WIDTH, dtype=np.float64)
        row = np.arange(self.rows * HEIGHT, dtype=np.float64)
        x = (2 * column + 1 - canvas.width) / shorter
        y = (2 * row + 1 - canvas.height) / shorter
        self.x = x.astype(np.float32).reshape(self.columns, WIDTH)
        self.y = y.astype(np.float32).reshape(self.rows, HEIGHT)

    def bin(self, centres: Floats, radius: Floats) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """For every tile where its splats start, and the splats, both in order."""
        width, height = self.canvas.width, self.canvas.height
        offset, splat = _common().bin_splats(
            *(centres, radius, min(width, height) / 2, width / 2, height / 2),
            *(self.columns, self.rows, WIDTH, HEIGHT),
        )
        return offset, splat

    def assemble(self, tiles: Floats, channels: int) -> Tensor:
        """[tiles, C·pixels] to [C, height, width]."""
        grid = torch.from_numpy(tiles).reshape(self.rows, self.columns, channels, HEIGHT, WIDTH)
        image = grid.permute(2, 0, 3, 1, 4).reshape(
            channels, self.rows * HEIGHT, self.columns * WIDTH
        )
        return image[:, : self.canvas.height, : self.canvas.width]

    def disassemble(self, image: Tensor) -> Floats:
        """[C, height, width] to [tiles, C·pixels], zero outside the canvas."""
        right = self.columns * WIDTH - self.canvas.width
        below = self.rows * HEIGHT - self.canvas.height
        padded = torch.nn.functional.pad(image, (0, right, 0, below)) if right or below else image
        grid = padded.reshape(len(image), self.rows, HEIGHT, self.columns, WIDTH)
        return grid.permute(1, 3, 0, 2, 4).contiguous().reshape(self.tiles, -1).numpy()


@functools.lru_cache(maxsize=8)
def _grid(canvas: Canvas) -> _Grid:
    return _Grid(canvas)
