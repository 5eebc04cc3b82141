"""The compiled backend on CUDA: generated Triton kernels over tiles of 16 × 16 pixels.

Splats are listed in a pyramid of grids, each in the level whose cells are at least half as large as
the splat: there it touches at most 3 × 3 of them. So nine places per splat always suffice, nothing
waits for the GPU to say how many pairs there are, and every shape is known from the number of
splats alone. A tile reads the lists of the cells that contain it, one per level.

Gradients are summed per splat in a fixed order, without atomics: the same input gives the same
bits. What the kernels of a sum read is known beforehand, so that its steps can be recorded.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence

import torch
from torch import Tensor

from artgen.base.errors import install_hint
from artgen.compiler.printer import KernelSource
from artgen.compiler.record import Untraceable
from artgen.compiler.triton_launch import launch
from artgen.compiler.triton_printer import SPLATS, emit_triton, emit_triton_over
from artgen.families.splat.contract import Splat
from artgen.families.splat.footprint import CompiledFootprint, Launch, Scene
from artgen.families.splat.tiles import Tiles, find_boxes
from artgen.values.canvas import Canvas

SIDE = 16
"""The side of a tile and of the smallest cells, in pixels."""

PROGRAMS = 1 << 13
"""Programs that compute gradients, for any number of splats: few splats have large ones."""


class _Scene(Scene):
    """Splats as [N, D] parameters, [N, C] features, and boxes of pixels.

    Accumulating never waits for the device; compositing waits once, for the length of the lists.
    """

    def __init__(self, launch: Launch, features: Tensor, parameters: Sequence[Tensor]) -> None:
        super().__init__(launch, features, parameters)
        self.parameters, self.factors, self.centres = self.by_splat()
        self.grid = _grid(self.canvas, features.device)
        self.box = find_boxes(self.centres, self.extent, self.canvas)
        uniforms = features.new_empty(self.count, self.source.prepared)
        blocks = -(-self.count // SPLATS)
        self.launch("prepare", blocks, self.parameters, uniforms, *self.table, self.count)
        frame = self.extent.frame.t().contiguous()
        pixels = self.grid.x, self.grid.y
        self.splats = self.centres, frame, uniforms, self.factors, *pixels, *self.table
        self.size = self.canvas.width, self.canvas.height

    def launch(self, name: str, programs: int, *arguments: Tensor | int) -> None:
        """Run a kernel where its first argument is."""
        launch(getattr(self.kernels, name), self.kernels.WARPS[name], (programs,), *arguments)

    def picture(self) -> Tensor:
        """Draw: [C, height, width]."""
        width, height = self.size
        image, grid = self.features.new_empty(self.channels, height, width), self.grid
        if self.over:
            tiles = Tiles(self.centres.t(), self.extent.radius, self.canvas, SIDE)
            start = torch.nn.functional.pad(tiles.count.cumsum(0), (1, 0)).int()
            end = torch.empty(grid.tiles * SIDE * SIDE, dtype=torch.int32, device=image.device)
            # A picture with its graph would hold itself.
            self.drawn = start, tiles.splat.int(), image.detach(), end
            self.launch("forward", grid.tiles, *self.splats, *self.drawn, *self.size)
        else:
            listed = list_splats(self.box, grid)
            given = *self.splats, self.box, *listed, grid.base, grid.columns, image
            self.launch("forward", grid.tiles, *given, *self.size, grid.levels)
        return image

    def gradients(self, incoming: Tensor) -> Tensor:
        """The gradients by `rows`."""
        parts = 1 if self.over else max(1, PROGRAMS // max(1, self.count))
        if self.over:
            sums = self._composited(incoming)
        else:
            sums = incoming.new_empty(parts, self.count, self.sums)
            given = *self.splats, self.box, incoming, sums, *self.size, self.count, parts
            self.launch("backward", self.count * parts, *given)
        gradients = torch.empty_like(self.parameters), torch.empty_like(self.factors)
        arrays = self.parameters, sums, self.box, *self.table, *gradients
        self.launch("finish", -(-self.count // SPLATS), *arrays, self.count, parts)
        return torch.cat(gradients, dim=1).t()

    def _composited(self, incoming: Tensor) -> Tensor:
        """The sums of each splat, from those of its pairs with tiles."""
        listed = self.drawn[1]
        pairs = incoming.new_zeros(len(listed), self.sums)
        given = *self.splats, *self.drawn, incoming, pairs, *self.size
        self.launch("backward", self.grid.tiles, *given)
        # By splat and, for each, in the order of the tiles: the same bits every time.
        splat, order = torch.sort(listed, stable=True)
        ends = torch.searchsorted(splat, torch.arange(self.count + 1, device=splat.device))
        return torch.segment_reduce(pairs[order], "sum", lengths=ends.diff(), axis=0, unsafe=True)


class Footprint(CompiledFootprint):
    """A footprint whose kernels Triton compiles."""

    scene = _Scene

    def __init__(self, splat: Splat) -> None:
        if importlib.util.find_spec("triton") is None:
            raise Untraceable(f"kernels for CUDA need Triton: {install_hint('triton')}")
        super().__init__(splat)
        self._tables: dict[torch.device, Tensor] = {}

    def _emit(self, channels: int, over: bool) -> KernelSource:
        if over:
            return emit_triton_over(self._ir, SIDE)
        return emit_triton(self._ir, self._far, channels, SIDE)

    def _place(self, device: torch.device) -> Tensor:
        if device not in self._tables:
            self._tables[device] = torch.from_numpy(self._ir.table).to(device)
        return self._tables[device]


class Pyramid:
    """A pyramid of grids over a canvas, on a device.

    Cells of level l are SIDE·2^l pixels wide; level l has `columns[l]` per row and begins at cell
    number `base[l]`. There are `tiles` in the lowest level and `cells` in all. `x` and `y` are the
    pixel centres of columns and rows.
    """

    def __init__(self, canvas: Canvas, device: torch.device) -> None:
        sides = [SIDE]
        while 2 * sides[-1] < max(canvas.width, canvas.height):
            sides.append(2 * sides[-1])
        columns = [-(-canvas.width // side) for side in sides]
        cells = [n * -(-canvas.height // side) for n, side in zip(columns, sides, strict=True)]
        self.tiles, self.cells, self.levels = cells[0], sum(cells), len(sides)
        self.columns = torch.tensor(columns, device=device)
        self.base = torch.tensor([sum(cells[:k]) for k in range(len(sides))], device=device)
        self.x, self.y = (torch.from_numpy(each).to(device) for each in canvas.pixel_centres())


_grid = functools.cache(Pyramid)  # recorded steps keep no reference to what they read


def list_splats(box: Tensor, grid: Pyramid) -> tuple[Tensor, Tensor]:
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
    # Half as many bits are sorted in half the time.
    cell, order = torch.sort(cell.flatten().int(), stable=True)
    cells = torch.arange(grid.cells + 1, dtype=torch.int32, device=box.device)
    start = torch.searchsorted(cell, cells, out_int32=True)
    return start, torch.div(order, 9, rounding_mode="floor").int()
