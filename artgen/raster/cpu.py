"""The compiled backend on a CPU: generated kernels over tiles of 8 × 32 pixels.

Tiles are shared out among threads, each is computed sequentially; gradients are summed per pair of
tile and splat, and then per splat in the order of the pairs. So the bits are the same for any
number of threads.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
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
from artgen.primitives import Splat
from artgen.raster import kernel_cache
from artgen.raster.emit import Source, emit, emit_over
from artgen.raster.program import Program
from artgen.raster.threads import share_out
from artgen.raster.tiles import Extent, find_extent
from artgen.raster.trace import trace

__all__ = ["Footprint", "emit_for_cpu"]

WIDTH, HEIGHT = 8, 32
"""A tile is as wide as a vector and tall enough to be worth its overhead."""

SORTED_FROM = 20_000
"""From so many splats on they are sorted by place; fewer are in the processor's cache anyway."""

Floats = NDArray[np.float32]

Tiles = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8]]
"""Where the splats of every tile start, the splats, and in which pairs of its rows they are."""


def emit_for_cpu(splat: Splat, channels: int = 3) -> Source:
    """The kernels of a footprint before they are compiled. Raises Untraceable."""
    return _emit(trace(splat), splat.far, channels, over=splat.blend == "over")


def _emit(program: Program, far: float, channels: int, over: bool) -> Source:
    if over:
        return emit_over(program, WIDTH, HEIGHT)
    return emit(program, far, channels, WIDTH, HEIGHT)


class Footprint:
    """A traced footprint; kernels are compiled for a number of channels when first needed.

    Raises Untraceable, or whatever the compiler raises.
    """

    def __init__(self, splat: Splat) -> None:
        self._program, self._far = trace(splat), splat.far
        self._kernels: dict[tuple[int, bool], tuple[Source, ModuleType]] = {}

    def kernels(self, channels: int, over: bool = False) -> tuple[Source, ModuleType]:
        """The layout and the compiled functions for so many feature channels."""
        key = channels, over
        if key not in self._kernels:
            source = _emit(self._program, self._far, channels, over)
            self._kernels[key] = source, kernel_cache.load(source.text)
        return self._kernels[key]

    def accumulate(
        self, splat: Splat, tensors: Mapping[str, Tensor], features: Tensor, canvas: Canvas
    ) -> Tensor:
        """∑ᵢ (wᵢ(x) − far)·featuresᵢ inside the ellipses, float32 [C, height, width].

        The same as `eager.accumulate`; `features` is [C, N]. Differentiable in `tensors` and
        `features`.
        """
        return self._draw(splat, tensors, features, canvas, over=False)

    def composite(
        self,
        splat: Splat,
        tensors: Mapping[str, Tensor],
        colour: Tensor,
        opacity: Tensor,
        canvas: Canvas,
    ) -> Tensor:
        """Alpha compositing, the first splat in front: colour and transmittance, [4, h, w].

        The same as `eager.composite`.
        """
        features = torch.cat([colour, opacity[None]])
        return self._draw(splat, tensors, features, canvas, over=True)

    def _draw(
        self,
        splat: Splat,
        tensors: Mapping[str, Tensor],
        features: Tensor,
        canvas: Canvas,
        over: bool,
    ) -> Tensor:
        source, kernels = self.kernels(features.shape[0], over)
        names = list(dict.fromkeys(name for name, _ in source.columns))
        extent = find_extent(splat, tensors, features.shape[1])
        image: Tensor = _Draw.apply(  # type: ignore[no-untyped-call]
            (extent, source, kernels, _grid(canvas), over),
            features,
            *(tensors[name] for name in names),
        )
        return image


