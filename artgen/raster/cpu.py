"""The compiled backend on a CPU: generated kernels over tiles of 8 × 32 pixels.

Tiles are shared out among threads, each is computed sequentially; gradients are summed per pair of
tile and splat, and then per splat in the order of the pairs. So the bits are the same for any
number of threads.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from artgen.canvas import Canvas
from artgen.compiler import kernel_cache
from artgen.compiler.numba_printer import emit, emit_over
from artgen.compiler.printer import Source
from artgen.compiler.threads import share
from artgen.primitives import Splat
from artgen.raster.footprint import CompiledFootprint, Launch

WIDTH, HEIGHT = 8, 32
"""A tile is as wide as a vector and tall enough to be worth its overhead."""

SORTED_FROM = 20_000
"""At least this many splats are sorted by place; fewer fit into the processor's cache anyway."""

Floats = NDArray[np.float32]

Tiles = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8]]
"""Where the splats of every tile start, the splats, and in which pairs of its rows they are."""


def emit_for_cpu(splat: Splat, channels: int = 3) -> Source:
    """Print the kernels of a footprint. Raises Untraceable."""
    return Footprint(splat)._emit(channels, splat.blend == "over")


class Footprint(CompiledFootprint):
    """A footprint whose kernels numba compiles."""

    def _emit(self, channels: int, over: bool) -> Source:
        if over:
            return emit_over(self._ir, WIDTH, HEIGHT)
        return emit(self._ir, self._far, channels, WIDTH, HEIGHT)

    def _draw(self, tensors: Mapping[str, Tensor], features: Tensor, launch: Launch) -> Tensor:
        names = dict.fromkeys(name for name, _ in launch.source.columns)
        return _draw(launch, features, *(tensors[name] for name in names))


class _Draw(torch.autograd.Function):
    """The kernels as one differentiable operation of [C, N] features and the parameters.

    Those are given in the order in which the source's columns first name them.
    """

    @staticmethod
    def forward(ctx: Any, launch: Launch, features: Tensor, *parameters: Tensor) -> Tensor:
        source, kernels, extent, canvas, over, table = launch
        grid = _grid(canvas)
        places = _places(source)
        packed = np.empty((features.shape[1], len(places)), np.float32)
        for column, (which, index) in enumerate(places):
            packed[:, column] = parameters[which].detach()[index].numpy()
        first = source.columns.index(("xy", (0,)))
        centres = np.ascontiguousarray(packed[:, first : first + 2])
        ellipses = torch.stack(extent, dim=1).float().numpy()
        colours = features.detach().t().float().contiguous().numpy()
        order = None
        if not over and len(packed) >= SORTED_FROM:
            order = grid.order(centres)
            packed, centres, ellipses, colours = (
                rows[order] for rows in (packed, centres, ellipses, colours)
            )
        frame, tiles = grid.bin(centres, ellipses)
        prepared = np.empty((len(packed), source.prepared), np.float32)
        kernels.prepare(packed, centres, frame, colours, prepared, *table)
        arrays = (prepared, grid.x, grid.y, *table)
        image = torch.empty(len(features), grid.canvas.height, grid.canvas.width)
        # The number of visible splats at each pixel.
        more = (np.empty((len(tiles[0]) - 1, WIDTH * HEIGHT), np.float32),) if over else ()
        _launch(kernels.forward, *arrays, image.numpy(), tiles=tiles, more=more)
        ctx.saved = packed, order, arrays, tiles, source, kernels
        ctx.more = (*more, image.numpy()) if over else ()
        ctx.like = features, parameters
        return image

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        packed, order, arrays, tiles, source, kernels = ctx.saved
        incoming, (_, splat, _) = grad_outputs[0].float().contiguous().numpy(), tiles
        pairs = np.empty((len(splat), source.leaves + len(incoming)), np.float32)
        _launch(kernels.backward, *arrays, incoming, tiles=tiles, more=(pairs, *ctx.more))
        totals = np.zeros((len(packed), pairs.shape[1]), np.float32)
        drawn = np.zeros(len(packed), np.bool_)
        _common().sum_pairs(splat, pairs, totals, drawn)
        gradient = np.empty_like(packed)
        kernels.finish(packed, totals, gradient, *arrays[3:])
        # Splats that were not drawn have gradient 0, even where a factor is not finite.
        gradient[~drawn] = 0
        if order is not None:
            gradient, totals = _unsorted(gradient, order), _unsorted(totals, order)
        features, parameters = ctx.like
        gradients = [torch.zeros_like(parameter) for parameter in parameters]
        for column, (which, index) in enumerate(_places(source)):
            gradients[which][index] = torch.from_numpy(gradient[:, column])
        of_features = torch.from_numpy(totals[:, source.leaves :].T.copy()).to(features)
        return None, of_features, *gradients


