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
from artgen.raster.footprint import CompiledFootprint, Goal, Launch

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
        return _draw(launch, features, *_parameters(launch.source, tensors))

    def _compare(
        self, tensors: Mapping[str, Tensor], features: Tensor, launch: Launch, goal: Goal
    ) -> Tensor:
        return _compare(launch, goal, features, *_parameters(launch.source, tensors))


class _Scene:
    """Splats as the kernels take them: [C, N] features, and parameters in the order of `_places`.

    Parameters are those that the source's columns name, in the order in which they are first named.
    """

    def __init__(self, launch: Launch, features: Tensor, parameters: Sequence[Tensor]) -> None:
        self.source, self.kernels, extent, canvas, over, table = launch
        self.grid, self.features, self.parameters = _grid(canvas), features, parameters
        places = _places(self.source)
        packed = np.empty((features.shape[1], len(places)), np.float32)
        for column, (which, index) in enumerate(places):
            packed[:, column] = parameters[which].detach()[index].numpy()
        first = self.source.columns.index(("xy", (0,)))
        centres = np.ascontiguousarray(packed[:, first : first + 2])
        ellipses = torch.stack(extent, dim=1).float().numpy()
        colours = features.detach().t().float().contiguous().numpy()
        self.order = None
        if not over and len(packed) >= SORTED_FROM:
            self.order = self.grid.order(centres)
            packed, centres, ellipses, colours = (
                np.take(rows, self.order, axis=0) for rows in (packed, centres, ellipses, colours)
            )
        frame, self.tiles = self.grid.bin(centres, ellipses)
        prepared = np.empty((len(packed), self.source.prepared), np.float32)
        self.kernels.prepare(packed, centres, frame, colours, prepared, *table)
        self.packed, self.table = packed, table
        self.arrays = (prepared, self.grid.x, self.grid.y, *table)

    def launch(self, kernel: Callable[..., None], picture: Floats, *more: Any) -> None:
        """Run a kernel over all tiles, in pieces of equal work that idle threads take in turn."""
        offset = self.tiles[0]
        work = offset + np.arange(len(offset))
        pieces = 1 if torch.get_num_threads() == 1 else 4 * torch.get_num_threads()
        cuts = np.searchsorted(work, np.linspace(0, work[-1], pieces + 1))
        share(
            lambda piece: kernel(*self.arrays, picture, *self.tiles, *piece, *more),
            list(pairwise(cuts.tolist())),
        )

    def gradients(self, incoming: Floats, *more: Any) -> tuple[Tensor | None, ...]:
        """What `backward` of a function of (launch, features, *parameters) returns."""
        source, splat = self.source, self.tiles[1]
        pairs = np.empty((len(splat), source.leaves + len(self.features)), np.float32)
        self.launch(self.kernels.backward, incoming, pairs, *more)
        totals = np.zeros((len(self.packed), pairs.shape[1]), np.float32)
        drawn = np.zeros(len(self.packed), np.bool_)
        _common().sum_pairs(splat, pairs, totals, drawn)
        gradient = np.empty_like(self.packed)
        self.kernels.finish(self.packed, totals, gradient, *self.table)
        # Splats that were not drawn have gradient 0, even where a factor is not finite.
        gradient[~drawn] = 0
        if self.order is not None:
            before = np.empty_like(self.order)
            before[self.order] = np.arange(len(before))
            gradient, totals = (np.take(rows, before, axis=0) for rows in (gradient, totals))
        gradients = [torch.zeros_like(parameter) for parameter in self.parameters]
        for column, (which, index) in enumerate(_places(source)):
            gradients[which][index] = torch.from_numpy(gradient[:, column])
        of_features = torch.from_numpy(totals[:, source.leaves :].T.copy()).to(self.features)
        return None, of_features, *gradients


class _Draw(torch.autograd.Function):
    """The kernels as one differentiable operation of the features and parameters of a scene."""

    @staticmethod
    def forward(ctx: Any, launch: Launch, features: Tensor, *parameters: Tensor) -> Tensor:
        scene = ctx.scene = _Scene(launch, features, parameters)
        canvas, tiles = launch.canvas, len(scene.tiles[0]) - 1
        image = torch.empty(len(features), canvas.height, canvas.width)
        # The number of visible splats at each pixel.
        end = (np.empty((tiles, WIDTH * HEIGHT), np.float32),) if launch.over else ()
        scene.launch(scene.kernels.forward, image.numpy(), *end)
        ctx.more = (*end, image.numpy()) if launch.over else ()
        if launch.source.keeps:
            ctx.more = _no_share, _no_base, np.empty(tiles)
        return image

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        incoming = grad_outputs[0].float().contiguous().numpy()
        scene: _Scene = ctx.scene
        return scene.gradients(incoming, *ctx.more)


_draw: Callable[..., Tensor] = _Draw.apply
_no_share, _no_base = np.empty((0, 0), np.float32), np.empty(0, np.float32)


class _Compare(torch.autograd.Function):
    """The picture compared with a goal, and all gradients, in one pass over the tiles."""

    @staticmethod
    def forward(
        ctx: Any, launch: Launch, goal: Goal, features: Tensor, *parameters: Tensor
    ) -> Tensor:
        scene = _Scene(launch, features, parameters)
        errors = np.empty(len(scene.tiles[0]) - 1)
        base, share_of = (np.asarray(each, np.float32) for each in (goal.base, goal.share))
        ctx.gradients = scene.gradients(goal.picture.numpy(), share_of, base, errors)
        return features.new_tensor(errors.sum() / 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        first, *gradients = ctx.gradients
        return first, None, *(each * grad_outputs[0] for each in gradients)


_compare: Callable[..., Tensor] = _Compare.apply


def _parameters(source: Source, tensors: Mapping[str, Tensor]) -> list[Tensor]:
    """The parameters that the columns name."""
    return [tensors[name] for name in dict.fromkeys(name for name, _ in source.columns)]


def _places(source: Source) -> list[tuple[int, tuple[int, ...]]]:
    """For every column which parameter it is of, counted as they come, and which component."""
    numbers: dict[str, int] = {}
    return [(numbers.setdefault(name, len(numbers)), index) for name, index in source.columns]


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
