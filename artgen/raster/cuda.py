"""The compiled backend on CUDA: generated Triton kernels over tiles of 16 × 16 pixels.

Splats are listed in a pyramid of grids, each in the level whose cells are at least half as large as
the splat: there it touches at most 3 × 3 of them. So nine places per splat always suffice, nothing
waits for the GPU to say how many pairs there are, and every shape is known from the number of
splats alone. A tile reads the lists of the cells that contain it, one per level.

Gradients are summed per splat in a fixed order, without atomics: the same input gives the same
bits. Kernels are not recorded as CUDA graphs.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from artgen.canvas import Canvas
from artgen.compiler.printer import Source
from artgen.compiler.record import Untraceable
from artgen.compiler.triton_printer import SPLATS, emit_triton, emit_triton_over
from artgen.primitives import Splat
from artgen.raster.footprint import CompiledFootprint, Launch
from artgen.raster.tiles import bin_splats, find_boxes

SIDE = 16
"""The side of a tile and of the smallest cells, in pixels."""

PROGRAMS = 1 << 13
"""Programs that compute gradients, for any number of splats: few splats have large ones."""


class Footprint(CompiledFootprint):
    """A footprint whose kernels Triton compiles.

    Accumulating never waits for the device; compositing waits once, for the length of the lists.
    """

    def __init__(self, splat: Splat) -> None:
        if importlib.util.find_spec("triton") is None:
            raise Untraceable("kernels for CUDA need Triton: pip install 'artgen[triton]'")
        super().__init__(splat)
        self._tables: dict[torch.device, Tensor] = {}

    def _emit(self, channels: int, over: bool) -> Source:
        if over:
            return emit_triton_over(self._ir, SIDE)
        return emit_triton(self._ir, self._far, channels, SIDE)

    def _place(self, device: torch.device) -> Tensor:
        if device not in self._tables:
            self._tables[device] = torch.from_numpy(self._ir.table).to(device)
        return self._tables[device]

    def _draw(self, tensors: Mapping[str, Tensor], features: Tensor, launch: Launch) -> Tensor:
        columns = [tensors[name][index] for name, index in launch.source.columns]
        draw = _composite if launch.over else _accumulate
        return draw(torch.stack(columns, dim=1), features.t().contiguous(), launch)


class _Accumulate(torch.autograd.Function):
    """The kernels as one differentiable operation of [N, D] parameters and [N, C] features."""

    @staticmethod
    def forward(ctx: Any, parameters: Tensor, features: Tensor, launch: Launch) -> Tensor:
        source, kernels, canvas = launch.source, launch.kernels, launch.canvas
        channels, grid = features.shape[1], _grid(canvas, parameters.device)
        prepared, box = _prepared(parameters, launch)
        start, listed = list_splats(box, grid)
        image = parameters.new_empty(channels, canvas.height, canvas.width)
        arrays = (*prepared, features, grid.x, grid.y, *launch.table, box)
        size = (canvas.width, canvas.height)
        _launch(kernels, "forward", grid.tiles, *arrays, start, listed, image, *size, grid.levels)
        ctx.save_for_backward(parameters, *arrays)
        ctx.launch, ctx.sums = launch, source.leaves + channels
        return image

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        parameters, *arrays = ctx.saved_tensors
        (incoming,), count = grad_outputs, len(parameters)
        _, height, width = incoming.shape
        parts = max(1, PROGRAMS // max(1, count))
        sums = parameters.new_empty(parts, count, ctx.sums)
        image = (incoming.contiguous(), sums, width, height)
        kernels = ctx.launch.kernels
        _launch(kernels, "backward", count * parts, *arrays, *image, count, parts)
        return _finished(ctx.launch, parameters, arrays[3], sums, arrays[-1], parts)


_accumulate: Callable[..., Tensor] = _Accumulate.apply


class _Composite(torch.autograd.Function):
    """The same for splats over one another, in their order; features are colour and opacity."""

    @staticmethod
    def forward(ctx: Any, parameters: Tensor, features: Tensor, launch: Launch) -> Tensor:
        source, kernels, extent, canvas, _, table = launch
        grid = _grid(canvas, parameters.device)
        prepared, box = _prepared(parameters, launch)
        tiles = bin_splats(prepared[0].t(), extent.radius, canvas, SIDE)
        start = torch.nn.functional.pad(tiles.count.cumsum(0), (1, 0)).int()
        listed = tiles.splat.int()
        image = parameters.new_empty(4, canvas.height, canvas.width)
        end = torch.empty(grid.tiles * SIDE * SIDE, dtype=torch.int32, device=parameters.device)
        arrays = (*prepared, features, grid.x, grid.y, *table, start, listed, image, end)
        _launch(kernels, "forward", grid.tiles, *arrays, canvas.width, canvas.height)
        ctx.save_for_backward(parameters, box, *arrays)
        ctx.launch, ctx.sums, ctx.tiles = launch, source.leaves + 4, grid.tiles
        return image

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        parameters, box, *arrays = ctx.saved_tensors
        listed, image = arrays[-3], arrays[-2]
        _, height, width = image.shape
        pairs = parameters.new_zeros(len(listed), ctx.sums)
        incoming = grad_outputs[0].contiguous()
        kernels = ctx.launch.kernels
        _launch(kernels, "backward", ctx.tiles, *arrays, incoming, pairs, width, height)
        # By splat and, for each, in the order of the tiles: the same bits every time.
        splat, order = torch.sort(listed, stable=True)
        ends = torch.searchsorted(splat, torch.arange(len(parameters) + 1, device=splat.device))
        sums = torch.segment_reduce(pairs[order], "sum", lengths=ends.diff(), axis=0, unsafe=True)
        return _finished(ctx.launch, parameters, arrays[3], sums, box, 1)


_composite: Callable[..., Tensor] = _Composite.apply


def _prepared(parameters: Tensor, launch: Launch) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """Centres, frames and uniforms of the splats, and their boxes."""
    source, kernels, extent, canvas, _, table = launch
    first = source.columns.index(("xy", (0,)))
    centres = parameters[:, first : first + 2].contiguous()
    count = len(parameters)
    uniforms = parameters.new_empty(count, source.prepared)
    _launch(kernels, "prepare", -(-count // SPLATS), parameters, uniforms, *table, count)
    frame = extent.frame.t().contiguous()
    return (centres, frame, uniforms), find_boxes(centres, extent, canvas)


def _finished(
    launch: Launch, parameters: Tensor, features: Tensor, sums: Tensor, box: Tensor, parts: int
) -> tuple[Tensor | None, ...]:
    """The gradients by parameters and features, from the sums over pixels."""
    gradients, count = (torch.empty_like(parameters), torch.empty_like(features)), len(parameters)
    programs = -(-count // SPLATS)
    arrays = (parameters, sums, box, *launch.table, *gradients)
    _launch(launch.kernels, "finish", programs, *arrays, count, parts)
    return (*gradients, None)


def _launch(kernels: ModuleType, name: str, programs: int, *arguments: Tensor | int) -> None:
    """Run a kernel where its first argument is."""
    if programs:
        with torch.cuda.device_of(arguments[0]):  # type: ignore[no-untyped-call]
            # Triton's own default for fusion is about to change, and it warns about that.
            options = {"num_warps": kernels.WARPS[name], "enable_fp_fusion": True}
            getattr(kernels, name)[programs,](*arguments, **options)


class Grid(NamedTuple):
    """A pyramid of grids over a canvas, on a device.

    Cells of level l are SIDE·2^l pixels wide; level l has `columns[l]` per row and begins at cell
    number `base[l]`. `x` and `y` are the pixel centres of columns and rows.
    """

    x: Tensor
    y: Tensor
    columns: Tensor
    base: Tensor
    tiles: int
    cells: int
    levels: int


@functools.lru_cache(maxsize=8)
def _grid(canvas: Canvas, device: torch.device) -> Grid:
    sides = [SIDE]
    while 2 * sides[-1] < max(canvas.width, canvas.height):
        sides.append(2 * sides[-1])
    columns = [-(-canvas.width // side) for side in sides]
    cells = [n * -(-canvas.height // side) for n, side in zip(columns, sides, strict=True)]
    base = [sum(cells[:level]) for level in range(len(sides))]
    x, y = (torch.from_numpy(centres) for centres in canvas.pixel_centres())
    return Grid(
        x=x.to(device),
        y=y.to(device),
        columns=torch.tensor(columns, device=device),
        base=torch.tensor(base, device=device),
        tiles=cells[0],
        cells=sum(cells),
        levels=len(sides),
    )


def list_splats(box: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """(start [cells + 1], splat [9 N]): cell c holds splat[start[c] : start[c + 1]], ascending.

    `box` is what `find_boxes` gives; a splat is listed in the cells of its level that it touches.
    """
    left, right, top, bottom = box.long().unbind(1)
    longer = torch.maximum(right - left, bottom - top)
    sides = SIDE << torch.arange(grid.levels, device=box.device)
    # Twice the side of a cell is enough: then no more than three in a row are touched.
    level = (longer[:, None] > 2 * sides[:-1]).sum(1)
    side = sides[level]
    step = torch.arange(3, device=box.device)
    column, row = (left // side)[:, None] + step, (top // side)[:, None] + step
    across = (column * side[:, None] < right[:, None]) & (left < right)[:, None]
    down = (row * side[:, None] < bottom[:, None]) & (top < bottom)[:, None]
    cell = grid.base[level][:, None, None] + row[:, :, None] * grid.columns[level][:, None, None]
    cell = (cell + column[:, None, :]).where(down[:, :, None] & across[:, None, :], grid.cells)
    cell, order = torch.sort(cell.flatten(), stable=True)
    start = torch.searchsorted(cell, torch.arange(grid.cells + 1, device=box.device))
    return start.int(), torch.div(order, 9, rounding_mode="floor").int()