_draw: Callable[..., Tensor] = _Draw.apply


def _unsorted(rows: Floats, order: NDArray[np.int64]) -> Floats:
    """The rows that `rows` were before they were put in `order`."""
    before = np.empty_like(rows)
    before[order] = rows
    return before


def _places(source: Source) -> list[tuple[int, tuple[int, ...]]]:
    """For every column which parameter it is of, counted as they come, and which component."""
    numbers: dict[str, int] = {}
    return [(numbers.setdefault(name, len(numbers)), index) for name, index in source.columns]


def _launch(
    kernel: Callable[..., None], *arrays: Any, tiles: Sequence[Any], more: tuple[Any, ...] = ()
) -> None:
    """Run a kernel over all tiles, in pieces of equal work that idle threads take in turn."""
    offset = tiles[0]
    work = offset + np.arange(len(offset))
    pieces = 1 if torch.get_num_threads() == 1 else 4 * torch.get_num_threads()
    cuts = np.searchsorted(work, np.linspace(0, work[-1], pieces + 1))
    share(lambda piece: kernel(*arrays, *tiles, *piece, *more), list(pairwise(cuts.tolist())))


def _common() -> ModuleType:
    return _kernels("raster.common_kernels")


@functools.cache
def _kernels(module: str) -> ModuleType:
    return kernel_cache.load(kernel_cache.read_kernels(module), of="all splats")


class _Grid:
    """The tiles of a canvas: pixel centres per tile column and row."""

    def __init__(self, canvas: Canvas) -> None:
        width, height, span = canvas.width, canvas.height, canvas.span
        self.canvas = canvas
        self.columns, self.rows = -(-width // WIDTH), -(-height // HEIGHT)
        pixels = span / 2, width / 2, height / 2
        self._measures = (*pixels, self.columns, self.rows, WIDTH, HEIGHT)
        column = np.arange(self.columns * WIDTH, dtype=np.float64)
        row = np.arange(self.rows * HEIGHT, dtype=np.float64)
        x = (2 * column + 1 - width) / span
        y = (2 * row + 1 - height) / span
        self.x = x.astype(np.float32).reshape(self.columns, WIDTH)
        self.y = y.astype(np.float32).reshape(self.rows, HEIGHT)

    def order(self, centres: Floats) -> NDArray[np.int64]:
        """The splats by the tile they are in, so that a tile reads what lies together."""
        kernels = _kernels("raster.order_kernels")
        order: NDArray[np.int64] = kernels.order_splats(centres, *self._measures)
        return order

    def bin(self, centres: Floats, ellipses: Floats) -> tuple[Floats, Tiles]:
        """Frames, and which splats touch which tiles: see `common_kernels.bin_splats`."""
        frame = np.zeros((len(centres), 4), np.float32)
        offset = np.zeros(self.columns * self.rows + 1, np.int64)
        pairs = _common().bin_splats(centres, ellipses, *self._measures, frame, offset)
        return frame, (offset, *pairs)


@functools.lru_cache(maxsize=8)
def _grid(canvas: Canvas) -> _Grid:
    return _Grid(canvas)