class _Draw(torch.autograd.Function):
    """The kernels as one differentiable operation of [C, N] features and the parameters.

    Those are given in the order in which the source's columns first name them.
    """

    @staticmethod
    def forward(
        ctx: Any,
        given: tuple[Extent, Source, ModuleType, _Grid, bool],
        features: Tensor,
        *parameters: Tensor,
    ) -> Tensor:
        extent, source, kernels, grid, over = given
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
        kernels.prepare(packed, centres, frame, colours, prepared)
        scene = (prepared, grid.x, grid.y)
        image = torch.empty(len(features), grid.canvas.height, grid.canvas.width)
        # How many splats could be seen at each pixel.
        more = (np.empty((len(tiles[0]) - 1, WIDTH * HEIGHT), np.float32),) if over else ()
        _run(kernels.forward, *scene, image.numpy(), tiles=tiles, more=more)
        ctx.saved = packed, order, scene, tiles, source, kernels
        ctx.more = (*more, image.numpy()) if over else ()
        ctx.like = features, parameters
        return image

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        packed, order, scene, tiles, source, kernels = ctx.saved
        incoming, (_, splat, _) = grad_outputs[0].float().contiguous().numpy(), tiles
        pairs = np.empty((len(splat), source.leaves + len(incoming)), np.float32)
        _run(kernels.backward, *scene, incoming, tiles=tiles, more=(pairs, *ctx.more))
        totals, drawn = _common().sum_pairs(splat, pairs, len(packed))
        gradient = np.empty_like(packed)
        kernels.finish(packed, totals, gradient)
        # A sum of nothing is 0, whatever it is multiplied by.
        gradient[~drawn] = 0
        if order is not None:
            gradient, totals = _unsorted(gradient, order), _unsorted(totals, order)
        features, parameters = ctx.like
        gradients = [torch.zeros_like(parameter) for parameter in parameters]
        for column, (which, index) in enumerate(_places(source)):
            gradients[which][index] = torch.from_numpy(gradient[:, column])
        of_features = torch.from_numpy(totals[:, source.leaves :].T.copy()).to(features)
        return None, of_features, *gradients


def _unsorted(rows: Floats, order: NDArray[np.int64]) -> Floats:
    """The rows that `rows` were before they were put in `order`."""
    before = np.empty_like(rows)
    before[order] = rows
    return before


def _places(source: Source) -> list[tuple[int, tuple[int, ...]]]:
    """For every column which parameter it is of, counted as they come, and which component."""
    numbers: dict[str, int] = {}
    return [(numbers.setdefault(name, len(numbers)), index) for name, index in source.columns]


def _run(
    kernel: Callable[..., None], *scene: Any, tiles: Sequence[Any], more: tuple[Any, ...] = ()
) -> None:
    """Run a kernel over all tiles, in pieces of equal work."""
    threads, offset = torch.get_num_threads(), tiles[0]
    if threads == 1:
        kernel(*scene, *tiles, 0, len(offset) - 1, *more)
        return
    work = offset + np.arange(len(offset))
    cuts = np.searchsorted(work, np.linspace(0, work[-1], 4 * threads + 1))
    share_out(lambda piece: kernel(*scene, *tiles, *piece, *more), pairwise(cuts.tolist()))


@functools.cache
def _common() -> ModuleType:
    path = Path(__file__).with_name("common_kernels.py")
    return kernel_cache.load(path.read_text(encoding="utf-8"))


class _Grid:
    """The tiles of a canvas: pixel centres per tile column and row."""

    def __init__(self, canvas: Canvas) -> None:
        width, height = canvas.width, canvas.height
        self.canvas = canvas
        self.columns, self.rows = -(-width // WIDTH), -(-height // HEIGHT)
        shorter = min(width, height)
        pixels = shorter / 2, width / 2, height / 2
        self._measures = (*pixels, self.columns, self.rows, WIDTH, HEIGHT)
        column = np.arange(self.columns * WIDTH, dtype=np.float64)
        row = np.arange(self.rows * HEIGHT, dtype=np.float64)
        x = (2 * column + 1 - width) / shorter
        y = (2 * row + 1 - height) / shorter
        self.x = x.astype(np.float32).reshape(self.columns, WIDTH)
        self.y = y.astype(np.float32).reshape(self.rows, HEIGHT)

    def order(self, centres: Floats) -> NDArray[np.int64]:
        """The splats by the tile they are in, so that a tile reads what lies together."""
        order: NDArray[np.int64] = _common().order_splats(centres, *self._measures)
        return order

    def bin(self, centres: Floats, ellipses: Floats) -> tuple[Floats, Tiles]:
        """Frames, and which splats touch which tiles: see `common_kernels.bin_splats`."""
        frame, *tiles = _common().bin_splats(centres, ellipses, *self._measures)
        return frame, tuple(tiles)


@functools.lru_cache(maxsize=8)
def _grid(canvas: Canvas) -> _Grid:
    return _Grid(canvas)
